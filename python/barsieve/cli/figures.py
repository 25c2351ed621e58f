"""Figures of a replay as tables: of its trades, of its account, its drawdowns."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer
from rich.table import Table

from barsieve.cli.output import number, out, table

Labels = dict[str, tuple[str, str]]
"""By the name of a figure, what it is called and how it is written."""

OF_TRADES: Labels = {
    "trades": ("trades", ",d"),
    "win_rate": ("win rate", ".1%"),
    "profit_factor": ("profit factor", ".2f"),
    "expectancy": ("expectancy, USD", ",.2f"),
    "mean_r": ("mean R", ".2f"),
    "mean_win": ("average win, USD", ",.2f"),
    "mean_loss": ("average loss, USD", ",.2f"),
    "best_trade": ("best trade, USD", ",.2f"),
    "worst_trade": ("worst trade, USD", ",.2f"),
    "longest_win_streak": ("longest winning streak", ",d"),
    "longest_loss_streak": ("longest losing streak", ",d"),
    "mean_mae_r": ("mean MAE, R", ".2f"),
    "mean_mfe_r": ("mean MFE, R", ".2f"),
    "gross_pnl": ("gross, USD", ",.2f"),
    "fees": ("fees, USD", ",.2f"),
    "slippage": ("slippage, USD", ",.2f"),
    "funding": ("funding paid, USD", ",.2f"),
    "net_pnl": ("net, USD", ",.2f"),
}
OF_ACCOUNT: Labels = {
    "return_share": ("return", "+.1%"),
    "cagr": ("CAGR", "+.1%"),
    "volatility": ("volatility (daily, √365)", ".1%"),
    "sharpe": ("Sharpe (daily, √365)", ".2f"),
    "sortino": ("Sortino (daily, √365)", ".2f"),
    "calmar": ("Calmar", ".2f"),
    "max_drawdown": ("max drawdown (marked)", ".1%"),
    "best_day": ("best day", "+.1%"),
    "worst_day": ("worst day", "+.1%"),
    "under_water_share": ("time under water", ".1%"),
    "longest_under_water_days": ("longest under water, days", ",.1f"),
    "exposure": ("time in the market", ".1%"),
    "turnover": ("turnover a year, both ways", ",.1f"),
}
# What is shown unless all is asked for.
FEW = (
    "trades", "win_rate", "profit_factor", "expectancy", "mean_r", "net_pnl",
    "return_share", "cagr", "sharpe", "sortino", "calmar", "max_drawdown", "fees",
    "slippage", "funding",
)  # fmt: skip
MOST_DRAWDOWNS = 5

IsAll = Annotated[bool, typer.Option("--all", help="Print every figure, not a few.")]


def few() -> Labels:
    """Return the figures that are shown unless all is asked for, in their order."""
    labels = OF_TRADES | OF_ACCOUNT
    return {name: labels[name] for name in FEW}


def figure_rows(labels: Labels, *runs: Mapping[str, Any]) -> list[list[str]]:
    """Return a row for each figure, with a cell for each run."""
    return [
        [label, *(number(run.get(name), pattern) for run in runs)]
        for name, (label, pattern) in labels.items()
    ]


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
