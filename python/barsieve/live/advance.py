"""Advance of a built file to the end of its market."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from barsieve.core.arrow import row_of
from barsieve.database.build import BuildFailedError, build_aside
from barsieve.database.connect import open_database


class Advanced(NamedTuple):
    """What an advance did: from and to which bar, the rows that each table grew by."""

    from_ts: datetime | None
    to_ts: datetime | None
    n_bars: int
    is_new: bool
    database: Path
    tables: Mapping[str, int]
    seconds: float


def _ends(database: Path) -> tuple[datetime | None, int]:
    if not database.exists():
        return None, 0
    with open_database(database) as connection:
        found = connection.execute("select max(bar_ts), count(*) from bars_1h")
        last, n_rows = row_of(found)
        return last, n_rows


def advance(
    database: Path,
    market: Path,
    *,
    configs: Path | None = None,
    before_swap: Callable[[Path], None] | None = None,
) -> Advanced:
    """Bring a built file to the end of the market.

    `before_swap` is called with the finished copy before it takes its place.
    """
    told: list[str] = []

    def listen(event: object) -> None:
        if isinstance(event, str):
            told.append(event)

    def judge(built: Path) -> bool:
        if before_swap:
            before_swap(built)
        return True

    before, n_before = _ends(database)
    arguments = ["--exclude", "tag:ml"]
    result = build_aside(arguments, listen, judge=judge)
    if result.exit_code:
        raise BuildFailedError(result.failure, told, result.exit_code)
    after, n_after = _ends(database)
    return Advanced(
        before, after, n_after - n_before, n_after > n_before, database, {},
        timedelta(0).total_seconds(),
    )  # fmt: skip
