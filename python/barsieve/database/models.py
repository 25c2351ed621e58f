"""Models of a built database: the statements that made its tables, to run them again.

`build_models` has a row for each model and seed, written as a build ends (the macro
`record_models`). A statement names its relations in full, by catalog, schema and table,
as the build had them. So it runs unchanged wherever a catalog of that name has what it
reads: what stands there, and not the text, decides what the names mean.
"""

import hashlib
import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any, NamedTuple

import duckdb

from barsieve.core.errors import refuse

TABLE = "build_models"
# The parts of a name like "catalog"."schema"."table", with quotes or without.
PARTS = re.compile(r'"((?:[^"]|"")+)"|([^".]+)')
# What comes before a comment may hold its signs: texts and names are matched first.
COMMENT = re.compile(
    r"""('(?:[^']|'')*'|"(?:[^"]|"")*")|--[^\n]*|/\*.*?\*/|\{#.*?#\}|\s+""", re.DOTALL
)


class Relation(NamedTuple):
    """A table or view by its full name."""

    catalog: str
    schema: str
    name: str

    def __str__(self) -> str:
        """Return the name as SQL."""
        return ".".join('"' + part.replace('"', '""') + '"' for part in self)


class Model(NamedTuple):
    """A model, or a seed, of a build; the columns of `build_models`.

    `model`: name of its table. `parents`: the tables it reads. `sources`: the sources
    it reads, each with the SQL that stands for it in the statement. `reads`, `known_at`
    and `excused`: what its YAML says of whose rows it reads (`meta.reads`), of when a
    row was known (`meta.known_at`), and why it may do what looks like a look ahead
    (`meta.lookahead_excused`). `appends_by`, `settles_after`, `looks_back`,
    `looks_back_each`, `counts`: how rows are added to its table; see
    `barsieve.live.plan`. `definition`: see `definition_of`; None for a seed.
    `settings`: those of the session that decide on results. `compiled_code`: the
    statement, or the code of a Python model; None for a seed.
    """

    model: str
    relation: str
    layer: str
    language: str | None
    materialized: str
    parents: list[str]
    sources: dict[str, str]
    grain: list[str] | None
    reads: str | None
    known_at: str | None
    appends_by: str | None
    settles_after: int
    looks_back: int | None
    looks_back_each: str | None
    counts: str | None
    excused: str | None
    file: str
    definition: str | None
    settings: dict[str, str]
    built_at: datetime
    compiled_code: str | None

    def place(self) -> Relation:
        """Return where its table lies."""
        parts = PARTS.findall(self.relation)
        return Relation(*(quoted.replace('""', '"') or bare for quoted, bare in parts))


class Models(dict[str, Model]):
    """The models of a build by the names of their tables."""

    def inputs(self, name: str) -> list[str]:
        """Return the tables and sources that a model reads; none for what is none."""
        found = self.get(name)
        return [*found.parents, *found.sources] if found else []

    def in_order(self, names: Collection[str]) -> list[str]:
        """Return models in an order in which each follows those that it reads."""
        graph = TopologicalSorter({name: self.inputs(name) for name in self})
        return [name for name in graph.static_order() if name in names]

    def descendants(
        self, roots: Collection[str], held: Collection[str] = ()
    ) -> list[str]:
        """Return what is made of tables or sources, in order, not through `held`."""
        found = set(roots)
        for name in self.in_order(self):
            if name not in held and found.intersection(self.inputs(name)):
                found.add(name)
        return self.in_order(found - set(roots))

    def between(
        self, roots: Collection[str], names: Collection[str], held: Collection[str] = ()
    ) -> list[str]:
        """Return what is made of some roots for the sake of some models, in order."""
        stale = set(self.descendants(roots, held))
        wanted = [name for name in names if name in stale]
        for name in wanted:
            wanted += stale.intersection(self.inputs(name)).difference(wanted)
        return self.in_order(set(wanted))


def read_models(connection: duckdb.DuckDBPyConnection, path: Path) -> Models:
    """Return the models of an open database.

    Raises InputError when the build left none: another version made it.
    """
    try:
        rows = connection.execute(f"select {', '.join(Model._fields)} from {TABLE}")
    except (duckdb.CatalogException, duckdb.BinderException) as error:
        refuse(
            str(path),
            f"table {TABLE}",
            expected="the statements that made the tables",
            found=str(error).splitlines()[0],
            fix="dbt build, all of it",
        )
    models = [Model(*row) for row in rows.fetchall()]
    return Models({model.model: model for model in models})


