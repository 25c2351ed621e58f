"""A build aside: dbt writes a file of its own, which replaces the present one.

Readers are never blocked and never shown half a build; they keep the file they opened.
"""

import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from time import sleep
from typing import NamedTuple

import duckdb

from barsieve.core import paths
from barsieve.core.errors import BarsieveError, InputError
from barsieve.core.files import move_into_place
from barsieve.database.connect import (
    connect_to,
    describe_process,
    is_whole,
    lock_holder,
)
from barsieve.database.packages import package_problems

# How long a stopped dbt may take to say goodbye.
PATIENCE_SECONDS = 10
LOOK_AGAIN_SECONDS = 0.2


class BuildRefusedError(BarsieveError):
    """A build that may not start, or not take its place; the message is one line."""


class BuildFailedError(BarsieveError):
    """A build in which something failed; `told` are dbt's lines about it."""

    def __init__(self, message: str, told: Sequence[str] = (), exit_code: int = 1):
        """Keep what dbt said and how it ended."""
        super().__init__("\n".join([*told, message]))
        self.told, self.exit_code = list(told), exit_code


class NodeStart(NamedTuple):
    """A node that dbt begins: its file in its folder, its kind, which of how many."""

    path: str
    kind: str
    name: str
    number: int
    total: int


# What is told of a build while it runs: a node that begins, or a line of what failed.
Listener = Callable[[NodeStart | str], None]


@dataclass(frozen=True)
class BuildResult:
    """End of a build: dbt's exit code, the database, what was kept of a failure."""

    exit_code: int
    database: Path
    kept: Path | None = None

    @property
    def failure(self) -> str:
        """Sentence about a failed build."""
        kept = f"; the failed one is {self.kept}" if self.kept else ""
        return f"the build failed; {self.database} is as it was{kept}"


def _try_lock(path: Path):
    """Return the locked file, or None when another process holds it."""
    import fcntl

    stream = path.open("a+")
    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        stream.close()
        return None
    return stream


def _holder_of(lock: Path) -> str:
    with suppress(OSError, ValueError):
        return describe_process(int(lock.read_text()))
    return "another process"


def _lock_or_refuse(lock: Path, database: Path):
    while True:
        stream = _try_lock(lock)
        if stream is None:
            raise BuildRefusedError(
                f"{database}: another build is running, {_holder_of(lock)}; "
                "wait for it to end, or stop it"
            )
        # The build before may have removed the file after we had opened it.
        with suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(stream.fileno()), lock.stat()):
                return stream
        stream.close()


@contextmanager
def only_build(database: Path) -> Iterator[None]:
    """Hold the lock of the builds of a database.

    The system releases it with the process, however that ends. Raises
    BuildRefusedError, naming the other build, when there is one.
    """
    lock = database.with_name(f".{database.name}.lock")
    stream = _lock_or_refuse(lock, database)
    try:
        stream.truncate(0)
        stream.write(str(os.getpid()))
        stream.flush()
        yield
    finally:
        lock.unlink(missing_ok=True)
        stream.close()


def refuse_unusable(database: Path) -> None:
    """Raise BuildRefusedError where a build may not take the place of a file.

    That is when someone writes to the file, and when it is no database.
    """
    if not database.parent.is_dir():
        raise BuildRefusedError(f"{database}: no folder {database.parent}; make it")
    if not database.exists():
        return
    try:
        connect_to(database).close()
    except duckdb.Error as error:
        holder = lock_holder(error)
        raise BuildRefusedError(
            f"{database}: locked by {holder}; wait for it to end, or stop it"
            if holder
            else f"{database}: no DuckDB file, and not overwritten; move it away"
        ) from None


BUILDING, REBUILDING = "building", "rebuilding"
"""Folders of a build beside a database; a build of a followed one has its own."""


def fresh_folder(database: Path, of: str = BUILDING) -> Path:
    """Make the folder to build in, without what a killed build left there.

    A folder, so that the file has its own name in it: dbt names the catalog after it.
    """
    folder = database.with_name(f".{database.name}.{of}")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    return folder


def _wal_of(database: Path) -> Path:
    return database.with_name(f"{database.name}.wal")


def copy_database(source: Path, target: Path) -> None:
    """Copy a database, and what its log still holds."""
    shutil.copyfile(source, target)
    with suppress(FileNotFoundError):
        shutil.copyfile(_wal_of(source), _wal_of(target))


def _tell_starts(events: int, listener: Listener) -> None:
    with os.fdopen(events) as stream:
        for line in stream:
            listener(NodeStart(**json.loads(line)))


def run_dbt(
    arguments: Sequence[str],
    database: Path,
    listener: Listener,
    command: str = "build",
) -> int:
    """Run a command of dbt on a file, its course told; return its exit code."""
    folder = paths.project_dir()
    # Relative: the name of the catalog is read off it, whatever the folders are called.
    environment = os.environ | {paths.DATABASE: os.path.relpath(database, folder)}
    environment.setdefault("DBT_USE_COLORS", "false")
    events, theirs = os.pipe()
    child_of_ours = [sys.executable, "-m", "barsieve.database.dbt_child", str(theirs)]
    # Its standard input tells the child that we are alive; see dbt_child. In a group of
    # its own Ctrl-C reaches us alone, and we end the child.
    with subprocess.Popen(
        [*child_of_ours, "--quiet", command, *arguments],
        cwd=folder,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        pass_fds=[theirs],
        process_group=0,
    ) as child:
        os.close(theirs)
        telling = threading.Thread(target=_tell_starts, args=[events, listener])
        telling.start()
        try:
            for line in child.stdout or ():
                listener(line.rstrip("\n"))
            return child.wait()
        except BaseException:
            child.terminate()
            with suppress(subprocess.TimeoutExpired):
                child.wait(PATIENCE_SECONDS)
            child.kill()
            raise
        finally:
            telling.join()


