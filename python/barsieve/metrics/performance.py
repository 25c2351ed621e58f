"""Sharpe ratio, drawdown and profit factor of an account, defined here alone.

SQL reads what this wrote (`evaluation_performance`); the sweep's compiled figures are
tested equal to it. Where a figure has no value it is NaN, and null in a table.
"""

from typing import Any

import numpy as np

DAYS_A_YEAR = 365


def annual_sharpe(returns: np.ndarray) -> np.ndarray:
    """Return the annualised Sharpe ratio of daily returns along the last axis.

    NaN where they never vary, or one is NaN. Crypto trades every day: √365.
    """
    if returns.shape[-1] < 2:
        return np.full(returns.shape[:-1], np.nan)
    sd = returns.std(axis=-1, ddof=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = returns.mean(axis=-1) / sd * np.sqrt(DAYS_A_YEAR)
    return np.where(sd > 0, ratio, np.nan)


def daily_sharpe(equity: np.ndarray, days: np.ndarray) -> float:
    """Return the annualised Sharpe ratio of the daily returns of a curve.

    NaN when they never vary, or when the account is lost: nothing has no return.
    `equity` and `days` have shape (n_bars,); the last equity of a day counts.
    """
    if len(equity) < 2 or equity.min() <= 0:
        return float("nan")
    closes = equity[np.flatnonzero(np.diff(days, append=days[-1] + 1))]
    return float(annual_sharpe(closes[1:] / closes[:-1] - 1))


def peaks(equity: np.ndarray) -> np.ndarray:
    """Return the greatest equity so far, along the last axis."""
    return np.maximum.accumulate(equity, axis=-1)


def drawdowns(equity: np.ndarray, start: float = -np.inf) -> np.ndarray:
    """Return the fall from the peak so far, as a fraction of it, along the last axis.

    `start` is what the account had before the first of `equity`, if that counts.
    """
    found: np.ndarray = 1.0 - equity / np.maximum(peaks(equity), start)
    return found


def max_drawdown(equity: np.ndarray) -> float:
    """Return the deepest fall of a curve from a peak, as a fraction of the peak."""
    return max(0.0, float(drawdowns(equity).max(initial=0.0)))


def profit_factor(won: np.ndarray | float, lost: np.ndarray | float) -> np.ndarray:
    """Return what winning trades earned over what the others lost, both positive.

    NaN where nothing was lost.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(np.greater(lost, 0), np.divide(won, lost), np.nan)


def known(figure: float | np.ndarray) -> float | None:
    """Return a figure as a table has it: None where it has no value."""
    return float(figure) if np.isfinite(figure) else None


def of_results(nets: np.ndarray) -> dict[str, Any]:
    """Return how often and how much trades won, from the net result of each.

    A win has a result above 0.
    """
    is_win = nets > 0
    return {
        "trades": len(nets),
        "win_rate": float(is_win.mean()) if len(nets) else None,
        "profit_factor": known(profit_factor(nets[is_win].sum(), -nets[~is_win].sum())),
    }


def of_equity(equity: np.ndarray, days: np.ndarray) -> dict[str, float | None]:
    """Return Sharpe ratio and deepest drawdown of a curve marked at closes.

    Both arrays have shape (n_bars,): equity in USD, days as numbers. None of no bars.
    """
    if not len(equity):
        return {"sharpe": None, "max_drawdown": None}
    return {
        "sharpe": known(daily_sharpe(equity, days)),
        "max_drawdown": max_drawdown(equity),
    }
