"""`barsieve regime`: the state of the market, and how many states there are."""

from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from barsieve import project
from barsieve.cli.output import (
    AsJson,
    err,
    fail,
    number,
    out,
    print_json,
    refusing,
    table,
)


def _moment(text: str) -> datetime:
    if text == "now":
        return datetime.now(UTC)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise fail(
            f"--at {text}: expected now or a time such as 2024-08-05T12:00"
        ) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _print_beliefs(report: dict[str, Any]) -> None:
    columns = [
        "classifier", "window", "reference", "regime", "risk_on", "neutral",
        "risk_off", "crisis", "shift", "day ended", "hours ago",
    ]  # fmt: skip
    rows = [
        [
            b["classifier"], b["fit_window"], b["reference_symbol"], b["regime"],
            *(
                number(b[f"p_{name}"], ".1%")
                for name in ("risk_on", "neutral", "risk_off", "crisis")
            ),
            f"{b['threshold_shift']:+.4f}", f"{b['believed_at']:%Y-%m-%d %H:%M}",
            f"{b['age_hours']:,.0f}",
        ]
        for b in report["beliefs"]
    ]  # fmt: skip
    out.print(table(f"regimes at {report['at']:%Y-%m-%d %H:%M} UTC", columns, rows))
    if any(b["age_hours"] > 72 for b in report["beliefs"]):
        out.print(
            "The last day known ended more than 72 hours before: the regime is unknown "
            "and nothing is shifted. Bring the market up to date and build again.\n"
        )


def _print_inputs_and_profiles(report: dict[str, Any]) -> None:
    rows = [
        [i["reference_symbol"], i["input"], number(i["value"], ",.4g"),
         number(i["age_hours"], ",.0f")]
        for i in report["inputs"]
    ]  # fmt: skip
    columns = ["reference", "input", "value", "hours old"]
    out.print(table("inputs", columns, rows))
    columns = ["profile", "classifier", "regime", "threshold", "shift", "in force"]
    rows = [
        [
            p["profile"], p["classifier"], p["regime"], f"{p['entry_threshold']:.4f}",
            f"{p['threshold_shift']:+.4f}", f"{p['threshold']:.4f}",
        ]
        for p in report["profiles"]
    ]  # fmt: skip
    out.print(table("entry thresholds", columns, rows))


def _compare(connection, as_json: bool) -> None:
    from barsieve.regime.columns import read_observations
    from barsieve.regime.states import compare_state_counts

    asked = connection.sql(
        "select distinct reference_symbol, fit_window from config_profiles order by all"
    ).fetchall()
    found = []
    with err.status("walking 2 to 6 states forward ...", spinner="dots"):
        for symbol, window in asked:
            seen = read_observations(connection.table("regime_observations"), symbol)
            compared = compare_state_counts(seen, window) if len(seen.day) else []
            about = {"reference_symbol": symbol, "fit_window": window}
            found += [about | row for row in compared]
    if as_json:
        print_json(found)
        return
    columns = [
        "reference", "window", "states", "days", "log-likelihood", "gain over 4", "low",
        "high", "fits", "kept", "agreement", "switches/year",
    ]  # fmt: skip
    rows = [
        [
            r["reference_symbol"], r["fit_window"], str(r["states"]), f"{r['days']:,}",
            f"{r['predictive_log_likelihood']:.3f}", f"{r['gain']:+.3f}",
            number(r["gain_low"], "+.3f"), number(r["gain_high"], "+.3f"),
            str(r["fits"]), str(r["kept"]), number(r["agreement"], ".0%"),
            f"{r['switches_per_year']:.1f}",
        ]
        for r in found
    ]  # fmt: skip
    out.print(table("states of the HMM, judged out of sample", columns, rows))


def regime(
    at: Annotated[
        str, typer.Option(help="now, or a time (UTC unless it says otherwise).")
    ] = "now",
    compare_states: Annotated[
        bool,
        typer.Option(
            "--compare-states", help="Compare 2 to 6 states by what they foresaw."
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Print the regime at a moment: probabilities, inputs with ages, shift in force.

    Only what was known by then is used.

    Example: barsieve regime --at now
    """
    from barsieve.database import open_database
    from barsieve.regime.live import regime_at

    moment = _moment(at)
    with refusing():
        connection = open_database(project.database_path())
        if compare_states:
            _compare(connection, as_json)
            return
    report = regime_at(connection, moment)
    if not report["beliefs"]:
        raise fail(
            f"no regime is known at {at}: the database was built without the tag ml, "
            "or its market begins later; dbt build, or choose a later time"
        )
    if as_json:
        print_json(report)
        return
    _print_beliefs(report)
    _print_inputs_and_profiles(report)
