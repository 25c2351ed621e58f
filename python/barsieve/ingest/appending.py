"""Reading of a feed that only ever appends: for a market that is traded on.

What is stored was decided upon, so nothing is put between it. A row that comes after
its hour was decided is handed back instead, and so is one that has changed.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from barsieve.ingest.answers import Fetcher
from barsieve.ingest.belonging import refuse_other_origin
from barsieve.ingest.datasets import HOUR, Feed, pages_of
from barsieve.ingest.exchange import Exchange
from barsieve.ingest.exchanges import OVERLAP_STEPS, known_before
from barsieve.ingest.folder import Market
from barsieve.ingest.intervals import usual_hours
from barsieve.ingest.merge import stamps_of, store
from barsieve.ingest.paging import Row, Trace, forward
from barsieve.ingest.request import Request
from barsieve.ingest.retry import from_millis
from barsieve.ingest.summary import Outcome
from barsieve.market.check import BARS, FUNDING, Kind


@dataclass
class Appended:
    """Result of one reading of a feed.

    `late` are rows of times that were decided upon without them, not stored. `missing`
    are hours between rows that the venue has no row for. `n_empty` answers had no row,
    though at least the stored ones were asked for. `outcome` counts the rest.
    """

    outcome: Outcome
    late: list[dict[str, Any]] = field(default_factory=list)
    missing: list[datetime] = field(default_factory=list)
    n_empty: int = 0


class _Counting(Fetcher):
    """Pages of a feed, counting those without a row that begin by a stored one (ms)."""

    n_empty, stored = 0, 0

    def __call__(
        self, since: int, until: int | None = None, rows: int | None = None
    ) -> list[Row] | None:
        page = super().__call__(since, until, rows)
        self.n_empty += not page and since <= self.stored
        return page


def last_stored(market: Market, kind: Kind, name: str) -> datetime | None:
    """Return the time of the last stored row of a symbol."""
    stamps, _ = stamps_of(market, kind, name)
    return from_millis(int(stamps[-1].astype(np.int64))) if len(stamps) else None


def next_settlement(market: Market, name: str, decided: datetime) -> datetime | None:
    """Return when the next settlement of a symbol is due that was not decided without.

    None where none is stored that would tell. `decided` is the last such time.
    """
    stamps, hours = stamps_of(market, FUNDING, name)
    if len(stamps) < 2:
        return None
    step = timedelta(hours=float(usual_hours(stamps, hours)[-1]))
    due = from_millis(int(stamps[-1].astype(np.int64))) + step
    while due <= decided:
        due += step
    return due


def append_feed(
    exchange: Exchange,
    feed: Feed,
    market: Market,
    request: Request,
    clock: datetime,
    decided: datetime,
) -> Appended:
    """Add the rows of a feed after the stored ones; read the latest of these again.

    `clock` is the earlier of the venue's time and ours: what has not closed by it is
    left. `decided` is the last time of a row that was decided upon. The market must
    hold the series. Raises SourceError when the exchange gives up; InputError for rows
    of another origin.
    """
    refuse_other_origin(market, feed.kind, feed.name, feed.origin)
    stamps = stamps_of(market, feed.kind, feed.name)[0].astype(np.int64)
    held, last = set(stamps.tolist()), int(stamps[-1])
    after = int(decided.timestamp() * 1000)
    stop = known_before(feed, market, request, clock)
    start = max(last - OVERLAP_STEPS * feed.gap, int(stamps[0]))
    trace = Trace()
    fetch = _Counting(exchange, feed, request, trace, (start, stop))
    fetch.stored = last
    found = Appended(Outcome(f"{feed.kind.folder}/{feed.name}", exchange.name))
    pages = pages_of(feed, request)
    for rows in forward(fetch, start, stop, pages, trace):
        _keep(feed, market, rows, held, after, found)
    found.n_empty = fetch.n_empty
    if feed.kind is BARS:
        newest = max((ts for ts in trace.given if ts < stop), default=last)
        hours = range(last + HOUR, newest, HOUR)
        absent = [ts for ts in hours if ts > after and ts not in trace.given]
        found.missing = [from_millis(ts) for ts in absent]
    return found


def _keep(
    feed: Feed,
    market: Market,
    rows: list[Row],
    held: set[int],
    after: int,
    found: Appended,
) -> None:
    """Store new rows and compare those that are stored; set late ones aside."""
    table = feed.to_table(rows)
    times = table["ts"].cast("int64").to_pylist()
    late = [ts // 1000 not in held and ts // 1000 <= after for ts in times]
    found.late += [row for row, is_late in zip(table.to_pylist(), late, strict=True)
                   if is_late]  # fmt: skip
    kept = table.filter([not is_late for is_late in late])
    if kept.num_rows:
        store(market, feed.kind, feed.name, kept, found.outcome, origin=feed.origin)
