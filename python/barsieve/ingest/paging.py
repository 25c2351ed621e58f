"""Pages of a source, walked so that what is stored is always one span.

Forward from the last stored row, and backward from the first one in whole chunks: a
kill between two writes leaves no hole that a later run would not see. A source grants
fewer rows than it is asked for, or a window of time: how much it grants is learned from
its answers, and an empty page is passed by no more than that.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

# A page: rows with a time in milliseconds first, in any order.
Row = tuple[Any, ...]
# Asked with a start; `settling` also asks with `until` (ms) and `rows`.
# None where the source refuses to be asked with an end.
Fetch = Callable[..., list[Row] | None]
Span = tuple[int, int]

# A window that no exchange undercuts, taken while no answer has shown a wider one.
CAUTIOUS_STEPS = 100
# How often the span is sounded for any row, while every answer was empty.
SOUNDINGS = 32
# Equal answers to different questions, none with a row that was asked for, in a row.
MOST_REPEATS = 3


class Pages(NamedTuple):
    """Pages of a source: its step in ms, rows a page, pages between two writes.

    `gap` (ms, default a step) is the longest distance of two rows that is no hole.
    """

    step: int
    rows: int
    per_write: int
    gap: int = 0

    @property
    def span(self) -> int:
        """Return the milliseconds that a full page covers."""
        return self.step * self.rows

    @property
    def longest_gap(self) -> int:
        """Return the longest distance (ms) of two rows that is no hole."""
        return max(self.gap, self.step)


@dataclass
class Trace:
    """Trace of a source: what its answers have shown.

    `reach` is how far (ms) an answer went beyond its start, at most a full page;
    `empty` where windows without a row started, asked for twice; `given` the times of
    rows, `kept` of those that were handed on to be stored.
    """

    reach: int = 0
    empty: list[int] = field(default_factory=list)
    given: set[int] = field(default_factory=set)
    kept: set[int] = field(default_factory=set)

    def see(self, since: int, page: list[Row], pages: Pages) -> None:
        """Learn from an answer to a question from `since` on."""
        self.given.update(row[0] for row in page)
        latest = max((row[0] for row in page if row[0] >= since), default=None)
        if latest is not None:
            reach = min(latest - since + pages.step, pages.span)
            self.reach = max(self.reach, reach)

    def window(self, pages: Pages) -> int:
        """Return the milliseconds that a question surely covers."""
        return self.reach or min(pages.span, CAUTIOUS_STEPS * pages.step)

    def covers(self, low: int, high: int, pages: Pages) -> bool:
        """Tell whether windows without rows, as wide as is known now, cover a span."""
        if not self.reach:
            return False
        for start in sorted(self.empty):
            if start <= low < start + self.window(pages):
                low = start + self.window(pages)
        return low >= high


def _sound(fetch: Fetch, start: int, stop: int, pages: Pages, trace: Trace) -> None:
    """Learn how far answers reach, from wherever in the span there are rows."""
    starts = [stop - pages.span, stop - CAUTIOUS_STEPS * pages.step]
    fractions = (_van_der_corput(i) for i in range(1, SOUNDINGS))
    starts += [start + int((stop - start) * share) for share in fractions]
    n_answers = 0
    for since in starts:
        if since <= start:
            continue
        page = fetch(since) or []
        trace.see(since, page, pages)
        n_answers += bool(page)
        if n_answers == 2:
            return


def _van_der_corput(i: int) -> float:
    """Return the ith of 1/2, 1/4, 3/4, 1/8, ...: any span is met early."""
    share, unit = 0.0, 0.5
    while i:
        share, unit, i = share + unit * (i & 1), unit / 2, i >> 1
    return share


def forward(
    fetch: Fetch, start: int, stop: int, pages: Pages, trace: Trace | None = None
) -> Iterator[list[Row]]:
    """Yield chunks of rows from `start` on, ascending, each row older than `stop`.

    A page starts with the row that the one before it ended with, so pages overlap by
    one row. An empty page is asked for again before it is believed; then the walk goes
    on behind the window that the source has been seen to grant. Every question starts
    later than the one before, so a source that repeats itself ends the walk too.
    """
    trace = trace or Trace()
    cursor, n_pages = start, 0
    chunk: dict[int, Row] = {}
    while cursor < stop:
        page = fetch(cursor) or fetch(cursor) or []
        trace.see(cursor, page, pages)
        chunk |= {row[0]: row for row in page if start <= row[0] < stop}
        n_pages += 1
        latest = max((row[0] for row in page), default=cursor)
        if latest > cursor:
            cursor = latest
        elif page and latest == cursor:
            cursor += pages.step
        else:
            if getattr(fetch, "is_stuck", False):
                break
            if not trace.reach:
                _sound(fetch, start, stop, pages, trace)
            if not page:
                trace.empty.append(cursor)
            cursor += trace.window(pages)
        if n_pages % pages.per_write == 0 and chunk:
            yield [chunk[ts] for ts in sorted(chunk)]
            chunk = {}
        if latest >= stop - pages.step:
            break
    if chunk:
        yield [chunk[ts] for ts in sorted(chunk)]


def backward(
    fetch: Fetch, start: int, stop: int, pages: Pages, trace: Trace | None = None
) -> Iterator[list[Row]]:
    """Yield chunks of rows before `stop`, the latest first, down to `start`.

    Below a chunk without rows, the rest is one chunk: there the history of the symbol
    begins, or it paused for long.
    """
    whole = pages._replace(per_write=2**31)
    while start < stop:
        lower = max(start, stop - pages.span * pages.per_write)
        rows = [row for c in forward(fetch, lower, stop, whole, trace) for row in c]
        if not rows and lower > start:
            stop, lower = lower, start
            rows = [row for c in forward(fetch, lower, stop, whole, trace) for row in c]
        if rows:
            yield rows
        stop = lower
