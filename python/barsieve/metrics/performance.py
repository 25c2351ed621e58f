"""Figures of an account's curve and of its trades' results, defined here alone.

SQL reads what this wrote (`evaluation_performance`); the sweep's compiled figures are
tested equal to it. Where a figure has no value it is NaN, and null in a table.
"""

from typing import Any

import numpy as np

DAYS_A_YEAR = 365
HOUR_US, DAY_US = 3_600_000_000, 86_400_000_000


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


def annual_volatility(returns: np.ndarray) -> float:
    """Return the annualised standard deviation (n - 1) of daily returns; √365.

    `returns` has shape (n_days,); NaN of fewer than two.
    """
    if len(returns) < 2:
        return float("nan")
    return float(returns.std(ddof=1) * np.sqrt(DAYS_A_YEAR))


def annual_sortino(returns: np.ndarray) -> float:
    """Return the annualised Sortino ratio of daily returns, shape (n_days,); √365.

    The target is 0 and every day counts in the downside deviation, the root of the mean
    of min(return, 0)² (Sortino and Price, 1994). NaN where no day lost.
    """
    if not (returns < 0).any():
        return float("nan")
    downside = np.sqrt(np.mean(np.minimum(returns, 0.0) ** 2))
    return float(returns.mean() / downside * np.sqrt(DAYS_A_YEAR))


def years_of(bar_ts: np.ndarray) -> float:
    """Return how long hourly bars last by the clock; `bar_ts` in µs, shape (n_bars,).

    From the open of the first to the close of the last, in years of 365 days.
    """
    if not len(bar_ts):
        return 0.0
    return float(bar_ts[-1] - bar_ts[0] + HOUR_US) / (DAYS_A_YEAR * DAY_US)


def annual_growth(start: float, end: float, years: float) -> float:
    """Return the compound annual growth rate (CAGR); -1 when all was lost.

    Of equity in USD, over years as `years_of` counts them. NaN where no time passed.
    """
    if years <= 0 or start <= 0:
        return float("nan")
    with np.errstate(over="ignore"):
        return float(np.float64(max(end, 0.0) / start) ** (1.0 / years) - 1.0)


def calmar_ratio(growth: float, drawdown: float) -> float:
    """Return the annual growth over the deepest drawdown; NaN where nothing fell."""
    return growth / drawdown if drawdown > 0 else float("nan")


def ends_of_days(days: np.ndarray) -> np.ndarray:
    """Return where the last bar of each day stands; `days` has shape (n_bars,)."""
    ends: np.ndarray = np.flatnonzero(np.diff(days, append=days[-1:] + 1))
    return ends


def daily_returns(equity: np.ndarray, days: np.ndarray) -> np.ndarray:
    """Return the returns from day to day of a curve; none when the account is lost.

    `equity` and `days` have shape (n_bars,); the last equity of a day counts. Nothing
    has no return.
    """
    if len(equity) < 2 or equity.min() <= 0:
        return np.empty(0)
    closes = equity[ends_of_days(days)]
    returns: np.ndarray = closes[1:] / closes[:-1] - 1
    return returns


def daily_sharpe(equity: np.ndarray, days: np.ndarray) -> float:
    """Return the annualised Sharpe ratio of the daily returns of a curve.

    NaN when they never vary, or when the account is lost. Parameters as of
    `daily_returns`.
    """
    return float(annual_sharpe(daily_returns(equity, days)))


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


def longest_run(is_in: np.ndarray) -> int:
    """Return how many in a row are true at most; `is_in` has shape (n,)."""
    edges = np.flatnonzero(np.diff(is_in, prepend=False, append=False))
    return int(np.diff(edges)[::2].max(initial=0))


def of_wins_and_losses(nets: np.ndarray) -> dict[str, Any]:
    """Return what a trade came to on average, at best, at worst and in a row.

    `nets` are the net results in the order of the trades, USD. What did not win is a
    loss: `mean_loss` is 0 or less. Expectancy is the mean of all.
    """
    is_win = nets > 0

    def mean(values: np.ndarray) -> float | None:
        return float(values.mean()) if len(values) else None

    return {
        "expectancy": mean(nets),
        "mean_win": mean(nets[is_win]),
        "mean_loss": mean(nets[~is_win]),
        "best_trade": float(nets.max()) if len(nets) else None,
        "worst_trade": float(nets.min()) if len(nets) else None,
        "longest_win_streak": longest_run(is_win),
        "longest_loss_streak": longest_run(~is_win),
    }


def of_daily_returns(returns: np.ndarray) -> dict[str, float | None]:
    """Return the figures of daily returns, shape (n_days,), beside the Sharpe ratio."""
    has_any = len(returns) > 0
    return {
        "volatility": known(annual_volatility(returns)),
        "sortino": known(annual_sortino(returns)),
        "best_day": float(returns.max()) if has_any else None,
        "worst_day": float(returns.min()) if has_any else None,
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
