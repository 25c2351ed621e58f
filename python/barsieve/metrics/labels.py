"""Figures of a replay in words: what each is called, and how it is written."""

from collections.abc import Mapping
from typing import Any

from barsieve.core.text import number

Labels = dict[str, tuple[str, str]]
"""By the name of a figure, what it is called and its format specification.

With `z` what rounds to nothing has no minus sign.
"""

OF_TRADES: Labels = {
    "trades": ("trades", ",d"),
    "win_rate": ("win rate", "z.1%"),
    "profit_factor": ("profit factor", "z.2f"),
    "expectancy": ("expectancy, USD", "z,.2f"),
    "mean_r": ("mean R", "z.2f"),
    "mean_win": ("average win, USD", "z,.2f"),
    "mean_loss": ("average loss, USD", "z,.2f"),
    "best_trade": ("best trade, USD", "z,.2f"),
    "worst_trade": ("worst trade, USD", "z,.2f"),
    "longest_win_streak": ("longest winning streak", ",d"),
    "longest_loss_streak": ("longest losing streak", ",d"),
    "mean_mae_r": ("mean MAE, R", "z.2f"),
    "mean_mfe_r": ("mean MFE, R", "z.2f"),
    "gross_pnl": ("gross, USD", "z,.2f"),
    "fees": ("fees, USD", "z,.2f"),
    "slippage": ("slippage, USD", "z,.2f"),
    "funding": ("funding paid, USD", "z,.2f"),
    "net_pnl": ("net, USD", "z,.2f"),
}
OF_ACCOUNT: Labels = {
    "return_share": ("return", "+z.1%"),
    "cagr": ("CAGR", "+z.1%"),
    "volatility": ("volatility (daily, √365)", "z.1%"),
    "sharpe": ("Sharpe (daily, √365)", "z.2f"),
    "sortino": ("Sortino (daily, √365)", "z.2f"),
    "calmar": ("Calmar", "z.2f"),
    "max_drawdown": ("max drawdown (marked)", "z.1%"),
    "best_day": ("best day", "+z.1%"),
    "worst_day": ("worst day", "+z.1%"),
    "under_water_share": ("time under water", "z.1%"),
    "longest_under_water_days": ("longest under water, days", "z,.1f"),
    "exposure": ("time in the market", "z.1%"),
    "turnover": ("turnover a year, both ways", "z,.1f"),
}
# What is shown unless all is asked for.
FEW = (
    "trades", "win_rate", "profit_factor", "expectancy", "mean_r", "net_pnl",
    "return_share", "cagr", "sharpe", "sortino", "calmar", "max_drawdown", "fees",
    "slippage", "funding",
)  # fmt: skip


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
