"""Learning from a sweep as it was built, and the worth of choosing by the past."""

from pathlib import Path
from typing import Any, NoReturn

import duckdb

from barsieve.core.arrow import rows_of
from barsieve.core.errors import refuse
from barsieve.core.extras import WITHOUT_ML
from barsieve.database.connect import open_database

SYMBOLS = "select profile, list(symbol) from config_symbols group by profile"


def _refuse_without_sweep(path: Path) -> NoReturn:
    refuse(
        str(path),
        "table sweep_results",
        expected="a sweep that the build ran",
        found="none",
        fix=WITHOUT_ML,
    )


def _rows(connection: duckdb.DuckDBPyConnection, query: str) -> list[dict[str, Any]]:
    """Return the rows of a query; none where there is no such table."""
    try:
        return rows_of(connection.sql(query))
    except duckdb.CatalogException:
        return []


def learned_rows(path: Path) -> list[dict[str, Any]]:
    """Return what learning is worth: the rows of `report_optimizer`.

    Raises InputError for a database without a sweep.
    """
    with open_database(path) as connection:
        rows = _rows(connection, "from report_optimizer")
    return rows or _refuse_without_sweep(path)


def _symbols_of(
    connection: duckdb.DuckDBPyConnection, path: Path, profile: str | None
) -> list[str] | None:
    """Return the symbols of a profile; raise InputError when there is no such one."""
    if profile is None:
        return None
    known = dict(connection.execute(SYMBOLS).fetchall())
    if profile not in known:
        refuse(
            str(path),
            "profile",
            expected=f"one of {', '.join(sorted(known))}",
            found=f"'{profile}'",
            fix="correct the name",
        )
    symbols: list[str] = known[profile]
    return symbols


def walk_forward_windows(
    path: Path, train: int, test: int, profile: str | None
) -> list[dict[str, Any]]:
    """Return the best of each training and what came after, a window a row.

    `train` and `test` are months; with a profile only those of its symbols. Raises
    InputError for a database without a sweep, for another profile, and for more months
    than there are.
    """
    from barsieve.learning.dataset import SweepTables
    from barsieve.learning.rolling import walk_forward_table

    with open_database(path) as connection:
        symbols = _symbols_of(connection, path, profile)
        if not _rows(connection, "from sweep_results limit 1"):
            _refuse_without_sweep(path)
        rows = walk_forward_table(SweepTables.of(connection), train, test).to_pylist()
    windows = [row for row in rows if symbols is None or row["symbol"] in symbols]
    if not windows:
        refuse(
            "walk forward",
            f"train {train}, test {test}",
            expected="more months than that which all configurations of a sweep have",
            found="fewer",
            fix="train on fewer months",
        )
    return windows
