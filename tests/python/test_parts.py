"""A build by parts: the values of a plain build, whatever failed on the way to it."""

import json
import re
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import duckdb
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

import barsieve as bs
from barsieve.cli import app
from barsieve.core import paths
from barsieve.core.errors import InputError
from barsieve.database import models
from barsieve.database.connect import open_database
from barsieve.live.advance import advance
from barsieve.market.simulation import simulate, write_market
from barsieve.parts import parity
from barsieve.parts import task as tasks
from barsieve.parts.driver import Made, PartsFailedError, build_by_parts
from barsieve.parts.engine import Answer, InProcess
from barsieve.parts.processes import Processes
from barsieve.parts.store import Store
from compared_builds import differences
from conftest import PROJECT, run_dbt

pytestmark = pytest.mark.slow

ARGUMENTS = ("--exclude", "tag:ml", "--threads", "1")
SYMBOLS = ("BTC", "ETH", "SIM03")
LOST = "ETH"


def silent(event) -> None:
    """Listen to a build and say nothing."""


class FailingFor(InProcess):
    """An engine in whose process the statements of one symbol fail."""

    def __init__(self, symbol: str):
        self.symbol, self.asked = symbol, []

    def run(self, asked: Sequence[str], memory: int) -> Iterator[Answer]:
        run = tasks._run

        def fails(connection, task, step, folder):
            self.asked.append(task.symbol)
            if task.symbol == self.symbol and step.model.model == "features":
                raise ValueError("no such thing as a volume")
            run(connection, task, step, folder)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(tasks, "_run", fails)
            yield from super().run(asked, memory)


def write_three_symbols(folder: Path) -> None:
    """Write a market of three symbols, one of which ends early, and its profiles."""
    write_market(simulate(7, 3_000, SYMBOLS), folder / "market")
    bars = folder / "market/bars/SIM03.parquet"
    rows = pq.read_table(bars)
    pq.write_table(rows.slice(0, rows.num_rows - 400), bars)
    configs = folder / "configs"
    shutil.copytree(PROJECT / "configs/shared", configs / "shared")
    for name in ("eth_comprehensive", "eth_sized"):
        shutil.copy(PROJECT / f"configs/{name}.json", configs)
    for name, wallet in (
        ("pair", {"kind": "shared", "max_positions": 1}),
        ("apart", {"kind": "separate"}),
    ):
        profile = {
            "profile": name,
            "extends": "eth_comprehensive",
            "symbols": ["*"],
            "wallet": wallet,
        }
        (configs / f"{name}.json").write_text(json.dumps(profile))


class Three(NamedTuple):
    """Three symbols built in one piece and by parts, which failed once before."""

    folder: Path
    plain: Path
    parts: Path
    failure: PartsFailedError
    made: Made


def located(patch: pytest.MonkeyPatch, folder: Path) -> None:
    """Let builds of this process be of a folder."""
    for variable, name in (
        (paths.MARKET, "market"),
        (paths.CONFIGS, "configs"),
        (paths.DATABASE, "parts/barsieve.duckdb"),
        ("DBT_TARGET_PATH", "target"),
        ("DBT_LOG_PATH", "logs"),
    ):
        patch.setenv(variable, str(folder / name))
    patch.chdir(PROJECT)


@pytest.fixture(scope="module")
def three(shared) -> Iterator[Three]:
    folder = shared / "three"
    folder.mkdir()
    write_three_symbols(folder)
    build = run_dbt(
        "build", *ARGUMENTS, folder=folder,
        BARSIEVE_MARKET=folder / "market", BARSIEVE_CONFIGS=folder / "configs",
    )  # fmt: skip
    assert build.exit_code == 0, build.output[-3000:]
    (folder / "parts").mkdir()
    with pytest.MonkeyPatch.context() as patch:
        located(patch, folder)
        with pytest.raises(PartsFailedError) as failure:
            build_by_parts(ARGUMENTS, FailingFor(LOST), silent)
        assert not (folder / "parts/barsieve.duckdb").exists()
        made = build_by_parts(ARGUMENTS, Processes(2), silent)
        database = made.result.database
        yield Three(folder, build.database, database, failure.value, made)


def test_every_table_has_the_values_of_a_plain_build(three):
    assert three.made.result.exit_code == 0
    found, n_values = differences(three.plain, three.parts)
    assert found == {}
    assert n_values > 3_000_000


def test_long_tables_are_views_and_say_what_they_hold(three):
    with duckdb.connect(str(three.parts), read_only=True) as connection:
        views = dict(
            connection.execute(
                "select view_name, comment from duckdb_views()"
            ).fetchall()
        )
    with duckdb.connect(str(three.plain), read_only=True) as connection:
        described = dict(
            connection.execute(
                "select table_name, comment from duckdb_tables() union all "
                "select view_name, comment from duckdb_views() where not internal"
            ).fetchall()
        )
    for name in ("features", "scores", "fusion_scores", "replay_equity", "trades"):
        assert views[name].rpartition("\n")[0] == described[name].rpartition("\n")[0]


