"""A table of the built database as a file: Parquet, CSV, JSON, JSON lines, Arrow."""

from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import duckdb
import pyarrow as pa

from barsieve.core.errors import refuse
from barsieve.core.files import refuse_target, written_whole
from barsieve.database.connect import open_database, primary_key, require_table

Writer = Callable[[duckdb.DuckDBPyConnection, duckdb.DuckDBPyRelation, Path], None]


def _parquet(connection, rows: duckdb.DuckDBPyRelation, path: Path) -> None:
    rows.write_parquet(str(path), compression="zstd")


def _csv(connection, rows: duckdb.DuckDBPyRelation, path: Path) -> None:
    rows.write_csv(str(path))


def _json(is_array: bool) -> Writer:
    def write(connection, rows: duckdb.DuckDBPyRelation, path: Path) -> None:
        quoted = str(path).replace("'", "''")
        connection.execute(
            f"copy ({rows.sql_query()}) to '{quoted}' (format json, array {is_array})"
        )

    return write


def _arrow(connection, rows: duckdb.DuckDBPyRelation, path: Path) -> None:
    batches = rows.to_arrow_reader(100_000)
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, batches.schema) as w:
        for batch in batches:
            w.write_batch(batch)


WRITERS: dict[str, Writer] = {
    ".parquet": _parquet,
    ".csv": _csv,
    ".json": _json(is_array=True),
    ".jsonl": _json(is_array=False),
    ".arrow": _arrow,
    ".feather": _arrow,
}


def _writer(to: Path) -> Writer:
    if to.suffix.lower() in WRITERS:
        return WRITERS[to.suffix.lower()]
    refuse(
        str(to),
        expected=f"a name that ends with {', '.join(WRITERS)}",
        found=f"'{to.suffix}'" if to.suffix else "no ending",
        fix="name the file after its format",
    )


def _refuse_condition(where: str, error: duckdb.Error) -> NoReturn:
    reason = next((line for line in str(error).splitlines() if line.strip()), "")
    refuse(
        "--where",
        expected="a condition on the columns, as after WHERE in SQL",
        found=f"{where!r}: {reason}",
        fix="correct the condition",
    )


def export_table(
    database: Path, table: str, to: Path, where: str | None = None, force: bool = False
) -> int:
    """Write a table of a built database, or those rows for which `where` is true.

    Rows come in the order of the table's key, where it has one. The ending of `to` is
    the format. The file appears at once and whole, or not at all. Returns the number of
    rows.

    Raises InputError for an unknown table or format, a condition that DuckDB refuses, a
    file that exists (unless `force`), and for what `open_database` refuses.
    """
    write = _writer(to)
    refuse_target(to, force)
    with open_database(database) as connection:
        require_table(connection, table)
        try:
            rows = connection.table(table)
            rows = rows.filter(where) if where else rows
            if keys := primary_key(connection, table):
                rows = rows.order(", ".join(f'"{key}"' for key in keys))
            with written_whole(to) as partial:
                write(connection, rows, partial)
                return rows.aggregate("count(*)").fetchall()[0][0]
        except duckdb.Error as error:
            if where is None:
                raise
            _refuse_condition(where, error)
