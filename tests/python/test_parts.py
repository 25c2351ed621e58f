"""A build by parts: the values of a plain build, whatever failed on the way to it."""

import json
import os
import random
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import duckdb
import psutil
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
from barsieve.parts import store as stores
from barsieve.parts import task as tasks
from barsieve.parts.digests import fingerprint
from barsieve.parts.driver import Made, PartsFailedError, build_by_parts
from barsieve.parts.engine import Answer, InProcess
from barsieve.parts.engines import engine_of
from barsieve.parts.processes import Processes
from barsieve.parts.progress import Progress
from barsieve.parts.store import STORE, Store, open_store
from compared_builds import differences
from conftest import PROJECT, run_dbt
from ray_nodes import Nodes

pytestmark = pytest.mark.slow

ARGUMENTS = ("--exclude", "tag:ml", "--threads", "1")
SYMBOLS = ("BTC", "ETH", "SIM03")
LOST = "ETH"


def free_port() -> int:
    """Return a port that nobody has, beyond those of Ray's workers."""
    for port in range(20_100, 30_000):
        with socket.socket() as found:
            if found.connect_ex(("127.0.0.2", port)) != 0:
                return port
    raise AssertionError("no port")


def skip_without_ray() -> None:
    """Skip where there is no Ray; it reads the mode of its login as it is imported."""
    if find_spec("ray") is None:
        pytest.skip("Ray is not installed: the extra cluster")


def silent(event) -> None:
    """Listen to a build and say nothing."""


class FailingFor(InProcess):
    """An engine in whose process the statements of one symbol fail."""

    def __init__(self, symbol: str):
        self.symbol, self.asked = symbol, []

    def run(self, asked: Sequence[str], memory: int) -> Iterator[Answer]:
        run = tasks._run

        def fails(connection, task, step, bars):
            self.asked.append(task.symbol)
            if task.symbol == self.symbol and step.model.model == "features":
                raise ValueError("no such thing as a volume")
            run(connection, task, step, bars)

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
    """Three symbols built in one piece and by parts, which failed once before.

    `untouched`: a copy of `plain`, which sweeps and proofs add to.
    """

    folder: Path
    untouched: Path
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
        untouched = folder / "untouched.duckdb"
        shutil.copy(build.database, untouched)
        yield Three(folder, untouched, build.database, database, failure.value, made)


def test_every_table_has_the_values_of_a_plain_build(three):
    assert three.made.result.exit_code == 0
    found, n_values = differences(three.untouched, three.parts)
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


@pytest.fixture(scope="module")
def nodes(shared) -> Iterator[Nodes]:
    skip_without_ray()
    folder = shared / "nodes"
    folder.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        running = Nodes(folder, free_port())
        for name, value in running.environment.items():
            if name.startswith("RAY_"):
                patch.setenv(name, value)
        try:
            yield running
        finally:
            running.close()


class Killing:
    """A listener that kills workers, and then a node, while parts are made."""

    def __init__(self, nodes: Nodes):
        self.nodes, self.killed = nodes, []

    def __call__(self, event) -> None:
        if not isinstance(event, Progress) or event.done == event.total:
            return
        if event.level == 1:
            for process in self.nodes.workers():
                process.kill()
                self.killed.append("worker")
        elif "node" not in self.killed:
            self.nodes.kill("two")
            self.killed.append("node")


def test_a_cluster_makes_the_same_values_whatever_is_killed(three, nodes):
    folder = three.folder / "cluster"
    folder.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        located(patch, three.folder)
        patch.setenv(paths.DATABASE, str(folder / "barsieve.duckdb"))
        patch.setenv(STORE, str(folder / "store"))
        killing = Killing(nodes)
        with engine_of(f"ray:{nodes.address}") as engine:
            nodes.wait_for(2)
            made = build_by_parts(ARGUMENTS, engine, killing)
    assert {"worker", "node"} <= set(killing.killed)
    assert made.retried >= 1
    # All that the other node had begun may have been lost with it.
    assert "one" in {part["node"] for part in made.parts}
    found, n_values = differences(three.untouched, made.result.database)
    assert found == {}
    assert n_values > 3_000_000


def test_a_node_whose_processor_rounds_otherwise_is_refused(three, nodes, store):
    nodes.running.pop("two", None)
    nodes.start_other(GLIBC_TUNABLES="glibc.cpu.hwcaps=-AVX2,-FMA")
    task = of_features(three, store)
    asked = [task._replace(symbol=name).as_json() for name in SYMBOLS] * 2
    with engine_of(f"ray:{nodes.address}") as engine:
        nodes.wait_for(2)
        said = [json.loads(answer.said) for answer in engine.run(asked, 1_000_000)]
    refused = [one["failed"] for one in said if one["node"] == "two"]
    if fingerprint_of(GLIBC_TUNABLES="glibc.cpu.hwcaps=-AVX2,-FMA") == fingerprint():
        pytest.skip("this processor, or its C library, rounds the same without FMA")
    assert refused
    for line in refused:
        assert line.startswith("node two: expected a processor that rounds as")
    assert all("failed" not in one for one in said if one["node"] == "one")
    nodes.kill("two")


