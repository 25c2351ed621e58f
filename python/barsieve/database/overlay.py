"""Models run again beside a built database, without dbt: other settings, same SQL.

The models' files are the one definition. Here jinja renders them as dbt does, with
`ref` and the macros of the project, and DuckDB makes temporary tables of them; the
built file is opened read-only and stays as it is.
"""

import re
from functools import cached_property
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb
import pyarrow as pa

from barsieve.core.arrow import rows_of

# {{ ref('table') }} or {{ source('group', 'table') }}
REF = re.compile(r"""\bref\(\s*['"](\w+)['"]\s*\)""")
SOURCE = re.compile(r"""\bsource\(\s*['"](\w+)['"]\s*,\s*['"](\w+)['"]\s*\)""")
MACRO = re.compile(r"\bmacro\s+(\w+)\s*\(")
CALL = re.compile(r"\b(\w+)\s*\(")


def source_table(group: str, table: str) -> str:
    """Return the name under which rows can stand for a source."""
    return f"source_{group}_{table}"


class Models:
    """The SQL models of a project folder, by name."""

    def __init__(self, folder: Path):
        """Find the models below `folder`."""
        self.folder = folder
        self.paths = {path.stem: path for path in (folder / "models").rglob("*.sql")}
        self._parents: dict[str, set[str]] = {}

    @cached_property
    def _environment(self):
        from jinja2 import Environment, StrictUndefined

        do = "jinja2.ext.do"
        return Environment(undefined=StrictUndefined, extensions=[do])

    @cached_property
    def _macros(self) -> dict[str, str]:
        """The text that defines each macro, by the macro's name."""
        texts = [path.read_text() for path in sorted(self.folder.glob("macros/*.sql"))]
        return {name: text for text in texts for name in MACRO.findall(text)}

    def _with_macros(self, text: str) -> str:
        """Return a text after the macros that it calls, and those that they call."""
        needed = [text]
        for part in needed:
            for name in set(CALL.findall(part)) & set(self._macros):
                if self._macros[name] not in needed:
                    needed.append(self._macros[name])
        return "\n".join(needed[1:] + needed[:1])

    def parents(self, name: str) -> set[str]:
        """Return the tables that a model reads; none for what is no SQL model."""
        if name not in self._parents:
            text = self.paths[name].read_text() if name in self.paths else ""
            text = self._with_macros(text)
            sources = [source_table(*found) for found in SOURCE.findall(text)]
            self._parents[name] = {*REF.findall(text), *sources}
        return self._parents[name]

    def render(self, name: str, place) -> str:
        """Return the SQL of a model; `place(table)` names the tables it reads."""
        return self.expression(self.paths[name].read_text(), place)

    def expression(self, text: str, place=lambda table: table) -> str:
        """Return SQL in which the project's macros stand for what they are."""
        template = self._environment.from_string(self._with_macros(text))
        return template.render(
            ref=place,
            source=lambda group, table: place(source_table(group, table)),
            execute=True,
            run_query=self._answer,
        )

    def _answer(self, query: str):
        """Return what a macro asks the database for: the columns of settings."""
        from barsieve.database.plugin import _settings

        asked = re.fullmatch(r"select barsieve_settings\('(\w+)'\)", query)
        if asked is None:
            raise LookupError(f"no macro may ask the database for {query!r}")
        columns = [SimpleNamespace(values=lambda: [_settings(asked[1])])]
        return SimpleNamespace(columns=columns)


class Scratch:
    """A built database with some of its tables made again, in memory, for one reader.

    What is made here hides the built table of that name; whatever depends on it and is
    asked for through `make` is made again too.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection, folder: Path, path: Path):
        """Work beside the database of a connection, with the models of a project."""
        self.connection = connection
        self.path = path
        self.models = Models(folder)
        self._built = connection.execute("select current_database()").fetchall()[0][0]
        self._made: set[str] = set()

    def place(self, table: str) -> str:
        """Return the full name of a table: made here, else as built."""
        catalog = "temp" if table in self._made else f'"{self._built}"'
        return f"{catalog}.main.{table}"

    def has_made(self, table: str) -> bool:
        """Tell whether a table was made here."""
        return table in self._made

    def table(self, name: str) -> duckdb.DuckDBPyRelation:
        """Return a table, made here or as built."""
        return self.connection.sql(f"from {self.place(name)}")

    def rows(self, sql: str, *values: Any) -> list[dict[str, Any]]:
        """Return the rows of a query; `{table}` in it is the table's full name."""
        placed = re.sub(r"\{(\w+)\}", lambda found: self.place(found[1]), sql)
        return rows_of(self.connection.execute(placed, list(values)))

    def put(self, name: str, rows: pa.Table) -> None:
        """Let Arrow rows stand for a table; what was made of it before is forgotten."""
        # A reader, not the table: DuckDB would import pandas to look at a table.
        self.connection.register("rows_to_put", rows.to_reader())
        self._create(name, "from rows_to_put")
        self.connection.unregister("rows_to_put")
        self._made = {made for made in self._made if not self._descends(made, name)}

    def make(self, name: str) -> None:
        """Run a model here, after those of its ancestors that are not as built."""
        for parent in sorted(self.models.parents(name)):
            if parent not in self._made and self._is_outdated(parent):
                self.make(parent)
        self._create(name, self.models.render(name, self.place))

    def _create(self, name: str, sql: str) -> None:
        self.connection.execute(f"create or replace temp table {name} as {sql}")
        self._made.add(name)

    def _descends(self, name: str, ancestor: str) -> bool:
        parents = self.models.parents(name)
        return ancestor in parents or any(
            self._descends(parent, ancestor) for parent in parents
        )

    def _is_outdated(self, name: str) -> bool:
        parents = self.models.parents(name)
        return bool(parents & self._made) or any(map(self._is_outdated, parents))
