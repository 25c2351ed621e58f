"""Paper trading measured in one run: a build, hours, what was missed, a rebuild."""

import json
import os
import shutil
import statistics
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from datetime import datetime
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from subprocess import run as run_process
from typing import Any

import duckdb
import numpy as np

from barsieve.bench.live.hours import Places, do_advances, do_hours
from barsieve.bench.live.market import HOUR, cut, go_on, last_close
from barsieve.bench.run import BuildFailedError
from barsieve.core import paths
from barsieve.core.arrow import row_of
from barsieve.core.errors import refuse
from barsieve.core.model_lists import model_lists
from barsieve.core.paths import about_market
from barsieve.core.remembered import REMEMBERED
from barsieve.live.accounts import open_account
from barsieve.live.folder import LiveFolder
from barsieve.market import simulation
from barsieve.market.listings import symbols_asked
from barsieve.profiles.resolution import resolved_profiles

ACCOUNT, BASE = "bench_paper", "demo_edge"
PROFILES, HOURS, MISSED = 7, 24, 1_000
MANY_SYMBOLS, MANY_HOURS, MANY_ADVANCES = 20, 17_520, 6
REPEATS = 2_000


def _cpu_of_children() -> float:
    times = os.times()
    return times.children_user + times.children_system


def _build(places: Places, folder: Path, *arguments: str) -> dict[str, float]:
    """Run `dbt build` into the database; return its seconds, and those of CPUs."""
    environment = os.environ | {
        paths.MARKET: str(places.market),
        paths.CONFIGS: str(places.configs),
        paths.DATABASE: str(places.database),
        REMEMBERED: str(folder / "remembered"),
        "DBT_TARGET_PATH": str(folder / "target"),
        "DBT_LOG_PATH": str(folder / "logs"),
    }
    began, used = time.perf_counter(), _cpu_of_children()
    done = run_process(
        [sys.executable, "-m", "dbt.cli.main", "--quiet", "--no-use-colors", "build"]
        + [*arguments],
        cwd=paths.project_dir(), env=environment, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    if done.returncode:
        raise BuildFailedError(done.stdout[-4000:])
    return {
        "seconds": round(time.perf_counter() - began, 1),
        "cpu_seconds": round(_cpu_of_children() - used, 1),
    }


def _begin(
    whole: Path, folder: Path, end: datetime, profiles: list[str], symbols: list[str]
) -> Places:
    """Cut a market off, write profiles for it, and open a paper account."""
    places = Places(
        whole=whole,
        market=cut(whole, folder / "market", end),
        configs=folder / "configs",
        database=folder / "bench.duckdb",
        seed=paths.macro_series_seed(),
    )
    source = paths.project_dir() / paths.configs_dir()
    shutil.copytree(source / "shared", places.configs / "shared")
    named = {profile["profile"]: profile for profile in resolved_profiles(source)}
    for name in profiles:
        path = places.configs / f"{name}.json"
        path.write_text(json.dumps(named[name]))
    open_account(
        LiveFolder(places.market), places.configs, BASE, ACCOUNT, end, symbols,
        model_lists(),
    )  # fmt: skip
    return places


def _apart(function: Any, *arguments: Any) -> Any:
    """Call a function in a process of its own, whose memory is its own."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(function, *arguments).result()


def _spread(seconds: list[float]) -> dict[str, float]:
    return {
        "median_seconds": round(statistics.median(seconds), 3),
        "p95_seconds": round(float(np.quantile(seconds, 0.95)), 3),
    }


def _step_microseconds(database: Path) -> dict[str, float]:
    """Time one bar that is resumed from Python, by the compiled step."""
    from barsieve.core.arrow import matching
    from barsieve.replay.kernel import carry_on
    from barsieve.replay.learned import NOTHING, make_memory, make_sight
    from barsieve.replay.ledger import make_ledger, make_stops
    from barsieve.replay.resume import fresh_state
    from barsieve.replay.runs import accounts

    with duckdb.connect(str(database), read_only=True) as connection:
        own = matching(connection.table("config_symbols"), profile=ACCOUNT)
        bars, candidates, windows = (
            connection.table(name)
            for name in ("replay_bars", "candidates", "candidate_windows")
        )
        inputs = next(accounts(own, bars, candidates, windows))
    rules = inputs.profile.rules
    state = fresh_state(float(inputs.profile.start_balance))
    legs, trades = make_ledger(8)
    arguments = (
        inputs.bars, rules, state, len(inputs.bars) - 1, (0, 0, 0), -1,
        np.empty(0, np.int64), False, 0.0, NOTHING, make_memory(NOTHING, 1)[0],
        make_sight(NOTHING), legs, trades, make_stops(8),
    )  # fmt: skip
    carry_on(*arguments)
    taken = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        carry_on(*arguments)
        taken.append(time.perf_counter() - began)
    return {"median_us": round(statistics.median(taken) * 1e6, 1)}


def _many_symbols(folder: Path) -> dict[str, Any]:
    """Time the advances of one profile over many symbols, without what learns."""
    whole = folder / "whole"
    simulated = simulation.simulate(
        hours=MANY_HOURS, symbols=symbols_asked(str(MANY_SYMBOLS)) or ()
    )
    simulation.write_market(simulated, whole)
    end = last_close(whole)
    start = end - (MANY_ADVANCES + 1) * HOUR
    places = _begin(whole, folder, start, [BASE], sorted(
        path.stem for path in (whole / "bars").glob("*.parquet")
    ))  # fmt: skip
    (places.configs / f"{ACCOUNT}.json").unlink()
    path = places.configs / f"{BASE}.json"
    document = json.loads(path.read_text()) | {"symbols": ["*"]}
    document.pop("symbol", None)
    path.write_text(json.dumps(document))
    _build(places, folder, "--exclude", "tag:ml")
    ends = [start + n * HOUR for n in range(1, MANY_ADVANCES + 2)]
    seconds, cpu = _apart(do_advances, places, ends, cut)
    return {
        "symbols": MANY_SYMBOLS,
        "hours": MANY_HOURS,
        "profiles": 1,
        **_spread(seconds[1:]),
        "cpu_median_seconds": round(statistics.median(cpu[1:]), 3),
    }


def run_live(market: Path | None) -> dict[str, Any]:
    """Measure paper trading over a market, in a folder of its own; return figures.

    Raises InputError where the market is too short, BuildFailedError with what dbt
    printed when a build fails.
    """
    whole = (paths.project_dir() / (market or paths.market_dir())).resolve()
    end = last_close(whole)
    start = end - (MISSED + HOURS + 1) * HOUR
    profiles = [
        profile["profile"]
        for profile in resolved_profiles(paths.project_dir() / paths.configs_dir())
    ][: PROFILES - 1]
    if BASE not in profiles:
        refuse(
            str(paths.configs_dir()),
            expected=f"the profile {BASE} among the first of them",
            found=", ".join(profiles),
            fix="run it in the project itself",
        )
    symbols = sorted(path.stem for path in (whole / "bars").glob("*.parquet"))
    with tempfile.TemporaryDirectory(prefix="barsieve-live-") as made:
        folder = Path(made)
        (folder / "one").mkdir()
        places = _begin(whole, folder / "one", start, profiles, symbols)
        first = _build(places, folder)
        hours = _apart(do_hours, places, start, HOURS)
        followed = start + (HOURS + 1) * HOUR
        grow = partial(go_on, unseen=(start, followed))
        missed, _ = _apart(do_advances, places, [end], grow)
        again = _build(places, folder)
        step = _step_microseconds(places.database)
        with duckdb.connect(str(places.database), read_only=True) as connection:
            (n_bars,) = row_of(connection.execute("select count(*) from bars_1h"))
        (folder / "many").mkdir()
        many = _many_symbols(folder / "many")
    about = about_market(whole)
    return {
        "market": about["market_name"],
        "is_simulated": about["is_simulated"],
        "bars": n_bars,
        "symbols": len(symbols),
        "profiles": len(profiles) + 1,
        "cpus": os.cpu_count(),
        "hours": HOURS,
        "hour": _spread(hours["hour_seconds"])
        | {
            "cpu_median_seconds": round(statistics.median(hours["cpu_seconds"]), 3),
            "peak_mb": round(hours["peak_mb"], 1),
        },
        "advance": _spread(hours["advance_seconds"]),
        "catch_up": {"hours": MISSED, "seconds": round(missed[0], 2)},
        "step": step,
        "many_symbols": many,
        "first_build": first,
        "rebuild": again
        | {"hours": MISSED + HOURS + 1}
        | {
            "ratio": round(first["seconds"] / again["seconds"], 2),
            "cpu_ratio": round(first["cpu_seconds"] / again["cpu_seconds"], 2),
        },
    }
