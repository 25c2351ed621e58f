"""The statements that a build left, run on other markets: a build in a second.

Everything is the project's own: the compiled models in their order, their Python, the
seeds. Only the folders of the sources are exchanged.
"""

import os
from collections.abc import Callable, Collection, Iterable
from pathlib import Path

import duckdb

from barsieve.core import schemas
from barsieve.database.functions import register
from barsieve.database.marks import read_marks
from barsieve.database.models import create, put, read_models
from conftest import PROJECT, Build

FINAL_LAYERS = ("sweep", "parity", "evaluation", "reports")
# The slow second answers, which tests ask by themselves.
ORACLES = ("parity_features", "parity_decisions")


class CompiledProject:
    """The models of a build, ready to run on a market folder.

    `mend(name, sql) -> sql` may alter a model, to see whether a test would notice.
    """

    def __init__(self, build: Build, mend: Callable[[str, str], str] | None = None):
        with build.connect() as connection:
            self.models = read_models(connection, build.database)
        for name, model in self.models.items():
            if mend and model.language == "sql":
                altered = mend(name, model.compiled_code)
                self.models[name] = model._replace(compiled_code=altered)
        self.build = build
        self.catalog = self.models["bars_1h"].place().catalog

    def connect(self) -> duckdb.DuckDBPyConnection:
        connection = duckdb.connect()
        register(connection)
        # What files say by themselves has tests of its own.
        connection.execute("create macro barsieve_market_findings() as '[]'")
        connection.execute("set timezone = 'UTC'")
        if "PYTEST_XDIST_WORKER" in os.environ:
            # Each of the test processes has a core.
            connection.execute("set threads = 1")
        return connection

    def order(self, without: Iterable[str] = FINAL_LAYERS) -> list[str]:
        """Return the models, parents first, without some layers."""
        left_out = {*without, "seed"}
        # Bars that parity reads too, without any sweep.
        bars = {"sweep_bars"} if "votes" not in left_out else set()
        return self.models.in_order(
            [
                name
                for name, model in self.models.items()
                if model.layer not in left_out or name in bars
            ]
        )

    def run(
        self,
        connection: duckdb.DuckDBPyConnection,
        market: Path,
        configs: Path = PROJECT / "configs",
        without: Iterable[str] = FINAL_LAYERS,
        seeds: Path = PROJECT / "seeds",
        at: str | Path = ":memory:",
        taken: Collection[str] = (),
    ) -> None:
        """Build the models of all but some layers in a fresh catalog.

        Tables that are `taken` are those of the build.
        """
        connection.execute("use memory")
        connection.execute(f"detach database if exists {self.catalog}")
        connection.execute(f"attach '{at}' as {self.catalog}")
        connection.execute(f"use {self.catalog}")
        for seed in sorted(seeds.glob("*.csv")):
            connection.execute(f"create table {seed.stem} as from read_csv('{seed}')")
        if "sweep" in without:
            # As in a build without the tag ml: nothing was learned.
            nothing = schemas.SWEEP_WALKS.empty_table()
            put(connection, self.models["sweep_walks"].place(), nothing)
            self.create(connection, "fusion_learned", market, configs)
        if taken:
            connection.execute(f"attach '{self.build.database}' as built (read_only)")
        for name in self.order(without):
            if name in taken:
                connection.execute(f"create table {name} as from built.main.{name}")
            else:
                self.create(connection, name, market, configs)

    def run_again(
        self,
        connection: duckdb.DuckDBPyConnection,
        changed: str,
        without: Iterable[str] = FINAL_LAYERS,
    ) -> None:
        """Build a model, and what follows from it, over the tables of the build."""
        connection.execute(f"attach '{self.build.database}' as built (read_only)")
        connection.execute(f"attach ':memory:' as {self.catalog}")
        connection.execute(f"use {self.catalog}")
        again = [changed, *self.models.descendants([changed])]
        for table in sorted(self.models.keys() - set(again)):
            connection.execute(f"create view {table} as from built.main.{table}")
        for name in again:
            if self.models[name].layer not in set(without):
                self.create(
                    connection, name, PROJECT / "data/demo", PROJECT / "configs"
                )

    def create(self, connection, name: str, market: Path, configs: Path) -> None:
        """Build one model from those that it refers to."""
        if name in ORACLES:
            return
        model = self.models[name]
        sources = {
            source: text.replace("'data/demo/", f"'{market}/").replace(
                "'configs/", f"'{configs}/"
            )
            for source, text in model.sources.items()
        }
        create(connection, model, sources)

    def keep_statements(self, connection) -> None:
        """Leave the statements beside what they made, as a build does."""
        connection.execute(f"attach '{self.build.database}' as source (read_only)")
        connection.execute("create table build_models as from source.build_models")
        connection.execute("use source")
        marks = read_marks(connection)
        connection.execute(f"use {self.catalog}")
        for name in read_marks(connection).keys() & marks.keys():
            comment = marks[name].as_comment().replace("'", "''")
            connection.execute(f"comment on table {name} is '{comment}'")
        connection.execute("detach source")

    def grain(self, name: str) -> list[str]:
        """Return the key columns of a model, as its YAML declares them."""
        return self.models[name].grain