def refuse_half(database: Path) -> None:
    """Raise BuildRefusedError where a build left out what vouches for all of it."""
    with connect_to(database) as connection:
        if not is_whole(connection):
            raise BuildRefusedError(
                "not swapped in: the selection leaves out build_info, which vouches "
                "for all tables, so readers would refuse the database; select what "
                "follows as well (name+), or build in place with dbt build"
            )


def _swap(built: Path, database: Path) -> None:
    if _wal_of(built).exists():
        with duckdb.connect(str(built)) as connection:
            connection.execute("checkpoint")
    if database.exists():
        shutil.copymode(database, built)
    # The log of the old file must never be applied to the new one.
    _wal_of(database).unlink(missing_ok=True)
    move_into_place(built, database)


@contextmanager
def copied(database: Path) -> Iterator[Path]:
    """Yield a copy of a database to write to; `swap` puts it in its place.

    What is not swapped in is gone at the end. The caller holds the lock (`only_build`).
    """
    folder = fresh_folder(database)
    try:
        copy = folder / database.name
        copy_database(database, copy)
        yield copy
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def swap(copy: Path, database: Path) -> None:
    """Put a file that was written whole in the place of a database, at once.

    Raises BuildRefusedError where somebody holds that by now.
    """
    refuse_unusable(database)
    _swap(copy, database)


# Looks at a file that was built, before it takes its place; tells whether it may.
Judge = Callable[[Path], bool]


@contextmanager
def amended(database: Path) -> Iterator[Path]:
    """Yield a copy of a database to write to, which takes its place at the end.

    It stays as it was when the block raises, and readers keep the file that they
    opened. Raises BuildRefusedError as a build does.
    """
    refuse_unusable(database)
    with only_build(database), copied(database) as copy:
        yield copy
        swap(copy, database)


# Brings a file that was built to where a followed one is by now, before the swap.
CatchUp = Callable[[Path, Path], None]
SWAP_SECONDS = 120.0
"""How long the swap of a build waits for an advance to end."""


@contextmanager
def _soon_only(database: Path) -> Iterator[None]:
    """Hold the lock of a database as `only_build`, waiting for an advance to end."""
    with ExitStack() as held:
        for _ in range(int(SWAP_SECONDS / LOOK_AGAIN_SECONDS)):
            with suppress(BuildRefusedError):
                held.enter_context(only_build(database))
                break
            sleep(LOOK_AGAIN_SECONDS)
        else:
            held.enter_context(only_build(database))
        yield


def build_aside(
    arguments: Sequence[str],
    listener: Listener,
    keep_failed: bool = False,
    judge: Judge = lambda built: True,
    catch_up: CatchUp | None = None,
) -> BuildResult:
    """Run `dbt build` with these arguments aside; swap the database in on success.

    `listener` is told each node that begins and each line of what fails, from more than
    one thread; dbt's own log goes to its file.

    It starts from a copy of the present database: what the arguments leave out, and
    tables that are not ours, stay as they are. When dbt fails, when `judge` turns down
    what it made, or the process is stopped, the present one stays as it was; with
    `keep_failed` the file of a failed build stays beside it for a look.

    With `catch_up` the present file is advanced by others while dbt is at work: it is
    locked for the copy and for the end alone, when `catch_up` is called with the file
    that was built and the present one.

    Raises BuildRefusedError when another build runs, when the database is locked or no
    database, or when the selection leaves it half built, NoProjectError outside of a
    project, and InputError for one whose package is missing or another.
    """
    database = paths.database_file()
    if problems := package_problems(paths.project_dir()):
        raise InputError(problems)
    refuse_unusable(database)
    if catch_up is None:
        with only_build(database):
            return _built(database, arguments, listener, keep_failed, judge)
    # A lock of its own: the other is free for advances in between.
    with only_build(database.with_name(f"{database.name}.{REBUILDING}")):
        return _built(database, arguments, listener, keep_failed, judge, catch_up)


def _built(
    database: Path,
    arguments: Sequence[str],
    listener: Listener,
    keep_failed: bool,
    judge: Judge,
    catch_up: CatchUp | None = None,
) -> BuildResult:
    folder = fresh_folder(database, REBUILDING if catch_up else BUILDING)
    # The lock is held by whoever calls, or here while it is needed.
    locked = _soon_only if catch_up else nullcontext
    built = folder / database.name
    is_kept = False
    try:
        if database.exists():
            with locked(database):
                copy_database(database, built)
        exit_code = run_dbt(arguments, built, listener)
        if exit_code == 0:
            refuse_half(built)
            exit_code = 0 if judge(built) else 1
        if exit_code == 0:
            with locked(database):
                if catch_up is not None and database.exists():
                    catch_up(built, database)
                refuse_unusable(database)
                _swap(built, database)
        is_kept = exit_code != 0 and keep_failed and built.exists()
        return BuildResult(exit_code, database, built if is_kept else None)
    finally:
        if not is_kept:
            shutil.rmtree(folder, ignore_errors=True)
