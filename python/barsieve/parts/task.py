"""Task of one part: a symbol in, its Parquet out. It knows no engine.

An engine calls `work` with what `Task.as_json` wrote, in whatever process. What comes
back says how it went: an exception of a statement is an answer, not an accident, so an
engine that tries lost tasks again never tries it twice.
"""

import atexit
import hashlib
import json
import os
import platform
import shutil
import tempfile
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import duckdb

from barsieve import __version__
from barsieve.core import paths
from barsieve.core.errors import BarsieveError
from barsieve.core.locations import quoted_path
from barsieve.database.connect import quoted
from barsieve.database.functions import register
from barsieve.database.models import Model, Relation, create
from barsieve.database.provenance import package_hash
from barsieve.parts.digests import fingerprint, of_file, of_rows
from barsieve.parts.plan import ACCOUNT, Step
from barsieve.parts.store import Store, of_symbol, open_store

WALLETS = "*"
"""The part of the accounts that trade many symbols."""
DONE = "done"
NODE = "BARSIEVE_NODE"
GIVEN = "parts_given"
FUNDING = "market_funding"
PART = "part.parquet"


class PartError(BarsieveError):
    """A part that must not be made here, or a statement that broke its word."""


class Task(NamedTuple):
    """Task of a part.

    `symbol`: whose, or `WALLETS`. `level`: of the plan. `store`, `build`: where what it
    makes lies. `steps`: key of the statements in the store. `bars`: the file of its
    bars, or its key in the store. `given`: key of the driver's tables. `files`: tables
    of earlier levels, with the keys of their parts. `key`: hash of all that it is made
    of. `code`, `fingerprint`: what the node must have too. `memory`: the limit of
    DuckDB. `into`: the store to write to, if that is another.
    """

    symbol: str
    level: int
    store: str
    build: str
    steps: str
    bars: str
    given: str
    files: dict[str, list[str]]
    key: str
    code: str
    fingerprint: str
    memory: str
    into: str | None = None

    def as_json(self) -> str:
        """Return the task as text, as engines carry it."""
        return json.dumps(self._asdict())

    @property
    def done(self) -> str:
        """Return the key of the file that says that it is done."""
        return f"{self.build}/{DONE}/{of_symbol(self.symbol)}/level-{self.level}.json"

    def file(self, table: str) -> str:
        """Return the key of the file of a table."""
        return f"{self.build}/{table}/{of_symbol(self.symbol)}/{PART}"


def node_name() -> str:
    """Return what this node is called."""
    return os.environ.get(NODE) or platform.node()


@cache
def _code() -> str:
    return code_of()


def code_of() -> str:
    """Return what decides on values beside statements: the package, and DuckDB."""
    text = f"{__version__}|{package_hash()}|{duckdb.__version__}"
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def steps_as_json(steps: list[Step]) -> list[dict[str, Any]]:
    """Return statements as JSON has them."""
    return [
        {**step._asdict(), "model": {**step.model._asdict(), "built_at": None}}
        for step in steps
    ]


