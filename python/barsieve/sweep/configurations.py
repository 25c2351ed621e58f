"""Configurations of a built database, by the names that sweeps gave them."""

import json
from typing import Any, NamedTuple

import duckdb

from barsieve.core.arrow import rows_of
from barsieve.core.errors import refuse
from barsieve.database.connect import built_tables


class Picked(NamedTuple):
    """A configuration that was run: its row of `sweep_configs`, its base, the others.

    `base`: the resolved profile that gave what the grid did not vary. `tried`: how many
    configurations the database has run over the same symbol, or the same profile's
    wallet, in whatever grids.
    """

    row: dict[str, Any]
    base: dict[str, Any]
    tried: int


def _rows(
    connection: duckdb.DuckDBPyConnection, sql: str, *values: str
) -> list[dict[str, Any]]:
    return rows_of(connection.execute(sql, list(values)))


def pick(connection: duckdb.DuckDBPyConnection, config: str) -> Picked:
    """Return a configuration by its name.

    Raises InputError for a name that no sweep gave, and for a configuration that was
    not run.
    """
    built_tables(connection, ("sweep_configs", "config_profiles"))
    rows = _rows(
        connection, "select * from sweep_configs where config = ? order by grid", config
    )
    if not rows:
        refuse(
            "sweep_configs",
            "config",
            expected="the name of a configuration that a sweep tried",
            found=f"'{config}'",
            fix="copy one from sweep_results, report_sweep or the end of a sweep",
        )
    row = rows[0]
    if row["violation"] is not None:
        refuse(
            "sweep_configs",
            f"config '{config}'",
            expected="a configuration that was run",
            found=f"one that was not: {row['violation']} does not hold",
            fix="name another",
        )
    (counts,) = _rows(
        connection,
        "select count(distinct config) as tried from sweep_configs "
        "where symbol = $1 and ($1 <> '*' or profile = $2) and violation is null",
        row["symbol"],
        row["profile"],
    )
    (base,) = _rows(
        connection,
        "select document from config_profiles where profile = ?",
        row["profile"],
    )
    return Picked(row, json.loads(base["document"]), counts["tried"])
