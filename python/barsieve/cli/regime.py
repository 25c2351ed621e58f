"""`barsieve regime`: the state of the market, and how many states there are."""

from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from barsieve.cli.choices import current
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
from barsieve.core import paths
from barsieve.core.times import read_moment


def _moment(text: str) -> datetime:
    if text == "now":
        return datetime.now(UTC)
    try:
        return read_moment(text)
    except ValueError:
        raise fail(
            f"--at {text}: expected now or a time such as 2024-08-05T12:00"
        ) from None


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
    stale = [b["stale_after_hours"] for b in report["beliefs"] if b["is_stale"]]
    if stale:
        out.print(
            f"The last day known ended more than {stale[0]:g} hours before: the "
            "regime is unknown and nothing is shifted. Bring the market up to date and "
            "build again.\n"
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


def _compare(as_json: bool) -> None:
    from barsieve.analysis.regimes import compared_state_counts

    with err.status("walking 2 to 6 states forward ...", spinner="dots"):
        found = compared_state_counts(paths.database_path())
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


def _print_judged(rows: list[dict[str, Any]]) -> None:
    columns = [
        "classifier", "window", "reference", "days", "log-likelihood", "stay, days",
        "switches/year", "next vol explained", "forecast",
    ]  # fmt: skip
    lines = [
        [
            r["classifier"], r["fit_window"], r["reference_symbol"], f"{r['days']:,}",
            number(r["predictive_log_likelihood"], ".2f"),
            number(r["mean_duration_days"], ".1f"),
            number(r["switches_per_year"], ".1f"),
            number(r["next_vol_explained"], ".1%"),
            number(r["next_vol_forecast"], "+.1%"),
        ]
        for r in rows
    ]  # fmt: skip
    out.print(table("report_regimes: out of sample", columns, lines))


PATTERNS = {
    "trades": (",.0f", "+,.0f"),
    "win_rate": (".1%", "+.1%"),
    "profit_factor": (".2f", "+.2f"),
    "sharpe": (".2f", "+.2f"),
    "max_drawdown": (".1%", "+.1%"),
}


def _print_worth(rows: list[dict[str, Any]], classifier: str) -> None:
    columns = [
        "profile", "span", "figure", "without", "with", "difference", "low", "high",
        "beyond chance",
    ]  # fmt: skip
    lines = []
    for r in rows:
        if r["classifier"] != classifier:
            continue
        plain, signed = PATTERNS[r["figure"]]
        lines.append(
            [
                r["profile"], r["span"], r["figure"],
                number(r["without_regime"], plain), number(r["with_regime"], plain),
                *(number(r[name], signed) for name in ("difference", "low", "high")),
                "yes" if r["is_beyond_chance"] else "no",
            ]
        )  # fmt: skip
    title = f"report_regime_worth: replays without regimes and with {classifier}"
    out.print(table(title, columns, lines))


def _print_for_how_many(rows: list[dict[str, Any]]) -> None:
    if rows:
        out.print(
            f"Intervals hold all {rows[0]['comparisons']} differences of "
            "report_regime_worth at once with 95 %.",
            highlight=False,
        )


def _report(as_json: bool) -> None:
    from barsieve.analysis.regimes import judged_regimes

    found = judged_regimes(paths.database_path())
    if as_json:
        print_json(found)
        return
    judged, worth = found.values()
    _print_judged(judged)
    for classifier in ("hmm", "kmeans", "vix_bands"):
        _print_worth(worth, classifier)
    _print_for_how_many(worth)


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
    report: Annotated[
        bool,
        typer.Option(
            "--report", help="Judge the classifiers, and what they are worth."
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Print the regime at a moment: probabilities, inputs with ages, shift in force.

    Only what was known by then is used.

    Example: barsieve regime --at now

    Example: barsieve regime --report
    """
    moment = _moment(at)
    with refusing():
        if compare_states:
            _compare(as_json)
            return
        if report:
            _report(as_json)
            return
        known = dict(current().regime(moment))
    if as_json:
        print_json(known)
        return
    _print_beliefs(known)
    _print_inputs_and_profiles(known)
