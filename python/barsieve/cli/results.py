"""`barsieve show`: what a build says."""

from typing import Annotated, Any

import typer
from rich.table import Table

from barsieve.cli.figures import account_table, print_drawdowns, trade_table
from barsieve.cli.output import (
    AsJson,
    number,
    out,
    print_findings,
    print_json,
    refusing,
    table,
)
from barsieve.core import paths
from barsieve.core.errors import refuse
from barsieve.core.findings import Finding

# How many findings stand below the tables.
MOST_FINDINGS = 3


def _parity_table(rows: list[dict[str, Any]]) -> Table:
    columns = [
        "profile", "screen", "promise", "verdict", "full", "focused", "identical",
        "recall", "visited",
    ]  # fmt: skip
    lines = [
        [
            r["profile"], r["screen"], r["promise"], r["verdict"],
            f"{r['full_trades']:,}", f"{r['focused_trades']:,}", f"{r['identical']:,}",
            number(r["recall"], ".1%"), f"{r['bars_visited'] / r['bars']:.1%}",
        ]
        for r in rows
    ]  # fmt: skip
    shown = table("parity_summary: focused replay against full", columns, lines)
    for row, line in zip(rows, shown.rows, strict=True):
        if row["verdict"] == "broken":
            line.style = "bold red"
    return shown


LUCKS = ("luck", "luck_mean_r", "luck_gross_r")


def _performance_table(rows: list[dict[str, Any]], costs: str) -> Table:
    """Return a line for each profile, with the returns of its baselines beside it."""
    columns = [
        "profile", "trades", "win", "factor", "Sharpe", "drawdown", "return", "hold",
        "random", "luck", "by R", "gross R",
    ]  # fmt: skip
    returns = {(r["profile"], r["strategy"]): r["return_share"] for r in rows}
    baselines = ("buy_and_hold", "random_entry")
    lines = [
        [
            r["profile"], number(r["trades"], ","), number(r["win_rate"], ".1%"),
            number(r["profit_factor"], ".2f"), number(r["sharpe"], ".2f"),
            number(r["max_drawdown"], ".1%"), number(r["return_share"], "+.1%"),
            *(number(returns.get((r["profile"], name)), "+.1%") for name in baselines),
            *(number(r[name], ".0%") for name in LUCKS),
        ]
        for r in rows
        if r["strategy"] == "strategy"
    ]  # fmt: skip
    title = f"report_performance: {costs}; barsieve show PROFILE has every figure"
    return table(title, columns, lines)


def _samples_table(rows: list[dict[str, Any]]) -> Table:
    """Return what profiles made where they were picked, and afterwards."""
    columns = [
        "profile", "sample", "picked until", "of", "days", "trades", "win", "factor",
        "mean R", "Sharpe", "drawdown", "return",
    ]  # fmt: skip
    lines = [
        [
            r["profile"], r["sample"].replace("_", " "),
            f"{r['until_at']:%Y-%m-%d}" if r["until_at"] else "elsewhere",
            number(r["tried"], ",d"), number(r["days"], ",d"),
            number(r["trades"], ",d"), number(r["win_rate"], ".1%"),
            number(r["profit_factor"], ".2f"), number(r["mean_r"], "+.2f"),
            number(r["sharpe"], ".2f"), number(r["max_drawdown"], ".1%"),
            number(r["return_share"], "+.1%"),
        ]
        for r in sorted(rows, key=lambda r: (r["profile"], r["sample"]))
    ]  # fmt: skip
    return table("report_samples: where it was picked, and afterwards", columns, lines)


def _lost_orders(
    screening: list[dict[str, Any]], performance: list[dict[str, Any]]
) -> list[str]:
    """Return a line for each profile whose orders were lost, or whose account was."""
    ruined = {r["profile"]: r["ruined_at"] for r in performance if r["ruined_at"]}
    lines = []
    for row in screening:
        counts = [
            f"{row[name]:,} {text}"
            for name, text in (
                ("lapsed", "entry orders lapsed at a gap"),
                ("refused", "entry orders refused for size or cost"),
                ("liquidated", "liquidated"),
            )
            if row[name]
        ]
        if at := ruined.get(row["profile"]):
            counts.append(f"ruined at the close of {at:%Y-%m-%d %H:%M} UTC")
        if counts and row["gate"] == "entered":
            lines.append(f"{row['profile']}: {', '.join(counts)}")
    return lines


def _print_notes_on_luck(rows: list[dict[str, Any]]) -> None:
    """Print why luck has no figure, and which figures come of few shifts."""
    for r in rows:
        if r["luck_note"]:
            accepted = number(r["luck_acceptance"], ".0%")
            out.print(
                f"luck of {r['profile']}: {r['luck_note']} "
                f"({r['luck_draws']} draws, {accepted} of the shifts accepted)",
                markup=False,
                highlight=False,
            )


