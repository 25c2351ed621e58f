"""The built database opened for reading, and who holds it when it cannot be."""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

import duckdb
import psutil

from barsieve.core.errors import InputError, Problem, refuse
from barsieve.database.marks import (
    LAST,
    build_problems,
    disagreements,
    read_marks,
    stale_tables,
)
from barsieve.database.models import TABLE as STATEMENTS

# DuckDB names the process in its message: "... (PID 123). See also ...".
HOLDER = re.compile(r"\bPID (\d+)\b")


# Name of the database inside a connection. No file's: DuckDB names the catalog after a
# file up to its first dot, and statements of the build name that one.
CATALOG = '"as.built"'
PARTS = "build_parts"
"""Table of a build by parts: where the parts lie that its long tables are views of."""


def describe_process(pid: int) -> str:
    """Return a process as a person knows it: its id and its command."""
    try:
        command = " ".join(psutil.Process(pid).cmdline())
    except psutil.Error:
        command = ""
    shown = command if len(command) <= 120 else command[:117] + "..."
    return f"pid {pid} ({shown or 'its command cannot be read'})"


def lock_holder(error: duckdb.Error) -> str | None:
    """Return who holds the lock that an error speaks of; None if it speaks of none."""
    text = str(error)
    if "lock" not in text:
        return None
    found = HOLDER.search(text)
    return describe_process(int(found[1])) if found else text.splitlines()[0]


def quoted(text: str) -> str:
    """Return a text as SQL."""
    return "'" + text.replace("'", "''") + "'"


def connect_to(path: Path) -> duckdb.DuckDBPyConnection:
    """Connect to a DuckDB file for reading, as it is now.

    The file is attached to a connection of its own: a process that still reads the file
    of an earlier build, replaced since, would otherwise be given that one again.

    Raises duckdb.Error when the file is locked or no database.
    """
    connection = duckdb.connect()
    try:
        connection.execute(
            f"attach {quoted(str(path))} as {CATALOG} (type duckdb, read_only)"
        )
        connection.execute(f"use {CATALOG}")
        connection.execute("set timezone = 'UTC'")
    except duckdb.Error:
        connection.close()
        raise
    return connection


def is_whole(connection: duckdb.DuckDBPyConnection) -> bool:
    """Tell whether the last build of a database ran to its end."""
    try:
        rows = connection.execute(f"select count(*) from {LAST}").fetchall()
        return rows[0][0] > 0
    except duckdb.CatalogException:
        return False


def _unreadable(path: Path, error: duckdb.Error) -> Problem:
    holder = lock_holder(error)
    if holder:
        return Problem(
            str(path),
            expected="a database that nobody writes to",
            found=f"it held by {holder}",
            fix="wait for that to end",
        )
    return Problem(
        str(path),
        expected="a DuckDB file",
        found=str(error).splitlines()[0],
        fix="name a database that barsieve built (BARSIEVE_DATABASE)",
    )


def _faults(path: Path, connection: duckdb.DuckDBPyConnection) -> list[Problem]:
    """Return why the tables of a database cannot be read as those of one build."""
    try:
        if is_whole(connection):
            return build_problems(path, connection)
    except duckdb.Error as error:
        return [
            Problem(
                str(path),
                f"table {LAST}",
                expected="a table that a build of ours wrote",
                found=str(error).splitlines()[0],
                fix="dbt build, into a file of its own",
            )
        ]
    return [
        Problem(
            str(path),
            f"table {LAST}",
            expected="a build that ran to its end",
            found="none",
            fix="dbt build, and mend what it reports",
        )
    ]


def no_database(path: Path) -> Problem:
    """Return that there is no built database at a path."""
    return Problem(
        str(path), expected="a built database", found="no such file", fix="dbt build"
    )


def open_database(path: Path) -> duckdb.DuckDBPyConnection:
    """Open a built database for reading.

    Raises InputError when there is none, when it is locked, when its last build did not
    run to its end, or when its tables were not built from one another: whatever dbt
    left behind, every reader is refused here or finds tables that belong together.
    """
    if not path.exists():
        raise InputError([no_database(path)])
    try:
        connection = connect_to(path)
    except duckdb.Error as error:
        raise InputError([_unreadable(path, error)]) from None
    if problems := _faults(path, connection) or _missing_parts(path, connection):
        connection.close()
        raise InputError(problems)
    _close_stale_tables(connection)
    return connection


