"""A built database, opened for reading: its tables, and when it is another one."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, Self

import pyarrow as pa

from barsieve.core.errors import BarsieveError, DatabaseError, refuse
from barsieve.core.text import Page, Shown
from barsieve.database.refusals import told_in_words

if TYPE_CHECKING:
    import duckdb

    from barsieve.api.frames import Frame


class Opened(Shown):
    """A built database as it was when it was opened; `path` is its file."""

    def __init__(self, path: Path):
        """Name the file; it is opened when it is first asked. See `barsieve.open`."""
        self.path = path
        self._lock = threading.Lock()
        self._reader: duckdb.DuckDBPyConnection | None = None
        self._opened: tuple[int, ...] | None = None
        self._is_closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file; runs and frames that it gave stay."""
        with self._lock:
            if self._reader is not None:
                self._reader.close()
            self._reader, self._is_closed = None, True

    def _refuse(self, expected: str, found: str) -> NoReturn:
        fix = f"open it again: barsieve.open('{self.path}')"
        refuse(str(self.path), expected=expected, found=found, fix=fix)

    @contextmanager
    def asking(self) -> Iterator[Path]:
        """Give the path to ask; refuse it when closed, and another build there."""
        if self._is_closed:
            self._refuse("an open database", "one that was closed")
        now = _identity(self.path)
        if self._opened is not None and now != self._opened:
            self._refuse("the build that was opened", "another one, built since")
        self._opened = now
        with told_in_words(self.path):
            yield self.path

    def table(self, query: str, *values: Any) -> pa.Table:
        """Return the rows of a query in DuckDB's SQL as an Arrow table.

        `values` stand for the `?` in it, in their order. Raises DatabaseError for a
        query that DuckDB refuses, or that gives no rows.
        """
        import duckdb

        with self.asking() as path, self._lock:
            reader: Any = self._read(path)
            try:
                rows = reader.sql(query, params=list(values) or None)
                if rows is not None:
                    made: pa.Table = rows.to_arrow_table()
                    return made
                found = "nothing that gives rows"
            except duckdb.Error as error:
                found = str(error).splitlines()[0]
        raise DatabaseError(
            f"the query: expected SQL that DuckDB takes, found {found}\n"
            "    fix: correct it; db.tables has the names"
        )

    def _read(self, path: Path) -> "duckdb.DuckDBPyConnection":
        from barsieve.database.connect import open_database

        if self._reader is None:
            self._reader = open_database(path)
        return self._reader

    def _rows(self, query: str) -> pa.Table:
        """Return the rows of a query that every build of this version answers."""
        with self.asking() as path, self._lock:
            return self._read(path).sql(query).to_arrow_table()

    def sql(self, query: str, *values: Any) -> "Frame":
        """Return the rows of a query in DuckDB's SQL, such as `from trades`.

        Raises DatabaseError for a query that DuckDB refuses, MissingExtraError without
        pandas.
        """
        from barsieve.api.frames import frame_of

        return frame_of(self.table(query, *values))

    @property
    def tables(self) -> list[str]:
        """Names of the tables, sorted."""
        from barsieve.database.connect import TABLE_NAMES

        return _texts(self._rows(TABLE_NAMES))

    @property
    def profiles(self) -> list[str]:
        """Names of the profiles, sorted."""
        query = "select profile from config_profiles order by profile"
        return _texts(self._rows(query))

    @property
    def build_info(self) -> dict[str, Any]:
        """Origin of the database: the row of the table `build_info`."""
        row: dict[str, Any] = self._rows("from build_info").to_pylist()[0]
        return row

    def page(self) -> Page:
        """Return the market and the profiles; why not, where it cannot be asked."""
        try:
            info = self.build_info
        except BarsieveError as error:
            return Page(str(self.path), ("",), (), str(error).splitlines())
        kind = "SIMULATED market" if info["is_simulated"] else "market"
        rows = [
            ("market", f"{kind} '{info['market_name']}': {info['symbols']}"),
            ("bars", f"{info['bars']:,}"),
            ("first", f"{info['first_bar_ts']:%Y-%m-%d}"),
            ("last", f"{info['last_bar_ts']:%Y-%m-%d}"),
            ("profiles", _named(self.profiles)),
            ("built", f"{info['built_at']:%Y-%m-%d %H:%M} UTC"),
        ]
        return Page(str(self.path), ("", ""), rows)


MOST_NAMES = 6


def _named(profiles: Sequence[str]) -> str:
    """Return names in one line: all, or the first and how many more."""
    more = len(profiles) - MOST_NAMES
    named = ", ".join(profiles[:MOST_NAMES])
    return f"{named} and {more} more" if more > 0 else named


def _texts(table: pa.Table) -> list[str]:
    """Return the first column of a table."""
    found: list[str] = table.column(0).to_pylist()
    return found


def _identity(path: Path) -> tuple[int, ...] | None:
    """Return what tells a build in a file from the next one there."""
    try:
        now = path.stat()
    except OSError:
        return None
    return now.st_dev, now.st_ino, now.st_size, now.st_mtime_ns
