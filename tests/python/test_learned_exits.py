"""Learned exits: evaluated as their library does, in both replays, and judged."""

import time

import numpy as np
import pytest

from barsieve.learning.exits.evaluation import judge
from barsieve.learning.exits.models import fit_boosting, learner, predict
from barsieve.learning.exits.remembered import fitted
from barsieve.learning.exits.walk import walk
from barsieve.replay.kernel import replay_into_ledger
from barsieve.replay.learned import NOTHING
from barsieve.replay.state import REASONS
from barsieve.replay.wallet import replay_wallet_into_ledger
from exit_cases import (
    HOUR_US,
    planted_paths,
    random_closes,
    random_learned,
)
from replay_cases import BALANCE, RULES, entries_of, random_bars, random_rules

LEARNED = REASONS.index("learned")


def replayed(bars, rules, learned, is_focused=False):
    looked_at = entries_of(bars, rules) if is_focused else np.empty(0, np.int64)
    return replay_into_ledger(bars, rules, BALANCE, looked_at, is_focused, 0.0, learned)


def test_the_trees_of_the_step_say_what_those_of_the_library_say():
    rng = np.random.default_rng(1)
    features, rest, starts = random_closes(rng, 300)
    fit = fit_boosting(features, rest, starts)
    made = learner(len(rest)).fit(features, np.clip(rest, -3, 3))
    said = predict(fit, features, starts)
    assert np.ptp(said) > 0.1
    assert np.abs(said - made.predict(features)).max() < 1e-9


@pytest.mark.parametrize("model", ["boosting", "lstm"])
def test_a_learned_exit_is_the_same_in_both_replays_and_in_a_prefix(model):
    rng, n_left = np.random.default_rng(3), 0
    for _ in range(12):
        n_bars = 400
        bars, learned = random_bars(rng, n_bars), random_learned(rng, n_bars, model)
        rules = random_rules(rng)._replace(learned_below_r=rng.choice([-0.1, 0.1]))
        full, focused = (replayed(bars, rules, learned, f) for f in (False, True))
        assert full.trades.tobytes() == focused.trades.tobytes()
        assert full.legs.tobytes() == focused.legs.tobytes()
        assert full.outcome.state == focused.outcome.state
        n_left += (full.trades.exit_reason == LEARNED).sum()
        cut = rng.integers(100, n_bars)
        before = learned._replace(
            in_force=learned.in_force[:cut], seen=learned.seen[:cut]
        )
        part = replayed(bars[:cut], rules, before)
        ended = part.trades.exit_reason != REASONS.index("end_of_data")
        n = int(ended.sum())
        assert part.trades[:n].tobytes() == full.trades[:n].tobytes()
    assert n_left > 20


@pytest.mark.parametrize("model", ["boosting", "lstm"])
def test_a_wallet_of_one_symbol_leaves_as_a_symbol_alone(model):
    rng = np.random.default_rng(4)
    bars, learned = random_bars(rng, 500), random_learned(rng, 500, model)
    bars.hours_since = 1.0
    rules = RULES._replace(learned_below_r=0.05)
    alone = replayed(bars, rules, learned)
    shared = replay_wallet_into_ledger(
        bars, rules, BALANCE, np.arange(500), np.array([0, 500]),
        np.empty(0, np.int64), False, 0.0, learned,
    )  # fmt: skip
    assert (alone.trades.exit_reason == LEARNED).any()
    for name in ("entry_index", "exit_index", "exit_reason", "bars_held"):
        assert np.array_equal(alone.trades[name], shared.trades[name]), name
    assert alone.states[0].memory == shared.states[0].memory
    assert len(alone.states[0].memory) == 3 + 2 * learned.output.shape[1]


def test_without_a_threshold_a_model_decides_nothing():
    rng = np.random.default_rng(5)
    bars, learned = random_bars(rng, 500), random_learned(rng, 500, "boosting")
    assert replayed(bars, RULES, learned).legs.tobytes() == (
        replayed(bars, RULES, NOTHING).legs.tobytes()
    )


@pytest.mark.parametrize(("model", "most"), [("boosting", 5), ("lstm", 30)])
def test_a_model_costs_no_more_than_it_may(model, most):
    rng = np.random.default_rng(6)
    bars, learned = random_bars(rng, 20_000), random_learned(rng, 20_000, model)
    rules = RULES._replace(learned_below_r=-1e9)

    def best(learned):
        spans = []
        for _ in range(5):
            began = time.process_time()
            replayed(bars, rules, learned)
            spans.append(time.process_time() - began)
        return min(spans)

    replayed(bars, rules, learned)
    assert best(learned) < most * best(NOTHING)


def judged(paths, model="boosting", below_r=0.0):
    months = list(walk(paths, model, int(paths.decided_at[-1])))
    rows = judge(paths, months, below_r)
    return {(r["section"], r["subject"], r["figure"]): r for r in rows}


def low_beyond_rules(found) -> float:
    return found["learned less, own", "rules", "out_of_sample"]["low"]


def test_momentum_that_decays_at_an_age_is_found():
    found = judged(planted_paths(np.random.default_rng(7), 400, 0.1, 20), below_r=-0.5)
    gain = found["learned less, own", "rules", "out_of_sample"]
    # 20 bars gain 0.1 R each, 11 lose it: below -0.5 R is to come from the 15th on.
    assert 0.4 < gain["low"] < gain["value"] < 1.2
    assert found["learned less, own", "at random", "out_of_sample"]["low"] > 0
    held = found["importance", "bars_held", "r2_lost"]["value"]
    others = [r["value"] for key, r in found.items() if key[0] == "importance"]
    assert held == max(others)
    assert found["model", "rest", "r2_out_of_sample"]["value"] > 0.3


def noise_found(seeds) -> int:
    """Return in how many markets of noise an edge beyond the rules is claimed."""
    return sum(
        low_beyond_rules(judged(planted_paths(np.random.default_rng(seed), 250, 0.0)))
        > 0
        for seed in seeds
    )


def test_noise_finds_nothing_in_a_few_markets():
    assert noise_found(range(100, 106)) == 0


@pytest.mark.proofs
def test_noise_finds_nothing_in_95_of_100_markets():
    assert noise_found(range(1_000, 1_100)) <= 5


def test_a_month_learns_of_nothing_that_ended_after_it_began():
    paths = planted_paths(np.random.default_rng(8), 300, 0.1)
    last = int(paths.decided_at[-1])
    whole = list(walk(paths, "boosting", last))
    # What ends later becomes something else: earlier models stay what they are.
    cut = whole[len(whole) // 2].starts_at
    other = paths.rest.copy()
    other[paths.of_trades(paths.ended_at > cut)] += 5.0
    again = list(walk(paths._replace(rest=other), "boosting", last))
    same = [a.fitted_on == b.fitted_on for a, b in zip(whole, again, strict=True)]
    assert same == [month.starts_at <= cut for month in whole]
    assert len(whole) > 4


def test_a_fit_is_remembered_by_its_content(monkeypatch, tmp_path):
    from barsieve.learning.exits import remembered

    monkeypatch.setenv("BARSIEVE_REMEMBERED", str(tmp_path))
    parts = random_closes(np.random.default_rng(9), 80)
    first, digest = fitted("boosting", *parts)
    monkeypatch.setitem(remembered.FITTERS, "boosting", None)
    again, same = fitted("boosting", *parts)
    assert digest == same
    assert np.array_equal(first.numbers["value"], again.numbers["value"])
    with pytest.raises(TypeError):
        fitted("boosting", parts[0], parts[1] + HOUR_US, parts[2])
