"""The built database opened for reading, and who holds it when it cannot be."""

import re
from collections.abc import Sequence
from pathlib import Path

import duckdb
import psutil

from barsieve.problems import InputError, Problem

# DuckDB names the process in its message: "... (PID 123). See also ...".
HOLDER = re.compile(r"\bPID (\d+)\b")


# Name of the database inside a connection; the file may have any name.
CATALOG = "built"


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


def _quoted(text: str) -> str:
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
            f"attach {_quoted(str(path))} as {CATALOG} (type duckdb, read_only)"
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
        rows = connection.execute("select count(*) from build_info").fetchall()
        return rows[0][0] > 0
    except duckdb.CatalogException:
        return False


def _unreadable(path: Path, error: duckdb.Error) -> Problem:
    holder = lock_holder(error)
    if holder:
        return Problem(
            str(path), "", "a database that nobody writes to", f"it held by {holder}",
            "wait for that to end",
        )  # fmt: skip
    return Problem(
        str(path), "", "a DuckDB file", str(error).splitlines()[0],
        "name a database that barsieve built (BARSIEVE_DATABASE)",
    )  # fmt: skip


def open_database(path: Path) -> duckdb.DuckDBPyConnection:
    """Open a built database for reading.

    Raises InputError when there is none, when it is locked, or when its last build did
    not run to its end.
    """
    if not path.exists():
        raise InputError(
            [Problem(str(path), "", "a built database", "no such file", "dbt build")]
        )
    try:
        connection = connect_to(path)
    except duckdb.Error as error:
        raise InputError([_unreadable(path, error)]) from None
    if not is_whole(connection):
        connection.close()
        raise InputError(
            [
                Problem(
                    str(path), "table build_info", "a build that ran to its end",
                    "none", "dbt build, and mend what it reports",
                )
            ]
        )  # fmt: skip
    return connection


def table_names(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Return the names of the tables and views of an open database, sorted."""
    rows = connection.execute(
        "select table_name from information_schema.tables "
        "where table_catalog = current_database() and table_schema = 'main' "
        "and not contains(table_name, '__dbt') order by table_name"
    ).fetchall()
    return [name for (name,) in rows]


def built_tables(
    connection: duckdb.DuckDBPyConnection, names: Sequence[str]
) -> list[duckdb.DuckDBPyRelation]:
    """Return tables of an open database that every build has.

    Raises InputError when one is missing: other models made the database.
    """
    try:
        return [connection.table(name) for name in names]
    except duckdb.CatalogException as error:
        found, expected = str(error).splitlines()[0], f"the tables {', '.join(names)}"
        raise InputError(
            [Problem("the database", "", expected, found, "dbt build")]
        ) from None


def primary_key(connection: duckdb.DuckDBPyConnection, table: str) -> list[str]:
    """Return the columns that name a row of a table; none where it has no key."""
    rows = connection.execute(
        "select constraint_column_names from duckdb_constraints() "
        "where database_name = current_database() and table_name = ? "
        "and constraint_type = 'PRIMARY KEY'",
        [table],
    ).fetchall()
    return rows[0][0] if rows else []


def require_table(connection: duckdb.DuckDBPyConnection, name: str) -> None:
    """Raise InputError, naming the tables there are, when there is no such table."""
    from difflib import get_close_matches

    known = table_names(connection)
    if name in known:
        return
    near = get_close_matches(name, known, n=1)
    raise InputError(
        [
            Problem(
                "the database", f"table '{name}'", f"one of {', '.join(known)}",
                "no such table",
                f"did you mean '{near[0]}'?" if near else "correct the name",
            )
        ]
    )  # fmt: skip
