"""Markets that grow, and files built on them by the statements that a build left.

Such a file has what is between the market and the trades; nothing was learned for it.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path

import duckdb

from barsieve.database.marks import read_marks
from barsieve.proof.differences import compare
from compiled_project import CompiledProject


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


WITHOUT = ("sweep", "parity", "proof", "evaluation", "reports")


def built(project: CompiledProject, market: Path, at: Path, configs: Path) -> Path:
    """Build a file on a market, up to the trades; return it."""
    at.unlink(missing_ok=True)
    with project.connect() as connection:
        project.run(connection, market, configs, without=WITHOUT, at=at)
        views = [n for n, m in project.models.items() if m.materialized == "view"]
        for name in project.models.in_order(views):
            model = project.models[name]
            if model.layer in WITHOUT:
                continue
            # A catalog that is attached goes by another name than that of the build.
            own = model.compiled_code.replace(f'"{project.catalog}".', "")
            connection.execute(f"drop table {name}")
            connection.execute(f"create view {name} as {own}")
        connection.execute(f"attach '{project.build.database}' as source (read_only)")
        connection.execute("create table build_models as from source.build_models")
        connection.execute("create table build_info as from source.build_info")
        connection.execute("use source")
        marks = read_marks(connection)
        connection.execute(f"use {project.catalog}")
        views_here = set(views)
        for name in read_marks(connection).keys() & marks.keys():
            kind = "view" if name in views_here else "table"
            comment = marks[name].as_comment().replace("'", "''")
            connection.execute(f"comment on {kind} {name} is '{comment}'")
        connection.execute("use memory")
        connection.execute(f"detach {project.catalog}")
    return at


def kept_tables(database: Path) -> list[str]:
    """Return the tables that an advance keeps equal to those of a build.

    Not the trades that exits and sizes are learned of: they are as of a month's start.
    """
    with duckdb.connect(str(database), read_only=True) as connection:
        rows = connection.execute(
            "select model from build_models where layer not in ('seed', 'config') "
            f"and layer not in {WITHOUT} "
            "and (layer != 'shadow' or model in ('exit_learned', 'sizing_learned'))"
        ).fetchall()
    return sorted(row[0] for row in rows)


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
            listed = ", ".join(f'"{column}"' for column in columns)
            _, apart = compare(
                connection,
                columns,
                f"from one.main.{table}",
                f"select {listed} from other.main.{table}",
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
