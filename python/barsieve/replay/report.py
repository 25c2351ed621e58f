"""The built database, opened for reading only when it is whole."""

from pathlib import Path

import duckdb

from barsieve.problems import InputError, Problem


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
        connection = duckdb.connect(str(path), read_only=True)
        whole = connection.execute("select count(*) from build_info").fetchall()[0]
    except duckdb.IOException as error:
        raise InputError(
            [
                Problem(
                    str(path),
                    "",
                    "a DuckDB file that nobody writes to",
                    str(error).splitlines()[0],
                    "wait for the build to end",
                )
            ]
        ) from None
    except duckdb.CatalogException:
        whole = (0,)
    if not whole or whole[0] == 0:
        raise InputError(
            [
                Problem(
                    str(path),
                    "table build_info",
                    "a build that ran to its end",
                    "none",
                    "dbt build, and mend what it reports",
                )
            ]
        )
    connection.execute("set timezone = 'UTC'")
    return connection
