"""Tables of a build by parts: what the driver gives, and what it shows of the parts."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb

from barsieve.core import paths
from barsieve.core.locations import quoted_path
from barsieve.database.connect import quoted
from barsieve.database.marks import mark_of, read_marks
from barsieve.database.models import TABLE as STATEMENTS
from barsieve.database.models import Model, put_models, read_models
from barsieve.parts.digests import of_rows
from barsieve.parts.plan import Level, PartsPlan, Step
from barsieve.parts.task import FUNDING, WALLETS

# Types that Parquet does not keep.
NOT_KEPT = ("HUGEINT", "UHUGEINT", "JSON", "ENUM", "INTERVAL", "TIME")
# What a build makes empty where it was left out, and what is no model's.
LEFT_OUT = ("regime_runs", "sweep_runs", "sweep_walks", "evaluation_sweep")
PROOF = "proof_lookahead"


def _identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def relations(connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """Return the tables and views of the schema main, each with which it is."""
    rows = connection.execute(
        "select table_name, table_type from information_schema.tables "
        "where table_catalog = current_database() and table_schema = 'main'"
    ).fetchall()
    return {name: "view" if kind == "VIEW" else "table" for name, kind in rows}


def others(present: Path, plan: PartsPlan, ours: Iterable[str]) -> set[str]:
    """Return the tables of a database that the plan does not make, and that stay."""
    with duckdb.connect(str(present), read_only=True) as connection:
        names = set(relations(connection))
    gone = {*plan.selected, *ours, *LEFT_OUT, STATEMENTS, PROOF}
    return {name for name in names - gone if "__dbt" not in name}


def keep_proof(present: Path, built: Path) -> None:
    """Copy what the last proof found; dbt keeps of it what is of this build."""
    with duckdb.connect(str(built)) as connection:
        connection.execute(f"attach {quoted(str(present))} as present (read_only)")
        known = connection.execute(
            "select 1 from duckdb_tables() where database_name = 'present' "
            f"and table_name = '{PROOF}'"
        ).fetchall()
        if known:
            connection.execute(f"create table {PROOF} as from present.main.{PROOF}")


def clear(built: Path, plan: PartsPlan, ours: Iterable[str]) -> None:
    """Remove what the plan makes anew from a copy of the present database."""
    gone = {*plan.selected, *ours, *LEFT_OUT} - {PROOF}
    with duckdb.connect(str(built)) as connection:
        for name, kind in relations(connection).items():
            if name in gone:
                connection.execute(f"drop {kind} if exists {_identifier(name)}")


def symbols_of(built: Path) -> tuple[list[str], bool]:
    """Return the symbols of a market, and whether an account trades many of them."""
    with duckdb.connect(str(built), read_only=True) as connection:
        rows = connection.execute("select symbol from config_universe order by 1")
        names = [name for (name,) in rows.fetchall()]
        shared = connection.execute(
            "select count(*) from config_symbols where account = $1", [WALLETS]
        ).fetchall()
    return names, bool(shared[0][0])


def write_given(built: Path, level: Level, path: Path) -> str:
    """Write the driver's tables that a level reads into a file; return a digest."""
    sources = {
        name: text for step in level.steps for name, text in step.model.sources.items()
    }
    digest = hashlib.sha256()
    with duckdb.connect(str(path)) as connection:
        connection.execute("set timezone = 'UTC'")
        connection.execute("set enable_progress_bar = false")
        connection.execute(f"set file_search_path = {quoted(str(paths.project_dir()))}")
        connection.execute(f"attach {quoted(str(built))} as built (read_only)")
        connection.execute("use built")
        wanted = {name: f"built.main.{_identifier(name)}" for name in level.given}
        wanted["config_symbols"] = "built.main.config_symbols"
        if "market.funding" in sources:
            wanted[FUNDING] = sources["market.funding"]
        own = connection.execute("select current_database()").fetchall()[0][0]
        assert own == "built"
        home = _identifier(path.stem)
        for name, rows in sorted(wanted.items()):
            order = " order by symbol" if name == FUNDING else ""
            table = f"{home}.main.{_identifier(name)}"
            connection.execute(f"create table {table} as select * from {rows}{order}")
            digest.update(f"{name} {of_rows(connection, table)}\n".encode())
    return digest.hexdigest()[:16]


