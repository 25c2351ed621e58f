"""Benchmark of builds by parts: the same simulated symbols, in process and through Ray.

Each build is a command of its own. What its processes take is read off the system while
it runs, so that the engine's own share is in it.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import psutil

from barsieve.core import paths
from barsieve.market.listings import symbols_asked
from barsieve.market.simulation import DEFAULT_SEED, simulate, write_market

PAUSE_SECONDS = 0.2
OPTIONS = ("--no-prove", "--json", "--exclude", "tag:ml")


class Usage(NamedTuple):
    """Usage of a command and all that it started.

    `peak_mb`: most of the memory that they held together, shared pages by their share.
    """

    seconds: float
    cpu_seconds: float
    peak_mb: float


class PartsFailedToBuildError(Exception):
    """A build of the benchmark that failed; what it printed."""


def _watch(running: subprocess.Popen[str]) -> Usage:
    """Wait for a command; return what it and its descendants took."""
    started, peak = time.perf_counter(), 0.0
    taken: dict[tuple[int, float], float] = {}
    while running.poll() is None:
        held = 0.0
        try:
            root = psutil.Process(running.pid)
            tree = [root, *root.children(recursive=True)]
        except psutil.Error:
            break
        for process in tree:
            try:
                times = process.cpu_times()
                taken[process.pid, process.create_time()] = times.user + times.system
                held += process.memory_full_info().pss
            except (psutil.Error, AttributeError):
                continue
        peak = max(peak, held)
        time.sleep(PAUSE_SECONDS)
    running.wait()
    return Usage(time.perf_counter() - started, sum(taken.values()), peak / 1_000_000)


def _build(
    folder: Path, name: str, options: Sequence[str], n_symbols: int
) -> dict[str, Any]:
    place = folder / name
    place.mkdir()
    environment = os.environ | {
        paths.MARKET: str(folder / "market"),
        paths.CONFIGS: str(folder / "configs"),
        paths.DATABASE: str(place / "barsieve.duckdb"),
        paths.PROJECT: str(paths.project_dir()),
    }
    with (place / "out").open("w") as out, (place / "err").open("w") as err:
        running = subprocess.Popen(
            [sys.executable, "-m", "barsieve", "build", *options, *OPTIONS],
            env=environment, stdout=out, stderr=err, text=True,
        )  # fmt: skip
        usage = _watch(running)
    if running.returncode:
        raise PartsFailedToBuildError((place / "err").read_text()[-3000:])
    manifest = json.loads((place / "out").read_text())
    parts = manifest["parts"]
    tables = [about for part in parts for about in part["tables"].values()]
    return {
        "engine": name,
        "seconds": usage.seconds,
        "symbols_per_second": n_symbols / usage.seconds,
        "cpu_seconds": usage.cpu_seconds,
        "parts_cpu_seconds_per_symbol": (
            sum(part["cpu_seconds"] for part in parts) / n_symbols
        ),
        "cpu_seconds_per_symbol": usage.cpu_seconds / n_symbols,
        "peak_mb": usage.peak_mb,
        "written_mb": sum(about["bytes"] for about in tables) / 1_000_000,
        "retried": manifest["retried"],
    }


def run_parts_bench(
    n_symbols: int, hours: int, profiles: Sequence[str], engines: Sequence[str]
) -> list[dict[str, Any]]:
    """Return a row for each engine, as a dict: time, CPU, memory and bytes written.

    `engines`: of `in process`, `processes` and `ray`, in their order. `profiles`: names
    of the project's, each traded on all symbols. Raises PartsFailedToBuildError.
    """
    options = {
        "in process": ("--by-symbol",),
        "processes": ("--by-symbol", "--jobs", "2"),
        "ray": ("--on", "ray", "--jobs", "2"),
    }
    folder = Path(tempfile.mkdtemp(prefix="barsieve-bench-"))
    try:
        chosen = symbols_asked(str(n_symbols))
        write_market(simulate(DEFAULT_SEED, hours, chosen or ()), folder / "market")
        _write_profiles(folder / "configs", profiles)
        return [_build(folder, name, options[name], n_symbols) for name in engines]
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _write_profiles(to: Path, names: Sequence[str]) -> None:
    """Write profiles with an account on each symbol."""
    configs = paths.project_dir() / paths.configs_dir()
    shutil.copytree(configs / "shared", to / "shared")
    for name in names:
        shutil.copy(configs / f"{name}.json", to)
        profile = {
            "profile": f"{name}_all",
            "extends": name,
            "symbols": ["*"],
            "wallet": {"kind": "separate"},
        }
        (to / f"{name}_all.json").write_text(json.dumps(profile))