def asked_of(database: Path, *command: str):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(paths.DATABASE, str(database))
        done = CliRunner().invoke(app, list(command))
    assert done.exit_code == 0, done.output
    return done


def test_a_sweep_on_a_cluster_has_the_results_of_one_here(three, nodes):
    sweep = ("sweep", "--grid", "sobol", "--n", "24", "--json", "--chunk", "5")
    here = json.loads(asked_of(three.plain, *sweep).stdout)
    on = ("--on", f"ray:{nodes.address}")
    there = json.loads(asked_of(three.parts, *sweep, *on).stdout)
    assert there["configs_run"] == here["configs_run"] > 24
    assert there["summary"] == here["summary"]
    rows = "sweep_results where grid = 'sobol'"
    with duckdb.connect() as connection:
        for name, path in (("one", three.plain), ("other", three.parts)):
            connection.execute(f"attach '{path}' as {name} (read_only)")
        for one, other in (("one", "other"), ("other", "one")):
            differing = connection.execute(
                f"select count(*) from "
                f"(from {one}.{rows} except all from {other}.{rows})"
            )
            assert differing.fetchall() == [(0,)]


def test_a_proof_on_a_cluster_finds_what_one_here_finds(three, nodes):
    prove = ("prove", "--cuts", "2", "--json")
    here = json.loads(asked_of(three.plain, *prove).stdout)
    on = ("--on", f"ray:{nodes.address}")
    there = json.loads(asked_of(three.parts, *prove, *on).stdout)
    assert there["findings"] == here["findings"]
    assert there["lookahead"] == here["lookahead"]


def fingerprint_of(**variables: str) -> str:
    code = "from barsieve.parts.digests import fingerprint; print(fingerprint())"
    return subprocess.run(
        [sys.executable, "-c", code], env=os.environ | variables,
        capture_output=True, text=True, check=True,
    ).stdout.strip()  # fmt: skip


def test_a_cluster_without_a_token_is_not_joined(monkeypatch):
    skip_without_ray()
    for name in ("RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("barsieve.parts.ray.HOME_TOKEN", Path("/nowhere"))
    with (
        pytest.raises(InputError, match="the file of the cluster's token"),
        engine_of("ray:127.0.0.2:6379"),
    ):
        pass


def test_without_the_extra_there_is_a_sentence(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    done = CliRunner().invoke(app, ["build", "--on", "ray"])
    assert done.exit_code == 1
    assert "pip install 'barsieve[cluster]'" in done.output


def test_another_engine_is_refused():
    done = CliRunner().invoke(app, ["build", "--on", "spark"])
    assert done.exit_code == 1
    assert "expected ray, or ray:HOST:PORT" in done.output


def test_a_full_disk_names_the_node_and_leaves_no_part(three, store):
    task = of_features(three, store)
    code = (
        "import resource, signal, sys; from barsieve.parts.task import work; "
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN); "
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000)); "
        "print(work(sys.argv[1]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, task.as_json()],
        env=os.environ | {tasks.NODE: "small"}, capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    said = json.loads(done.stdout)
    assert said["node"] == "small"
    assert "failed" in said
    assert tasks.believed(store, task) is None


class Troubled:
    """A store of objects that is slow, and says no to every third request."""

    def __init__(self, files, error: Exception):
        self.files, self.error, self.n_asked = files, error, 0

    def __getattr__(self, name: str):
        ask = getattr(self.files, name)

        def troubled(*given, **named):
            self.n_asked += 1
            time.sleep(0.01)
            if self.n_asked % 3 == 0:
                raise self.error
            return ask(*given, **named)

        return troubled


@pytest.fixture
def objects(three, tmp_path, monkeypatch):
    """The statements and tables of the build, in an object store in memory."""
    pytest.importorskip("fsspec", reason="fsspec is not installed: the extra cluster")
    monkeypatch.setattr(stores, "WAITS", (0.0, 0.0, 0.0))
    remote = open_store(f"memory://{tmp_path.name}", tmp_path / "cache")
    put_inputs(three, remote, tmp_path)
    return remote


def put_inputs(three, remote: Store, folder: Path) -> None:
    """Bring what a task reads into another store."""
    local = Store(three.made.store)
    task = next(t for t in three.made.tasks if t.symbol == "BTC" and t.level == 1)
    for key in (task.steps, task.given):
        shutil.copyfile(local.local(key), folder / "copy")
        remote.put(folder / "copy", key)
    shutil.copyfile(task.bars, folder / "copy")
    remote.put(folder / "copy", f"{task.build}/bars/BTC.parquet")


def in_objects(three, remote: Store) -> tasks.Task:
    task = next(t for t in three.made.tasks if t.symbol == "BTC" and t.level == 1)
    return task._replace(store=remote.location, bars=f"{task.build}/bars/BTC.parquet")


def digests(said: dict) -> dict[str, str]:
    return {name: about["digest"] for name, about in said["tables"].items()}


def of_build(three) -> dict[str, str]:
    return digests(
        next(p for p in three.made.parts if p["symbol"] == "BTC" and p["level"] == 1)
    )


