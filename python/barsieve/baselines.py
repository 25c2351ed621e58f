"""Random entries: the same signals, costs and exits, at times chosen by chance.

The signals of a profile (side, confidence, threshold) are moved to random bars among
those that have a score, and replayed by the same kernel. What remains
of its result is what its timing is worth.
"""

from collections.abc import Iterator
from itertools import islice

import numpy as np
import pyarrow as pa

from barsieve import schemas
from barsieve.columns import numbers
from barsieve.replay.ledger import ENTRY
from barsieve.replay.runs import (
    FOCUSED,
    Inputs,
    Run,
    read_inputs,
    replay,
    running_balance,
)
from barsieve.settings import read_profiles

# A long history tells luck from skill with fewer draws; the work stays bounded.
MOST_DRAWS, LEAST_DRAWS, DRAWN_BARS = 100, 20, 10_000_000
HOUR_US = 3_600_000_000
SEED = 20_260_101

# What makes a signal; moved together, so that each stays a signal where it lands. Macro
# vetoes stay where they are: they belong to the time, and decide exits as well.
SIGNAL = ("side", "confidence", "threshold")


def n_draws(n_bars: int) -> int:
    """Return how many draws a history of so many bars gets."""
    return min(MOST_DRAWS, max(LEAST_DRAWS, DRAWN_BARS // n_bars))


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


def shuffled_signals(inputs: Inputs, rng: np.random.Generator) -> Iterator[Inputs]:
    """Yield the inputs with the signals of the eligible bars moved to random ones.

    They keep their number, sides and strengths and lose nothing but their timing; they
    land on bars of the study that have a confidence. All draws share one copy of the
    bars: replay one before asking for the next.
    """
    sources = np.flatnonzero(inputs.bars.is_eligible & (inputs.bars.side != 0))
    is_scored = np.isfinite(inputs.bars.confidence) & in_study(inputs)
    scored = np.flatnonzero(is_scored)
    bars = inputs.bars.copy()
    bars.is_eligible[:] = False
    while True:
        drawn = rng.choice(len(scored), len(sources), replace=False, shuffle=False)
        targets, moved = np.sort(scored[drawn]), rng.permutation(sources)
        bars.is_eligible[targets] = True
        for name in SIGNAL:
            bars[name][targets] = inputs.bars[name][moved]
        yield inputs._replace(bars=bars, entry_bars=targets)
        bars.is_eligible[targets] = False


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


def _draw_row(run: Run, draw: int, closes, days, judged) -> dict[str, object]:
    equity = marked_equity(run, closes)[judged]
    net = np.bincount(
        run.legs.trade,
        run.legs.amount - run.legs.fee - run.legs.slippage,
        minlength=len(run.trades),
    )
    wins, losses = net[net > 0].sum(), -net[net <= 0].sum()
    sharpe = daily_sharpe(equity, days[judged])
    return {
        "profile": run.inputs.profile.profile,
        "symbol": run.inputs.profile.symbol,
        "draw": draw,
        "trades": len(net),
        "win_rate": float(np.mean(net > 0)) if len(net) else None,
        "profit_factor": float(wins / losses) if losses > 0 else None,
        "net_pnl": float(net.sum()),
        "sharpe": sharpe if np.isfinite(sharpe) else None,
        "max_drawdown": max_drawdown(equity),
        "costs": float((run.legs.fee + run.legs.slippage).sum()),
    }


def draw_random_entries(profiles, bars, candidates, windows) -> pa.Table:
    """Replay every profile again and again with its signals at random times.

    Parameters are relations of the built database. Randomness comes from `SEED` and
    the profile's name alone: a draw does not depend on which other profiles exist.
    """
    rows = []
    for profile in read_profiles(profiles):
        inputs = read_inputs(profile, bars, candidates, windows)
        days = numbers(inputs.bar_ts.view(pa.int64())) // 86_400_000_000
        rng = np.random.default_rng([SEED, *profile.profile.encode()])
        closes = np.ascontiguousarray(inputs.bars.close)
        inside = np.flatnonzero(in_study(inputs))
        judged = slice(inside[0], inside[-1] + 1) if len(inside) else slice(0)
        draws = islice(shuffled_signals(inputs, rng), n_draws(len(closes)))
        # Focused: every signal lies on one of its entry bars, so nothing is skipped.
        for draw, drawn in enumerate(draws):
            rows.append(_draw_row(replay(drawn, FOCUSED), draw, closes, days, judged))
    return pa.Table.from_pylist(rows, schema=schemas.RANDOM_ENTRIES)
