"""The common rules in vectorbt: `Portfolio.from_signals`, two rows a bar.

vectorbt takes one order per row and looks for stops before signals, so one row per bar
cannot reverse at the open and then be stopped within the bar. Split in two, it can: in
the first row of a bar only signals act, at its open (high and low are the close before,
at which an open position is inside its bracket); in the second, the bar itself, only
stop and target do. Of the ways
tried this is the fastest exact one: `from_order_func` with `flexible=True` says the
same in one row a bar and took 1.5 to 4 times as long.

Unsplit, a row a bar, it is what one finds in tutorials: faster, and other trades.
"""

from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import vectorbt as vbt

from barsieve.bench.peers.rules import FEE_RATE, SLIPPAGE_RATE, TRADED, Sweep

COST_RATE = FEE_RATE + SLIPPAGE_RATE
BATCH = 128
"""Configurations in one portfolio: of those tried, the fastest; it bounds memory."""


def _rows(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return two rows a bar as one column, shape (2 * n_bars, 1)."""
    return np.column_stack([first, second]).reshape(-1, 1)


def _after(values: np.ndarray, unknown: float) -> np.ndarray:
    """Return the values of the bar before, which is when they were decided on."""
    return np.concatenate([[unknown], values[:-1]])


class Portfolios:
    """A sweep as vectorbt portfolios, a batch of configurations each."""

    def __init__(self, sweep: Sweep, is_split: bool = True):
        """Make what configurations share: prices, signals, the reach of one ATR."""
        bars, nothing = sweep.bars, np.full(len(sweep.bars), np.nan)
        self.sweep, self.rows_a_bar = sweep, 2 if is_split else 1
        part = slice(None) if is_split else slice(1, None, 2)
        self.close = _rows(bars.open, bars.close)[part]
        self.price = _rows(bars.open, bars.open)[part]
        before = np.append(bars.open[:1], bars.close[:-1])
        self.open, self.high, self.low = (
            _rows(before, side)[part] for side in (bars.open, bars.high, bars.low)
        )
        reach = _after(bars.atr, np.nan) / bars.open
        self.reach = _rows(reach, nothing if is_split else reach)[part]
        self.sides = np.zeros((len(self.close), len(sweep.crossings)), np.int8)
        for column, crossings in enumerate(sweep.crossings):
            self.sides[:: self.rows_a_bar, column] = _after(crossings, 0)

    def steps(self):
        """Yield a call for each batch, its arguments made before it is timed.

        A call gives the number of its first configuration and the portfolio.
        """
        n = len(self.sweep.configurations)
        for first in range(0, n, BATCH):
            arguments = self._arguments(slice(first, min(first + BATCH, n)))
            yield partial(_simulate, first, arguments)

    def _arguments(self, batch: slice) -> dict[str, Any]:
        sides = self.sides[:, self.sweep.pair[batch]]
        stops = self.reach * self.sweep.stop_atr[batch]
        return {
            "close": pd.DataFrame(np.repeat(self.close, sides.shape[1], axis=1)),
            "entries": sides > 0,
            "short_entries": sides < 0,
            "price": self.price,
            "open": self.open,
            "high": self.high,
            "low": self.low,
            "sl_stop": stops,
            "tp_stop": stops * self.sweep.target_r[batch],
        }

    def trades(self, found) -> np.ndarray:
        """Return the trades of a batch that the rules closed."""
        first, portfolio = found
        records = portfolio.exit_trades.records
        closed = records[records["status"] == 1]
        traded = np.empty(len(closed), TRADED)
        traded["configuration"] = closed["col"] + first
        traded["side"] = np.where(closed["direction"] == 0, 1, -1)
        traded["entry_index"] = closed["entry_idx"] // self.rows_a_bar
        traded["exit_index"] = closed["exit_idx"] // self.rows_a_bar
        traded["entry_price"] = closed["entry_price"]
        traded["exit_price"] = closed["exit_price"]
        traded["net"] = closed["pnl"] / closed["size"]
        return traded


def _simulate(first: int, arguments: dict[str, Any]):
    portfolio = vbt.Portfolio.from_signals(
        **arguments,
        stop_entry_price="fillprice",
        stop_exit_price="stoplimit",
        upon_opposite_entry="reverse",
        upon_stop_exit="close",
        accumulate=False,
        size=1,
        fees=COST_RATE,
        init_cash=1e12,
        max_logs=0,
        freq="1h",
    )
    return first, portfolio