def test_an_object_store_holds_the_same_values(three, objects):
    task = in_objects(three, objects)
    said = json.loads(tasks.work(task.as_json()))
    assert digests(said) == of_build(three)
    assert tasks.believed(objects, task)
    assert objects.folders() == [task.build]


def test_a_store_that_is_slow_and_errs_is_asked_again(three, objects, monkeypatch):
    task = in_objects(three, objects)
    found = stores.ObjectStore.__init__

    def troubled(self, location, cache):
        found(self, location, cache)
        self.files = Troubled(self.files, OSError("503 slow down"))

    monkeypatch.setattr(stores.ObjectStore, "__init__", troubled)
    assert digests(json.loads(tasks.work(task.as_json()))) == of_build(three)


def test_a_store_that_is_gone_is_named(three, objects, monkeypatch):
    task = in_objects(three, objects)

    def says_no(self, *given, **named):
        raise OSError("connection refused")

    monkeypatch.setattr(type(objects.files), "put_file", says_no)
    said = json.loads(tasks.work(task.as_json()))
    assert f"the store {objects.location} failed 4 times" in said["failed"]
    assert "connection refused" in said["failed"]
    assert not objects.has(task.done)


def test_an_s3_server_holds_the_same_values(three, tmp_path, monkeypatch):
    pytest.importorskip("s3fs", reason="s3fs is not installed: the extra cluster")
    server = pytest.importorskip("moto.server", reason="moto is not installed")
    running = server.ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    running.start()
    try:
        address = "http://{}:{}".format(*running.get_host_and_port())
        for name, value in (
            ("AWS_ENDPOINT_URL", address), ("AWS_ACCESS_KEY_ID", "key"),
            ("AWS_SECRET_ACCESS_KEY", "key"), ("AWS_DEFAULT_REGION", "us-east-1"),
        ):  # fmt: skip
            monkeypatch.setenv(name, value)
        remote = open_store("s3://parts/of", tmp_path / "cache")
        remote.files.mkdir("parts")
        put_inputs(three, remote, tmp_path)
        task = in_objects(three, remote)
        said = json.loads(tasks.work(task.as_json()))
        assert digests(said) == of_build(three)
        assert tasks.believed(remote, task)
        remote.drop_folder(task.build)
        assert remote.folders() == []
    finally:
        running.stop()


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
    seconds = re.compile(r"[\d.,]+ s\b|[\d.,]+/s\b")
    assert seconds.sub("s", told) == seconds.sub("s", plain)


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


def run_build(three, folder: Path, *options: str) -> subprocess.Popen:
    """Start a build by parts of the three symbols, as a user would."""
    environment = {k: v for k, v in os.environ.items() if "BARSIEVE" not in k} | {
        paths.MARKET: str(three.folder / "market"),
        paths.CONFIGS: str(three.folder / "configs"),
        paths.DATABASE: str(folder / "barsieve.duckdb"),
        "DBT_TARGET_PATH": str(three.folder / "target"),
        "DBT_LOG_PATH": str(folder / "logs"),
    }
    return subprocess.Popen(
        [
            sys.executable, "-m", "barsieve", "build", "--no-prove", *options,
            *ARGUMENTS,
        ],
        cwd=PROJECT, env=environment,
        stdout=(folder / "out").open("a"), stderr=subprocess.STDOUT,
    )  # fmt: skip


def kill_one(build: subprocess.Popen, rng: random.Random) -> str | None:
    """Kill the driver, dbt or a worker of a build, at random; tell which."""
    try:
        driver = psutil.Process(build.pid)
        others = driver.children(recursive=True)
        chosen = rng.choice([driver, *others])
        told = "driver" if chosen.pid == build.pid else chosen.name()
        chosen.kill()
    except psutil.NoSuchProcess:
        return None
    return told


@pytest.mark.proofs
@pytest.mark.parametrize("seed", range(int(os.environ.get("KILL_SEEDS", "3"))))
@pytest.mark.parametrize("options", [("--by-symbol", "--jobs", "2"), ("--on", "ray")])
def test_random_kills_end_in_the_same_values(three, tmp_path, seed, options):
    if "ray" in options:
        skip_without_ray()
    rng, kills, attempts = random.Random(seed), [], 0
    while True:
        attempts += 1
        build = run_build(three, tmp_path, *options)
        if attempts <= 4:
            time.sleep(rng.uniform(2, 45))
            if build.poll() is None and (told := kill_one(build, rng)):
                kills.append(told)
        code = build.wait()
        if code == 0:
            break
        assert attempts <= 5, (tmp_path / "out").read_text()[-3000:]
        assert not (tmp_path / "barsieve.duckdb").exists()
    assert "Traceback" not in (tmp_path / "out").read_text()
    found, n_values = differences(three.untouched, tmp_path / "barsieve.duckdb")
    assert found == {}
    told = (
        f"{options[-2:]}: {len(kills)} kills ({', '.join(kills)}), {n_values:,} values"
    )
    if place := os.environ.get("KILL_FIGURES"):
        with Path(place).open("a") as stream:
            stream.write(told + "\n")
