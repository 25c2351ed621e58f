"""Every hour of the span that was asked for: stored, left out, absent, or unexplained.

What the source has been shown not to have is kept with the file (`barsieve.searched`),
so that a later run does not ask for it again, unless it rechecks.
"""

import json
from collections.abc import Callable
from datetime import datetime
from typing import cast

import numpy as np

from barsieve.ingest.answers import Fetcher
from barsieve.ingest.datasets import DAY, HOUR, Feed, pages_of
from barsieve.ingest.folder import Market
from barsieve.ingest.intervals import usual_hours
from barsieve.ingest.merge import add_metadata, stamps_of
from barsieve.ingest.origin import metadata_of
from barsieve.ingest.paging import Row, Span, Trace
from barsieve.ingest.request import Request
from barsieve.ingest.retry import from_millis
from barsieve.ingest.settling import Hole, holes_in, joined, settle
from barsieve.ingest.summary import Absent, Outcome
from barsieve.market.check import BARS, FUNDING, MACRO

SEARCHED = b"barsieve.searched"
# Holes asked for again in one run, the longest first; a later run goes on.
MOST_HOLES = 100
# Holes within what was found in a hole are looked at so often.
ROUNDS = 3
# What is missing since less than this may still be filled by the exchange.
SETTLED_AFTER = 7 * DAY
# Where older rows can be had than an exchange's API gives.
HISTORIES = {
    "kraken": "Kraken's downloadable OHLCVT files (barsieve ingest files)",
    "binance": "data.binance.vision (barsieve ingest files)",
}
ELSEWHERE = (
    "files of the exchange or a vendor (barsieve ingest files), another exchange"
)


def searched_spans(market: Market, feed: Feed) -> list[Span]:
    """Return the spans of a stored series in which its source has no rows."""
    try:
        held = json.loads(metadata_of(market.home(feed.kind, feed.name))[SEARCHED])
        return [(int(low), int(high)) for low, high in held]
    except (KeyError, ValueError, TypeError):
        return []


def _stamps(
    feed: Feed, market: Market, trace: Trace, asked: Span
) -> tuple[list[int], list[int], list[float]]:
    """Return times stored, times accounted for, and the hours that these cover.

    Accounted for are rows that were stored, that broke a rule, or are not closed yet.
    """
    stamps, hours = stamps_of(market, feed.kind, feed.name)
    stored = [int(ms) for ms in stamps.astype(np.int64)]
    stated = dict(zip(stored, hours, strict=True))
    seen = trace.kept | {ms for ms in trace.given if ms >= asked[1]}
    every = sorted(
        {*stored, *(ms - ms % (DAY if feed.kind is MACRO else 1) for ms in seen)}
    )
    if feed.kind is not FUNDING:
        return stored, every, [feed.gap / HOUR] * len(every)
    known = np.array([stated.get(ms, np.nan) for ms in every])
    return stored, every, list(usual_hours(np.array(every, "datetime64[ms]"), known))


def _is_in(hole: Hole, spans: list[Span]) -> bool:
    return any(low <= hole.low and hole.high <= high for low, high in spans)


def account_for(
    feed: Feed,
    market: Market,
    request: Request,
    outcome: Outcome,
    fetch: Fetcher,
    trace: Trace,
    asked: Span,
    known: list[Span],
    keep: Callable[[list[Row]], None],
) -> None:
    """Ask for the holes of the span again, and say of each why it stays one.

    `known` are spans in which an earlier run found nothing. `keep` stores rows.
    """
    pages, absent, n_asked = pages_of(feed, request), list(known), 0
    open_spans: list[Span] = []
    is_live = request.until is None or request.until >= request.now
    holes: list[Hole] = []
    for _ in range(ROUNDS):
        _, every, hours = _stamps(feed, market, trace, asked)
        holes = holes_in(every, *asked, pages, [h * HOUR for h in hours], is_live)
        news = [h for h in holes if not _is_in(h, [*joined(absent), *open_spans])]
        news = sorted(news, key=lambda h: h.low - h.high)[: MOST_HOLES - n_asked]
        if not news:
            break
        n_asked += len(news)
        for hole in news:
            settled = settle(fetch, hole, pages, trace)
            if settled.rows:
                keep(settled.rows)
            absent += settled.absent
            open_spans += settled.unexplained
    _remember(feed, market, absent, asked[1])
    _, every, hours = _stamps(feed, market, trace, asked)
    holes = holes_in(every, *asked, pages, [h * HOUR for h in hours], is_live)
    outcome.absent = [
        _explained(feed, hole, every, joined(absent), open_spans, fetch)
        for hole in holes
    ]
    _count(feed, market, outcome, trace, asked)


def _remember(feed: Feed, market: Market, absent: list[Span], stop: int) -> None:
    spans = [s for s in joined(absent) if s[1] < stop - SETTLED_AFTER]
    if spans and feed.kind is not MACRO:
        text = json.dumps(spans).encode()
        add_metadata(market, feed.kind, feed.name, {SEARCHED: text})


def _explained(
    feed: Feed,
    hole: Hole,
    every: list[int],
    absent: list[Span],
    unexplained: list[Span],
    fetch: Fetcher,
) -> Absent:
    rows = "bars" if feed.kind is BARS else "settlements"
    rows = "days" if feed.kind is MACRO else rows
    venue = feed.origin.venue
    is_known = True
    if _is_in(hole, absent):
        if hole.before is None:
            reason = f"before the first {rows[:-1]} at {venue}"
        elif not any(ts >= hole.high for ts in every):
            reason = f"{venue} has no {rows} since"
        else:
            reason = f"{venue} has no {rows}: asked from both ends"
    elif any(low < hole.high and hole.low < high for low, high in unexplained):
        is_known, where = False, HISTORIES.get(venue, ELSEWHERE)
        given = f"from {_shown(hole.high)} on" if hole.before is None else "none of it"
        same = ", the same page whatever is asked" if fetch.is_stuck else ""
        reason = f"asked of {venue}, which gave {given}{same}; older ones: {where}"
        if hole.before is not None:
            reason = f"asked of {venue}, which gave {given}{same}; {rows}: {where}"
    else:
        reason = "not asked for again: many holes; --recheck, or a later run, asks"
    steps = max(1, (hole.high - hole.low + feed.step - 1) // feed.step)
    last = from_millis(hole.low + (steps - 1) * feed.step)
    return Absent(reason, from_millis(hole.low), last, steps, is_known)


def _shown(millis: int) -> str:
    return f"{from_millis(millis):%Y-%m-%d %H:%M}"


def _count(
    feed: Feed,
    market: Market,
    outcome: Outcome,
    trace: Trace,
    asked: Span,
) -> None:
    """Count what was given, what of it is not closed yet, and what is stored."""
    since, stop = asked
    given = [ts for ts in trace.given if ts >= since]
    still_open = sorted(ts for ts in given if ts >= stop)
    _, before = cast(tuple[datetime, datetime], outcome.asked)
    still_open = [ts for ts in still_open if from_millis(ts) < before]
    outcome.rows_given = sum(since <= ts < stop for ts in given) + len(still_open)
    if still_open:
        outcome.leave_out(
            "not closed or not known yet", len(still_open), _shown(still_open[0])
        )
    stored, _, _ = _stamps(feed, market, trace, asked)
    outcome.rows_stored = sum(since <= ts < stop for ts in stored)
