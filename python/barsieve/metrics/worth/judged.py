"""A subject judged on the hours of a symbol: by horizon and regime, month, and lag."""

from collections.abc import Iterator
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from barsieve.metrics.bootstrap import block_days, drawn_days
from barsieve.metrics.worth.hours import UNKNOWN, Hours
from barsieve.metrics.worth.ranks import Sorted, fifths
from barsieve.metrics.worth.significance import Estimates, estimates
from barsieve.metrics.worth.subjects import Subject
from barsieve.metrics.worth.sums import Figures, Sums, by_day, figures, hourly

HORIZONS = (1, 4, 24, 72)
"""Hours over which a return is judged."""
LAGS = (0, 1, 2, 3, 5, 8, 12, 24, 48, 71)
"""Hours after the close at which a single hour's return is looked at: the decay."""
ALL = "all"
LEAST_MONTH_HOURS = 100
"""Hours of a month that are to have a correlation of their own."""

ESTIMATED = {
    "information_coefficient": ("top", "bottom"),
    "spread_bps": ("top", "bottom"),
    "hit_rate": ("views",),
}
"""Figures that chance is told of, and the sums that say on which days they are made.

A correlation is made where the score is at its ends: one that is nearly always the same
tells of few days, however long they are.
"""


@lru_cache(maxsize=2)
def day_counts(n_days: int) -> np.ndarray:
    """Return how often each day was drawn, shape (n_draws, n_days)."""
    drawn = drawn_days(n_days)
    n_draws = len(drawn)
    cell = drawn + np.arange(n_draws)[:, None] * n_days
    counts = np.bincount(cell.ravel(), minlength=n_draws * n_days)
    return counts.reshape(n_draws, n_days).astype(np.float32)


def _blocks(hours: np.ndarray) -> np.ndarray:
    """Return in how many blocks of days there are hours, shape (n_groups,).

    `hours`: by group and day.
    """
    n_days = hours.shape[1]
    starts = np.arange(0, n_days, block_days(n_days))
    found: np.ndarray = np.logical_or.reduceat(hours > 0, starts, axis=1).sum(axis=1)
    return found


def _blocks_of(days: Sums, name: str, is_event: bool) -> np.ndarray:
    """Return the blocks of days that a figure is made of; of two parts, the fewer."""
    found = _blocks(np.add.reduce([getattr(days, part) for part in ESTIMATED[name]]))
    if is_event and name == "spread_bps":
        quiet = _blocks(days.n - days.top - days.bottom)
        found = np.minimum(found, quiet)
    return found


class Group(NamedTuple):
    """A group of hours over a horizon, or at a lag after the close."""

    hours: int
    regime: str = ALL


class Judged(NamedTuple):
    """Figures of a subject, an element a group; hours of no known regime have none.

    `n`: hours; `coverage`: their share of those that could be known; `active`: those in
    the fifths, or with the event; `turnover`: of a position of them, renewed each
    horizon.
    """

    groups: list[Group]
    n: np.ndarray
    days: np.ndarray
    coverage: np.ndarray
    active: np.ndarray
    turnover: np.ndarray
    figures: Figures
    estimates: dict[str, Estimates]


def estimated(
    cells: np.ndarray, is_event: bool
) -> tuple[Figures, dict[str, Estimates]]:
    """Return figures of sums by group and day, and what chance does to them."""
    whole = figures(Sums(*np.moveaxis(cells.sum(axis=1), -1, 0)), is_event)
    n_groups, n_days, n_sums = cells.shape
    counts = day_counts(n_days)
    samples = np.zeros((len(counts), n_groups, n_sums))
    # Of an event there are no ranks to be summed.
    is_summed = cells.any(axis=(0, 1))
    flat = np.moveaxis(cells[..., is_summed], 1, 0).reshape(n_days, -1)
    products = counts @ flat.astype(np.float32)
    samples[..., is_summed] = products.reshape(len(counts), n_groups, -1)
    drawn = figures(Sums(*np.moveaxis(samples, -1, 0)), is_event)
    days = Sums(*np.moveaxis(cells, -1, 0))
    found = {
        name: estimates(
            getattr(whole, name), getattr(drawn, name), _blocks_of(days, name, is_event)
        )
        for name in ESTIMATED
    }
    return whole, found


class Bench:
    """Hours of a symbol, with all that is the same for each of its subjects.

    `returns`: by horizon and lag, sorted once. `one_group`, shape (n_bars,): all hours
    as one group.
    """

    def __init__(self, hours: Hours):
        """Sort the returns of every horizon and lag."""
        self.hours = hours
        asked = [(h, 0) for h in HORIZONS] + [(1, lag) for lag in LAGS]
        self.returns = {key: Sorted.of(hours.returns(*key)) for key in asked}
        self.after = {h: hours.after(h) for h in HORIZONS}
        self.one_group = np.zeros(len(hours.open_us), np.int16)
        self._ranks: dict[tuple[Any, ...], np.ndarray] = {}

    def groupings(self) -> Iterator[tuple[np.ndarray, list[str]]]:
        """Yield the group of each hour, and their names: all as one, then regimes."""
        yield self.one_group, [ALL]
        yield self.hours.regime, self.hours.regimes

    def return_ranks(
        self, key: tuple[int, int], used: np.ndarray, group: np.ndarray
    ) -> np.ndarray:
        """Return ranks of returns; most subjects are known on the same hours."""
        asked = (key, id(group), used.tobytes())
        if asked not in self._ranks:
            self._ranks[asked] = self.returns[key].ranks(used, group)
        return self._ranks[asked]


