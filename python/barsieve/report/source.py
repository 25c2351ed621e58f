"""Source of a section: the built database and what to show of it, entry by entry.

An entry is a profile on a symbol. One that trades several begins with an entry of all
of them, whose symbol is `ALL`, as in the tables of figures.
"""

import math
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import duckdb
import numpy as np

from barsieve.core.arrow import rows_of
from barsieve.core.errors import InputError, Problem
from barsieve.core.keys import ALL
from barsieve.database.connect import open_database, table_names
from barsieve.database.marks import read_marks, stale_tables
from barsieve.report.pack import Pack

# Symbols of a profile with an entry of their own: those with most trades. Five years of
# one take half a megabyte of the page.
MOST_SYMBOLS = 4

Entry = dict[str, Any]


@dataclass(frozen=True)
class Source:
    """An open database, its tables, and the entries that are shown.

    An entry has the columns of `config_symbols`; `symbols` are those that it is of.
    """

    connection: duckdb.DuckDBPyConnection
    tables: frozenset[str]
    profiles: list[Entry] = field(default_factory=list)
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
        """The symbols that have an entry, each once."""
        named = [entry["symbol"] for entry in self.profiles if not is_whole(entry)]
        return list(dict.fromkeys(named))


def is_whole(entry: Entry) -> bool:
    """Tell whether an entry is of all symbols of a profile that has several."""
    return bool(entry["symbol"] == ALL)


def figures_key(entry: Entry) -> dict[str, Any]:
    """Return what finds an entry in a table of figures."""
    return {"profile": entry["profile"], "symbol": entry["symbol"]}


def members_key(entry: Entry) -> dict[str, Any]:
    """Return what finds an entry in a table that has rows of its symbols alone."""
    return {"profile": entry["profile"], "symbols": entry["symbols"]}


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value.timestamp() if hasattr(value, "timestamp") else value


def _whole(own: list[Entry]) -> Entry:
    """Return the entry of all symbols that a profile trades."""
    accounts = {one["account"]: one["start_balance"] for one in own}
    references = {one["reference_symbol"] for one in own}
    return own[0] | {
        "symbol": ALL,
        "symbols": [one["symbol"] for one in own],
        "title": f"{len(own):,} symbols together",
        # None where each symbol has an account, or a reference, of its own.
        "account": ALL if len(accounts) == 1 else None,
        "reference_symbol": references.pop() if len(references) == 1 else None,
        "start_balance": sum(accounts.values()),
    }


def _entries(own: list[Entry], n_trades: dict[tuple[str, str], int]) -> list[Entry]:
    """Return the entries of a profile: the whole, and the symbols with most trades."""
    ones = [one | {"symbols": [one["symbol"]], "title": one["symbol"]} for one in own]
    if len(own) == 1:
        return ones

    def trades_of(one: Entry) -> int:
        return n_trades.get((one["profile"], one["symbol"]), 0)

    busiest = sorted(ones, key=trades_of, reverse=True)[:MOST_SYMBOLS]
    return [_whole(own), *(one for one in ones if one in busiest)]


def open_source(database: Path, names: list[str]) -> Source:
    """Open a built database to report on some profiles, or on all.

    Raises InputError when there is no whole database or no such profile.
    """
    connection = open_database(database)
    # A table that was left out of the last build speaks of another one.
    stale = stale_tables(read_marks(connection))
    tables = frozenset(table_names(connection)) - frozenset(stale)
    source = Source(connection, tables)
    known: dict[str, list[Entry]] = {}
    for row in source.rows("from config_symbols order by profile, symbol"):
        known.setdefault(row["profile"], []).append(row)
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
    counted = source.rows(
        "select profile, symbol, count(*) as n from trades group by all"
    )
    n_trades = {(row["profile"], row["symbol"]): row["n"] for row in counted}
    # Not sorted: the first name given is the one shown first.
    chosen = list(dict.fromkeys(names)) or list(known)
    entries = [one for name in chosen for one in _entries(known[name], n_trades)]
    return replace(source, profiles=entries)
