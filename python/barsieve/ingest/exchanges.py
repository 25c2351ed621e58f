"""Bars, funding rates and open interest from any exchange that ccxt knows."""

from collections.abc import Iterator
from datetime import date, datetime

import numpy as np

from barsieve.ingest.accounting import account_for, searched_spans
from barsieve.ingest.answers import Fetcher
from barsieve.ingest.belonging import refuse_other_origin
from barsieve.ingest.datasets import DAY, HOUR, Feed, pages_of
from barsieve.ingest.exchange import Exchange
from barsieve.ingest.folder import Market
from barsieve.ingest.merge import count_gaps, span_of, store
from barsieve.ingest.paging import Row, Trace, backward, forward
from barsieve.ingest.request import EARLIEST, Request
from barsieve.ingest.retry import from_millis
from barsieve.ingest.summary import Outcome
from barsieve.market.check import MACRO

# Stored rows that are asked for again, to see whether they have changed.
OVERLAP_STEPS = 24
# Binance answers for the latest month only, and refuses a start before it.
OPEN_INTEREST_DAYS = 29


def _millis(time: datetime | date) -> int:
    if isinstance(time, datetime):
        time = time.replace(tzinfo=None)
    day = np.datetime64(time)
    return int(day.astype("datetime64[ms]").astype(np.int64))


def known_before(feed: Feed, market: Market, request: Request, clock: datetime) -> int:
    """Return the time (ms) before which rows are known: bars closed, days published.

    A settlement is known when it happens.
    """
    waits = {"bars": HOUR, "funding": 0}.get(feed.kind.folder)
    if waits is None:
        waits = market.publications[feed.name].lag_hours * HOUR
    return min(_millis(request.until or clock), _millis(clock) - waits + 1)


def _walks(
    fetch: Fetcher,
    feed: Feed,
    span: tuple[int, int] | None,
    since: int,
    stop: int,
    request: Request,
    trace: Trace,
    searched_from: int | None,
) -> list[Iterator[list[Row]]]:
    """Return the walks that bring the stored span up to `stop` and down to `since`."""
    pages = pages_of(feed, request)
    if span is None:
        return [forward(fetch, since, stop, pages, trace)]
    first, last = span
    start = first if request.recheck else last - OVERLAP_STEPS * feed.gap
    walks = [forward(fetch, max(start, first), stop, pages, trace)]
    if since < first and (searched_from is None or since < searched_from):
        walks.append(backward(fetch, since, first, pages, trace))
    return walks


def ingest_feed(
    exchange: Exchange, feed: Feed, market: Market, request: Request, outcome: Outcome
) -> None:
    """Bring a feed up to date, page by page; count into `outcome`.

    Raises SourceError when the exchange gives up; what was written stays. Raises
    InputError when the market holds the series of another origin.
    """
    if feed.kind is not MACRO:
        refuse_other_origin(market, feed.kind, feed.name, feed.origin)
    span = span_of(market, feed.kind, feed.name)
    clock = exchange.clock(request.now)
    stop = known_before(feed, market, request, clock)
    span = span and (_millis(span[0]), _millis(span[1]))
    since = _millis(request.since) if request.since else None
    if since is None:
        since = span[0] if span else _millis(EARLIEST)
    if feed.kind is MACRO:
        oldest = _millis(clock) // DAY * DAY - OPEN_INTEREST_DAYS * DAY
        since = max(since, oldest)
        # What lies before can be had no more: no walk back, no start before it.
        span = span and (max(span[0], oldest), max(span[1], oldest))
        since = max(since, span[0]) if span else since
    outcome.asked = (from_millis(since), request.until or clock)
    start = since if span is None else min(since, span[1])
    trace = Trace()
    fetch = Fetcher(exchange, feed, request, trace, (start, stop))

    def keep(rows: list[Row]) -> None:
        trace.kept.update(row[0] for row in rows)
        _store(feed, market, request, outcome, rows)

    known = [] if request.recheck else searched_spans(market, feed)
    searched_from = next((low for low, high in known if span and high == span[0]), None)
    try:
        for walk in _walks(
            fetch, feed, span, since, stop, request, trace, searched_from
        ):
            for rows in walk:
                keep(rows)
        account_for(
            feed, market, request, outcome, fetch, trace, (since, stop), known, keep
        )
    finally:
        count_gaps(market, feed.kind, feed.name, outcome, feed.gap / HOUR)


def _store(
    feed: Feed, market: Market, request: Request, outcome: Outcome, rows: list[Row]
) -> None:
    store(
        market, feed.kind, feed.name, feed.to_table(rows), outcome,
        request.accept_revisions, request.now, origin=feed.origin,
    )  # fmt: skip
