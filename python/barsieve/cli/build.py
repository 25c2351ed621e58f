"""`barsieve build` and `barsieve export`: a database made, and its tables taken out."""

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
)

from barsieve.cli.choices import current
from barsieve.cli.output import REFUSED, err, fail, out, refusing
from barsieve.core import paths
from barsieve.parts.progress import Progress as PartsProgress

if TYPE_CHECKING:
    from barsieve.live.rebuild import CaughtUp

# Seconds between lines of progress where there is no terminal.
LINE_SECONDS = 10
# What a shell reports of a command that Ctrl-C ended.
INTERRUPTED = 130


def _stop(*_) -> None:
    raise KeyboardInterrupt


def _layer(node) -> str:
    """Return the layer that a node belongs to: the folder of a model, else its kind."""
    return f"{node.kind}s" if node.kind != "model" else node.path.split("/")[0]


@contextmanager
def _showing(console: Console = out) -> Iterator[tuple[Callable, Callable]]:
    """Show a build and its proof while they run; what fails, as a line each, whole.

    A bar in a terminal; elsewhere a line for each layer when its first model begins.
    """
    columns = (
        TextColumn("{task.description:<12}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    seen = set()
    is_due = _every_some_seconds()
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as bar:
        task = bar.add_task("parsing", total=None)

        def show(event) -> None:
            if isinstance(event, str):
                console.print(event, markup=False, highlight=False, soft_wrap=True)
                return
            if isinstance(event, PartsProgress):
                bar.update(
                    task,
                    description=str(event),
                    completed=event.done,
                    total=event.total,
                )
                if bar.disable and is_due(event):
                    console.print(f"  {event}", markup=False, highlight=False)
                return
            layer = _layer(event)
            completed = event.number - 1
            bar.update(task, description=layer, completed=completed, total=event.total)
            if bar.disable and event.kind == "model" and layer not in seen:
                console.print(
                    f"{event.number:4} of {event.total}  {layer}", highlight=False
                )
                seen.add(layer)

        def show_proof(done: int, total: int) -> None:
            bar.update(task, description="proving", completed=done, total=total)

        yield show, show_proof


def _every_some_seconds() -> Callable[[PartsProgress], bool]:
    """Return what tells whether a line of progress is due: at the end, and between."""
    last = [time.perf_counter()]

    def is_due(event: PartsProgress) -> bool:
        now = time.perf_counter()
        if event.done < event.total and now - last[0] < LINE_SECONDS:
            return False
        last[0] = now
        return True

    return is_due


def build(
    context: typer.Context,
    keep_failed: Annotated[
        bool, typer.Option(help="Keep the file of a failed build, to look into it.")
    ] = False,
    strict: Annotated[
        bool,
        typer.Option("--strict", help="End with 1 when a profile broke its promise."),
    ] = False,
    prove: Annotated[
        bool, typer.Option(help="Prove that no row of it knows its future, or not now.")
    ] = True,
    by_symbol: Annotated[
        bool,
        typer.Option(
            "--by-symbol", help="One symbol after the other, in bounded memory."
        ),
    ] = False,
    jobs: Annotated[
        int | None,
        typer.Option(min=1, help="Processes; with --by-symbol or --on ray."),
    ] = None,
    on: Annotated[
        str | None,
        typer.Option(
            help="Symbol by symbol on a cluster: ray (a local one), or ray:HOST:PORT."
        ),
    ] = None,
    as_json: Annotated[
        bool,
        typer.Option("--json", help="Print what was made as JSON; by symbol only."),
    ] = False,
) -> None:
    """Build the database aside and swap it in when all of it is sound.

    Takes the arguments of dbt build (--select, --exclude, --full-refresh, ...) and ends
    with its exit code. Readers are never blocked and keep the file that they opened;
    when a model or a test fails, or a row knows its future (barsieve prove, which runs
    at the end of it), the present database stays as it was. A profile that
    broke its promise on this market stops nothing: the new database marks it, and
    --strict lets the exit code say so. A database that barsieve paper follows is
    advanced meanwhile; the new one catches up, and is held against it and the journal.

    With --by-symbol what reads one symbol is made symbol by symbol, and the long
    tables are views of Parquet files in BARSIEVE_STORE (a folder beside the database):
    the same values, in the memory of one symbol. What was made is kept when something
    fails, and the same command goes on from there.

    Example: BARSIEVE_MARKET=~/market barsieve build --threads 4
    """
    from barsieve.database.build import BuildRefusedError, build_aside

    with refusing(REFUSED):
        by_parts = _by_parts(by_symbol or on is not None, jobs, on, as_json)
    told = err if as_json else out
    signal.signal(signal.SIGTERM, _stop)
    started = time.perf_counter()
    try:
        with _showing(told) as (show, show_proof), refusing(REFUSED):
            judge = partial(_is_proven, show_proof) if prove else _is_taken
            follower = None if by_parts else _Follower.of_market()
            make = by_parts or partial(build_aside, catch_up=follower)
            result = make(context.args, show, keep_failed, judge)
    except BuildRefusedError as error:
        raise fail(str(error), REFUSED) from None
    except OSError as error:
        raise fail(f"nothing was built: {error}", REFUSED) from None
    except KeyboardInterrupt:
        message = f"stopped; {paths.database_path()} is as it was"
        raise fail(message, INTERRUPTED) from None
    if result.exit_code:
        raise fail(result.failure, result.exit_code)
    seconds = time.perf_counter() - started
    told.print(
        f"{result.database} is new, after {seconds:.0f} s; barsieve show says what is "
        "in it",
        markup=False,
        highlight=False,
        soft_wrap=True,
    )
    if follower is not None:
        follower.tell()
    is_broken = _print_broken(result.database)
    if strict and is_broken:
        raise typer.Exit(REFUSED)


def _by_parts(
    by_symbol: bool, jobs: int | None, on: str | None, as_json: bool
) -> Callable | None:
    """Return what builds by parts, called as `build_aside` is; None if not asked."""
    from barsieve.parts.driver import build_by_parts
    from barsieve.parts.engines import engine_of

    if not by_symbol:
        for is_given, option in ((jobs is not None, "--jobs"), (as_json, "--json")):
            if is_given:
                raise fail(f"{option} goes with --by-symbol or --on", REFUSED)
        return None

    def make(arguments, show, keep_failed, judge):
        with engine_of(on, jobs) as engine:
            made = build_by_parts(arguments, engine, show, keep_failed, judge)
        if as_json:
            _print_manifest(made)
        return made.result

    return make


def _print_manifest(made) -> None:
    """Print what was made, as JSON."""
    document = made._asdict() | {
        "database": str(made.result.database),
        "exit_code": made.result.exit_code,
    }
    del document["result"], document["tasks"]
    out.print_json(data=document)


class _Follower:
    """Catches up with a file that paper trading follows, and tells what it found."""

    def __init__(self, market: Path):
        self._market = market
        self._found: CaughtUp | None = None

    @classmethod
    def of_market(cls) -> "_Follower | None":
        """Return one where the market in force has paper accounts."""
        from barsieve.cli.paper.places import live_folder
        from barsieve.live.accounts import read_accounts

        folder = live_folder()
        return cls(folder.market) if read_accounts(folder) else None

    def __call__(self, built: Path, present: Path) -> None:
        from barsieve.live.rebuild import catch_up

        configs = paths.project_dir() / paths.configs_dir()
        self._found = catch_up(built, present, self._market, configs)

    def tell(self) -> None:
        """Print what was found, and ring where it is amiss."""
        from barsieve.cli.paper.places import SystemClock
        from barsieve.live.alarms import Alarms
        from barsieve.live.folder import LiveFolder

        found = self._found
        if found is None:
            return
        told = ", ".join(f"{n:,} {verdict}" for verdict, n in found.verdicts.items())
        out.print(
            f"followed live: caught up {found.n_bars:,} bars; "
            f"decisions: {told or 'none yet'}",
            highlight=False,
        )
        if found.refusal:
            err.print(found.refusal, markup=False, highlight=False)
        if found.differing:
            alarms = Alarms(LiveFolder(self._market).alarms, SystemClock().now)
            text = f"other rows in {', '.join(found.differing)}; kept as {found.kept}"
            alarms.ring("file_differs", "build", text, SystemClock().now())
            err.print(text, markup=False, highlight=False, soft_wrap=True)


def _is_taken(built: Path) -> bool:
    return True


def _is_proven(show: Callable, built: Path) -> bool:
    """Prove what was built, if nobody has; name the columns that look ahead."""
    from barsieve.cli.prove import print_lookahead
    from barsieve.database.connect import connect_to
    from barsieve.proof.lookahead import N_CUTS, prove
    from barsieve.proof.record import is_proven, record

    with connect_to(built) as connection:
        if is_proven(connection, N_CUTS):
            return True
    found = prove(built, listener=show)
    record(built, found)
    print_lookahead(found)
    return not any(row.verdict == "looks_ahead" for row in found)


def _print_broken(database: Path) -> bool:
    """Name the profiles that broke their promise; tell whether there is one."""
    from barsieve.database.connect import open_database
    from barsieve.database.health import broken_profiles

    with open_database(database) as connection:
        broken = broken_profiles(connection)
    for profile, found in broken.items():
        err.print(
            f"{profile} is broken: {found}",
            style="bold red",
            markup=False,
            highlight=False,
            soft_wrap=True,
        )
    return bool(broken)


def _tables() -> list[str]:
    """Return the tables that a shell may complete; none where there is no database."""
    from barsieve.core.errors import InputError
    from barsieve.database.connect import open_database, table_names

    try:
        with open_database(paths.database_file()) as connection:
            return table_names(connection)
    except (InputError, FileNotFoundError):
        return []


def _tables_like(incomplete: str) -> list[str]:
    return [name for name in _tables() if name.startswith(incomplete)]


def export(
    table: Annotated[
        str,
        typer.Argument(
            help="Table of the built database.", autocompletion=_tables_like
        ),
    ],
    to: Annotated[
        Path,
        typer.Option(help="File; .parquet, .csv, .json, .jsonl, .arrow or .feather."),
    ],
    where: Annotated[
        str | None, typer.Option(help="Condition on the columns, as in SQL.")
    ] = None,
    force: Annotated[bool, typer.Option(help="Overwrite the file.")] = False,
) -> None:
    """Write a table of the built database to a file, whole or not at all.

    Example: barsieve export trades --to trades.parquet --where "side = 'long'"
    """
    with refusing():
        n_rows = current().export(table, to, where=where, force=force)
    out.print(f"{to}: {n_rows:,} rows", markup=False, highlight=False, soft_wrap=True)
