"""Holes of a series, asked for again: filled, or known to be none of ours.

A hole is believed when the source says so in one of two ways: an answer in which the
row before the hole is followed by the row after it, or empty answers from both ends.
A source that answers with its latest rows whatever it is asked says neither.
"""

from typing import NamedTuple

from barsieve.ingest.paging import Fetch, Pages, Row, Span, Trace


class Hole(NamedTuple):
    """A span [low, high) without rows, in ms.

    `before` and `after` are the rows around it; None where the history starts with the
    hole, or ends with it.
    """

    before: int | None
    low: int
    high: int
    after: int | None = None


class Settled(NamedTuple):
    """Rows that were found in a hole, the spans without any, and those unexplained."""

    rows: list[Row]
    absent: list[Span]
    unexplained: list[Span]


def holes_in(
    stamps: list[int],
    since: int,
    stop: int,
    pages: Pages,
    gaps: list[float] | None = None,
    is_live: bool = True,
) -> list[Hole]:
    """Return the holes of a series between `since` and `stop`.

    `stamps` ascend, in ms; `gaps` are the longest distances (ms) of each to the one
    before it that is no hole. Where `stop` is now (`is_live`), the latest row is not
    missed: what has just ended may not be published yet.
    """
    longest, holes = pages.longest_gap, []
    gaps = gaps or [longest] * len(stamps)
    before: int | None = None
    for ts, gap in zip(stamps, gaps, strict=True):
        if before is None and ts - since >= longest:
            holes.append(Hole(None, since, min(ts, stop), ts))
        elif before is not None and ts - before > gap * 1.001:
            holes.append(Hole(before, before + pages.step, min(ts, stop), ts))
        before = ts
    if before is None:
        holes.append(Hole(None, since, stop))
    elif stop - before > longest * (2 if is_live else 1):
        holes.append(Hole(before, before + pages.step, stop))
    return [
        hole._replace(low=max(hole.low, since))
        for hole in holes
        if max(hole.low, since) < hole.high <= stop
    ]


def _says_none(fetch: Fetch, hole: Hole, trace: Trace) -> bool:
    """Tell whether an answer holds the rows on both sides of a hole and none in it.

    Before the first row there is none to compare with: there the source must have
    picked the first rows itself: not have been cut to them afterwards, and not have
    given its latest rows, after which none is known.
    """
    since = hole.low if hole.before is None else hole.before
    page = sorted(row[0] for row in fetch(since, rows=2) or [])
    if hole.before is None:
        n_raw = getattr(fetch, "raw_rows", None)
        chosen = (len(page) if n_raw is None else n_raw) <= 2
        if not chosen or len(page) != 2 or page[0] != hole.after:
            return False
        return max(trace.given, default=page[1]) > page[1]
    later = min((ts for ts in page if ts > hole.before), default=None)
    return hole.before in page and later is not None and later == hole.after


def settle(fetch: Fetch, hole: Hole, pages: Pages, trace: Trace) -> Settled:
    """Ask for a hole again, from its end backwards.

    Each question covers no more than the source has been seen to grant. `fetch` answers
    None where a source cannot be asked with an end; its `raw_rows`, if it has them, are
    the rows of the answer before those outside of the question were taken away.
    """
    if _says_none(fetch, hole, trace):
        return Settled([], [(hole.low, hole.high)], [])
    rows: dict[int, Row] = {}
    absent: list[Span] = []
    unexplained: list[Span] = []
    low, upper = hole.low, hole.high
    while upper > low:
        lower = max(low, upper - trace.window(pages))
        page = fetch(lower, until=upper - 1)
        if page == []:
            page = fetch(lower, until=upper - 1)
        inside = {row[0]: row for row in page or [] if low <= row[0] < upper}
        if inside:
            rows |= inside
            trace.see(lower, list(inside.values()), pages)
            if upper - max(inside) > pages.longest_gap:
                # Cut at its end: what follows is asked for before what precedes.
                top = max(inside)
                rest = Hole(top, top + pages.step, upper, upper)
                above = settle(fetch, rest, pages, trace)
                rows |= {row[0]: row for row in above.rows}
                absent += above.absent
                unexplained += above.unexplained
            upper = min(inside)
        elif page or page is None or getattr(fetch, "raw_rows", None):
            unexplained.append((low, upper))
            break
        else:
            covered = trace.covers(low, upper, pages) and not rows
            lower = low if covered else lower
            absent.append((lower, upper))
            upper = lower
    return Settled([rows[ts] for ts in sorted(rows)], joined(absent), unexplained)


def joined(spans: list[Span]) -> list[Span]:
    """Return spans in order, those that touch as one."""
    whole: list[Span] = []
    for low, high in sorted(spans):
        if whole and low <= whole[-1][1]:
            whole[-1] = (whole[-1][0], max(high, whole[-1][1]))
        else:
            whole.append((low, high))
    return whole


def without(spans: list[Span], known: list[Span]) -> list[Span]:
    """Return the spans that do not lie in a known one."""
    return [s for s in spans if not any(k[0] <= s[0] and s[1] <= k[1] for k in known)]