@cache
def _shared() -> Path:
    """Return the folder of this process for what all of its tasks read."""
    folder = tempfile.mkdtemp(prefix="barsieve-shared-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)


def in_common(store: str, key: str) -> Path:
    """Return where a file can be read that is named by its content."""
    return open_store(store, _shared()).local(key)


@cache
def _steps(store: str, key: str) -> list[Step]:
    try:
        found = json.loads(in_common(store, key).read_text())
    except FileNotFoundError:
        raise PartError(f"{store}/{key}: the statements are not in the store") from None
    return [Step(**{**step, "model": Model(**step["model"])}) for step in found]


def work(task: str) -> str:
    """Make a part, and return what its done-file says; or how it failed, as JSON.

    What fails by a fault of the machine (a killed process, a full disk) may be tried
    again; `failed` says that a statement or the node itself is at fault.
    """
    read = json.loads(task)
    if (kind := read.get("kind")) is not None:
        return _work_of(kind, read)
    asked = Task(**read)
    try:
        return json.dumps(make(asked))
    except Exception as error:
        said = str(error).strip() or type(error).__name__
        return json.dumps(
            {
                "symbol": asked.symbol,
                "node": node_name(),
                "failed": said if isinstance(error, PartError) else _cause(error, said),
                "log": traceback.format_exc(),
            }
        )


# Tasks of other rooms, which engines carry as well: their functions by kind.
KINDS = {"sweep": "barsieve.sweep.tasks", "proof": "barsieve.proof.tasks"}


def _work_of(kind: str, asked: dict[str, Any]) -> str:
    """Run a task of another room; return its answer, or how it failed, as JSON."""
    try:
        refuse_node(asked["code"], asked["fingerprint"])
        os.environ[paths.PROJECT] = asked["project"]
        said = import_module(KINDS[kind]).work(asked)
        return json.dumps(said | {"node": node_name()}, default=str)
    except Exception as error:
        told = str(error).strip() or type(error).__name__
        log = traceback.format_exc()
        return json.dumps({"node": node_name(), "failed": told, "log": log})


def _cause(error: Exception, said: str) -> str:
    step = next((note for note in getattr(error, "__notes__", [])), "")
    return f"{step}{said.splitlines()[0]}"


def refuse_node(code: str, rounds: str) -> None:
    """Raise PartError where this node would make other values than the driver.

    `rounds`: the fingerprint of the driver's processor.
    """
    if _code() != code:
        raise PartError(
            f"node {node_name()}: expected the code of the driver ({code}), found "
            f"another version of barsieve or DuckDB ({_code()}); install the same"
        )
    if fingerprint() != rounds:
        raise PartError(
            f"node {node_name()}: expected a processor that rounds as the driver's "
            f"({rounds}), found another ({fingerprint()}); leave the node "
            "out, or start the driver on such a one"
        )


def believed(store: Store, task: Task) -> dict[str, Any] | None:
    """Return what a done-file says, where its part may be read as it is.

    That is when it is of the same inputs, and its files are those that it names.
    """
    said = store.read_json(task.done)
    if not said or said.get("key") != task.key:
        return None
    try:
        for name, about in said["tables"].items():
            path = store.local(task.file(name), about["hash"])
            if of_file(path) != about["hash"]:
                return None
    except (OSError, KeyError):
        return None
    return dict(said)


def make(task: Task) -> dict[str, Any]:
    """Make a part; return what its done-file says."""
    refuse_node(task.code, task.fingerprint)
    began, cpu = time.perf_counter(), time.process_time()
    with _folder() as folder, _session(task, folder) as connection:
        store = open_store(task.store, folder / "read")
        into = open_store(task.into, folder) if task.into else store
        into.drop(task.done)
        steps = _steps(task.store, task.steps)
        _attach(connection, task, store, steps, folder)
        bars, tables = _bars(task, store), {}
        for step in steps:
            if task.symbol == WALLETS and step.by != ACCOUNT and not step.is_view:
                continue
            try:
                _run(connection, task, step, bars)
                if not step.is_view:
                    tables[step.model.model] = _write(
                        connection, task, step, into, folder
                    )
            except Exception as error:
                error.add_note(f"{step.model.model}: ")
                raise
        done = _done(task, tables, began, cpu)
        into.put_json(task.done, done)
    return done


def _done(
    task: Task, tables: dict[str, Any], began: float, cpu: float
) -> dict[str, Any]:
    return {
        "symbol": task.symbol,
        "level": task.level,
        "key": task.key,
        "node": node_name(),
        "fingerprint": fingerprint(),
        "seconds": round(time.perf_counter() - began, 3),
        "cpu_seconds": round(time.process_time() - cpu, 3),
        "tables": tables,
    }


@contextmanager
def _folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="barsieve-part-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _session(task: Task, folder: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        connection.execute("set threads = 1")
        connection.execute("set enable_progress_bar = false")
        connection.execute(f"set memory_limit = '{task.memory}'")
        connection.execute(f"set temp_directory = {quoted(str(folder / 'spill'))}")
        register(connection)
        yield connection


def _attach(
    connection: duckdb.DuckDBPyConnection,
    task: Task,
    store: Store,
    steps: list[Step],
    folder: Path,
) -> None:
    """Let statements find what is given, and the parts of earlier levels."""
    given = in_common(task.store, task.given)
    connection.execute(f"attach {quoted(str(given))} as {GIVEN} (read_only)")
    home = steps[0].model.place()
    for place in {step.model.place()[:2] for step in steps}:
        if place[0] not in _catalogs(connection):
            connection.execute(f"attach ':memory:' as \"{place[0]}\"")
        connection.execute(f'create schema if not exists "{place[0]}"."{place[1]}"')
    made = {step.model.model for step in steps}
    for name in _tables_of(connection, GIVEN):
        if name != FUNDING and name not in made:
            _show_given(connection, task, home._replace(name=name))
    for name, keys in task.files.items():
        files = ", ".join(quoted_path(store.local(key)) for key in keys)
        connection.execute(
            f"create view {home._replace(name=name)} as from "
            f"read_parquet([{files}], hive_partitioning = false)"
        )


def _bars(task: Task, store: Store) -> Path:
    """Return where the bars of a symbol can be read; its name is that of the file."""
    path = Path(task.bars)
    return path if path.is_absolute() else store.local(task.bars)


def _catalogs(connection: duckdb.DuckDBPyConnection) -> set[str]:
    rows = connection.execute("select database_name from duckdb_databases()").fetchall()
    return {name for (name,) in rows}


def _tables_of(connection: duckdb.DuckDBPyConnection, catalog: str) -> list[str]:
    rows = connection.execute(
        "select table_name from duckdb_tables() where database_name = $1 order by 1",
        [catalog],
    ).fetchall()
    return [name for (name,) in rows]


def _columns_of(connection: duckdb.DuckDBPyConnection, name: str) -> set[str]:
    rows = connection.execute(
        "select column_name from duckdb_columns() "
        "where database_name = $1 and table_name = $2",
        [GIVEN, name],
    ).fetchall()
    return {column for (column,) in rows}


def _show_given(
    connection: duckdb.DuckDBPyConnection, task: Task, place: Relation
) -> None:
    """Show a table of the driver: of the symbol, and what is of none."""
    columns, condition = _columns_of(connection, place.name), ""
    if "symbol" in columns and task.symbol != WALLETS:
        own = quoted(task.symbol)
        condition = f" where symbol is null or symbol in ({own}, '{WALLETS}')"
    if place.name == "config_symbols" and task.symbol == WALLETS:
        condition = f" where account = '{WALLETS}'"
    connection.execute(
        f'create view {place} as select * from {GIVEN}."{place.name}"{condition}'
    )


@contextmanager
def _own_accounts(
    connection: duckdb.DuckDBPyConnection, task: Task, step: Step
) -> Iterator[None]:
    """Let a model of accounts see those that trade this symbol alone."""
    place = step.model.place()._replace(name="config_symbols")
    if step.by != ACCOUNT or step.is_view or task.symbol == WALLETS:
        yield
        return
    connection.execute(
        f"create or replace view {place} as from {GIVEN}.config_symbols "
        f"where symbol = {quoted(task.symbol)} and account = symbol"
    )
    yield
    connection.execute(f"drop view {place}")
    _show_given(connection, task, place)


def _sources(task: Task, model: Model, bars: Path) -> dict[str, str]:
    """Return what stands for the sources that a part reads: its symbol's own rows."""
    found = dict(model.sources)
    if "market.bars" in found:
        found["market.bars"] = (
            f"read_parquet({quoted_path(bars)}, "
            "hive_partitioning = false, filename = true)"
        )
    if "market.funding" in found:
        found["market.funding"] = (
            f"(select * from {GIVEN}.{FUNDING} where symbol = {quoted(task.symbol)})"
        )
    return found


def _run(
    connection: duckdb.DuckDBPyConnection, task: Task, step: Step, bars: Path
) -> None:
    if step.is_view:
        place = step.model.place()
        connection.execute(f"create view {place} as {step.model.compiled_code}")
        return
    with _own_accounts(connection, task, step):
        create(connection, step.model, _sources(task, step.model, bars))
    _refuse_broken(connection, step)


def _refuse_broken(connection: duckdb.DuckDBPyConnection, step: Step) -> None:
    """Raise PartError where a row breaks a constraint, or a key has more than one."""
    place = step.model.place()
    if step.holds:
        counts = ", ".join(f"count_if(not ({told}))" for told in step.holds)
        found = connection.execute(f"select {counts} from {place}").fetchall()[0]
        for told, n_rows in zip(step.holds, found, strict=True):
            if n_rows:
                raise PartError(
                    f"{step.model.model}: constraint {told}: {n_rows} rows break it"
                )
    if step.key:
        key = ", ".join(step.key)
        found = connection.execute(
            f"select count(*) from (select {key} from {place} group by all "
            "having count(*) > 1)"
        ).fetchall()[0]
        if found[0]:
            raise PartError(
                f"{step.model.model}: {found[0]} keys ({key}) have more than one row"
            )


def _write(
    connection: duckdb.DuckDBPyConnection,
    task: Task,
    step: Step,
    store: Store,
    folder: Path,
) -> dict[str, Any]:
    """Write the rows of a table; return what the done-file says of it."""
    place = step.model.place()
    columns = ", ".join(f'"{name}"' for name in step.columns) or "*"
    rows = f"(select {columns} from {place})"
    n_rows, digest = of_rows(connection, rows)
    path = folder / f"{step.model.model}.parquet"
    connection.execute(
        f"copy {rows} to {quoted(str(path))} (format parquet, compression zstd)"
    )
    kinds = connection.execute(f"describe {rows[1:-1]}").fetchall()
    about: dict[str, Any] = {"types": {row[0]: row[1] for row in kinds}}
    about |= {"rows": n_rows, "digest": digest, "bytes": path.stat().st_size}
    about["hash"] = of_file(path)
    store.put(path, task.file(step.model.model))
    return about
