"""Sessions of DuckDB in memory: one database a process, a connection each."""

import atexit
import os
from functools import cache

import duckdb


@cache
def _database(_process: int) -> duckdb.DuckDBPyConnection:
    """Return the database of this process: to start one takes as long as a job."""
    database = duckdb.connect()
    # A file that was replaced is read anew, however fast that was.
    database.execute("set enable_external_file_cache = false")
    return database


# What is still open when Python ends is told as a leak.
atexit.register(_database.cache_clear)


def new_session() -> duckdb.DuckDBPyConnection:
    """Return a connection of its own, in UTC; its temporary tables end with it.

    All share the catalog of one database in memory, so tables must be temporary.
    """
    session = _database(os.getpid()).cursor()
    session.execute("set timezone = 'UTC'")
    return session
