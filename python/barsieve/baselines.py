"""An account over time: results, equity at each close, Sharpe ratio, deepest fall."""

import numpy as np
import pyarrow as pa

from barsieve.columns import numbers
from barsieve.replay.ledger import ENTRY
from barsieve.replay.runs import Inputs, Run, running_balance

HOUR_US = 3_600_000_000


def in_study(inputs: Inputs) -> np.ndarray:
    """Tell which bars lie in the study of the profile, shape (n_bars,), by their close.

    A study limits trading, so it limits what is judged.
    """
    closed_at = numbers(inputs.bar_ts.view(pa.int64())) + HOUR_US
    start, end = inputs.profile.study_start, inputs.profile.study_end
    is_inside = np.ones(len(closed_at), bool)
    if start is not None:
        is_inside &= closed_at > start.timestamp() * 1e6
    if end is not None:
        is_inside &= closed_at <= end.timestamp() * 1e6
    return is_inside


def nets_of(run: Run) -> np.ndarray:
    """Return the net result of each trade, shape (n_trades,), USD."""
    legs = run.legs
    nets = legs.amount - legs.fee - legs.slippage
    return np.bincount(legs.trade, nets, minlength=len(run.trades))


def marked_equity(run: Run, closes: np.ndarray) -> np.ndarray:
    """Return the equity at each close, shape (n_bars,), USD: realised plus open."""
    legs, start = run.legs, float(run.inputs.profile.start_balance)
    # What is in force from a leg to the next; before the first, the money alone.
    balance = np.concatenate([[start], running_balance(run)])
    position = np.concatenate([[0.0], legs.position])
    is_entry = legs.kind == ENTRY
    entered = legs.price[is_entry][np.cumsum(is_entry) - 1]
    entry_price = np.concatenate([[0.0], entered])
    last = np.cumsum(np.bincount(legs.index, minlength=len(closes)))
    return balance[last] + position[last] * (closes - entry_price[last])


def daily_sharpe(equity: np.ndarray, days: np.ndarray) -> float:
    """Return the annualised Sharpe ratio of daily returns.

    NaN when they never vary, or when the account is lost: nothing has no return.

    `equity` and `days` have shape (n_bars,); the last equity of a day counts. Crypto
    trades every day: √365.
    """
    if len(equity) < 2 or equity.min() <= 0:
        return float("nan")
    last_of_day = np.flatnonzero(np.diff(days, append=days[-1] + 1))
    closes = equity[last_of_day]
    returns = closes[1:] / closes[:-1] - 1
    sd = returns.std(ddof=1) if len(returns) > 1 else 0.0
    return float(returns.mean() / sd * np.sqrt(365)) if sd > 0 else float("nan")


def max_drawdown(equity: np.ndarray) -> float:
    """Return the deepest fall from a peak, as a fraction of the peak."""
    if not len(equity):
        return 0.0
    peaks = np.maximum.accumulate(equity)
    return max(0.0, float((1.0 - equity / peaks).max()))
