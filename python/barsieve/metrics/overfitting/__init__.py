"""Deflated Sharpe ratio and CSCV: how much of a best result is the search for it.

Everything here reads one matrix: the returns per period (day or month) of the trials
that were actually run, shape (n_rows, n_trials), rows in time order. Sharpe ratios are
per period, not annualised; the deviation in them is that of a sample (ddof 1).

Reading order: `returns` (what is accepted), `null` (the best of luck), `sharpe` (the
deflated Sharpe ratio), `cscv` (the probability of backtest overfitting).
"""

from barsieve.metrics.overfitting.cscv import BacktestOverfitting, backtest_overfitting
from barsieve.metrics.overfitting.sharpe import (
    DeflatedSharpe,
    deflated_sharpe,
    deflated_sharpe_ratio,
    effective_trials,
    expected_maximum_sharpe,
    mean_correlation,
    probabilistic_sharpe_ratio,
    visible_sharpe,
)

__all__ = [
    "BacktestOverfitting",
    "DeflatedSharpe",
    "backtest_overfitting",
    "deflated_sharpe",
    "deflated_sharpe_ratio",
    "effective_trials",
    "expected_maximum_sharpe",
    "mean_correlation",
    "probabilistic_sharpe_ratio",
    "visible_sharpe",
]
