"""Subjects: what is judged, as a value of each hour and the side that it takes."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from duckdb import DuckDBPyRelation

from barsieve.core.arrow import matching, numbers
from barsieve.metrics.worth.hours import Hours

DOMAIN, COLUMN, SENTINEL, SIGNAL = "domain", "column", "sentinel", "macro_signal"
NO_VIEW = 0.5
"""Score of a domain that has no view."""


class Subject(NamedTuple):
    """Something that may know of the hours that follow.

    `values`, shape (n_bars,): the score, NaN while unknown; of an event its side, 1 or
    -1, and 0 while there is none. `centre`: the value that says nothing of the sign.
    """

    kind: str
    name: str
    values: np.ndarray
    centre: float

    @property
    def is_event(self) -> bool:
        """True where it happens, or is in force, rather than having a degree."""
        return self.kind in (SENTINEL, SIGNAL)


class Tables(NamedTuple):
    """Relations of a built database that subjects are read from.

    `bars`: the model `evaluation_score_bars`, an hour a row, with `close`, `regime`
    and whatever columns a user names.
    """

    bars: DuckDBPyRelation
    scores: DuckDBPyRelation
    sentinels: DuckDBPyRelation
    macro_signals: DuckDBPyRelation
    profiles: DuckDBPyRelation


OF_BARS = ("symbol", "bar_ts", "close", "regime")


def column_of(name: str, values: np.ndarray) -> Subject:
    """Return a column to be judged; its own median says nothing of the sign."""
    known = values[np.isfinite(values)]
    values = np.where(np.isfinite(values), values, np.nan)
    return Subject(COLUMN, name, values, float(np.median(known)) if len(known) else 0.0)


def _placed(
    hours: Hours, table: pa.Table, values: np.ndarray, empty: float
) -> np.ndarray:
    """Return values of some bars at their places among all of them."""
    found = np.full(len(hours.open_us), empty)
    at = np.searchsorted(hours.open_us, numbers(table["bar_ts"].cast(pa.int64())))
    found[at] = values
    return found


def _names(relation: DuckDBPyRelation, column: str) -> list[str]:
    found = relation.select(column).distinct().order(column).fetchall()
    return [name for (name,) in found]


def read_columns(hours: Hours, bars: DuckDBPyRelation) -> Iterator[Subject]:
    """Yield the columns of bars that are not those of every bar."""
    names = [name for name in bars.columns if name not in OF_BARS]
    if names:
        table = matching(bars, symbol=hours.symbol).order("bar_ts").to_arrow_table()
        for name in names:
            yield column_of(name, numbers(table[name].cast(pa.float64())))


def _domains(hours: Hours, scores: DuckDBPyRelation) -> Iterator[Subject]:
    for name in _names(scores, "domain"):
        own = matching(scores, symbol=hours.symbol, domain=name)
        table = own.select("bar_ts", "score").to_arrow_table()
        values = _placed(hours, table, numbers(table["score"]), np.nan)
        yield Subject(DOMAIN, name, values, NO_VIEW)


def _sentinels(hours: Hours, sentinels: DuckDBPyRelation) -> Iterator[Subject]:
    """Yield events; one without a side counts as a long one."""
    for name in _names(sentinels, "sentinel"):
        own = matching(sentinels, symbol=hours.symbol, sentinel=name)
        table = own.select(
            "bar_ts, case side when 'short' then -1.0 else 1.0 end::double as side"
        ).to_arrow_table()
        values = _placed(hours, table, numbers(table["side"]), 0.0)
        yield Subject(SENTINEL, name, values, 0.0)


def _signals(hours: Hours, signals: DuckDBPyRelation) -> Iterator[Subject]:
    """Yield states; against longs alone is short, all others count as long.

    A veto of both sides has no side: its spread is what prices do while it is in force.
    """
    for name in _names(signals, "signal"):
        own = matching(signals, symbol=hours.symbol, signal=name)
        table = own.filter("veto_long + veto_short + greenlight <> 0").select(
            "bar_ts, case when veto_long > veto_short then -1.0 else 1.0 end::double "
            "as side"
        ).to_arrow_table()  # fmt: skip
        values = _placed(hours, table, numbers(table["side"]), 0.0)
        yield Subject(SIGNAL, name, values, 0.0)


def read_subjects(hours: Hours, tables: Tables) -> Iterator[Subject]:
    """Yield all that is judged of a symbol: what the tables name, in their order."""
    yield from _domains(hours, tables.scores)
    yield from _sentinels(hours, tables.sentinels)
    yield from _signals(hours, tables.macro_signals)
    yield from read_columns(hours, tables.bars)