def settings_of(built: Path) -> dict[str, str]:
    """Return the settings of the sessions of dbt that decide on results."""
    with duckdb.connect(str(built), read_only=True) as connection:
        return next(iter(read_models(connection, built).values())).settings


def show_parts(
    built: Path,
    plan: PartsPlan,
    steps: Sequence[Step],
    files: Mapping[str, Mapping[str, Path]],
    types: Mapping[str, Mapping[str, str]],
    hashes: dict[str, str],
) -> None:
    """Show parts as tables of a database: views, with comments, and their statements.

    `files`: by table, the file of each part; `types`: by table, those of its columns.
    """
    with duckdb.connect(str(built)) as connection:
        connection.execute("set timezone = 'UTC'")
        models = list(read_models(connection, built).values())
        for step in steps:
            name = step.model.model
            rows = step.model.compiled_code if step.is_view else None
            rows = rows or rows_of_parts(files[name], types[name])
            connection.execute(f"create view {_identifier(name)} as {rows}")
            _describe(connection, step.model, plan.nodes[name], hashes)
            models.append(step.model)
        models.sort(key=lambda model: model.model)
        put_models(connection, models[0].place()._replace(name=STATEMENTS), models)


def rows_of_parts(files: Mapping[str, Path], types: Mapping[str, str]) -> str:
    """Return the SQL of the rows of all parts of a table."""
    listed = ", ".join(
        f"{_identifier(name)}::{kind} as {_identifier(name)}"
        if kind.startswith(NOT_KEPT)
        else _identifier(name)
        for name, kind in types.items()
    )
    symbols = {name: path for name, path in files.items() if name != WALLETS}
    selects = []
    if symbols:
        paths_of = ", ".join(quoted_path(path) for path in symbols.values())
        # The folder says which symbol it is, so that others are not opened.
        hive = (
            "hive_partitioning = true, hive_types = {'symbol': varchar}"
            if "symbol" in types
            else "hive_partitioning = false"
        )
        selects.append(f"select {listed} from read_parquet([{paths_of}], {hive})")
    if WALLETS in files:
        path = quoted_path(files[WALLETS])
        selects.append(
            f"select {listed} from read_parquet({path}, hive_partitioning = false)"
        )
    return " union all ".join(selects)


def _describe(
    connection: duckdb.DuckDBPyConnection,
    model: Model,
    node: Mapping[str, Any],
    hashes: dict[str, str],
) -> None:
    """Comment on a table and its columns, as dbt does of those that it makes."""
    marks = read_marks(connection)
    own = {
        "table": model.model,
        "checksum": node["checksum"]["checksum"],
        "language": model.language,
        "sources": [name.split(".")[0] for name in model.sources],
        "is_empty": False,
        "started": model.built_at.isoformat(),
    }
    parents = {name: marks.get(name) for name in model.parents}
    comment = mark_of(own, parents, hashes).as_comment(node["description"] or "")
    place = _identifier(model.model)
    connection.execute(f"comment on view {place} is {quoted(comment)}")
    known = _columns(connection, model.model)
    for name, about in node["columns"].items():
        if name in known and about["description"]:
            told = quoted(about["description"])
            connection.execute(
                f"comment on column {place}.{_identifier(name)} is {told}"
            )


def _columns(connection: duckdb.DuckDBPyConnection, table: str) -> list[str]:
    rows = connection.execute(f"describe {_identifier(table)}").fetchall()
    return [row[0] for row in rows]


def put_rows(built: Path, table: str, rows: Any, description: str) -> None:
    """Write rows, Arrow, as a table of a database, in place of what it has."""
    with duckdb.connect(str(built)) as connection:
        connection.register("rows_to_put", rows.to_reader())
        name = _identifier(table)
        connection.execute(f"create or replace table {name} as from rows_to_put")
        connection.execute(f"comment on table {name} is {quoted(description)}")


def build_of(present: Path, table: str) -> str | None:
    """Return the build in the store that a database shows; None where it shows none."""
    if not present.exists():
        return None
    with duckdb.connect(str(present), read_only=True) as connection:
        if table not in relations(connection):
            return None
        return str(connection.execute(f"select build from {table}").fetchall()[0][0])
