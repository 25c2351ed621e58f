"""Models run again beside a built database, without dbt: other rows, same statements.

The statements are those that the build left (`build_models`). They name their relations
in full, in the catalog that the build wrote; here that is a catalog in memory. It holds
what is put or made, and else views of the built file, which is opened read-only and
stays as it is. So no statement is rewritten, and every one reads what stands there.
"""

import re
from collections.abc import Collection
from pathlib import Path
from typing import Any

import duckdb

from barsieve.core.arrow import rows_of
from barsieve.core.errors import InputError, refuse
from barsieve.database.connect import close_stale_table
from barsieve.database.functions import register
from barsieve.database.marks import disagreements, read_marks, stale_tables
from barsieve.database.models import Model, Relation, create, put, read_models

TABLE = re.compile(r"\{(\w+)\}")


class Scratch:
    """A built database with some of its tables made again, in memory, for one reader.

    What is put or made here hides the built table of that name; whatever depends on it
    and is asked for through `make` is made again too. `held` are the tables that stay
    as built whatever they are made of, unless `make` names them.
    """

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        path: Path,
        held: Collection[str] | None = None,
    ):
        """Work beside the database of a connection; hold what Python models made.

        Raises InputError when the build left no statements.
        """
        self.connection = connection
        self.path = path
        self.models = read_models(connection, path)
        python = [m.model for m in self.models.values() if m.language == "python"]
        self.held = set(python if held is None else held)
        self._built = connection.execute("select current_database()").fetchall()[0][0]
        self._marks = read_marks(connection)
        self._made: set[str] = set()
        self._sources: dict[str, str] = {}
        self._shown: set[Relation] = set()
        self._has_functions = False
        for catalog in {model.place().catalog for model in self.models.values()}:
            connection.execute(f"attach ':memory:' as \"{catalog}\"")

    def has_made(self, table: str) -> bool:
        """Tell whether a table was put or made here."""
        return table in self._made

    def table(self, name: str) -> duckdb.DuckDBPyRelation:
        """Return a table, made here or as built."""
        return self.connection.table(name)

    def rows(self, sql: str, *values: Any) -> list[dict[str, Any]]:
        """Return the rows of a query; `{table}` in it is a table, here or as built."""
        return rows_of(self.connection.execute(TABLE.sub(r'"\1"', sql), list(values)))

    def put(self, name: str, rows: Any) -> None:
        """Let rows stand for a table or, by its dotted name, for a source.

        Rows are of Arrow or pandas, or a relation. What was made of the table before is
        forgotten.
        """
        place = self._place(name)
        self._clear(place)
        put(self.connection, place, rows)
        if "." in name:
            self._sources[name] = str(place)
        else:
            self._hide_built(name)
        for made in self._made.intersection(self.models.descendants([name], self.held)):
            self._forget(made)

    def make(self, *names: str) -> None:
        """Run models here, after those that they need and that are not as built.

        Raises InputError where a statement is not the one that made its table.
        """
        for name in self.needed(names):
            self._run(self._model(name))

    def needed(self, names: Collection[str], roots: Collection[str] = ()) -> list[str]:
        """Return the models that `make` runs, if `roots` were put as well."""
        changed = self._made.union(self._sources, roots).difference(names)
        between = self.models.between(changed, names, self.held.difference(names))
        return self.models.in_order({*between, *names})

    def _model(self, name: str) -> Model:
        """Return a model; refuse where the last build left its statement out."""
        if name in self.models:
            return self.models[name]
        refuse(
            str(self.path),
            f"model {name}",
            expected="its statement in build_models",
            found="none: a build under another name of the file, or of a part",
            fix="dbt build, all of it",
        )

    def _run(self, model: Model) -> None:
        self._refuse_another(model)
        for parent in model.parents:
            self._show(parent)
        self._clear(model.place())
        if "barsieve_" in (model.compiled_code or "") and not self._has_functions:
            register(self.connection)
            self._has_functions = True
        create(self.connection, model, self._sources)
        self._hide_built(model.model)

    def _refuse_another(self, model: Model) -> None:
        """Refuse a statement that is not the one that made the table as built."""
        mark = self._marks.get(model.model)
        if mark and not mark.is_of(model.built_at):
            refuse(
                str(self.path),
                f"table {model.model}",
                expected=f"one made by what build_models has, on {model.built_at}",
                found=f"one made on {mark.built_at[:19]}",
                fix="dbt build, all of it",
            )

    def _place(self, name: str) -> Relation:
        """Return where statements look for a table."""
        if name in self.models:
            return self.models[name].place()
        home = next(iter(self.models.values())).place()
        return home._replace(name=name)

    def _show(self, name: str) -> None:
        """Let statements find a table that is as built."""
        place = self._place(name)
        if name in self._made or place in self._shown:
            return
        if problems := disagreements(self.path, self._marks, [name]):
            raise InputError(problems)
        self._clear(place)
        built = place._replace(catalog=self._built)
        self.connection.execute(f"create view {place} as from {built}")
        self._shown.add(place)

    def _clear(self, place: Relation) -> None:
        """Make room for a table: its schema, and no view in its place."""
        self.connection.execute(
            f'create schema if not exists "{place.catalog}"."{place.schema}"'
        )
        if place in self._shown:
            self.connection.execute(f"drop view {place}")
            self._shown.remove(place)

    def _hide_built(self, name: str) -> None:
        """Let plain names mean what is here: DuckDB finds a temporary view first."""
        self.connection.execute(
            f'create or replace temp view "{name}" as from {self._place(name)}'
        )
        self._made.add(name)

    def _forget(self, name: str) -> None:
        self.connection.execute(f'drop view temp.main."{name}"')
        self.connection.execute(f"drop table {self._place(name)}")
        self._made.remove(name)
        if name in stale_tables(self._marks):
            close_stale_table(self.connection, name)