def read_excuses(connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """Return the models that the guard against lookahead passes over, with reasons."""
    rows = connection.execute(
        f"select model, excused from {TABLE} where excused is not null order by model"
    ).fetchall()
    return dict(rows)


def apply_settings(connection: duckdb.DuckDBPyConnection, model: Model) -> None:
    """Set what the session of the build had set, as far as it decides on results."""
    for name, value in model.settings.items():
        connection.execute(f"set {name} = '{value}'")


def statement(model: Model, sources: Mapping[str, str]) -> str:
    """Return the SQL of a model, in which relations stand for its sources.

    Raises InputError when one has none: the place of a source is none of a database.
    """
    sql = model.compiled_code or ""
    for name, text in model.sources.items():
        if name not in sources:
            refuse(
                f"model {model.model}",
                f"source {name}",
                expected="rows in its place",
                found="none",
                fix="put rows, or a query of the market's files",
            )
        sql = sql.replace(text, sources[name])
    return sql


def _made_by_python(connection: duckdb.DuckDBPyConnection, model: Model) -> Any:
    code: dict[str, Any] = {"__name__": model.model}
    exec(compile(model.compiled_code or "", f"{model.model}.py", "exec"), code)
    dbt = code["dbtObj"](lambda relation: connection.sql(f"from {relation}"))
    return code["model"](dbt, connection)


def create(
    connection: duckdb.DuckDBPyConnection,
    model: Model,
    sources: Mapping[str, str] | None = None,
) -> None:
    """Make the table of a model in the catalog that its name says.

    `sources` maps the sources that it reads to what stands for them in SQL. Code of
    Python models calls the installed package.
    """
    apply_settings(connection, model)
    if model.language == "python":
        put(connection, model.place(), _made_by_python(connection, model))
        return
    sql = statement(model, sources or {})
    connection.execute(f"create or replace table {model.place()} as {sql}")


def put(connection: duckdb.DuckDBPyConnection, place: Relation, rows: Any) -> None:
    """Make a table of rows: of Arrow, of pandas, or a relation of the connection."""
    if hasattr(rows, "to_reader"):
        # A reader, not the table: DuckDB would import pandas to look at a table.
        rows = rows.to_reader()
    connection.register("rows_to_put", rows)
    connection.execute(f"create or replace table {place} as from rows_to_put")
    connection.unregister("rows_to_put")


def put_models(
    connection: duckdb.DuckDBPyConnection, place: Relation, models: Iterable[Model]
) -> None:
    """Write models as `build_models` has them, in place of what stands there."""
    import pyarrow as pa

    pairs = pa.map_(pa.string(), pa.string())
    kinds = {
        "parents": pa.list_(pa.string()), "grain": pa.list_(pa.string()),
        "sources": pairs, "settings": pairs,
        "built_at": pa.timestamp("us", tz="UTC"),
        "settles_after": pa.int64(), "looks_back": pa.int64(),
    }  # fmt: skip
    rows = [
        model._asdict()
        | {"sources": list(model.sources.items())}
        | {"settings": list(model.settings.items())}
        for model in models
    ]
    schema = pa.schema([(name, kinds.get(name, pa.string())) for name in Model._fields])
    put(connection, place, pa.Table.from_pylist(rows, schema=schema))


def _meaning(text: str) -> bytes:
    """Return a text without its comments and its layout."""
    return COMMENT.sub(lambda found: found[1] or " ", text).strip().encode()


def macro_files(folder: Path) -> Iterator[Path]:
    """Yield the files of the macros of a project and its packages."""
    for macros in [folder / "macros", *folder.glob("dbt_packages/*/macros")]:
        yield from sorted(macros.rglob("*.sql"))


def macros_of(folder: Path) -> bytes:
    """Return a hash of the macros of a project and its packages, less comments."""
    digest = hashlib.sha256()
    for path in macro_files(folder):
        digest.update(_meaning(path.read_text()) + b"\0")
    return digest.digest()


def definition_of(text: str, macros: bytes) -> str:
    """Return a hash of what defines a model: its file and all macros, less comments."""
    return hashlib.sha256(_meaning(text) + macros).hexdigest()[:16]


def recorded(rows: str, folder: Path) -> str:
    """Return rows of `build_models`, JSON, with the definition in place of the file."""
    macros = macros_of(folder)
    records = json.loads(rows)
    for record in records:
        text = record.pop("raw_code")
        record["definition"] = definition_of(text, macros) if text else None
    return json.dumps(records)


def differing(folder: Path, models: Iterable[Model]) -> list[Model]:
    """Return the models that a project folder defines otherwise, or not at all."""
    macros = macros_of(folder)

    def text(path: Path) -> str:
        return path.read_text() if path.exists() else ""

    return [
        model
        for model in models
        if model.definition
        and definition_of(text(folder / model.file), macros) != model.definition
    ]
