"""Walk through a source's pages so that what is stored is always one span.

Forward from the last stored row, and backward from the first one in whole chunks: a
kill between two writes leaves no hole that a later run would not see.
"""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

# A page: rows with a time in milliseconds first, in any order.
Row = tuple[Any, ...]
Fetch = Callable[[int], list[Row]]


class Pages(NamedTuple):
    """How a source is paged: its step in ms, rows a page, pages between two writes."""

    step: int
    rows: int
    per_write: int

    @property
    def span(self) -> int:
        """Return the milliseconds that a full page covers."""
        return self.step * self.rows


def forward(fetch: Fetch, start: int, stop: int, pages: Pages) -> Iterator[list[Row]]:
    """Yield chunks of rows from `start` on, ascending, each row older than `stop`.

    A page starts with the row that the one before it ended with, so pages overlap by
    one row. An empty page is asked for again before it is believed; then the walk goes
    on behind it, since some exchanges answer an outage so.
    """
    cursor, chunk, n_pages = start, {}, 0
    while cursor < stop:
        page = fetch(cursor) or fetch(cursor)
        rows = {row[0]: row for row in page if row[0] < stop}
        chunk |= rows
        n_pages += 1
        latest = max((row[0] for row in page), default=cursor)
        cursor = latest if latest > cursor else cursor + pages.span
        if n_pages % pages.per_write == 0 and chunk:
            yield [chunk[ts] for ts in sorted(chunk)]
            chunk = {}
        if latest >= stop - pages.step:
            break
    if chunk:
        yield [chunk[ts] for ts in sorted(chunk)]


def backward(fetch: Fetch, start: int, stop: int, pages: Pages) -> Iterator[list[Row]]:
    """Yield chunks of rows before `stop`, the latest first, down to `start`.

    Ends early at a chunk without rows: there the history of the symbol begins.
    """
    while start < stop:
        lower = max(start, stop - pages.span * pages.per_write)
        whole = pages._replace(per_write=2**31)
        rows = [row for chunk in forward(fetch, lower, stop, whole) for row in chunk]
        rows = [row for row in rows if row[0] >= lower]
        if not rows:
            return
        yield rows
        stop = lower
