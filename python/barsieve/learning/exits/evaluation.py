"""Judgement of learned exits: the rows of `report_exits`.

In and out of sample side by side, against each baseline on the same trades; intervals
are those of days drawn in blocks, wide enough to hold all comparisons at once.
"""

from collections.abc import Iterator
from math import isnan
from typing import Any

import numpy as np
import pyarrow as pa
from duckdb import DuckDBPyRelation

from barsieve.core import schemas
from barsieve.core.arrow import matching, rows_of
from barsieve.core.extras import empty_without
from barsieve.learning.evaluation import row
from barsieve.learning.exits import LEAST_TRADES, MODELS, SEED
from barsieve.learning.exits.models import predict
from barsieve.learning.exits.paths import Paths, read_paths
from barsieve.learning.exits.policies import (
    AT_RANDOM,
    BARS_HELD,
    BASELINES,
    FIXED,
    LEARNED,
    PROFIT,
    RULES,
    Said,
    best_fixed_gains,
    gains,
    in_sample,
    random_gains,
    rate_of,
    said_by,
    shuffled_groups,
)
from barsieve.learning.exits.walk import LEARNERS, Month, fit_of, month_of, start_of
from barsieve.metrics.bootstrap import means_of_days, simultaneous
from barsieve.metrics.performance import DAY_US

IN, OUT = "in_sample", "out_of_sample"
OWN, ALL_ENTRIES = "own", "own and random"
BINS = 5
HELD_EDGES = (1, 3, 6, 12, 24, 48)
PROFIT_EDGES = (-1.0, -0.5, 0.0, 0.5, 1.0)


def compared(paths: Paths, said: Said, below_r: float) -> dict[str, np.ndarray]:
    """Return what each policy gives beyond the rules, R a trade."""
    is_left = said.rest < below_r
    months = np.unique(month_of(paths.decided_at[said.is_judged]))
    rate = rate_of(is_left, paths, said.is_judged)
    return {
        LEARNED: gains(is_left, paths),
        RULES: np.zeros(len(paths.decided_at)),
        FIXED: best_fixed_gains(paths, months),
        AT_RANDOM: random_gains(paths, rate),
    }


def gain_rows(
    paths: Paths, said: Said, below_r: float, sample: str
) -> Iterator[dict[str, Any]]:
    """Yield what leaving by the model gave beyond each baseline, R a trade."""
    found = compared(paths, said, below_r)
    for entries, chosen in (
        (OWN, said.is_judged & paths.is_own),
        (ALL_ENTRIES, said.is_judged),
    ):
        n = int(chosen.sum())
        yield row("trades", entries, sample, n)
        if n < LEAST_TRADES:
            continue
        for policy in (LEARNED, FIXED, AT_RANDOM):
            yield row(f"gain, {entries}", policy, sample, found[policy][chosen].mean())
        less = np.stack([(found[LEARNED] - found[b])[chosen] for b in BASELINES])
        days = paths.decided_at[chosen] // DAY_US
        points, drawn, n_days = means_of_days(less, days)
        low, high, tried = simultaneous(points, drawn, np.full(len(points), n_days))
        note = f"intervals hold {tried} comparisons at once"
        for place, baseline in enumerate(BASELINES):
            yield row(
                f"learned less, {entries}", baseline, sample, points[place],
                low[place], high[place], note,
            )  # fmt: skip


def r_squared(rest: np.ndarray, said: np.ndarray) -> float:
    """Return 1 - error / variance of what came; NaN where it never varied."""
    spread = np.square(rest - rest.mean()).sum() if len(rest) else 0.0
    return float(1 - np.square(rest - said).sum() / spread) if spread else float("nan")


def _judged_rows(paths: Paths, said: Said) -> np.ndarray:
    return np.flatnonzero(paths.of_trades(said.is_judged))


def calibration_rows(paths: Paths, said: Said) -> Iterator[dict[str, Any]]:
    """Yield what came where as much was expected: fifths of the expectations."""
    rows = _judged_rows(paths, said)
    if len(rows) < BINS:
        return
    expected, came = said.rest[rows], paths.rest[rows]
    order = np.argsort(expected, kind="stable")
    for number, part in enumerate(np.array_split(order, BINS), start=1):
        yield row("calibration", f"fifth {number}", "expected_r", expected[part].mean())
        yield row("calibration", f"fifth {number}", "came_r", came[part].mean())


def importance_rows(
    paths: Paths, said: Said, months: list[Month]
) -> Iterator[dict[str, Any]]:
    """Yield by how much R² falls out of sample with an input out of order."""
    rows = _judged_rows(paths, said)
    if not len(rows):
        return
    plain = r_squared(paths.rest[rows], said.rest[rows])
    rng = np.random.default_rng(SEED)
    of_row = month_of(paths.decided_at)[paths.trade]
    mixed = rng.permutation(rows)
    for name, columns in shuffled_groups(paths.names):
        features = paths.features.copy()
        features[rows[:, None], columns] = paths.features[mixed[:, None], columns]
        expected = np.full(len(paths.rest), np.nan)
        for month in months:
            own = rows[of_row[rows] == np.datetime64(month.month, "M")]
            starts = _starts_of(paths.trade[own])
            expected[own] = predict(month.fit, features[own], starts)
        fallen = plain - r_squared(paths.rest[rows], expected[rows])
        yield row("importance", name, "r2_lost", fallen)


