"""Rows of the places that the oracle looks at, read of all symbols at once."""

from collections.abc import Collection, Mapping
from itertools import chain, groupby, repeat
from typing import Any

import duckdb

from barsieve.core.arrow import as_dicts

Row = dict[str, Any]


class SampledRows:
    """Rows of a relation at some places of each symbol.

    A relation of many symbols is read once, not once for each of them. Rows stay tuples
    until their symbol is asked for: those of all, as dicts, would take much more room.
    """

    def __init__(
        self,
        relation: duckdb.DuckDBPyRelation,
        place: str,
        wanted: Mapping[str, Collection[int]],
    ):
        """Read the rows of each symbol whose place is wanted.

        `place` is the SQL of an integer; `wanted` has the places of each symbol.
        """
        listed = _listed(relation, wanted).set_alias("wanted")
        told = relation.set_alias("told")
        at = f"told.symbol = wanted.symbol and {place} = wanted.place"
        self._names = relation.columns
        found = told.join(listed, at, how="semi").order("symbol").fetchall()
        nth = self._names.index("symbol")
        by_symbol = groupby(found, key=lambda row: row[nth])
        self._rows = {symbol: list(own) for symbol, own in by_symbol}

    def of(self, symbol: str) -> list[Row]:
        """Return the rows of a symbol, in any order."""
        return as_dicts(self._names, self._rows.get(symbol, []))


def _listed(
    relation: duckdb.DuckDBPyRelation, wanted: Mapping[str, Collection[int]]
) -> duckdb.DuckDBPyRelation:
    """Return a relation of `symbol` and `place`, on the connection of another."""
    columns = {
        "symbol": [*chain(*(repeat(s, len(own)) for s, own in wanted.items()))],
        "place": [*chain(*wanted.values())],
    }
    unnested = (
        duckdb.FunctionExpression("unnest", duckdb.ConstantExpression(values)).alias(
            name
        )
        for name, values in columns.items()
    )
    return relation.aggregate("count(*)").select(*unnested)
