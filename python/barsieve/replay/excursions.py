"""Excursions of trades: how far the price went against them, and for them.

The maximum adverse and favourable excursion (MAE, MFE; Sweeney, 1996) of the bars from
the fill of the entry to that of the exit, before costs. Of the bar of the exit counts
what the replay would have tested before it left, the worse first:

- left at the open (an order, or a gap beyond stop or target): the open;
- at the stop: the open, and the stop against the trade;
- at the target: the whole bar against the trade, the target for it;
- at the close (liquidation, end of data, delisted): the whole bar.

So a stop nearer than the MAE would have been hit, and a target nearer than the MFE
filled, by the same replay.
"""

from typing import NamedTuple

import numpy as np

from barsieve.replay.ledger import EXIT
from barsieve.replay.state import DELISTED, END_OF_DATA, LIQUIDATION, LONG, TARGET

AT_CLOSE = (LIQUIDATION, END_OF_DATA, DELISTED)


class Excursions(NamedTuple):
    """Distances of price, both 0 or more, arrays of shape (n_trades,)."""

    adverse: np.ndarray
    favourable: np.ndarray


def _extremes(
    values: np.ndarray, spans: np.ndarray, function: np.ufunc, nothing: float
) -> np.ndarray:
    """Return the extreme of each span [start, end) of bars; `nothing` of an empty one.

    `spans` has shape (n_trades, 2). Only bars inside of them are read: those of a
    wallet lie symbol by symbol, and from a trade to the next there may be all others.
    """
    found = np.full(len(spans), nothing)
    sizes = np.maximum(spans[:, 1] - spans[:, 0], 0)
    filled = np.flatnonzero(sizes)
    ends = np.cumsum(sizes[filled])
    starts = ends - sizes[filled]
    if len(filled):
        within = np.repeat(spans[filled, 0] - starts, sizes[filled])
        inside = values[within + np.arange(ends[-1])]
        found[filled] = function.reduceat(inside, starts)
    return found


def excursions(bars: np.recarray, legs: np.recarray, trades: np.recarray) -> Excursions:
    """Return how far the price went against and for each trade, in quote currency.

    `legs` and `trades` are those of a replay over `bars`.
    """
    if not len(trades):
        return Excursions(np.empty(0), np.empty(0))
    reason, last = trades.exit_reason, trades.exit_index
    entered = bars.open[trades.entry_index]
    left, opened = legs.price[legs.kind == EXIT], bars.open[last]
    is_long, is_at_close = trades.side == LONG, np.isin(reason, AT_CLOSE)
    spans = np.column_stack([trades.entry_index, last + is_at_close])
    low = np.minimum(_extremes(bars.low, spans, np.minimum, np.inf), opened)
    high = np.maximum(_extremes(bars.high, spans, np.maximum, -np.inf), opened)
    low, high = np.minimum(low, left), np.maximum(high, left)
    # A target inside the bar: the stop was tested before it, on all of the bar.
    is_tested = (reason == TARGET) & (left != opened)
    low = np.where(is_tested & is_long, np.minimum(low, bars.low[last]), low)
    high = np.where(is_tested & ~is_long, np.maximum(high, bars.high[last]), high)
    below, above = np.maximum(entered - low, 0.0), np.maximum(high - entered, 0.0)
    return Excursions(
        adverse=np.where(is_long, below, above),
        favourable=np.where(is_long, above, below),
    )
