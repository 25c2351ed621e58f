"""Source of a section: the built database and the profiles to show."""

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import numpy as np

from barsieve.core.arrow import rows_of
from barsieve.core.errors import InputError, Problem
from barsieve.database.connect import open_database, table_names
from barsieve.database.marks import read_marks, stale_tables
from barsieve.report.pack import Pack


@dataclass(frozen=True)
class Source:
    """An open database, its tables, the rows of `config_profiles` that are shown."""

    connection: duckdb.DuckDBPyConnection
    tables: frozenset[str]
    profiles: list[dict[str, Any]] = field(default_factory=list)
    pack: Pack = field(default_factory=Pack)

    def rows(self, query: str, **parameters: Any) -> list[dict[str, Any]]:
        """Return the rows of a query; times as Unix seconds, no NaN or infinity."""
        found = self.connection.sql(query, params=parameters or None)
        return [
            {name: _plain(value) for name, value in row.items()}
            for row in rows_of(found)
        ]

    def arrays(self, query: str, **parameters: Any) -> dict[str, np.ndarray]:
        """Return the columns of a query; missing numbers are NaN."""
        columns = self.connection.sql(query, params=parameters or None).fetchnumpy()
        return {
            name: values.filled(np.nan)
            if np.ma.isMaskedArray(values) and values.dtype.kind == "f"
            else np.asarray(values)
            for name, values in columns.items()
        }

    @property
    def symbols(self) -> list[str]:
        """The symbols of the profiles, each once."""
        return list(dict.fromkeys(profile["symbol"] for profile in self.profiles))


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value.timestamp() if hasattr(value, "timestamp") else value


def open_source(database: Path, names: list[str]) -> Source:
    """Open a built database to report on some profiles, or on all.

    Raises InputError when there is no whole database or no such profile.
    """
    connection = open_database(database)
    # A table that was left out of the last build speaks of another one.
    stale = stale_tables(read_marks(connection))
    tables = frozenset(table_names(connection)) - frozenset(stale)
    every = Source(connection, tables).rows("from config_profiles order by profile")
    known = {profile["profile"]: profile for profile in every}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise InputError(
            [
                Problem(
                    str(database),
                    "profile",
                    expected=f"one of {', '.join(known)}",
                    found=f"'{name}'",
                    fix="correct the name, or add the profile and dbt build",
                )
                for name in unknown
            ]
        )
    # Not sorted: the first name given is the one shown first.
    chosen = list(dict.fromkeys(names)) or list(known)
    return Source(connection, tables, [known[name] for name in chosen])
