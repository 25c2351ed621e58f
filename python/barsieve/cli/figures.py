"""Figures of a replay as tables: of its trades, of its account, its drawdowns."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer
from rich.table import Table

from barsieve.cli.output import number, out, table
from barsieve.metrics.labels import OF_ACCOUNT, OF_TRADES, Labels, few, figure_rows

MOST_DRAWDOWNS = 5
BALANCE: Labels = {"end_balance": ("end balance, USD", ",.2f")}
ORDERS: Labels = {
    "lapsed": ("entry orders that lapsed at a gap", ",d"),
    "refused": ("entry orders refused for size or cost", ",d"),
    "liquidated": ("liquidations", ",d"),
    "shortfall": ("losses that could not be paid, USD", ",.2f"),
}
# A heading has no room for what OF_ACCOUNT calls a figure.
OF_SYMBOL: Labels = {
    "trades": ("trades", ",d"),
    "net_pnl": ("net, USD", "z,.2f"),
    "contribution": ("contribution", "+z.1%"),
    "return_share": ("return", "+z.1%"),
    "hold_return_share": ("hold", "+z.1%"),
    "sharpe": ("Sharpe", "z.2f"),
    "max_drawdown": ("drawdown", "z.1%"),
    "mean_gross_exposure": ("exposure", "z.1%"),
    "correlation_with_rest": ("with rest", "+z.2f"),
    "no_room": ("no room", ",d"),
    "refused": ("refused", ",d"),
}
# Of more symbols than both ends have, what lies between them is left out.
MOST_SYMBOLS, OF_EACH_END = 20, 10
BATCH: Labels = {
    "bars": ("bars", ",d"),
    "bars_visited": ("bars visited", ",d"),
    "bars_skipped": ("bars skipped", ",d"),
    "candidate_bars": ("candidate bars", ",d"),
    "windows": ("candidate windows", ",d"),
}

IsAll = Annotated[bool, typer.Option("--all", help="Print every figure, not a few.")]


def trade_table(
    title: str, every: Mapping[str, Any], sides: Mapping[str, Mapping[str, Any]]
) -> Table:
    """Return the figures of all trades, with those of longs and shorts beside them."""
    rows = figure_rows(OF_TRADES, every, sides["long"], sides["short"])
    return table(title, ["figure", "all", "long", "short"], rows)


def account_table(title: str, runs: Mapping[str, Mapping[str, Any]]) -> Table:
    """Return the figures of accounts over time, a column for each, by its name."""
    rows = figure_rows(OF_ACCOUNT, *runs.values())
    return table(title, ["figure", *runs], rows)


def _symbol_line(row: Mapping[str, Any]) -> list[str]:
    return [number(row[name], pattern) for name, (_, pattern) in OF_SYMBOL.items()]


def symbol_table(
    whole: Mapping[str, Any], symbols: Sequence[Mapping[str, Any]]
) -> Table:
    """Return what each symbol contributed, the most first, under all together.

    Of many symbols the best and the worst; the title says so.
    """
    ranked = sorted(symbols, key=lambda row: (-row["contribution"], row["symbol"]))
    title = f"report_portfolio: {len(ranked):,} symbols by contribution"
    if len(ranked) > MOST_SYMBOLS:
        title += f"; the best {OF_EACH_END} and the worst {OF_EACH_END} of them"
        ranked = ranked[:OF_EACH_END] + ranked[-OF_EACH_END:]
    lines = [[row["symbol"], *_symbol_line(row)] for row in ranked]
    headings = [heading for heading, _ in OF_SYMBOL.values()]
    return table(title, ["symbol", *headings], [["all", *_symbol_line(whole)], *lines])


def print_drawdowns(drawdowns: Sequence[Mapping[str, Any]]) -> None:
    """Print the deepest drawdowns, the deepest first, if there are any."""
    shown = drawdowns[:MOST_DRAWDOWNS]
    rows = [
        [
            f"{row['start_ts']:%Y-%m-%d %H:%M}",
            f"{row['trough_ts']:%Y-%m-%d %H:%M}",
            f"{row['end_ts']:%Y-%m-%d %H:%M}" if row["end_ts"] else "not recovered",
            number(row["depth"], ".1%"),
            number(row["days"], ",.1f"),
        ]
        for row in shown
    ]
    title = f"the {len(shown)} deepest drawdowns" if len(shown) > 1 else "drawdown"
    if rows:
        columns = ["peak", "trough", "recovered", "depth", "days"]
        out.print(table(title, columns, rows))


def print_replay(
    title: str, summary: Mapping[str, Any], batch: Mapping[str, Any], is_all: bool
) -> None:
    """Print what a replay came to and looked at: a few figures, or every one.

    Orders that were lost are told where there are any.
    """
    lost = {name: label for name, label in ORDERS.items() if summary[name]}
    looked_at = {k: label for k, label in BATCH.items() if batch[k] is not None}
    rest = figure_rows(BALANCE | lost, summary) + figure_rows(looked_at, batch)
    if not is_all:
        rows = figure_rows(few(), summary) + rest
        out.print(table(title, ["figure", "value"], rows))
        return
    out.print(trade_table(f"{title}: trades", summary, summary))
    out.print(account_table("account", {"replay": summary}))
    out.print(table("replay", ["figure", "value"], rest))
    print_drawdowns(summary["drawdowns"])