def test_a_failure_names_symbol_node_and_cause_and_is_no_ones_else(three):
    (line,) = three.failure.told
    node = tasks.node_name()
    assert line.startswith(f"symbol {LOST}, node {node}: features: no such thing as a")
    assert "1 of 3 symbols failed" in three.failure.summary
    key = line.partition("(log: ")[2].rstrip(")")
    said = json.loads((Path(three.made.store) / key).read_text())
    assert "Traceback" in said["log"]


def test_the_same_command_goes_on_where_it_ended(three):
    assert three.made.reused == 2
    assert {said["symbol"] for said in three.made.parts} == {*SYMBOLS, tasks.WALLETS}


def test_parity_parts_has_a_row_for_each_part_and_table(three):
    with duckdb.connect(str(three.parts), read_only=True) as connection:
        rows = connection.execute(
            "select symbol, verdict, count(*) from parity_parts group by all"
        ).fetchall()
    verdicts = {(symbol, verdict) for symbol, verdict, _ in rows}
    assert verdicts == {
        ("BTC", "identical"),
        ("ETH", "identical"),
        ("SIM03", "not_compared"),
        (tasks.WALLETS, "not_compared"),
    }


@pytest.fixture
def store(three, tmp_path) -> Store:
    """A copy of the store, to spoil."""
    shutil.copytree(three.made.store, tmp_path / "store")
    return Store(tmp_path / "store")


def of_features(three, store: Store) -> tasks.Task:
    task = next(t for t in three.made.tasks if t.symbol == "BTC" and t.level == 1)
    return task._replace(store=store.location)


def test_an_edited_part_is_not_believed(three, store):
    task = of_features(three, store)
    assert tasks.believed(store, task)
    path = store.local(task.file("features"))
    with duckdb.connect() as connection:
        connection.execute(
            f"copy (select * replace (close * 1.0000001 as close) from '{path}') "
            f"to '{path}.new' (format parquet)"
        )
    Path(f"{path}.new").replace(path)
    assert tasks.believed(store, task) is None


def test_a_part_without_one_of_its_files_is_not_believed(three, store):
    task = of_features(three, store)
    store.drop(task.file("scores"))
    assert tasks.believed(store, task) is None


def test_a_part_of_other_inputs_is_not_believed(three, store):
    task = of_features(three, store)
    assert tasks.believed(store, task._replace(key="another")) is None


def test_values_made_without_the_window_mode_are_seen(three, store, tmp_path):
    task = of_features(three, store)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(models, "apply_settings", lambda connection, model: None)
        said = tasks.make(task)
    rows = parity.compare({"BTC": task}, {"BTC": said}, tmp_path / "again")
    differing = [row for row in rows if row.verdict == parity.DIFFERS]
    assert "features" in {row.table_name for row in differing}
    assert "symbol BTC, table features, node" in parity.told(
        next(row for row in differing if row.table_name == "features")
    )


@pytest.mark.parametrize("what", ["code", "fingerprint"])
def test_a_node_of_another_kind_is_refused_by_name(three, store, what):
    task = of_features(three, store)._replace(**{what: "another"})
    said = json.loads(tasks.work(task.as_json()))
    assert said["failed"].startswith(f"node {tasks.node_name()}: expected ")


COMMANDS = (
    "show apart", "show pair", "compare pair apart",
    "replay --profile apart --set exits.stop_atr=2.5",
    "replay --profile pair --set entry.entry_threshold=0.6",
    "explain 1 --profile apart --symbol BTC", "signal --profile pair",
    "thresholds 0.55 0.6 --profile apart", "sweep --grid sobol --symbol BTC --n 20",
)  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS)
def test_what_reads_a_build_reads_one_by_parts(three, command):
    results = []
    for database in (three.plain, three.parts):
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv(paths.DATABASE, str(database))
            results.append(CliRunner().invoke(app, command.split()))
    plain, parts = (result.output for result in results)
    assert results[0].exit_code == results[1].exit_code, parts
    assert results[0].exit_code in (0, 1), parts
    told = parts.replace(str(three.parts), str(three.plain))
    assert re.sub(r"[\d.]+ s\b", "s", told) == re.sub(r"[\d.]+ s\b", "s", plain)


def test_python_reads_a_build_by_parts(three):
    runs = [
        bs.open(database).replay("apart", set={"exits.stop_atr": 2.5})
        for database in (three.plain, three.parts)
    ]
    assert runs[0].trades.equals(runs[1].trades)
    assert len(runs[0].trades)


def test_no_row_of_a_build_by_parts_knows_its_future(three):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(paths.DATABASE, str(three.parts))
        done = CliRunner().invoke(app, ["prove", "--cuts", "1"])
    assert done.exit_code == 0, done.output


def test_an_advance_says_that_there_are_no_tables_to_add_to(three):
    with pytest.raises(InputError, match="views of the parts of a build"):
        advance(three.parts, three.folder / "market")


def test_a_database_whose_parts_are_gone_says_so(three):
    store = Path(three.made.store)
    gone = store.rename(store.with_name("moved"))
    try:
        with pytest.raises(InputError, match="its long tables: expected their parts"):
            open_database(three.parts)
    finally:
        gone.rename(store)
