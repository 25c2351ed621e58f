"""Two built databases compared in every table, value by value, in both directions."""

from pathlib import Path

import duckdb

# Tables of a build by parts alone, and columns that say when, or how, it was built.
OF_PARTS = {"parity_parts", "build_parts"}
OF_A_RUN = {"build_models": ["built_at"], "build_info": ["built_at"]}
# The statement of build_info says when it ran.
ROWS = {"build_models": "where model <> 'build_info'"}


def tables_of(connection: duckdb.DuckDBPyConnection, catalog: str) -> dict[str, list]:
    """Return the tables and views of a database with their columns and types."""
    rows = connection.execute(
        "select table_name, list((column_name, data_type) order by column_name) "
        "from duckdb_columns() where database_name = $1 and schema_name = 'main' "
        "and not internal group by 1 order by 1",
        [catalog],
    ).fetchall()
    return {name: columns for name, columns in rows if name not in OF_PARTS}


def differences(one: Path, other: Path) -> tuple[dict[str, str], int]:
    """Return the tables that differ, with how, and how many values were compared."""
    found, n_values = {}, 0
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        for name, path in (("one", one), ("other", other)):
            connection.execute(f"attach '{path}' as {name} (read_only)")
        tables, others = (tables_of(connection, name) for name in ("one", "other"))
        for name in sorted({*tables, *others}):
            if tables.get(name) != others.get(name):
                found[name] = f"columns {tables.get(name)} and {others.get(name)}"
                continue
            left_out = OF_A_RUN.get(name, [])
            columns = [c for c, _ in tables[name] if c not in left_out]
            listed = ", ".join(f'"{column}"' for column in columns)
            rows = ROWS.get(name, "")
            sides = [
                f'select {listed} from {db}.main."{name}" {rows}'
                for db in ("one", "other")
            ]
            counts = [
                connection.execute(
                    f"select count(*) from (({a}) except all ({b}))"
                ).fetchall()[0][0]
                for a, b in (sides, sides[::-1])
            ]
            n_rows = connection.execute(f"select count(*) from ({sides[0]})")
            n_values += n_rows.fetchall()[0][0] * len(columns)
            if any(counts):
                found[name] = f"{counts[0]} rows of one only, {counts[1]} of the other"
    return found, n_values
