"""Hours of a symbol by the clock, and the returns that follow each of them."""

from typing import NamedTuple

import numpy as np
import pyarrow as pa
from duckdb import DuckDBPyRelation

from barsieve.core.arrow import matching, numbers
from barsieve.metrics.performance import DAY_US

HOUR_US = 3_600_000_000
UNKNOWN = "unknown"


class Hours(NamedTuple):
    """The bars of a symbol in order of time, arrays of shape (n_bars,).

    `open_us`: opens, microseconds since 1970. `day` and `month`: places in `n_days`
    days and in `months`, in order of time. `regime`: places in `regimes`.
    """

    symbol: str
    open_us: np.ndarray
    close: np.ndarray
    day: np.ndarray
    n_days: int
    month: np.ndarray
    months: list[str]
    regime: np.ndarray
    regimes: list[str]

    def after(self, hours: int) -> np.ndarray:
        """Return the place of the bar so many hours later by the clock; -1 without."""
        wanted = self.open_us + hours * HOUR_US
        at = np.searchsorted(self.open_us, wanted)
        at[at == len(self.open_us)] = 0
        return np.where(self.open_us[at] == wanted, at, -1)

    def returns(self, hours: int, lag: int = 0) -> np.ndarray:
        """Return simple returns over the next hours, from close to close, by the clock.

        They begin `lag` hours after the close. NaN where either hour has no bar: a
        return across a gap would be one of another length.
        """
        start, end = self.after(lag), self.after(lag + hours)
        found = self.close[end] / self.close[start] - 1.0
        return np.where((start >= 0) & (end >= 0), found, np.nan)


def places(values: np.ndarray) -> tuple[np.ndarray, list[str]]:
    """Return the place of each value among the distinct ones, and those, sorted."""
    distinct, at = np.unique(values, return_inverse=True)
    return at.astype(np.int16), distinct.tolist()


def read_hours(bars: DuckDBPyRelation, symbol: str) -> Hours:
    """Read the bars of a symbol: a relation with bar_ts, close and regime."""
    own = matching(bars, symbol=symbol).order("bar_ts")
    table = own.select("bar_ts", "close", "regime").to_arrow_table()
    open_us = numbers(table["bar_ts"].cast(pa.int64()))
    day, days = places(open_us // DAY_US)
    months = open_us.astype("datetime64[us]").astype("datetime64[M]").astype(str)
    month, names = places(months)
    regime = [one or UNKNOWN for one in table["regime"].to_pylist()]
    codes, regimes = places(np.array(regime or [], dtype=object).astype(str))
    close = numbers(table["close"])
    return Hours(
        symbol, open_us, close, day, len(days), month, names, codes, regimes
    )  # fmt: skip
