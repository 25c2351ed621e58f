"""Markets that no exchange would make, on the bars of the demo: gaps, jumps, ruin.

Bars, signals and rules are those of the build; only the prices or the hours are not.
"""

from dataclasses import replace as with_fields

import numpy as np
import pyarrow as pa
import pytest

from barsieve.metrics import account
from barsieve.metrics.account import marked_equity
from barsieve.metrics.performance import max_drawdown
from barsieve.profiles.settings import read_profiles
from barsieve.replay.runs import FOCUSED, FULL, read_inputs, replay
from replay_cases import same_bits

HOUR_US = 3_600_000_000


@pytest.fixture(scope="module")
def inputs(demo_build):
    with demo_build.connect() as connection:
        tables = [
            connection.table(name)
            for name in ("replay_bars", "candidates", "candidate_windows")
        ]
        profiles = read_profiles(connection.table("config_symbols"))
        named = {profile.profile: profile for profile in profiles}
        yield {
            name: read_inputs([named[name]], *tables)
            for name in ("btc_live", "eth_comprehensive")
        }


def index_at(inputs, moment: str) -> int:
    opens = inputs.bar_ts.cast(pa.int64()).to_numpy()
    return int(np.searchsorted(opens, np.datetime64(moment, "us").astype(np.int64)))


def jumped(inputs, moment: str, factor: float):
    """Return inputs whose prices are multiplied from a moment on."""
    bars = inputs.bars.copy()
    for name in ("open", "high", "low", "close"):
        bars[name][index_at(inputs, moment) :] *= factor
    return inputs._replace(bars=bars)


def without(inputs, start: str, end: str):
    """Return inputs without the bars of an outage."""
    first, last = index_at(inputs, start), index_at(inputs, end)
    kept = np.r_[0:first, last : len(inputs.bars)]
    bars = inputs.bars[kept].copy()
    bars.index = np.arange(len(bars))
    opens = inputs.bar_ts.cast(pa.int64()).to_numpy()[kept]
    bars.hours_since = np.diff(opens, prepend=opens[0] - HOUR_US) / HOUR_US
    entries = np.flatnonzero(np.isin(kept, inputs.entry_bars))
    return inputs._replace(
        bars=bars, bar_ts=pa.array(opens, inputs.bar_ts.type), entry_bars=entries
    )


def with_rules(inputs, **changes):
    return inputs._replace(
        profile=with_fields(
            inputs.profile, rules=inputs.profile.rules._replace(**changes)
        )
    )


def assert_sound(run):
    """Assert that no equity at a close is below 0 and that money is conserved."""
    equity = marked_equity(run)
    scale = max(np.abs(run.legs.amount).max(initial=0.0), equity.max())
    assert equity.min() >= -1e-12 * scale
    assert max_drawdown(equity) <= 1 + 1e-12
    assert equity[-1] == pytest.approx(run.outcome.end_balance, abs=1e-11 * scale)
    balances = np.append(run.inputs.profile.start_balance, run.legs.balance)
    assert balances[-1] == pytest.approx(run.outcome.end_balance, abs=1e-11 * scale)


# What 0.1.0 made of the first was a balance of -5.3 million, a drawdown of 53,349 %.
@pytest.mark.parametrize("factor", [0.001, 0.1, 10.0, 1000.0])
@pytest.mark.parametrize("hour", range(0, 96, 5))
def test_a_jump_of_the_price_never_leaves_less_than_nothing(inputs, factor, hour):
    made = inputs["eth_comprehensive"]
    moment = np.datetime64("2021-06-01T00:00") + np.timedelta64(hour, "h")
    full, focused = (
        replay(jumped(made, moment, factor), mode) for mode in (FULL, FOCUSED)
    )
    assert_sound(full)
    assert same_bits(focused, full)


def test_an_account_is_lost_to_a_jump_and_says_what_was_not_paid(inputs):
    made, runs = inputs["eth_comprehensive"], []
    for hour in range(0, 400, 3):
        moment = np.datetime64("2021-06-01T00:00") + np.timedelta64(hour, "h")
        runs.append(replay(jumped(made, moment, 1000.0)))
    lost = [run for run in runs if run.outcome.liquidated]
    assert lost
    for run in lost:
        shortfalls = run.trades.shortfall[run.trades.shortfall > 0]
        assert len(shortfalls) == 1
        assert shortfalls[0] > 10_000
        assert run.outcome.end_balance == 0.0
        assert run.outcome.ruined_index >= 0
        assert run.trades.entry_index.max() <= run.outcome.ruined_index


def test_an_order_before_an_outage_lapses(inputs):
    made = inputs["btc_live"]
    decided = replay(made).trades.decision_index
    opens = made.bar_ts.to_pylist()
    start = opens[decided[20] + 1].replace(tzinfo=None)
    end = opens[decided[20] + 480].replace(tzinfo=None)
    cut = without(made, start, end)
    full, focused = replay(cut, FULL), replay(cut, FOCUSED)
    assert (full.outcome.lapsed, focused.outcome.lapsed) == (1, 1)
    assert decided[20] not in full.trades.decision_index
    assert same_bits(focused, full)
    waiting = replay(with_rules(cut, max_gap_hours=1_000.0))
    assert waiting.outcome.lapsed == 0
    assert decided[20] in waiting.trades.decision_index


@pytest.mark.parametrize("start_balance", [50.0, 20.0, 11.0, 2.6, 2.4, 1e-9])
def test_nothing_is_entered_after_ruin(inputs, start_balance):
    profile = with_fields(inputs["btc_live"].profile, start_balance=start_balance)
    run = replay(inputs["btc_live"]._replace(profile=profile))
    index, rules = run.outcome.ruined_index, profile.rules
    summary = account.of_runs([run], [])
    assert_sound(run)
    assert (summary["ruined_ts"] is None) == (index < 0)
    if index >= 0:
        assert not np.any(run.trades.entry_index > index)
        largest = rules.margin_cap * run.outcome.end_balance * rules.leverage
        assert largest < rules.min_notional
    # At 50 USD orders are refused, and yet the account is not ruined.
    if start_balance == 50.0:
        assert run.outcome.refused > 0
        assert index < 0
    if start_balance < 2.5:
        assert (index, run.outcome.trades) == (0, 0)
