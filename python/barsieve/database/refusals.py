"""Faults of a database in words, whatever met them: no stack trace tells a user more.

Neither DuckDB nor anything else is imported for it: most of what asks never needs them.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from barsieve.core import paths
from barsieve.core.errors import DatabaseError

# What code meets in tables that have other columns or rows than it expects.
MEETS = (LookupError, AttributeError, TypeError, ValueError)


def told_by_database(error: Exception) -> str | None:
    """Return what DuckDB says is wrong with the tables of a database, if that is it."""
    duckdb = sys.modules.get("duckdb")
    if duckdb is None or not isinstance(error, duckdb.Error):
        return None
    text = next((line for line in str(error).splitlines() if line.strip()), "")
    told = text.removeprefix("Invalid Input Error: ")
    if told != text:
        return told
    return (
        f"the database: expected the tables of this version's models, found {text}\n"
        "    fix: dbt build, all of it"
    )


def other_code(path: Path | None = None) -> str | None:
    """Return that a database was built by other code, if it was.

    `path` is None for the database in force.
    """
    from barsieve.database.provenance import code_hash

    try:
        from barsieve.database.connect import open_database

        path = path or paths.database_path()
        with open_database(path) as connection:
            rows = connection.execute("select code_hash from build_info").fetchall()
        if rows[0][0] == code_hash(paths.project_dir()):
            return None
    except Exception:
        return None
    return (
        f"{path}: expected a database built by the models of this folder, found one "
        "that they would build differently\n    fix: dbt build"
    )


@contextmanager
def told_in_words(path: Path | None = None) -> Iterator[None]:
    """Raise DatabaseError for what DuckDB, or code, meets in a database of other code.

    `path` is None for the database in force. Any other fault passes as it is.
    """
    try:
        yield
    except MEETS as error:
        told = other_code(path)
        if told is None:
            raise
        raise DatabaseError(told) from error
    except Exception as error:
        told = told_by_database(error)
        if told is None:
            raise
        raise DatabaseError(told) from None
