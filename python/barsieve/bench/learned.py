"""Cost of learned exits and sizes: their fits, their judgement, and the step.

Of the market's first profile that learns exits, and of the first that learns sizes.
Nothing is remembered at first: each fit is made, and then once more from memory.
"""

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace as with_fields
from pathlib import Path
from typing import Any

import duckdb

from barsieve.core.arrow import matching
from barsieve.core.extras import missing
from barsieve.core.remembered import REMEMBERED
from barsieve.learning.exits import BOOSTING, LSTM
from barsieve.learning.exits.evaluation import judge
from barsieve.learning.exits.paths import Paths, read_paths
from barsieve.learning.exits.walk import Month, month_row, walk
from barsieve.learning.sizes.evaluation import sizing_figures
from barsieve.learning.sizes.walk import last_moment, sizing_learned
from barsieve.profiles.rules import OFF
from barsieve.replay.learned import NOTHING, Learned, n_features
from barsieve.replay.learned_tables import LearnedTables, models_of
from barsieve.replay.runs import FULL, Inputs, accounts, replay

SELECTED = (
    "+exit_learned", "+sizing_learned", "+shadow_results", "+replay_bars",
    "+candidate_windows",
)  # fmt: skip
LEFT_OUT = (
    "sweep_runs", "sweep_walks", "resource_type:test", "resource_type:unit_test",
)  # fmt: skip
"""What a build of it needs, and what it needs not."""
MOST_SECONDS = {BOOSTING: 30.0, LSTM: 240.0, "sizing": 10.0}
MOST_TIMES = {"trees": 5.0, "lstm": 30.0}
REPEATS = 15
MODELS = {BOOSTING: "trees", LSTM: "lstm"}


@contextmanager
def _memory_of_its_own() -> Iterator[None]:
    """Within it fits are remembered in a folder that is empty at first."""
    before = os.environ.get(REMEMBERED)
    with tempfile.TemporaryDirectory(prefix="barsieve-bench-") as folder:
        os.environ[REMEMBERED] = folder
        try:
            yield
        finally:
            os.environ.pop(REMEMBERED)
            if before is not None:
                os.environ[REMEMBERED] = before


def _timed(function: Callable[..., Any], *asked: Any) -> tuple[Any, dict[str, float]]:
    """Return what a function gives, and its seconds by the clock and of processors."""
    began, busy = time.perf_counter(), time.process_time()
    found = function(*asked)
    seconds, cpu = time.perf_counter() - began, time.process_time() - busy
    return found, {"seconds": round(seconds, 3), "cpu_seconds": round(cpu, 3)}


def _walks(
    paths: Paths, last: int
) -> tuple[dict[str, list[Month]], list[dict[str, Any]]]:
    """Return each kind's models, month by month, and what they cost to fit."""
    made = dict[str, list[Month]]()
    rows = list[dict[str, Any]]()
    for model in (BOOSTING, *(() if missing("deep") else (LSTM,))):
        about = {
            "model": model, "trades": len(paths.decided_at), "closes": len(paths.rest),
            "most_seconds": MOST_SECONDS[model],
        }  # fmt: skip
        found, fits = _timed(lambda name: list(walk(paths, name, last)), model)
        _, again = _timed(lambda name: list(walk(paths, name, last)), model)
        _, judged = _timed(lambda months: judge(paths, months, 0.0), found)
        made[model], about["months"] = found, len(found)
        rows.append({"work": "fits of exits"} | about | fits)
        rows.append({"work": "the same, remembered"} | about | again)
        rows.append({"work": "judgement of exits"} | about | judged)
    return made, rows


def _sizes(connection: duckdb.DuckDBPyConnection, profile: str) -> dict[str, Any]:
    table = connection.table
    names = ("config_symbols", "replay_bars", "candidates", "candidate_windows",
             "shadow_results", "exit_learned", "shadow_seen")  # fmt: skip
    profiles, *others = (table(name) for name in names)
    own = matching(profiles, profile=profile)

    def learned() -> None:
        sizing_learned(own, table("shadow_results"), table("shadow_seen"))
        sizing_figures(own, *others)

    _, cost = _timed(learned)
    about = {"work": "fits and judgement of sizes", "model": "kelly"}
    return about | {"most_seconds": MOST_SECONDS["sizing"]} | cost


def _best(inputs: Inputs) -> float:
    """Return the least processor time of some replays, ms."""
    spans = []
    for _ in range(REPEATS):
        began = time.process_time()
        replay(inputs, FULL)
        spans.append(time.process_time() - began)
    return min(spans) * 1000


def _with(inputs: Inputs, learned: Learned, below_r: float) -> Inputs:
    rules = inputs.profile.rules._replace(learned_below_r=below_r)
    profile = with_fields(inputs.profile, rules=rules)
    return inputs._replace(profile=profile, learned=learned)


def _steps(inputs: Inputs, months: dict[str, list[Month]]) -> list[dict[str, Any]]:
    """Return what a replay costs with models that see each close and leave at none."""
    plain = _with(inputs, NOTHING, OFF)
    tried = {"no model": plain, "no model, again": plain}
    for model, found in months.items():
        rows = [month_row("", month) for month in found]
        own = models_of(rows, n_features(inputs.learned))._replace(
            in_force=inputs.learned.in_force, seen=inputs.learned.seen,
            n_scores=inputs.learned.n_scores,
        )  # fmt: skip
        tried[MODELS[model]] = _with(inputs, own, -1e9)
    for one in tried.values():
        replay(one, FULL)
    found_ms = {name: _best(one) for name, one in tried.items()}
    return [
        {
            "step": name,
            "ms": round(ms, 3),
            "times": round(ms / found_ms["no model"], 2),
            "most_times": MOST_TIMES.get(name),
        }
        for name, ms in found_ms.items()
    ]


def measure_learned(database: Path) -> dict[str, Any]:
    """Return what learned exits and sizes cost in a built database.

    `work`: seconds by the clock and of processors, beside what they may be; `steps`:
    the best of some replays, beside one without a model.
    """
    connection = duckdb.connect(str(database), read_only=True)
    table = connection.table
    profiles = table("config_profiles")
    learners = profiles.filter("learned_model is not null").order("profile")
    sizers = profiles.filter("sizing_kind = 'kelly'").order("profile")
    work, steps = list[dict[str, Any]](), list[dict[str, Any]]()
    with _memory_of_its_own():
        for (name,) in learners.select("profile").limit(1).fetchall():
            seen = table("shadow_seen")
            paths = read_paths(table("trade_paths"), seen, name)
            months, work = _walks(paths, last_moment(seen, name) or 0)
            inputs = next(accounts(
                matching(table("config_symbols"), profile=name), table("replay_bars"),
                table("candidates"), table("candidate_windows"),
                LearnedTables(table("exit_learned"), seen),
            ))  # fmt: skip
            steps = _steps(inputs, months)
        for (name,) in sizers.select("profile").limit(1).fetchall():
            work.append(_sizes(connection, name))
    return {"work": work, "steps": steps}
