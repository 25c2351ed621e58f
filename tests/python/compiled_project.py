"""The SQL that dbt compiled, run on other markets in memory: a build in a second.

Everything is the project's own: the compiled models in their order, the seed, and the
package's replay. Only the folders in the `read_parquet` and `read_json_objects` calls
are exchanged.
"""

import json
import os
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

import duckdb
import numpy as np
import yaml

from barsieve.analysis.gates import screening_gates
from barsieve.analysis.trade_reasons import trade_reasons
from barsieve.core import schemas
from barsieve.learning.dataset import SweepTables
from barsieve.learning.tables import sweep_walks
from barsieve.metrics.performance_runs import performance_runs
from barsieve.regime import walk_forward
from barsieve.regime.tables import regime_runs
from barsieve.replay.runs import replay_profiles
from barsieve.sweep.tables import sweep_runs
from conftest import PROJECT, Build

FINAL_LAYERS = ("sweep", "parity", "evaluation", "reports")
PYTHON_MODELS = {
    "regime_runs": (
        regime_runs,
        ("config_profiles", "regime_observations", "regime_policy"),
    ),
    "sweep_runs": (
        partial(sweep_runs, grid="exhaustive"),
        ("config_profiles", "sweep_grids", "sweep_bars", "regimes"),
    ),
    "sweep_walks": (
        lambda profiles, *sweep: sweep_walks(profiles, SweepTables(*sweep)),
        ("config_profiles", *(f"sweep_{name}" for name in SweepTables._fields)),
    ),
    "replay_runs": (
        replay_profiles,
        ("config_profiles", "replay_bars", "candidates", "candidate_windows"),
    ),
    "evaluation_performance": (
        performance_runs,
        ("config_profiles", "equity", "trades", "replay_runs", "bars_1h"),
    ),
    "evaluation_gates": (screening_gates, ("evaluation_gate_counts",)),
    "trade_reasons": (trade_reasons, ("config_profiles", "trade_decisions")),
}


def _bytes(argument) -> object:
    if isinstance(argument, np.ndarray):
        return argument.shape, argument.tobytes()
    if isinstance(argument, tuple):
        return tuple(_bytes(part) for part in argument)
    return argument


def remembered(fitter: Callable) -> Callable:
    """Remember what a fit of the same bytes gave; truncated histories share most fits.

    A fit is a function of its arguments alone (test_regime.py has that as a test).
    """
    known: dict = {}

    def fit(*arguments):
        key = _bytes(arguments)
        if key not in known:
            known[key] = fitter(*arguments)
        return known[key]

    return fit


walk_forward.FITTERS.update(
    {name: remembered(fitter) for name, fitter in walk_forward.FITTERS.items()}
)


class CompiledProject:
    """The models of a build, ready to run on a market folder.

    `mend(name, sql) -> sql` may alter a model, to see whether a test would notice.
    """

    def __init__(self, build: Build, mend: Callable[[str, str], str] | None = None):
        manifest = json.loads((build.target / "manifest.json").read_text())
        self.database, self.catalog = build.database, build.database.stem
        self.nodes = {
            key: node
            for key, node in manifest["nodes"].items()
            if node["resource_type"] == "model"
        }
        self.python_models = dict(PYTHON_MODELS)
        self.mend = mend or (lambda name, sql: sql)
        profiles = yaml.safe_load((PROJECT / "profiles.yml").read_text())
        self.settings = profiles["barsieve"]["outputs"]["local"]["settings"]

    def connect(self) -> duckdb.DuckDBPyConnection:
        connection = duckdb.connect()
        # What files say by themselves has tests of its own.
        connection.create_function(
            "barsieve_market_findings", lambda: "[]", [], "VARCHAR", side_effects=True
        )
        for name, value in self.settings.items():
            connection.execute(f"set {name} = '{value}'")
        if "PYTEST_XDIST_WORKER" in os.environ:
            # Each of the test processes has a core.
            connection.execute("set threads = 1")
        return connection

    def order(self, without: Iterable[str] = FINAL_LAYERS) -> list[str]:
        """Return the keys of the models, parents first, without some layers."""
        left = {k: n for k, n in self.nodes.items() if n["fqn"][1] not in set(without)}
        done: list[str] = []
        while left:
            ready = [
                key
                for key, node in left.items()
                if not set(node["depends_on"]["nodes"]) & set(left)
            ]
            assert ready, "the models depend on each other in a circle"
            done += sorted(ready)
            for key in ready:
                del left[key]
        return done

    def run(
        self,
        connection: duckdb.DuckDBPyConnection,
        market: Path,
        configs: Path = PROJECT / "configs",
        without: Iterable[str] = FINAL_LAYERS,
        seeds: Path = PROJECT / "seeds",
    ) -> None:
        """Build the models of all but some layers in a fresh catalog."""
        connection.execute("use memory")
        connection.execute(f"detach database if exists {self.catalog}")
        connection.execute(f"attach ':memory:' as {self.catalog}")
        connection.execute(f"use {self.catalog}")
        for seed in sorted(seeds.glob("*.csv")):
            connection.execute(f"create table {seed.stem} as from read_csv('{seed}')")
        if "sweep" in without:
            # As in a build without the tag ml: nothing was learned.
            nothing = schemas.SWEEP_WALKS.empty_table()
            connection.register("nothing", nothing)
            connection.execute("create table sweep_walks as from nothing")
        for key in self.order(without):
            self.create(connection, self.nodes[key]["name"], market, configs)

    def run_again(
        self,
        connection: duckdb.DuckDBPyConnection,
        name: str,
        without: Iterable[str] = FINAL_LAYERS,
    ) -> None:
        """Build a model, and what follows from it, over the tables of the build."""
        connection.execute(f"attach '{self.database}' as built (read_only)")
        connection.execute(f"attach ':memory:' as {self.catalog}")
        connection.execute(f"use {self.catalog}")
        again: list[str] = []
        for key in self.order(()):
            node = self.nodes[key]
            if node["name"] == name or set(node["depends_on"]["nodes"]) & set(again):
                again.append(key)
        kept = {node["name"] for key, node in self.nodes.items() if key not in again}
        kept |= {seed.stem for seed in (PROJECT / "seeds").glob("*.csv")}
        for table in sorted(kept):
            connection.execute(f"create view {table} as from built.main.{table}")
        for key in again:
            if self.nodes[key]["fqn"][1] not in set(without):
                self.create(
                    connection,
                    self.nodes[key]["name"],
                    PROJECT / "data/demo",
                    PROJECT / "configs",
                )

    def create(self, connection, name: str, market: Path, configs: Path) -> None:
        """Build one model from those that it refers to."""
        node = next(n for n in self.nodes.values() if n["name"] == name)
        if name in ("parity_features", "parity_decisions"):
            return
        if node["language"] == "python":
            function, parents = self.python_models[name]
            table = function(*(connection.table(parent) for parent in parents))
            connection.register("made", table)
            connection.execute(f"create table {name} as from made")
            connection.unregister("made")
            return
        sql = self.mend(name, node["compiled_code"])
        sql = sql.replace("'data/demo/", f"'{market}/").replace(
            "'configs/", f"'{configs}/"
        )
        kind = node["config"]["materialized"]
        connection.execute(f"create or replace {kind} {name} as {sql}")

    def grain(self, name: str) -> list[str]:
        """Return the key columns of a model, as its YAML declares them."""
        node = next(n for n in self.nodes.values() if n["name"] == name)
        return node["config"]["meta"]["grain"]
