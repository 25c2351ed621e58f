"""`barsieve thresholds` and `barsieve stress`: one profile, replayed in variations."""

from typing import Annotated, Any

import typer
from rich.bar import Bar
from rich.table import Table

from barsieve.cli.choices import (
    Config,
    End,
    Profile,
    Settings,
    Start,
    changes_of,
    chosen,
    current,
    described,
)
from barsieve.cli.output import AsJson, number, out, print_json, refusing, table

PLOT_WIDTH = 60
COLUMNS = ["trades", "win", "factor", "return", "Sharpe", "drawdown", "costs USD"]


def _cells(row: dict[str, Any]) -> list[str]:
    return [
        f"{row['trades']:,}",
        number(row["win_rate"], ".1%"),
        number(row["profit_factor"], ".2f"),
        number(row["return_share"], "+.1%"),
        number(row["sharpe"], ".2f"),
        number(row["max_drawdown"], ".1%"),
        f"{row['fees'] + row['slippage'] + row['funding']:,.0f}",
    ]


def _plot(rows: list[dict[str, Any]]) -> Table:
    """Return the return by threshold as bars; losses reach left of the zero line."""
    ordered = sorted(rows, key=lambda row: row["variant"])
    returns = [row["return_share"] for row in ordered]
    least, most = min(0.0, *returns), max(0.0, *returns)
    plot = Table.grid(padding=(0, 1))
    plot.title, plot.title_justify, plot.title_style = "return", "left", "bold"
    for row, earned in zip(ordered, returns, strict=True):
        begin, end = sorted((0.0, earned))
        bar = Bar(most - least or 1.0, begin - least, end - least, width=PLOT_WIDTH)
        plot.add_row(f"{row['variant']:g}", bar, f"{earned:+.1%}")
    return plot


def thresholds(
    values: Annotated[
        list[float],
        typer.Argument(metavar="THRESHOLD", help="Entry thresholds, fractions."),
    ],
    profile: Profile = None,
    config: Config = None,
    settings: Settings = None,
    start: Start = None,
    end: End = None,
    as_json: AsJson = False,
) -> None:
    """Replay a profile at several entry thresholds, on candidates found once.

    The screen of a profile is exact for every threshold that its envelope
    covers; at a lower one, or with the lossy sentinel screen, every bar is
    replayed and the table says so.

    Example: barsieve thresholds --profile btc_live 0.62 0.65 0.68 0.71
    """
    with refusing():
        changes = changes_of(settings, start, end)
        named = chosen(profile, config)
        rows, lowest = current().threshold_rows(named, values, changes)
    if as_json:
        print_json({
            "profile": named, "settings": changes, "lowest_covered": lowest,
            "thresholds": [{"threshold": r.pop("variant")} | r for r in rows],
        })  # fmt: skip
        return
    if changes:
        out.print(f"with {described(changes)}", markup=False, highlight=False)
    lines = [
        [f"{r['variant']:g}", r["replayed"], f"{r['bars_visited']:,}", *_cells(r)]
        for r in rows
    ]
    columns = ["threshold", "replayed", "bars", *COLUMNS]
    out.print(table(f"{named} by entry threshold", columns, lines))
    if any(row["replayed"] == "full" for row in rows):
        why = (
            "the sentinel screen is lossy"
            if lowest is None
            else f"the screen covers thresholds from {lowest:g}"
        )
        out.print(f"full: every bar was replayed, for {why}\n")
    if len(rows) > 1:
        out.print(_plot(rows))


def stress(
    profile: Profile = None,
    config: Config = None,
    settings: Settings = None,
    start: Start = None,
    end: End = None,
    as_json: AsJson = False,
) -> None:
    """Replay a profile as it is and as it could have been, every bar each time.

    Costs: fees and slippage times 0, 0.5, 1 and 2; funding stays. One bar
    later: each close decides on the signal, vetoes, VIX, ATR, ADX and
    volume of the bar before, so that they fill one bar later; prices,
    funding, resting stops and targets, the profit that orders the partial,
    the close that a trail follows and the bars held stay. Threshold: 0.05
    lower and higher.

    Example: barsieve stress --profile eth_live_aggressive
    """
    with refusing():
        changes = changes_of(settings, start, end)
        named = chosen(profile, config)
        rows = current().stress_rows(named, changes)
    if as_json:
        print_json({
            "profile": named, "settings": changes,
            "scenarios": [{"scenario": r.pop("variant")} | r for r in rows],
        })  # fmt: skip
        return
    if changes:
        out.print(f"with {described(changes)}", markup=False, highlight=False)
    lines = [[row["variant"], *_cells(row)] for row in rows]
    out.print(table(f"{named} under stress", ["scenario", *COLUMNS], lines))
