"""Shadow replays: a profile as it is without what is learned, and at random entries.

What is learned of trades must not be learned of trades that it has changed itself. So
exits and sizes are learned of replays of the same profile with both off. Entries at
random hours give more of them, under the same rules; which hours those are follows from
the hour alone, so that a longer history never changes an earlier one.
"""

from collections.abc import Iterator
from dataclasses import replace as with_fields

import numpy as np
import pyarrow as pa
from duckdb import DuckDBPyRelation

from barsieve.core import schemas
from barsieve.core.arrow import column, texts
from barsieve.profiles.rules import OFF
from barsieve.replay.runs import FULL, HOUR_US, Inputs, accounts, replay, run_table
from barsieve.replay.sizing import CONSTANT, LEGACY
from barsieve.replay.state import FLAT, LONG, SHORT

OWN, RANDOM = "own", "random"
DRAWS = 4
"""Replays at random entries, of each account."""
ONE_IN = 3
"""Of so many eligible bars one is entered on at random."""
SMALL_RISK = 1e-6
"""Share of the balance at risk there: a draw must not end for want of money."""

LEARNS = "learned_model is not null or sizing_kind = 'kelly'"


def without_learning(inputs: Inputs) -> Inputs:
    """Return inputs whose exits are those of the rules, and whose sizes are legacy."""
    rules = inputs.profile.rules._replace(learned_below_r=OFF, sizing_kind=LEGACY)
    return inputs._replace(profile=with_fields(inputs.profile, rules=rules))


def _mixed(words: np.ndarray) -> np.ndarray:
    """Return 64-bit words well mixed (SplitMix64): the same hour, the same number."""
    mixed = words + np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    found: np.ndarray = mixed ^ (mixed >> np.uint64(31))
    return found


def at_random_entries(inputs: Inputs, draw: int) -> Inputs:
    """Return inputs with signals at random eligible hours, of a random side.

    Of equal confidence, above any threshold. `draw`, from 1, makes them others.
    """
    bars, rules = inputs.bars.copy(), inputs.profile.rules
    hours = (inputs.opens // HOUR_US).astype(np.uint64)
    symbols = np.zeros(len(bars), np.uint64)
    for number, part in enumerate(inputs.symbols):
        symbols[part.start : part.stop] = number
    words = _mixed(_mixed(hours) + _mixed(symbols * np.uint64(1_000) + np.uint64(draw)))
    is_entered = (words % np.uint64(ONE_IN) == 0) & bars.is_eligible
    is_long = (words >> np.uint64(32)) % np.uint64(2) == 0
    bars.side = np.where(is_entered, np.where(is_long, LONG, SHORT), FLAT)
    bars.confidence, bars.threshold, bars.has_sentinel = 1.0, 0.0, True
    small = rules._replace(
        sizing_kind=CONSTANT, sizing_risk=SMALL_RISK, min_notional=0.0,
        learned_below_r=OFF,
    )  # fmt: skip
    profile = with_fields(inputs.profile, rules=small)
    return inputs._replace(bars=bars, profile=profile)


def _tables(inputs: Inputs) -> Iterator[pa.Table]:
    made = [(OWN, 0, without_learning(inputs))]
    made += [
        (RANDOM, draw, at_random_entries(inputs, draw)) for draw in range(1, DRAWS + 1)
    ]
    for entries, draw, shadow in made:
        table = run_table(replay(shadow, FULL))
        table = table.add_column(0, "draw", column(np.array([draw], np.int64)))
        yield table.add_column(0, "entries", texts([entries]))


def shadow_runs(
    profiles: DuckDBPyRelation,
    bars: DuckDBPyRelation,
    candidates: DuckDBPyRelation,
    windows: DuckDBPyRelation,
) -> pa.Table:
    """Replay every account that learns without what it learns.

    Returns the rows of `shadow_runs`; parameters as for `accounts`, with `shadow_bars`.
    """
    learners = profiles.filter(LEARNS)
    bars = bars.select("*, null::double as kelly_share")
    tables = [
        table
        for inputs in accounts(learners, bars, candidates, windows)
        for table in _tables(inputs)
    ]
    return pa.concat_tables([schemas.SHADOW_RUNS.empty_table(), *tables])