def _missing_parts(path: Path, connection: duckdb.DuckDBPyConnection) -> list[Problem]:
    """Return that the parts are gone that a database shows; see barsieve.parts."""
    if PARTS not in table_names(connection):
        return []
    rows = connection.execute(f"select store, build from {PARTS}").fetchall()
    gone = [Path(store) / build for store, build in rows]
    return [
        Problem(
            str(path),
            "its long tables",
            expected=f"their parts in {folder}",
            found="no such folder",
            fix="bring it back, or build again",
        )
        for folder in gone
        if not folder.is_dir()
    ]


def _close_stale_tables(connection: duckdb.DuckDBPyConnection) -> None:
    """Let every read of a table of another build say so.

    A view of the session stands before the table: DuckDB finds that first.
    """
    for name in stale_tables(read_marks(connection)):
        close_stale_table(connection, name)


def close_stale_table(connection: duckdb.DuckDBPyConnection, name: str) -> None:
    """Let every read of a table say that it is of another build."""
    told = quoted(
        f"table {name}: expected one built from the tables beside it, found one "
        "that the last build left out; dbt build, all of it"
    )
    connection.execute(
        f'create temp view "{name}" as select * from {CATALOG}.main."{name}" '
        f"where error({told})"
    )


TABLE_NAMES = (
    "select table_name from information_schema.tables "
    "where table_catalog = current_database() and table_schema = 'main' "
    "and not contains(table_name, '__dbt') order by table_name"
)
"""Names of the tables and views of an open database, sorted."""


def table_names(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Return the names of the tables and views of an open database, sorted."""
    return [name for (name,) in connection.execute(TABLE_NAMES).fetchall()]


def refuse_stale(connection: duckdb.DuckDBPyConnection, names: Iterable[str]) -> None:
    """Raise InputError where tables were built from others than stand beside them.

    A table without a mark is not one of ours, and is as its owner made it.
    """
    marks = read_marks(connection)
    marked = [name for name in names if marks.get(name)]
    if problems := disagreements(Path("the database"), marks, marked):
        raise InputError(problems)


def built_tables(
    connection: duckdb.DuckDBPyConnection, names: Sequence[str]
) -> list[duckdb.DuckDBPyRelation]:
    """Return tables of an open database that every build has.

    Raises InputError when one is missing or stale: other models, or another build, made
    it.
    """
    refuse_stale(connection, names)
    try:
        return [connection.table(name) for name in names]
    except duckdb.CatalogException as error:
        found, expected = str(error).splitlines()[0], f"the tables {', '.join(names)}"
        refuse("the database", expected=expected, found=found, fix="dbt build")


def primary_key(connection: duckdb.DuckDBPyConnection, table: str) -> list[str]:
    """Return the columns that name a row of a table; none where it has no key.

    A view has no constraint: its grain is what its model says.
    """
    rows = connection.execute(
        "select constraint_column_names from duckdb_constraints() "
        "where database_name = current_database() and table_name = $1 "
        "and constraint_type = 'PRIMARY KEY'",
        [table],
    ).fetchall()
    if not rows and STATEMENTS in table_names(connection):
        rows = connection.execute(
            f"select grain from {STATEMENTS} where model = $1 and grain is not null",
            [table],
        ).fetchall()
    return rows[0][0] if rows else []


def require_table(connection: duckdb.DuckDBPyConnection, name: str) -> None:
    """Raise InputError where there is no such table, or it is stale.

    The first names the tables that there are; see `refuse_stale` for the other.
    """
    from difflib import get_close_matches

    known = table_names(connection)
    if name in known:
        refuse_stale(connection, [name])
        return
    near = get_close_matches(name, known, n=1)
    refuse(
        "the database",
        f"table '{name}'",
        expected=f"one of {', '.join(known)}",
        found="no such table",
        fix=f"did you mean '{near[0]}'?" if near else "correct the name",
    )
