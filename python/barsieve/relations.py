"""Relations of the built database narrowed down by values, never by text of SQL."""

from typing import Any

import duckdb


def matching(relation: duckdb.DuckDBPyRelation, **values: Any):
    """Return the rows of a relation in which every named column has the value given."""
    for name, value in values.items():
        relation = relation.filter(
            duckdb.ColumnExpression(name) == duckdb.ConstantExpression(value)
        )
    return relation


def rows_of(
    found: duckdb.DuckDBPyRelation | duckdb.DuckDBPyConnection,
) -> list[dict[str, Any]]:
    """Return the rows of a relation, or of what was just executed, as dicts."""
    names = [column[0] for column in found.description]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]
