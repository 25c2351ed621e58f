"""The overlap: the last rows of a table, made again and compared bit by bit.

It shows a tail that is too short, another code than that of the file, and a past that
is no longer what it was, before anything is added to it.
"""

import duckdb

from barsieve.core.arrow import row_of
from barsieve.core.errors import refuse
from barsieve.live.news import summed_of
from barsieve.live.plan import Growth
from barsieve.proof.differences import compare, differences
from barsieve.proof.plan import Table

OVERLAP_BARS = 24
"""Bars, or hours, of every table that are made again."""


def check_overlap(
    connection: duckdb.DuckDBPyConnection, growth: Growth, made: str, built: str
) -> None:
    """Compare rows that were made again, SQL, with those of the file.

    Raises InputError that names the table, the column and the first row.
    """
    columns = ", ".join(f'"{name}"' for name in growth.columns)
    sums = [
        summed_of(f"select {columns} from ({rows}) as rows_read")
        for rows in (made, built)
    ]
    if row_of(connection.execute(f"select ({sums[0]}) = ({sums[1]})"))[0]:
        return
    kinds = dict.fromkeys(growth.columns, "")
    kinds |= dict(
        connection.execute(
            f"select column_name, column_type from (describe {built})"
        ).fetchall()
    )
    listed = f"select {columns} from"
    _, apart = compare(
        connection,
        list(growth.columns),
        f"{listed} ({made}) as rows_read",
        f"{listed} ({built}) as rows_read",
        None,
    )
    if not apart:
        return
    found = differences(connection, Table(growth.model, kinds, growth.known))
    first = found[0]
    refuse(
        f"table {growth.name}",
        f"column {first.column}",
        expected="its last rows to come out again as the file has them",
        found=f"{first.rows} that do not; {first.first}".replace(
            "where history ends", "made again"
        ),
        fix=(
            f"barsieve build; and if the model looks back further than its bars "
            f"({growth.model.looks_back or 'the default'}), say so: "
            "meta: {looks_back: bars}"
        ),
    )
