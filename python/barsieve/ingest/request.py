"""Request of a run: the span, and how to treat what is stored."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

Progress = Callable[[float], None]

# Where a history starts that nobody gave a start: before most exchanges did.
EARLIEST = datetime(2017, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Request:
    """Request to a source: from when (a first run), until when, what of the stored.

    `now` is the local clock; a bar counts as closed only when the exchange's clock says
    so too. `rows` and `pages` are rows a page and pages between two writes.
    """

    now: datetime
    since: datetime | None = None
    until: datetime | None = None
    accept_revisions: bool = False
    accept_origin: bool = False
    recheck: bool = False
    rows: int = 1000
    pages: int = 10
    progress: Progress = field(default=lambda share: None)