class Judgement:
    """A subject on the bench."""

    def __init__(self, bench: Bench, subject: Subject):
        """Sort the values of the subject."""
        self.bench, self.subject = bench, subject
        self.sorted = Sorted.of(subject.values)
        # What the value says of the sign of a return; unknown is no view.
        self.view = np.sign(np.nan_to_num(subject.values - subject.centre))

    def _used(self, key: tuple[int, int]) -> np.ndarray:
        """Tell on which hours value and return are known."""
        returns = self.bench.returns[key].values
        used: np.ndarray = np.isfinite(self.subject.values) & np.isfinite(returns)
        return used

    def _cells(
        self, key: tuple[int, int], group: np.ndarray, n: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return sums by group and day, and the side of each hour."""
        used, returns = self._used(key), self.bench.returns[key].values
        if self.subject.is_event:
            x = y = np.zeros(len(used))
            sides = np.where(used, self.subject.values, np.nan)
        else:
            x = self.sorted.ranks(used, group)
            y = self.bench.return_ranks(key, used, group)
            sides = fifths(x, group)
        terms = hourly(x[used], y[used], sides[used], self.view[used], returns[used])
        n_days = self.bench.hours.n_days
        cell = group[used].astype(np.int64) * n_days + self.bench.hours.day[used]
        return by_day(terms, cell, (n, n_days)), sides

    def _turnover(
        self, sides: np.ndarray, horizon: int, group: np.ndarray, n: int
    ) -> np.ndarray:
        """Return how much of a position is changed when renewed a horizon later."""
        after = self.bench.after[horizon]
        then = np.where(after >= 0, sides[after], np.nan)
        known = np.isfinite(sides) & np.isfinite(then)
        changed = np.bincount(group[known], np.abs(then - sides)[known], minlength=n)
        held = np.bincount(group[known], np.abs(sides)[known], minlength=n)
        with np.errstate(divide="ignore", invalid="ignore"):
            found: np.ndarray = changed / held
        return found

    def judged(self) -> Judged:
        """Return the figures over every horizon, of all hours and by regime."""
        groups, cells, turnover, could = [], [], [], []
        for horizon in HORIZONS:
            returned = np.isfinite(self.bench.returns[horizon, 0].values)
            for group, names in self.bench.groupings():
                n = len(names)
                found, sides = self._cells((horizon, 0), group, n)
                is_told = np.array(names) != UNKNOWN
                groups += [Group(horizon, one) for one in names if one != UNKNOWN]
                cells.append(found[is_told])
                turnover.append(self._turnover(sides, horizon, group, n)[is_told])
                could.append(np.bincount(group[returned], minlength=n)[is_told])
        every = np.concatenate(cells)
        sums = Sums(*np.moveaxis(every, -1, 0))
        hours = sums.n.sum(axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            coverage = hours / np.concatenate(could)
        return Judged(
            groups, hours, (sums.n > 0).sum(axis=1), coverage,
            (sums.top + sums.bottom).sum(axis=1), np.concatenate(turnover),
            *estimated(every, self.subject.is_event),
        )  # fmt: skip

    def months(self, horizon: int) -> Iterator[tuple[str, int, float]]:
        """Yield month, hours and correlation, of ranks within the month."""
        hours, key = self.bench.hours, (horizon, 0)
        n, used = len(hours.months), self._used(key)
        group = hours.month[used]
        x = self.sorted.ranks(used, hours.month)[used]
        y = self.bench.return_ranks(key, used, hours.month)[used]
        parts = (np.ones(len(x)), x, y, x * x, y * y, x * y)
        sums = [np.bincount(group, part, minlength=n) for part in parts]
        rest = [np.zeros(n)] * (len(Sums._fields) - len(sums))
        ic = figures(Sums(*sums, *rest), is_event=False).information_coefficient
        for month, count, value in zip(hours.months, sums[0], ic, strict=True):
            if count >= LEAST_MONTH_HOURS:
                yield month, int(count), float(value)

    def decay(self) -> tuple[Figures, dict[str, Estimates]]:
        """Return figures with the single hour at each of `LAGS`, an element a lag."""
        cells = [self._cells((1, lag), self.bench.one_group, 1)[0] for lag in LAGS]
        return estimated(np.concatenate(cells), self.subject.is_event)
