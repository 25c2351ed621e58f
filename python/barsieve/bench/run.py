"""Build, replay, commands and sweep measured in one run, in a folder of its own."""

import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import duckdb

from barsieve.core import paths
from barsieve.core.arrow import matching, row_of, rows_of
from barsieve.core.errors import BarsieveError, InputError
from barsieve.core.paths import about_market
from barsieve.market import simulation
from barsieve.market.check import check_market
from barsieve.profiles.check import market_problems
from barsieve.profiles.resolution import resolved_profiles
from barsieve.replay.learned_tables import LearnedTables
from barsieve.replay.runs import FOCUSED, FULL, Inputs, accounts, replay

REPEATS = 15
SWEEP_REPEATS = 3
SWEEPS = {"exhaustive": (), "sobol": ("--n", "10000")}
COMMAND_REPEATS = 7
COMMANDS = (
    "replay --profile {}",
    "replay --profile {} --mode focused",
    "replay --profile {} --set exits.stop_atr=2.5",
    "thresholds --profile {} 0.55 0.6 0.65 0.7",
    "stress --profile {}",
    "signal --profile {}",
)


class BuildFailedError(BarsieveError):
    """A model of the bench could not be built; the message is what dbt printed."""


def _refuse_unsound(market: Path) -> None:
    """Raise InputError with what is wrong with a market, before dbt is started."""
    _, problems = check_market(market, paths.macro_series_seed())
    if problems:
        raise InputError(problems)


def _configs_for(market: Path, configs: Path, to: Path) -> None:
    """Copy the profiles whose symbols the market has."""
    symbols = {path.stem for path in (market / "bars").glob("*.parquet")}
    (to / "shared").mkdir(parents=True)
    for profile in resolved_profiles(configs):
        path = to / f"{profile['profile']}.json"
        if not any(market_problems(path, profile, symbols)):
            path.write_text(json.dumps(profile))
    for path in (configs / "shared").glob("*.json"):
        shutil.copy(path, to / "shared")