def _print_health(findings: list[Finding], every: bool) -> None:
    shown = findings if every else findings[:MOST_FINDINGS]
    n = len(findings)
    title = f"report_health: {n} finding{'' if n == 1 else 's'}"
    if len(shown) < n:
        title += f", the worst {len(shown)} of them; barsieve show --health has all"
    out.print(title, style="bold", markup=False, highlight=False)
    print_findings(shown)


def _print_profile(
    profile: str, tables: dict[str, list[dict[str, Any]]], costs: str
) -> None:
    """Print every figure of a profile: of its trades, its account, its drawdowns."""
    by_strategy = {row["strategy"]: row for row in tables["report_performance"]}
    own = by_strategy["strategy"]
    sides = {row["side"]: row for row in tables["report_sides"]}
    accounts = {profile: own, "hold": by_strategy.get("buy_and_hold", {})}
    falls = tables["report_drawdowns"]
    out.print(_parity_table(tables["parity_summary"]))
    out.print(trade_table(f"{profile}: trades, {costs}", own, sides))
    out.print(account_table("account, beside holding the asset", accounts))
    print_drawdowns([row for row in falls if row["strategy"] == "strategy"])
    _print_notes(tables)


def _print_notes(tables: dict[str, list[dict[str, Any]]]) -> None:
    """Print what a reader of the figures must know: luck untold, orders lost."""
    _print_notes_on_luck(tables["report_performance"])
    for line in _lost_orders(tables["report_screening"], tables["report_performance"]):
        out.print(line, markup=False, highlight=False)


def _of_profile(
    tables: dict[str, list[dict[str, Any]]], profile: str
) -> dict[str, list[dict[str, Any]]]:
    """Return the rows of one profile; refuse a name that the database does not have."""
    known = sorted({row["profile"] for row in tables["parity_summary"]})
    if profile not in known:
        refuse(
            "the database",
            "profile",
            expected=f"one of {', '.join(known)}",
            found=f"'{profile}'",
            fix="correct the name",
        )
    return {
        name: [row for row in rows if row.get("profile", profile) == profile]
        for name, rows in tables.items()
    }


def _print_lookahead(told: str, excused: dict[str, str]) -> None:
    """Print whether no row knows its future, and which models are excused."""
    is_bad = told.startswith("lookahead")
    out.print(
        told,
        style="bold red" if is_bad else None,
        markup=False, highlight=False, soft_wrap=True,
    )  # fmt: skip
    for model, reason in excused.items():
        out.print(
            f"  {model} is excused from the guard: {reason}",
            markup=False, highlight=False, soft_wrap=True,
        )  # fmt: skip


def show(
    profile: Annotated[
        str | None, typer.Argument(help="Print every figure of this profile.")
    ] = None,
    health: Annotated[
        bool, typer.Option("--health", help="Every finding of report_health, alone.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Print what the built database says: origin, lookahead, parity, results, health.

    A profile that broke its promise on this market is red.

    Beside the return of a profile stand those of buying and holding its symbol, and of
    entries at random. The column luck is the share of replays with the same signals
    moved to other bars, and as many trades, that earned at least as much; beside it the
    same by mean R and by gross R.

    With the name of a profile: all of its figures, longs and shorts apart, and its
    deepest drawdowns. docs/metrics.md defines each.

    Example: barsieve show eth_comprehensive
    """
    from barsieve.core.arrow import rows_of
    from barsieve.database.connect import built_tables, open_database
    from barsieve.database.health import costs_paid, read_findings
    from barsieve.database.models import read_excuses

    names = (
        "build_info", "parity_summary", "report_performance", "report_sides",
        "report_drawdowns", "report_screening", "report_samples",
    )  # fmt: skip
    with refusing():
        connection = open_database(paths.database_path())
        found = built_tables(connection, names)
        tables = {name: rows_of(rows) for name, rows in zip(names, found, strict=True)}
        costs = costs_paid(connection)
        findings = read_findings(connection)
        if profile:
            tables = _of_profile(tables, profile)
            findings = [row for row in findings if row.subject.split(".")[0] == profile]
        excused = read_excuses(connection)
    if health and not as_json:
        _print_health(findings, every=True)
        return
    if as_json:
        print_json(tables | {"report_health": [row._asdict() for row in findings]})
        return
    info = tables["build_info"][0]
    kind = "SIMULATED market" if info["is_simulated"] else "market"
    out.print(
        f"{kind} '{info['market_name']}': {info['symbols']}, {info['bars']:,} bars, "
        f"{info['first_bar_ts']:%Y-%m-%d} to {info['last_bar_ts']:%Y-%m-%d}",
        markup=False,
        highlight=False,
    )
    _print_lookahead(info["lookahead"], excused)
    if profile:
        _print_profile(profile, tables, costs)
        _print_health(findings, every=True)
        return
    by_profile = sorted(tables["parity_summary"], key=lambda row: row["profile"])
    out.print(_parity_table(by_profile))
    out.print(_performance_table(tables["report_performance"], costs))
    if tables["report_samples"]:
        out.print(_samples_table(tables["report_samples"]))
    _print_notes(tables)
    _print_health(findings, every=False)
