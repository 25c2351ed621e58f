"""History that an oracle may look at: bars of a symbol, and what was published."""

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import Any

import numpy as np

HOUR = 3600


@dataclass(frozen=True)
class Observation:
    """One value of a series; times in seconds since 1970 UTC, days as ordinals."""

    day: int
    known_at: float
    value: float


@dataclass(frozen=True)
class Settlement:
    """One funding settlement; `stated_hours` is what its file says that it covers."""

    at: float
    rate: float
    stated_hours: float | None

    @cached_property
    def due(self) -> float:
        """Return the minute of the settlement: a stamp may be some milliseconds off."""
        return (self.at + 30.0) // 60.0 * 60.0


class Vintages:
    """Every vintage of one series, in the order in which they became known."""

    def __init__(self, published: list[Observation]):
        """Keep the vintages, and the last answer, which a later one goes on from."""
        self._published = published
        self._end = 0
        self._by_day: dict[int, Observation] = {}
        self._days: list[Observation] = []

    def by_day(self, at: float) -> dict[int, Observation]:
        """Return every day known at a time in its latest vintage."""
        end = bisect_right(self._published, at, key=lambda o: o.known_at)
        if end < self._end:
            self._by_day, self._days, self._end = {}, [], 0
        if end != self._end:
            self._by_day |= {o.day: o for o in self._published[self._end : end]}
            self._end, self._days = end, []
        return self._by_day

    def known_days(self, at: float) -> list[Observation]:
        """Return every day known at a time in its latest vintage, the latest first."""
        by_day = self.by_day(at)
        if not self._days:
            self._days = [by_day[day] for day in sorted(by_day, reverse=True)]
        return self._days


NO_VINTAGES = Vintages([])


@dataclass(frozen=True)
class History:
    """Everything of one symbol; methods see only what was known at the close of a bar.

    `ts` (seconds), `open`, `high`, `low`, `close`, `volume`: arrays of shape (n_bars,).
    `macro`: every vintage, by series. `funding`: settlements in order.
    `limits`: hours after which a feature is stale.
    """

    ts: np.ndarray
    open: np.ndarray
    high: np.ndarray
    low: np.ndarray
    close: np.ndarray
    volume: np.ndarray
    macro: dict[str, Vintages]
    funding: list[Settlement]
    limits: dict[str, float]

    def last(self, column: np.ndarray, n: int, t: int) -> np.ndarray | None:
        """Return the n values that end with bar t, None where there are fewer."""
        return column[t - n + 1 : t + 1] if t - n + 1 >= 0 else None

    def before(self, column: np.ndarray, n: int, t: int) -> np.ndarray | None:
        """Return the n values before bar t."""
        return column[t - n : t] if t - n >= 0 else None

    @cached_property
    def true_ranges(self) -> np.ndarray:
        """Return the true range of every bar; the first has none."""
        high, low, previous = self.high[1:], self.low[1:], self.close[:-1]
        moves = [high - low, np.abs(high - previous), np.abs(low - previous)]
        return np.concatenate([[np.nan], np.max(moves, axis=0)])

    def atr(self, n: int, t: int) -> float | None:
        """Return the mean of the last n true ranges."""
        if t < n:
            return None
        return float(np.mean(self.true_ranges[t - n + 1 : t + 1]))

    def blocks(self, hours: int, t: int, count: int) -> list[dict[str, Any]]:
        """Return the last `count` blocks that ended by the close of bar t."""
        length = hours * HOUR
        close_time = self.ts[t] + HOUR
        first = max(0, t + 1 - (count + 3) * hours)
        found: dict[float, list[int]] = {}
        for k in range(first, t + 1):
            found.setdefault(self.ts[k] // length * length, []).append(k)
        whole = [
            rows
            for start, rows in sorted(found.items())
            if start >= self.ts[first] and start + length <= close_time
        ]
        return [
            {
                "high": max(self.high[rows]),
                "low": min(self.low[rows]),
                "close": self.close[rows[-1]],
                "volume": float(np.sum(self.volume[rows]))
                if len(rows) * 2 >= hours
                else None,
            }
            for rows in whole[-count:]
        ]

    def known_days(self, series: str, at: float) -> list[Observation]:
        """Return the days of a series known at a time, the latest first."""
        return self.macro.get(series, NO_VINTAGES).known_days(at)

    def known_pairs(
        self, one: str, other: str, n: int, at: float
    ) -> list[tuple[Any, ...]]:
        """Return the n latest days on which both series are known at a time.

        Each is a pair of observations of one day; the latest comes first.
        """
        others = self.macro.get(other, NO_VINTAGES).by_day(at)
        both = ((o, others[o.day]) for o in self.known_days(one, at) if o.day in others)
        return list(islice(both, n))

    def settlements(self, first: float, end: float) -> list[Settlement]:
        """Return the settlements stamped from one time to before another."""
        start = bisect_left(self.funding, first, key=lambda s: s.at)
        return self.funding[start : bisect_left(self.funding, end, key=lambda s: s.at)]

    def last_settled(self, n: int, lag: float, at: float) -> list[Settlement]:
        """Return the n last settlements known at a time, or as many as there are.

        One is known `lag` seconds after its stamp.
        """
        end = bisect_right(self.funding, at, key=lambda s: s.at + lag)
        return self.funding[max(end - n, 0) : end]

    def is_fresh(self, known_at: float, feature: str, at: float) -> bool:
        """Tell whether a value is young enough to count."""
        return at - known_at <= HOUR * self.limits[feature]

    def reading(self, series: str, feature: str, at: float) -> float | None:
        """Return the value of the latest day known at a time, None if stale."""
        last = self.last_known(series, at)
        if last is None or not self.is_fresh(last.known_at, feature, at):
            return None
        return last.value

    def last_known(self, series: str, at: float) -> Observation | None:
        """Return the latest day known at a time, in its newest vintage."""
        return next(iter(self.known_days(series, at)), None)
