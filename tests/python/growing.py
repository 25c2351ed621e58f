"""Markets that grow: folders cut off at a moment, as what was known by then."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path

import duckdb

from barsieve.proof.differences import compare


def closes(market: Path) -> list[datetime]:
    """Return the closes of a market, of whichever symbol, ascending."""
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        rows = connection.execute(
            f"select distinct ts + interval '1 hour' from '{market}/bars/*.parquet' "
            "order by 1"
        ).fetchall()
    return [row[0] for row in rows]


def cut(market: Path, folder: Path, until: datetime) -> Path:
    """Write what a market said by a moment to a folder; return that."""
    minute_before = until - timedelta(minutes=1)
    said = {
        "bars": f"ts <= timestamptz '{until - timedelta(hours=1)}'",
        "macro": f"known_at <= timestamptz '{until}'",
        "funding": f"ts <= timestamptz '{minute_before}'",
    }
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        for part, condition in said.items():
            (folder / part).mkdir(parents=True, exist_ok=True)
            for file in sorted((market / part).glob("*.parquet")):
                connection.execute(
                    f"copy (select * from '{file}' where {condition}) "
                    f"to '{folder / part / file.name}' (format parquet)"
                )
    return folder


def differing(one: Path, other: Path, tables: Iterable[str]) -> dict[str, str]:
    """Return the tables of which two files do not have the same rows, bit by bit."""
    found = {}
    with duckdb.connect() as connection:
        connection.execute(f"attach '{one}' as one (read_only)")
        connection.execute(f"attach '{other}' as other (read_only)")
        connection.execute("set timezone = 'UTC'")
        for table in tables:
            columns = [
                row[0]
                for row in connection.execute(f"describe one.main.{table}").fetchall()
            ]
            counts, apart = compare(
                connection,
                columns,
                f"from one.main.{table}",
                f"select {', '.join(columns)} from other.main.{table}",
                None,
            )
            if apart:
                n_rows = connection.execute(
                    f"select (select count(*) from one.main.{table}), "
                    f"(select count(*) from other.main.{table}), (select count(*) from "
                    "(from rows_made except all from rows_built))"
                ).fetchall()
                found[table] = f"{n_rows[0]} rows, and apart"
    return found
