"""Rules that all three trade: bars, crossings, brackets, the record of a trade.

The rules, chosen so that each engine can say all of them exactly:

- long when the fast SMA crosses above the slow one at a close, short when below;
  filled at the next open, where an opposite position is closed first;
- a stop and a target, multiples of the ATR (14, Wilder) of the deciding close away from
  the fill; tested on the fill's own bar too, the stop before the target; a bar that
  opens beyond one fills at its open;
- a crossing is left out where the next bar opens 1.5 ATR or more away (`gaps_far`);
- fee and slippage as shares of a fill's notional.

Indicators and crossings are inputs, computed once and given to all three: what is
compared and timed is the simulation of trades.
"""

from dataclasses import dataclass
from functools import cached_property
from itertools import product
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow.parquet as pq

from barsieve.core.errors import refuse
from barsieve.profiles.rules import BPS

ATR_BARS = 14
FEES_BPS, SLIPPAGE_BPS = 6.0, 2.0
FEE_RATE, SLIPPAGE_RATE = FEES_BPS * BPS, SLIPPAGE_BPS * BPS
LEAST_BARS = 500

FAST = (5, 8, 10, 13, 15, 20, 25, 30)
SLOW = (40, 50, 60, 75, 90, 100, 120, 140, 170, 200)
STOP_ATR = (1.5, 2.0, 2.5, 3.0, 4.0)
TARGET_ATR = (2.0, 3.0, 4.0, 5.0, 6.0, 8.0)

TRADED = np.dtype(
    [
        ("configuration", np.int64),
        ("side", np.int64),
        ("entry_index", np.int64),
        ("exit_index", np.int64),
        ("entry_price", np.float64),
        ("exit_price", np.float64),
        ("net", np.float64),
    ]
)
"""A trade that the rules closed; `net` of fee and slippage, per unit bought or sold."""


class Configuration(NamedTuple):
    """One set of rules: windows in bars, distances in ATR."""

    fast: int
    slow: int
    stop_atr: float
    target_atr: float

    @property
    def target_r(self) -> float:
        """Return the target's distance as a multiple of the stop's."""
        return self.target_atr / self.stop_atr


REFERENCE = Configuration(20, 50, 2.0, 3.0)
MOST_CONFIGURATIONS = len(FAST) * len(SLOW) * len(STOP_ATR) * len(TARGET_ATR)


def configurations(number: int) -> list[Configuration]:
    """Return the reference and so many others of the grid as make the number.

    They are taken in an order that is random but always the same, so that a few are as
    varied as many.
    """
    grid = [Configuration(*c) for c in product(FAST, SLOW, STOP_ATR, TARGET_ATR)]
    grid.remove(REFERENCE)
    order = np.random.default_rng(0).permutation(len(grid))
    return [REFERENCE, *(grid[i] for i in order)][:number]


@dataclass(frozen=True)
class Bars:
    """Bars of one symbol in time order, and what all engines are given beside them."""

    symbol: str
    ts: np.ndarray
    open: np.ndarray
    high: np.ndarray
    low: np.ndarray
    close: np.ndarray

    def __len__(self) -> int:
        """Return the number of bars."""
        return len(self.close)

    @cached_property
    def atr(self) -> np.ndarray:
        """Wilder's average true range, NaN until it knows enough bars."""
        before = np.concatenate([[np.nan], self.close[:-1]])
        reach = np.fmax(self.high, before) - np.fmin(self.low, before)
        atr = np.full(len(self), np.nan)
        atr[ATR_BARS] = reach[1 : ATR_BARS + 1].mean()
        for i in range(ATR_BARS + 1, len(self)):
            atr[i] = atr[i - 1] + (reach[i] - atr[i - 1]) / ATR_BARS
        return atr

    def sma(self, window: int) -> np.ndarray:
        """Return the mean of the last `window` closes, NaN before there are so many."""
        means = np.full(len(self), np.nan)
        of_each = np.lib.stride_tricks.sliding_window_view(self.close, window)
        means[window - 1 :] = of_each.mean(axis=1)
        return means

    @cached_property
    def gaps_far(self) -> np.ndarray:
        """Tell whether the next bar opens so far off that a bracket may not hold it.

        backtesting.py refuses an order whose bracket, around the next open, does not
        hold the last close as well. The narrowest of the grid is the measure for all.
        """
        gap = np.abs(self.open[1:] - self.close[:-1])
        return np.append(gap >= min(STOP_ATR + TARGET_ATR) * self.atr[:-1], False)

    def crossings(self, fast: int, slow: int) -> np.ndarray:
        """Return 1 where the fast mean crosses above the slow one, -1 below, else 0.

        None before the ATR is known, and none where `gaps_far`.
        """
        gap = self.sma(fast) - self.sma(slow)
        before = np.concatenate([[np.nan], gap[:-1]])
        side = np.zeros(len(self), np.int8)
        side[(gap > 0.0) & (before <= 0.0)] = 1
        side[(gap < 0.0) & (before >= 0.0)] = -1
        side[~(self.atr > 0.0) | self.gaps_far] = 0
        return side


@dataclass(frozen=True)
class Sweep:
    """Bars, configurations, and the crossings of each pair of windows.

    `crossings` has shape (n_pairs, n_bars); `pair` says which row is whose,
    `stop_atr` and `target_r` what the brackets are, each of shape (n_configurations,).
    """

    bars: Bars
    configurations: list[Configuration]
    crossings: np.ndarray
    pair: np.ndarray
    stop_atr: np.ndarray
    target_r: np.ndarray


def make_sweep(bars: Bars, chosen: list[Configuration]) -> Sweep:
    """Return a sweep of the configurations, with its crossings computed."""
    pairs = sorted({(c.fast, c.slow) for c in chosen})
    return Sweep(
        bars,
        chosen,
        np.stack([bars.crossings(*pair) for pair in pairs]),
        np.array([pairs.index((c.fast, c.slow)) for c in chosen]),
        np.array([c.stop_atr for c in chosen]),
        np.array([c.target_r for c in chosen]),
    )


def read_bars(market: Path, symbol: str | None = None, last: int | None = None) -> Bars:
    """Read a symbol's bars of a market folder: ETH, or the first, unless it is named.

    `last` takes only so many of the latest bars. Raises InputError for a folder without
    bars, an unknown symbol or too short a history.
    """
    files = {path.stem: path for path in sorted((market / "bars").glob("*.parquet"))}
    name = symbol or ("ETH" if "ETH" in files else next(iter(files), "ETH"))
    if name not in files:
        found = ", ".join(files) or "no bars"
        fix = "name one that the market has with --symbol, or another --market"
        refuse(str(market / "bars"), expected=f"{name}.parquet", found=found, fix=fix)
    columns = ["ts", "open", "high", "low", "close"]
    table = pq.read_table(files[name], columns=columns).sort_by("ts")
    if last is not None:
        table = table.slice(max(0, table.num_rows - last))
    if table.num_rows < LEAST_BARS:
        refuse(
            str(files[name]),
            expected=f"at least {LEAST_BARS} bars",
            found=str(table.num_rows),
            fix="choose a longer history: barsieve demo --hours 20000",
        )
    ts = table["ts"].to_numpy().astype("datetime64[us]")
    prices = [table[c].to_numpy().astype(np.float64) for c in columns[1:]]
    return Bars(name, ts, *prices)
