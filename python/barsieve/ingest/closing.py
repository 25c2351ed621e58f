"""Closed bars of a file: those that were over when it was written.

A bar is closed when the file says so (a time of close that has passed), or when the
file has a later row. Of the last row nobody can tell it by the time of the file, which
a copy or an archive changes.
"""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from barsieve.ingest.converting import HOUR_US, Rows
from barsieve.ingest.formats import Format

FORMING = (
    "the last row, whose bar may have been forming at the export (a later export "
    "brings it; --complete takes it)"
)
OPEN = "a bar that had not closed"


def closed(
    path: Path,
    format: Format,
    rows: Rows,
    now: datetime,
    hours: float,
    is_complete: bool,
) -> Rows:
    """Return the bars of `hours` that had closed, the others left out and counted.

    `is_complete` says that the last row is a finished bar.
    """
    step, latest = int(hours * HOUR_US), int(now.timestamp() * 1e6)
    if rows.closes is not None:
        return rows.kept(rows.closes < latest, OPEN)
    rows = rows.kept(rows.us + step <= latest, OPEN)
    if is_complete or not len(rows.us):
        return rows
    written = int(datetime.fromtimestamp(path.stat().st_mtime, UTC).timestamp() * 1e6)
    keep = np.ones(len(rows.us), bool)
    # A file that was written within its own last bar: two accounts of one moment.
    keep[-1] = not (format.may_end_open or rows.us[-1] <= written < rows.us[-1] + step)
    return rows.kept(keep, FORMING)
