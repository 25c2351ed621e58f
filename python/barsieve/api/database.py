"""A built database, opened for reading, and everything that may be asked of it."""

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NoReturn

import pyarrow as pa

from barsieve.api.asked import changes_of, known_mode, path_of, signals_of
from barsieve.core import paths
from barsieve.core.errors import refuse
from barsieve.core.text import Page, Shown
from barsieve.core.times import Moment, moment, span
from barsieve.database.refusals import told_in_words

if TYPE_CHECKING:
    import duckdb

    from barsieve.analysis.replay import ReplayReport
    from barsieve.api.comparison import Comparison
    from barsieve.api.documents import Explanation, Signal
    from barsieve.api.frames import Frame
    from barsieve.api.run import Run
    from barsieve.api.sweep import Sweep

Settings = Mapping[str, Any]
Mode = Literal["full", "focused"]
Ends = tuple[Moment | None, Moment | None]


class Database(Shown):
    """A built database as it was when it was opened, for reading alone.

    `barsieve.open` makes one. It may be asked from any folder and from many threads.
    When its file has been built anew since, whatever is asked raises InputError, so
    that results of two builds never mix unseen: open it again.

    `barsieve build` and `barsieve.build` never wait for it. `dbt build` in place needs
    the file to itself: close it first (`with`, `close`), or let it be collected.

    Whatever is refused raises a BarsieveError with the sentence that the command of
    that name would print. Names, settings, moments and files that are refused raise
    InputError; a database that other models made raises DatabaseError.

    Attributes
    ----------
    path : Path
        The file.
    """

    def __init__(self, path: Path):
        """Name the file; it is opened when it is first asked. See `barsieve.open`."""
        self.path = path
        self._lock = threading.Lock()
        self._reader: duckdb.DuckDBPyConnection | None = None
        self._opened: tuple[int, ...] | None = None
        self._is_closed = False

    def __enter__(self) -> "Database":
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

        `values` stand for the `?` in it, in their order.
        """
        from barsieve.database.connect import open_database

        with self.asking() as path, self._lock:
            if self._reader is None:
                self._reader = open_database(path)
            found = self._reader.sql(query, params=list(values) or None)
            return found.to_arrow_table()

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

        return _texts(self.table(TABLE_NAMES))

    @property
    def profiles(self) -> list[str]:
        """Names of the profiles, sorted."""
        query = "select profile from config_profiles order by profile"
        return _texts(self.table(query))

    @property
    def build_info(self) -> dict[str, Any]:
        """What the database was built from: the row of the table `build_info`."""
        row: dict[str, Any] = self.table("from build_info").to_pylist()[0]
        return row

    def page(self) -> Page:
        """Return the market and the profiles."""
        info = self.build_info
        kind = "SIMULATED market" if info["is_simulated"] else "market"
        rows = [
            ("market", f"{kind} '{info['market_name']}': {info['symbols']}"),
            ("bars", f"{info['bars']:,}"),
            ("first", f"{info['first_bar_ts']:%Y-%m-%d}"),
            ("last", f"{info['last_bar_ts']:%Y-%m-%d}"),
            ("profiles", ", ".join(self.profiles)),
            ("built", f"{info['built_at']:%Y-%m-%d %H:%M} UTC"),
        ]
        return Page(str(self.path), ("", ""), rows)

    def replay(
        self,
        profile: str,
        *,
        set: Settings | None = None,
        start: Moment | None = None,
        end: Moment | None = None,
        mode: Mode | None = None,
        candidates: str | Path | None = None,
        signals: Any = None,
    ) -> "Run":
        """Replay a profile over the built tables.

        With settings, the entry predicate, the screen and the replay run again over the
        built scores: the trades are those of a build that has them, to the last bit.

        Parameters
        ----------
        profile : str
            A profile of the database.
        set : mapping, optional
            Settings to change, by dotted key, such as `{"exits.stop_atr": 2.5}`.
        start, end : str, date or datetime, optional
            Enter no earlier than, and no later; a day is its midnight, no zone is UTC.
        mode : {"full", "focused"}, optional
            Every bar (default), or those where the screen points.
        candidates : str or Path, optional
            A file of JSON lines to screen a focused replay with.
        signals : frame, Arrow table, str or Path, optional
            Entries in the place of the profile's own, a row each: `symbol`, `ts` (the
            open of the bar at whose close the signal is known), `side` (`long` or
            `short`), `confidence` (0 to 1). Frames of pandas and polars are taken.

        Raises
        ------
        InputError
            A name, a setting, a moment, a file or a row was refused.
        """
        from barsieve.api.run import run_of

        changes = changes_of(set, start, end)
        report = self.replay_report(profile, changes, mode, candidates, signals)
        with self.asking():
            return run_of(report)

    def replay_report(
        self,
        profile: str,
        changes: dict[str, Any],
        mode: str | None = None,
        candidates: str | Path | None = None,
        signals: Any = None,
    ) -> "ReplayReport":
        """Replay as `replay` does; return the report, its tables still to read."""
        from barsieve.analysis.replay import replay_profile

        screen = path_of(candidates) if candidates is not None else None
        kind = known_mode(mode, is_screened=screen is not None)
        given = signals_of(signals)
        with self.asking() as path:
            more = () if given is None else (given,)
            return replay_profile(path, profile, kind, changes, screen, *more)

    def sweep(
        self,
        profile: str,
        grid: str | Mapping[str, Sequence[float]],
        *,
        n: int = 1024,
        seed: int = 0,
        threads: int | None = None,
    ) -> "Sweep":
        """Replay every configuration of a grid over a profile, in memory.

        Nothing is written: `barsieve sweep` keeps what it finds, and goes on where it
        was stopped.

        Parameters
        ----------
        profile : str
            The base: gives all that the grid does not vary, and the symbol.
        grid : mapping or str
            The values to try of each setting, such as
            `{"entry_threshold": [0.6, 0.65, 0.7]}`, in every combination; or a grid of
            the table `sweep_grids` by name.
        n, seed : int
            Points of a sampled grid, and what they are drawn with.
        threads : int, optional
            All processors by default.

        Raises
        ------
        InputError
            A name or a setting that a sweep cannot vary, or values that are no numbers.
        """
        from barsieve.api.sweep import run_sweep

        with self.asking() as path:
            return run_sweep(path, profile, grid, n, seed, threads)

    def compare(
        self,
        a: "Run | str",
        b: "Run | str",
        *,
        start: Moment | None = None,
        end: Moment | None = None,
    ) -> "Comparison":
        """Compare two runs trade by trade, as `parity_trades` does: to the last bit.

        A run is a `Run`, or the name of one that a build made: `PROFILE` or
        `PROFILE:focused` of this database, `DATABASE.duckdb::PROFILE`, or a trade log
        (`.jsonl`). Only trades decided from `start` and before `end` are compared.

        Raises InputError for a name that stands for nothing.
        """
        from barsieve.api.comparison import compared

        ends = span(start, end, ("start", "end"))
        with self.asking() as path:
            return compared(path, a, b, ends)

    def thresholds(
        self,
        profile: str,
        values: Sequence[float],
        *,
        set: Settings | None = None,
        start: Moment | None = None,
        end: Moment | None = None,
    ) -> "Frame":
        """Replay a profile at several entry thresholds, on candidates found once.

        A row each: `threshold`, how it was replayed, its figures. Arguments are those
        of `replay`; raises InputError for a threshold that is no fraction.
        """
        from barsieve.api.frames import Frame

        rows, _ = self.threshold_rows(profile, values, changes_of(set, start, end))
        return _renamed(Frame(rows), "threshold")

    def threshold_rows(
        self, profile: str, values: Sequence[float], changes: dict[str, Any]
    ) -> tuple[list[dict[str, Any]], float | None]:
        """Return rows for `thresholds`, and the lowest that the screen covers."""
        from barsieve.analysis.what_if import try_thresholds

        with self.asking() as path:
            asked = list(dict.fromkeys(values))
            return try_thresholds(path, profile, asked, changes)

    def stress(
        self,
        profile: str,
        *,
        set: Settings | None = None,
        start: Moment | None = None,
        end: Moment | None = None,
    ) -> "Frame":
        """Replay a profile as it is and as it could have been: a row a scenario.

        Other costs, decisions one bar later, a threshold 0.05 lower and higher.
        Arguments are those of `replay`.
        """
        from barsieve.api.frames import Frame

        rows = self.stress_rows(profile, changes_of(set, start, end))
        return _renamed(Frame(rows), "scenario")

    def stress_rows(
        self, profile: str, changes: dict[str, Any]
    ) -> list[dict[str, Any]]:
        """Return rows for `stress`."""
        from barsieve.analysis.what_if import stress

        with self.asking() as path:
            return stress(path, profile, changes)

    def candidates(self, profile: str, *, set: Settings | None = None) -> "Frame":
        """Return the bars where the screen of a profile says that an entry may happen.

        A row for each bar and side: `timestamp` (the bar's open), `side`, `score` (the
        bound of the confidence), `reason` (the sentinels of the bar).
        """
        from barsieve.api.frames import Frame, pandas

        rows = self.candidate_lines(profile, changes_of(set, None, None))
        frame = Frame(rows, columns=["timestamp", "side", "score", "reason"])
        frame["timestamp"] = pandas.to_datetime(frame.timestamp, utc=True)
        return frame

    def candidate_lines(
        self, profile: str, changes: dict[str, Any]
    ) -> list[dict[str, Any]]:
        """Return the candidates of a profile in the legacy format, in time order."""
        from barsieve.analysis.candidate_lines import lines_of
        from barsieve.analysis.session import open_profile

        with self.asking() as path:
            scratch, _ = open_profile(path, profile, changes)
            return lines_of(scratch, profile)

    def signal(
        self,
        profile: str,
        *,
        at: Moment | None = None,
        mode: Mode | None = None,
        set: Settings | None = None,
    ) -> "Signal":
        """Say what the replay does at the next open, and all that it decides upon.

        The bar decided upon is the last that had closed `at` a moment, the last of all
        by default. Size, stop and target of an order assume that the next bar opens at
        its close. A mapping, the same as `barsieve signal --json` prints.
        """
        from barsieve.analysis.explain import signal
        from barsieve.analysis.session import prepare
        from barsieve.api.documents import Signal

        asked = moment(at, "at") if at is not None else None
        changes, kind = changes_of(set, None, None), known_mode(mode)
        with self.asking() as path:
            return Signal(signal(prepare(path, profile, changes), asked, kind))

    def explain(
        self, profile: str, trade_id: int, *, mode: Mode | None = None
    ) -> "Explanation":
        """Say why a trade of the build was entered and left, leg by leg.

        A mapping, the same as `barsieve explain --json` prints. Raises InputError for a
        number that the profile's replay does not have.
        """
        from barsieve.analysis.explain import explain
        from barsieve.analysis.session import prepare
        from barsieve.api.documents import Explanation

        kind = known_mode(mode)
        with self.asking() as path:
            return Explanation(explain(prepare(path, profile), int(trade_id), kind))

    def report(
        self, to: str | Path = "report.html", profiles: Sequence[str] = ()
    ) -> Path:
        """Write the report, one HTML file that needs no network; return its path.

        `to` is new, or an older report; raises InputError for any other file, and for a
        profile that the database does not have.
        """
        from barsieve.report import check_target, write_report

        target = path_of(to)
        check_target(target)
        with self.asking() as path:
            return write_report(path, target, list(profiles)).path

    def export(
        self,
        table: str,
        to: str | Path,
        *,
        where: str | None = None,
        force: bool = False,
    ) -> int:
        """Write a table to a file, whole or not at all; return the number of rows.

        The ending of the file says in which format: .parquet, .csv, .json, .jsonl,
        .arrow or .feather. `where` is a condition in SQL; `force` overwrites.
        """
        from barsieve.database.export import export_table

        with self.asking() as path:
            return export_table(path, table, path_of(to), where, force)


def _texts(table: pa.Table) -> list[str]:
    """Return the first column of a table."""
    found: list[str] = table.column(0).to_pylist()
    return found


def _renamed(variants: "Frame", name: str) -> "Frame":
    """Return variations under what they vary."""
    frame: Frame = variants.rename(columns={"variant": name})
    return frame


def _identity(path: Path) -> tuple[int, ...] | None:
    """Return what tells a build in a file from the next one there."""
    try:
        now = path.stat()
    except OSError:
        return None
    return now.st_dev, now.st_ino, now.st_size, now.st_mtime_ns


def open_database(path: str | Path | None = None) -> Database:
    """Open a built database.

    Parameters
    ----------
    path : str or Path, optional
        The DuckDB file; `~` is your home. By default that of the project: the nearest
        folder from here upwards with a `dbt_project.yml`, or BARSIEVE_PROJECT, and in
        it BARSIEVE_DATABASE.

    Raises
    ------
    InputError
        There is no such file, it is locked, or its last build did not run to its end.
    NoProjectError
        No path was given, and there is no project.
    """
    chosen = path_of(path) if path is not None else paths.database_file()
    found = Database(chosen.resolve())
    found.table("select 1")
    return found
