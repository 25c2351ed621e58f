"""`barsieve show`: what a build says."""

from typing import Annotated, Any

import typer
from rich.table import Table

from barsieve import project
from barsieve.cli.output import (
    AsJson,
    number,
    out,
    print_findings,
    print_json,
    refusing,
    table,
)
from barsieve.findings import Finding

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


def _performance_table(rows: list[dict[str, Any]]) -> Table:
    columns = [
        "profile", "strategy", "trades", "win", "factor", "return", "Sharpe",
        "drawdown", "luck",
    ]  # fmt: skip
    lines = [
        [
            r["profile"], r["strategy"], f"{r['trades']:,}",
            number(r["win_rate"], ".1%"), number(r["profit_factor"], ".2f"),
            number(r["return_share"], "+.1%"), number(r["sharpe"], ".2f"),
            number(r["max_drawdown"], ".1%"),
            number(r["random_at_least_as_good"], ".0%"),
        ]
        for r in rows
    ]  # fmt: skip
    return table("report_performance: net of all costs", columns, lines)


def _print_health(findings: list[Finding], every: bool) -> None:
    shown = findings if every else findings[:MOST_FINDINGS]
    n = len(findings)
    title = f"report_health: {n} finding{'' if n == 1 else 's'}"
    if len(shown) < n:
        title += f", the worst {len(shown)} of them; barsieve show --health has all"
    out.print(title, style="bold", markup=False, highlight=False)
    print_findings(shown)


def show(
    health: Annotated[
        bool, typer.Option("--health", help="Every finding of report_health, alone.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Print what the built database says: origin, parity, performance, health.

    A profile that broke its promise on this market is red.

    The column luck is the share of replays with the same signals at random times that
    earned at least as much.

    Example: barsieve show
    """
    from barsieve.database import open_database
    from barsieve.health import read_findings

    with refusing():
        connection = open_database(project.database_path())
    findings = read_findings(connection)
    if health and not as_json:
        _print_health(findings, every=True)
        return
    tables = {
        name: connection.table(name).to_arrow_table().to_pylist()
        for name in ("build_info", "parity_summary", "report_performance")
    }
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
    by_profile = sorted(tables["parity_summary"], key=lambda row: row["profile"])
    out.print(_parity_table(by_profile))
    out.print(_performance_table(tables["report_performance"]))
    _print_health(findings, every=False)