def _starts_of(trade: np.ndarray) -> np.ndarray:
    firsts = np.flatnonzero(np.diff(trade, prepend=-1))
    return np.append(firsts, len(trade)).astype(np.int64)


def policy_rows(paths: Paths, said: Said) -> Iterator[dict[str, Any]]:
    """Yield the expected rest of R by bars held and profit: the policy, to be drawn."""
    rows = _judged_rows(paths, said)
    held = np.searchsorted(HELD_EDGES, paths.features[rows, BARS_HELD], "right") - 1
    profit = np.searchsorted(PROFIT_EDGES, paths.features[rows, PROFIT], "right")
    for h in range(len(HELD_EDGES)):
        for p in range(len(PROFIT_EDGES) + 1):
            cell = rows[(held == h) & (profit == p)]
            if len(cell):
                about = f"from {HELD_EDGES[h]} bars"
                low = PROFIT_EDGES[p - 1] if p else -np.inf
                named = f"profit from {low:g} R" if p else "profit below -1 R"
                yield row("policy", about, named, said.rest[cell].mean(),
                          note=f"{len(cell)} closes")  # fmt: skip


def verdict(rows: list[dict[str, Any]]) -> tuple[float, str]:
    """Return 1 or 0 and a sentence: leaving by the model pays only beyond all."""
    found = {(r["section"], r["subject"], r["figure"]): r for r in rows}
    less = [found.get((f"learned less, {OWN}", b, OUT)) for b in BASELINES]
    if any(r is None for r in less):
        return 0.0, "nothing can be said: too few trades out of sample."
    known = [r for r in less if r is not None]
    gain = found["learned less, " + OWN, RULES, OUT]
    inside = found.get((f"learned less, {OWN}", RULES, IN), gain)
    told = (
        f"{gain['value']:+.3f} R a trade beyond the rules out of sample "
        f"({gain['low']:+.3f} to {gain['high']:+.3f}), {inside['value']:+.3f} in sample"
    )
    beaten = [r["subject"] for r in known if r["low"] is not None and r["low"] > 0]
    left = [r["subject"] for r in known if r["subject"] not in beaten]
    if left:
        return 0.0, f"not worth leaving by: {told}; not beyond: {', '.join(left)}."
    return 1.0, f"worth leaving by, beyond every baseline: {told}."


def judge(paths: Paths, months: list[Month], below_r: float) -> list[dict[str, Any]]:
    """Return the figures of a profile's exits, the verdict last.

    `months` are its models; the last one, which saw most, serves in sample.
    """
    said = said_by(paths, months)
    made = list(gain_rows(paths, said, below_r, OUT))
    rows = _judged_rows(paths, said)
    r2 = r_squared(paths.rest[rows], said.rest[rows])
    made.append(row("model", "rest", "r2_" + OUT, r2))
    if months:
        seen = in_sample(paths, months[-1])
        made += gain_rows(paths, seen, below_r, IN)
        every = _judged_rows(paths, seen)
        r2 = r_squared(paths.rest[every], seen.rest[every])
        made.append(row("model", "rest", "r2_" + IN, r2))
        made.append(row("model", "months", "fitted", len(months)))
    made += calibration_rows(paths, said)
    made += importance_rows(paths, said, months)
    made += policy_rows(paths, said)
    is_worth, sentence = verdict(made)
    made.append(row("verdict", "all", "edge", is_worth, note=sentence))
    return made


def months_of(models: DuckDBPyRelation, profile: str) -> list[Month]:
    """Return a profile's models, from the relation `exit_learned`."""
    return [
        Month(
            r["month"], start_of(r["month"]), r["trades"], r["closes"], r["fitted_on"],
            fit_of(r),
        )
        for r in rows_of(matching(models, profile=profile).order("month"))
    ]  # fmt: skip


@empty_without("ml", schemas.LEARNED_FIGURES)
def exit_figures(
    profiles: DuckDBPyRelation,
    models: DuckDBPyRelation,
    paths: DuckDBPyRelation,
    seen: DuckDBPyRelation,
) -> pa.Table:
    """Return the figures of every profile that learns its exits.

    Relations `config_profiles`, `exit_learned`, `trade_paths` and `shadow_seen`.
    """
    made = []
    for profile in rows_of(profiles.filter(LEARNERS).order("profile")):
        name, below_r = profile["profile"], profile["learned_below_r"]
        below = 0.0 if below_r is None or isnan(below_r) else below_r
        if profile["learned_model"] not in MODELS:
            continue
        found = judge(read_paths(paths, seen, name), months_of(models, name), below)
        made += [{"profile": name} | figure for figure in found]
    return pa.Table.from_pylist(made, schema=schemas.LEARNED_FIGURES)
