"""Models planted in the statements of a build, which is not built again for them."""

import shutil
from collections.abc import Iterable
from pathlib import Path

import duckdb

from barsieve.database.functions import register
from barsieve.database.models import TABLE, create, put_models, read_models
from barsieve.proof.lookahead import prove
from barsieve.proof.verdicts import Finding
from conftest import PROJECT

HOME = '"barsieve"."main".'


class Planted:
    """A copy of a build with models of a user, or shipped ones that say otherwise."""

    def __init__(self, database: Path, folder: Path):
        self.path = folder / "barsieve.duckdb"
        shutil.copyfile(database, self.path)
        self.names: list[str] = []
        self.connection = duckdb.connect(str(self.path))
        register(self.connection)
        self.connection.execute("set timezone = 'UTC'")
        self.connection.execute(f"set file_search_path = '{PROJECT}'")
        self.models = read_models(self.connection, self.path)

    def add(self, name: str, layer: str, sql: str, **more) -> None:
        """Add a model; `{table}` in its SQL is a table that it reads."""
        parents = [parent for parent in self.models if f"{{{parent}}}" in sql]
        for parent in parents:
            sql = sql.replace(f"{{{parent}}}", HOME + parent)
        self.models[name] = self.models["features"]._replace(
            model=name, relation=HOME + name, layer=layer, parents=parents, sources={},
            grain=None, file=f"models/{layer}/{name}.sql", compiled_code=sql, **more,
        )  # fmt: skip
        self._make(name)

    def alter(self, name: str, old: str, new: str, **more) -> None:
        """Let a model say something else, and make its table anew."""
        code = self.models[name].compiled_code
        assert old in code, f"{name} no longer says: {old}"
        self.models[name] = self.models[name]._replace(
            compiled_code=code.replace(old, new, 1), **more
        )
        self._make(name)

    def _make(self, name: str) -> None:
        self.names.append(name)
        marks = "select comment from duckdb_tables() where table_name = ?"
        mark = self.connection.execute(marks, [name]).fetchone()
        create(self.connection, self.models[name], self.models[name].sources)
        if mark is not None and mark[0] is not None:
            # What was planted passes for what the build left.
            said = mark[0].replace("'", "''")
            self.connection.execute(f"comment on table {HOME}{name} is '{said}'")

    def keep(self) -> None:
        """Write the statements, and let go of the file."""
        place = self.models["features"].place()._replace(name=TABLE)
        put_models(self.connection, place, self.models.values())
        self.connection.close()

    def prove(self, n_cuts: int, names: Iterable[str] = ()) -> dict[str, list[Finding]]:
        """Prove what was planted; return the findings of each table."""
        found: dict[str, list[Finding]] = {}
        for row in prove(self.path, n_cuts, only=[*names, *self.names]):
            found.setdefault(row.table_name, []).append(row)
        return found


def ahead(found: list[Finding]) -> set[str]:
    """Return the columns that look ahead."""
    return {row.column_name for row in found if row.verdict == "looks_ahead"}
