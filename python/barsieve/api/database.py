"""A built database, and everything that may be asked of it."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from barsieve.api.asked import (
    ENDS,
    changes_of,
    known_count,
    known_mode,
    path_of,
    profile_of,
    signals_of,
)
from barsieve.api.questions import Mode, Questions, Settings
from barsieve.core import paths
from barsieve.core.times import Moment, span

if TYPE_CHECKING:
    from barsieve.analysis.replay import ReplayReport
    from barsieve.api.comparison import Comparison
    from barsieve.api.proof import Proof
    from barsieve.api.run import Run
    from barsieve.api.sweep import Sweep


class Database(Questions):
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

    def replay(
        self,
        profile: str | Path,
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
        profile : str or Path
            A profile of the database, or a file (*.json) of one that it was not built
            with.
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
        profile: str | Path,
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
            return replay_profile(
                path, profile_of(profile), kind, changes, screen, given
            )

    def prove(
        self,
        cuts: int = 20,
        *,
        seed: int = 1,
        market: str | Path | None = None,
        on_progress: Callable[[int, int], Any] | None = None,
    ) -> "Proof":
        """Prove that no row of the build knows its future, whoever wrote its models.

        Nothing is written: `barsieve prove` and every `barsieve build` keep what they
        find in the table `proof_lookahead`.

        Parameters
        ----------
        cuts : int
            How often history is cut off.
        seed : int
            Where it is cut off.
        market : str or Path, optional
            The folder of another market to prove the models on.
        on_progress : callable, optional
            Is told how many steps are done, and of how many, from more than one thread.

        Raises
        ------
        InputError
            The code, the profiles or the market are not those of the build.
        NoProjectError
            There is no project here whose code could be compared.
        """
        from barsieve.api.proof import Proof
        from barsieve.proof.asked import proven

        cuts = known_count("cuts", cuts)
        other = path_of(market).resolve() if market is not None else None
        with self.asking() as path:
            return Proof(proven(path, cuts, seed, other, on_progress or _silent))

    def sweep(
        self,
        profile: str,
        grid: str | Mapping[str, Sequence[float | None]],
        *,
        n: int = 1024,
        seed: int = 0,
        threads: int | None = None,
        symbol: str | None = None,
    ) -> "Sweep":
        """Replay every configuration of a grid over a profile, in memory.

        Of a profile whose symbols share a wallet each is replayed over all of them.

        Nothing is written: `barsieve sweep` keeps what it finds, and goes on where it
        was stopped.

        Parameters
        ----------
        profile : str
            The base: gives all that the grid does not vary, and what it trades.
        grid : mapping or str
            The values to try of each setting, such as
            `{"entry_threshold": [0.6, 0.65, 0.7]}`, in every combination; or a grid of
            the table `sweep_grids` by name.
        n, seed : int
            Points of a sampled grid, and what they are drawn with.
        threads : int, optional
            All processors by default.
        symbol : str, optional
            One that the profile trades, as if with an account of its own. To be named
            where it trades several, each with an account of its own.

        Raises
        ------
        InputError
            A name or a setting that a sweep cannot vary, or values that are no numbers.
        """
        from barsieve.api.sweep import run_sweep

        n, seed = known_count("n", n), known_count("seed", seed, least=0)
        threads = None if threads is None else known_count("threads", threads)
        with self.asking() as path:
            return run_sweep(path, profile, grid, n, seed, threads, symbol)

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

        ends = span(start, end, ENDS)
        with self.asking() as path:
            return compared(path, a, b, ends)


def _silent(done: int, total: int) -> None:
    """Tell nobody."""


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
    found._rows("select 1")
    return found
