"""Bars, funding rates and open interest from any exchange that ccxt knows."""

from collections.abc import Callable, Iterator
from datetime import date, datetime
from typing import Any

import numpy as np

from barsieve.check_market import FUNDING, MACRO
from barsieve.ingest.exchange import Exchange
from barsieve.ingest.feeds import DAY, HOUR, Feed, refuse_other_intervals
from barsieve.ingest.market import Market
from barsieve.ingest.paging import Pages, Row, backward, forward
from barsieve.ingest.patience import SourceError
from barsieve.ingest.request import EARLIEST, Request
from barsieve.ingest.storing import count_gaps, span_of, store
from barsieve.ingest.summary import Outcome

# Stored rows that are asked for again, to see whether they have changed.
OVERLAP_STEPS = 24
# Binance answers for the latest month only, and refuses a start before it.
OPEN_INTEREST_DAYS = 29


def _rows_of(answer: list[Any]) -> list[Row]:
    """Return rows (time in ms, values) of what a method of ccxt gave."""
    rows = []
    for item in answer:
        if isinstance(item, dict):
            value = item.get("fundingRate", item.get("openInterestAmount"))
            rows.append((item["timestamp"], value))
        else:
            rows.append(tuple(item))
    if any(not isinstance(row[0], int) for row in rows):
        raise SourceError("a row without a time among the exchange's")
    return rows


def _fetcher(
    exchange: Exchange, feed: Feed, request: Request, start: int, stop: int
) -> Callable[[int], list[Row]]:
    """Return how to fetch the page from a time on; it moves the progress bar."""
    n_rows = min(request.rows, feed.most_rows)

    def fetch(since: int) -> list[Row]:
        arguments = [feed.market, since, n_rows]
        if feed.timeframe:
            arguments.insert(1, feed.timeframe)
        rows = _rows_of(exchange.ask(feed.method, *arguments))
        latest = max((row[0] for row in rows), default=since)
        share = (latest - start) / max(stop - start, 1)
        request.progress(min(1.0, max(0.0, share)))
        return rows

    return fetch


def _millis(time: datetime | date) -> int:
    day = np.datetime64(time.replace(tzinfo=None) if hasattr(time, "hour") else time)
    return int(day.astype("datetime64[ms]").astype(np.int64))


def _stop(feed: Feed, market: Market, request: Request, clock: datetime) -> int:
    """Return the time (ms) before which rows are known: bars closed, days published.

    A settlement is known when it happens.
    """
    waits = {"bars": HOUR, "funding": 0}.get(feed.kind.folder)
    if waits is None:
        waits = market.publications[feed.name].lag_hours * HOUR
    return min(_millis(request.until or clock), _millis(clock) - waits + 1)


def _walks(
    fetch: Callable[[int], list[Row]],
    feed: Feed,
    span: tuple[int, int] | None,
    since: int,
    stop: int,
    request: Request,
) -> list[Iterator[list[Row]]]:
    """Return the walks that bring the stored span up to `stop` and down to `since`."""
    pages = Pages(feed.step, min(request.rows, feed.most_rows), request.pages)
    if span is None:
        return [forward(fetch, since, stop, pages)]
    first, last = span
    start = first if request.recheck else last - OVERLAP_STEPS * feed.step
    walks = [forward(fetch, max(start, first), stop, pages)]
    if since < first:
        walks.append(backward(fetch, since, first, pages))
    return walks


def ingest_feed(
    exchange: Exchange, feed: Feed, market: Market, request: Request, outcome: Outcome
) -> None:
    """Bring a feed up to date, page by page; count into `outcome`.

    Raises SourceError when the exchange gives up; what was written stays.
    """
    clock = exchange.clock(request.now)
    stop = _stop(feed, market, request, clock)
    span = span_of(market, feed.kind, feed.name)
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
    start = since if span is None else min(since, span[1])
    fetch = _fetcher(exchange, feed, request, start, stop)
    try:
        for walk in _walks(fetch, feed, span, since, stop, request):
            for rows in walk:
                _store(feed, market, request, outcome, rows)
    finally:
        count_gaps(market, feed.kind, feed.name, outcome, feed.step / HOUR)


def _store(
    feed: Feed, market: Market, request: Request, outcome: Outcome, rows: list[Row]
) -> None:
    if feed.kind is FUNDING:
        refuse_other_intervals(feed, rows)
    table = feed.to_table(rows)
    store(
        market, feed.kind, feed.name, table, outcome, request.accept_revisions,
        request.now,
    )  # fmt: skip