def _run_dbt(
    folder: Path, target: Path, environment: dict[str, str], *arguments: str
) -> tuple[float, float]:
    """Run `dbt build`; return its seconds and its peak memory in MB."""
    started = time.perf_counter()
    done = subprocess.run(
        [
            *(sys.executable, "-m", "dbt.cli.main", "--no-use-colors"),
            *("build", *arguments),
        ],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    seconds = time.perf_counter() - started
    if not _models_are_built(target):
        raise BuildFailedError(done.stdout[-4000:])
    peak_kb = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return seconds, peak_kb / 1024


def _results(target: Path) -> list[dict[str, Any]]:
    path = target / "run_results.json"
    return json.loads(path.read_text())["results"] if path.exists() else []


def _models_are_built(target: Path) -> bool:
    results = _results(target)
    return bool(results) and all(r["status"] != "error" for r in results)


def _failed_tests(target: Path) -> list[str]:
    """Return the tests that failed: a finding about the market, not about the bench."""
    failed = [r["unique_id"] for r in _results(target) if r["status"] == "fail"]
    return [unique_id.split(".")[2] for unique_id in failed]


def _layer_seconds(target: Path) -> dict[str, float]:
    """Return the seconds of work per layer, in flow order, tests as one."""
    nodes = json.loads((target / "manifest.json").read_text())["nodes"]
    seconds: dict[str, float] = {}
    order: dict[str, str] = {}
    for result in _results(target):
        node = nodes.get(result["unique_id"])
        if node is None:
            continue
        kind = node["resource_type"]
        layer = node["fqn"][1] if kind == "model" else f"{kind}s"
        seconds[layer] = seconds.get(layer, 0.0) + result["execution_time"]
        started = min((t["started_at"] for t in result["timing"]), default="9")
        order[layer] = min(order.get(layer, "9"), started)
    in_order = sorted(seconds, key=lambda layer: order[layer])
    return {layer: round(seconds[layer], 3) for layer in in_order}


def _best_ms(accounts_of_profile: list[Inputs], replayed: str) -> float:
    best = float("inf")
    for _ in range(REPEATS):
        started = time.perf_counter()
        for inputs in accounts_of_profile:
            replay(inputs, replayed)
        best = min(best, time.perf_counter() - started)
    return best * 1000


def _replay_rows(database: Path) -> list[dict[str, Any]]:
    connection = duckdb.connect(str(database), read_only=True)
    summary = {
        row["profile"]: row for row in rows_of(connection.table("parity_summary"))
    }
    bars, candidates, windows = (
        connection.table(name)
        for name in ("replay_bars", "candidates", "candidate_windows")
    )
    learned = LearnedTables(
        connection.table("exit_learned"), connection.table("shadow_seen")
    )
    rows = []
    symbols = connection.table("config_symbols")
    for name in sorted(summary):
        own = matching(symbols, profile=name)
        accounts_of_profile = list(accounts(own, bars, candidates, windows, learned))
        full_ms = _best_ms(accounts_of_profile, FULL)
        focused_ms = _best_ms(accounts_of_profile, FOCUSED)
        parity = summary[name]
        visited = max(1, parity["bars_visited"])
        rows.append(
            {
                "profile": name,
                "bars": parity["bars"],
                "full_ms": round(full_ms, 3),
                "full_bars_per_second": round(parity["bars"] / full_ms * 1000),
                "focused_ms": round(focused_ms, 3),
                "bars_visited": parity["bars_visited"],
                "visit_ratio": round(parity["bars"] / visited, 2),
                "time_ratio": round(full_ms / focused_ms, 2),
                "candidate_share": round(parity["candidate_share"], 5),
                "trades": parity["full_trades"],
                "parity": parity["verdict"],
            }
        )
    return rows


def _barsieve(environment: dict[str, str], folder: Path, *arguments: str) -> str:
    """Run a command as a user would; return what it printed.

    Raises BuildFailedError with what it complained of when it fails.
    """
    done = subprocess.run(
        [sys.executable, "-m", "barsieve", *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise BuildFailedError(done.stderr[-4000:])
    return done.stdout


def _command_rows(
    environment: dict[str, str], folder: Path, profile: str
) -> list[dict[str, Any]]:
    """Time commands from their start to their end, after a first run of each."""
    rows = []
    for command in COMMANDS:
        arguments = command.format(profile).split()
        seconds = []
        for _ in range(1 + COMMAND_REPEATS):
            started = time.perf_counter()
            _barsieve(environment, folder, *arguments)
            seconds.append(time.perf_counter() - started)
        rows.append(
            {
                "command": " ".join(arguments),
                "median_seconds": round(statistics.median(seconds[1:]), 3),
                "best_seconds": round(min(seconds[1:]), 3),
            }
        )
    return rows


def _sweep_once(
    environment: dict[str, str], folder: Path, *arguments: str
) -> dict[str, Any]:
    """Run `barsieve sweep` from the beginning; return its report."""
    shutil.rmtree(f"{environment[paths.DATABASE]}.sweeps", ignore_errors=True)
    return json.loads(_barsieve(environment, folder, "sweep", "--json", *arguments))


def _sweep_rows(
    environment: dict[str, str], folder: Path, symbol: str
) -> list[dict[str, Any]]:
    """Sweep one symbol by each grid: the best of some runs, after one that compiles."""
    _sweep_once(environment, folder, "--grid", "quick", "--symbol", symbol)
    rows = []
    for grid, more in SWEEPS.items():
        runs = [
            _sweep_once(environment, folder, "--grid", grid, "--symbol", symbol, *more)
            for _ in range(SWEEP_REPEATS)
        ]
        best = min(runs, key=lambda run: run["seconds"])
        rows.append(
            {
                "grid": grid,
                "symbol": symbol,
                "configs": best["configs_run"],
                "threads": best["threads"],
                "seconds": round(best["seconds"], 3),
                "configs_per_second": round(best["configs_per_second"]),
                **{
                    name: round(max(run[name] for run in runs), 1)
                    for name in ("peak_mb", "peak_mb_loading")
                },
            }
        )
    return rows


def _environment(aside: Path, source: Path) -> dict[str, str]:
    """Return the environment of commands whose files lie in a folder of their own."""
    return os.environ | {
        paths.MARKET: str(source),
        paths.CONFIGS: str(aside / "configs"),
        paths.DATABASE: str(aside / "bench.duckdb"),
        "DBT_TARGET_PATH": str(aside / "target"),
        "DBT_LOG_PATH": str(aside / "logs"),
    }


def run_learned_bench(market: Path | None) -> dict[str, Any]:
    """Build what exits and sizes learn of aside, and measure what learning costs.

    Raises as `run_bench` does.
    """
    from barsieve.bench.learned import LEFT_OUT, SELECTED, measure_learned

    folder = paths.project_dir()
    source = folder / (market or paths.market_dir())
    _refuse_unsound(source)
    with tempfile.TemporaryDirectory(prefix="barsieve-bench-") as made:
        aside = Path(made)
        _configs_for(source, folder / paths.configs_dir(), aside / "configs")
        asked = "--select", *SELECTED, "--exclude", *LEFT_OUT
        _run_dbt(folder, aside / "target", _environment(aside, source), *asked)
        found = measure_learned(aside / "bench.duckdb")
    about = about_market(source)
    named = {name: about[name] for name in ("market_name", "is_simulated")}
    return named | {"cpus": os.cpu_count()} | found


def run_bench(market: Path | None, hours: int | None) -> dict[str, Any]:
    """Build a market aside and replay its profiles; return the figures.

    `hours` simulates a market of one symbol instead of reading `market`, and builds
    without the models that learn (tag `ml`). Raises BuildFailedError with what dbt
    printed when the build fails, InputError when the market is unsound.
    """
    folder = paths.project_dir()
    source = folder / (market or paths.market_dir())
    with tempfile.TemporaryDirectory(prefix="barsieve-bench-") as made:
        aside = Path(made)
        if hours is not None:
            source = aside / "market"
            simulated = simulation.simulate(hours=hours, symbols=("ETH",))
            simulation.write_market(simulated, source)
            del simulated
        else:
            _refuse_unsound(source)
        _configs_for(source, folder / paths.configs_dir(), aside / "configs")
        database, target = aside / "bench.duckdb", aside / "target"
        environment = _environment(aside, source)
        # A history of a century has no use for a thousand refits: the spine alone.
        left_out = () if hours is None else ("--exclude", "tag:ml")
        seconds, peak_mb = _run_dbt(folder, target, environment, *left_out)
        rows = _replay_rows(database)
        with duckdb.connect(str(database), read_only=True) as connection:
            (n_bars,) = row_of(connection.execute("select count(*) from bars_1h"))
            symbol = connection.execute("select max(symbol) from config_symbols")
            symbol = symbol.fetchall()[0][0]
        # Commands read a whole build; one whose tests failed is none.
        failed, commands, sweeps = _failed_tests(target), [], []
        if not failed:
            busiest = max(rows, key=lambda row: row["trades"])["profile"]
            commands = _command_rows(environment, folder, busiest)
            sweeps = _sweep_rows(environment, folder, symbol)
        about = about_market(source)
        return {
            "market": about["market_name"],
            "is_simulated": about["is_simulated"],
            "bars": n_bars,
            "profiles": len(rows),
            "cpus": os.cpu_count(),
            "build": {
                "seconds": round(seconds, 2),
                "peak_mb": round(peak_mb, 1),
                "layers": _layer_seconds(target),
            },
            "failed_tests": failed,
            "replay": rows,
            "commands": commands,
            "sweep": sweeps,
        }
