"""Luck: where signals may go, that noise is told as noise, and an edge as one."""

from dataclasses import asdict

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from scipy.stats import kstest

from barsieve.core import schemas
from barsieve.metrics.random_entries import (
    LEAST_DRAWS,
    LUCKS,
    at_least_as_good,
    draw_random_entries,
    earned,
    luck_of,
    sample,
)
from barsieve.metrics.shifts import DRAWS, SIGNAL, Draws, Signals, tracks_of
from barsieve.replay.runs import FOCUSED, replay
from barsieve.replay.state import BAR, LONG, SHORT
from profile_cases import inputs_of, profile_named
from replay_cases import as_bars, quiet, signalled

MEASURES = list(LUCKS.values())


def persistent(rng, n, stay):
    """Return a standard normal that resembles what it was before, shape (n,)."""
    shocks, values = rng.standard_normal(n), np.empty(n)
    values[0] = shocks[0]
    for i in range(1, n):
        values[i] = stay * values[i - 1] + np.sqrt(1 - stay**2) * shocks[i]
    return values


def market(rng, n=3_000):
    """Return a random walk whose macro gates close for weeks, and for one side."""
    bars = as_bars([quiet()]).repeat(n).view(np.recarray)
    steps = rng.standard_normal((n, 4)) * 0.004
    path = 100 * np.exp(np.cumsum(steps.ravel()).reshape(n, 4))
    bars["index"] = np.arange(n)
    bars.open, bars.close = path[:, 0], path[:, 3]
    bars.high, bars.low = path.max(axis=1), path.min(axis=1)
    bars.atr_20 = path[:, 0] * 0.012
    bars.vix = 20 + 8 * persistent(rng, n, 0.995)
    bars.net_veto_long = 0.4 + 0.3 * persistent(rng, n, 0.99)
    bars.net_veto_short = bars.net_veto_long + 0.3 * (rng.random(n) < 0.05)
    bars.is_eligible = (np.arange(n) % 4 == 0) & (rng.random(n) < 0.8)
    return bars


def with_signals(bars, sides, strengths):
    """Return the bars with a side where it is not 0; a third of them are strong."""
    bars.side = np.sign(sides).astype(np.int8)
    bars.confidence, bars.threshold = 0.5 + 0.1 * np.abs(strengths), 0.6
    return inputs_of(bars)


def noise(seed, stay):
    """Return inputs whose signals know nothing, and resemble the one before."""
    rng = np.random.default_rng([seed, 1])
    bars = market(rng)
    n = len(bars)
    return with_signals(bars, persistent(rng, n, stay), persistent(rng, n, stay))


def momentum(seed):
    """Return inputs whose signals follow the past of a random walk, without an edge."""
    bars = market(np.random.default_rng([seed, 2]))
    change = np.zeros(len(bars))
    change[48:] = np.log(bars.close[48:] / bars.close[:-48])
    return with_signals(bars, change, change / 0.03)


def foreseen(seed, right):
    """Return inputs whose sides are those of the next day in a share of cases."""
    rng = np.random.default_rng([seed, 3])
    bars = market(rng)
    n = len(bars)
    ahead = np.log(bars.close[np.minimum(np.arange(n) + 24, n - 1)] / bars.close)
    sides = np.where(rng.random(n) < right, ahead, -ahead)
    return with_signals(bars, sides, rng.standard_normal(n))


def lucks(inputs, seed, n_draws):
    """Return luck by net result, mean R and gross R."""
    found = sample(inputs, np.random.default_rng(seed), n_draws)
    assert len(found.rows) == n_draws
    return [
        at_least_as_good(
            getattr(found.own, name), np.array([row[name] for row in found.rows])
        )
        for name in MEASURES
    ]


# --- The track ------------------------------------------------------------------------


def test_signals_move_along_the_bars_that_would_enter_a_signal_of_some_side():
    inputs = noise(1, 0.9)
    bars, rules = inputs.bars, inputs.profile.rules
    (track,) = tracks_of(inputs)
    is_open = bars.is_eligible & (
        np.minimum(bars.net_veto_long, bars.net_veto_short) < rules.veto_limit
    )
    assert 0 < len(track) < bars.is_eligible.sum()
    assert is_open[track].all()
    # Signals of the profile that can be entered lie on it.
    assert set(replay(inputs).trades.decision_index) <= set(track)


def test_bars_before_the_first_score_are_no_places():
    inputs = noise(2, 0.9)
    inputs.bars.side[:500], inputs.bars.confidence[:500] = 0, np.nan
    (track,) = tracks_of(inputs)
    assert track[0] >= 500


def test_a_bar_open_to_one_side_enters_that_side_alone():
    bars = as_bars([quiet() for _ in range(12)])
    bars[0] = as_bars([signalled(quiet(), LONG)])[0]
    bars[4] = as_bars([signalled(quiet(), SHORT)])[0]
    bars.is_eligible = np.arange(12) % 4 == 0
    bars.net_veto_long[4] = 1.0
    signals = Signals(inputs_of(bars))
    assert list(signals.track) == [0, 4, 8]
    entered = [
        list(replay(signals.moved(shift), FOCUSED).trades.decision_index)
        for shift in range(3)
    ]
    # Moved by one the long lands where longs are vetoed.
    assert entered[1] == [8]
    assert entered[2][0] == 0


@pytest.mark.parametrize("seed", range(4))
def test_a_shift_of_nothing_is_the_profile_itself(seed):
    inputs = noise(seed, 0.9)
    ours, theirs = replay(Signals(inputs).moved(0), FOCUSED), replay(inputs)
    assert ours.outcome.trades > 10
    assert ours.legs.tobytes() == theirs.legs.tobytes()


def test_a_shift_moves_whole_signals_and_nothing_else():
    inputs = noise(3, 0.9)
    original, (track,) = inputs.bars.copy(), tracks_of(inputs)
    moved = Signals(inputs).moved(7).bars
    for name in SIGNAL:
        assert (
            moved[name][track].tobytes() == np.roll(original[name][track], 7).tobytes()
        )
    elsewhere = np.ones(len(original), bool)
    elsewhere[track] = False
    for name in BAR.names:
        assert inputs.bars[name].tobytes() == original[name].tobytes(), name
        if name not in SIGNAL:
            assert moved[name].tobytes() == original[name].tobytes(), name
        assert moved[name][elsewhere].tobytes() == original[name][elsewhere].tobytes()


def test_leftovers_of_an_earlier_shift_do_not_trade():
    inputs = noise(4, 0.9)
    signals = Signals(inputs)
    places = len(signals.track)
    for shift in (3, 50, 200):
        signals.moved(shift + 1, np.arange(places) % 2 == 0)
        used, fresh = signals.moved(shift), Signals(inputs).moved(shift)
        ours, theirs = replay(used, FOCUSED), replay(fresh)
        assert ours.outcome.trades > 0
        assert ours.legs.tobytes() == theirs.legs.tobytes()


# --- As many trades -------------------------------------------------------------------


@pytest.mark.parametrize("inputs", [noise(5, 0.9), momentum(5)], ids=["noise", "past"])
def test_a_draw_trades_as_often_as_the_profile(inputs):
    draws = Draws(inputs, np.random.default_rng(1))
    found, own = draws.take(), len(draws.own.trades)
    assert len(found) == DRAWS
    within = max(1, 0.02 * own)
    assert all(abs(len(one.run.trades) - own) <= within for one in found)
    assert len({one.shift for one in found}) == DRAWS
    assert 0 <= draws.accepted <= draws.tried


def test_where_shifts_trade_too_often_signals_are_left_out_and_it_is_said():
    # Sides that follow the price leave fewer trades by a reversal than moved ones.
    inputs = momentum(5)
    found = sample(inputs, np.random.default_rng(2))
    said = luck_of(found)
    assert found.accepted < LEAST_DRAWS == said["luck_draws"]
    assert 0.5 < found.kept < 1
    assert "were left out at random" in said["luck_note"]
    assert said["luck_acceptance"] == found.accepted / found.tried
    trades = np.array([row["trades"] for row in found.rows])
    assert np.abs(trades - found.own_trades).max() <= max(1, 0.02 * found.own_trades)


# --- What is said, and what is not ----------------------------------------------------


def test_without_a_trade_nothing_is_said():
    inputs = noise(6, 0.9)
    inputs.bars.confidence[:] = 0.0
    said = luck_of(sample(inputs, np.random.default_rng(1)))
    assert (said["luck"], said["luck_note"]) == (None, "no trade")


def test_a_short_market_has_too_few_places():
    rng = np.random.default_rng(1)
    bars = market(rng, 300)
    inputs = with_signals(bars, rng.standard_normal(300), np.full(300, 3.0))
    said = luck_of(sample(inputs, rng))
    assert said["luck"] is None
    assert "bars only" in said["luck_note"]


def test_signals_that_are_all_the_same_have_no_timing():
    bars = market(np.random.default_rng(2))
    said = luck_of(
        sample(with_signals(bars, np.ones(3_000), 3.0), np.random.default_rng(1))
    )
    assert said["luck"] is None
    assert "different results" in said["luck_note"]


def test_too_few_draws_say_nothing():
    said = luck_of(sample(noise(7, 0.9), np.random.default_rng(1), LEAST_DRAWS - 1))
    assert said["luck"] is None
    assert f"{LEAST_DRAWS} wanted" in said["luck_note"]


def test_luck_counts_the_profile_itself():
    assert at_least_as_good(5.0, np.array([1.0, 5.0, 9.0])) == 3 / 4
    assert at_least_as_good(10.0, np.arange(9.0)) == 0.1


def test_what_a_replay_earned_is_that_of_its_trades():
    run = replay(noise(8, 0.9))
    total, r, gross_r = 0.0, [], []
    for number, trade in enumerate(run.trades):
        legs = run.legs[run.legs.trade == number]
        net = sum(legs.amount - legs.fee - legs.slippage)
        gross = sum(legs.amount[legs.kind != 3])
        risked = trade.risk_distance * legs.qty[legs.kind == 0][0]
        total, r, gross_r = total + net, [*r, net / risked], [*gross_r, gross / risked]
    expected = (total, np.mean(r), np.mean(gross_r))
    assert earned(run) == pytest.approx(expected, rel=1e-9)


# --- Noise is noise, an edge is an edge -----------------------------------------------


def assert_uniform(found, n_draws):
    """Test each measure; the grid of so few draws is spread over its cells."""
    rng = np.random.default_rng(0)
    for name, values in zip(MEASURES, np.transpose(found), strict=True):
        spread = values - rng.random(len(values)) / (n_draws + 1)
        assert kstest(spread, "uniform").pvalue > 0.01, name


NOISES = {
    "single": lambda seed: noise(seed, 0.0),
    "in runs": lambda seed: noise(seed, 0.95),
    "of the past": momentum,
}


@pytest.mark.slow
@pytest.mark.parametrize("kind", NOISES)
def test_signals_that_know_nothing_have_a_uniform_luck(kind):
    found = [lucks(NOISES[kind](seed), seed, 19) for seed in range(30)]
    assert_uniform(found, 19)


@pytest.mark.proofs
@pytest.mark.parametrize("kind", NOISES)
def test_luck_of_noise_is_uniform_over_two_hundred_markets(kind):
    found = np.array([lucks(NOISES[kind](seed), seed, DRAWS) for seed in range(200)])
    assert_uniform(found, DRAWS)
    # 20 of 200 beyond the 5 % point: the bound of a fair test, twice its mean.
    assert ((found <= 0.05).sum(axis=0) <= 20).all()


@pytest.mark.slow
def test_an_edge_has_little_luck_by_every_measure():
    found = np.array([lucks(foreseen(seed, 0.9), seed, 39) for seed in range(6)])
    assert (found <= 0.05).all()


@pytest.mark.proofs
def test_how_small_an_edge_is_seen():
    # Of sides that are right two times in three nine in ten are seen.
    found = np.array([lucks(foreseen(seed, 0.67), seed, DRAWS) for seed in range(40)])
    assert ((found <= 0.05).mean(axis=0) >= 0.9).all()


# --- The rows -------------------------------------------------------------------------


def row_of(profile):
    """Return a profile as its row of `config_symbols`."""
    row = asdict(profile)
    return row | row.pop("rules")._asdict()


def runs_of(names):
    """Draw random entries for profiles of these names over one market."""
    inputs = noise(1, 0.5)
    n, connection = len(inputs.bars), duckdb.connect()

    def relation(rows):
        return connection.from_arrow(pa.Table.from_pylist(rows))

    columns = {name: pa.array(inputs.bars[name]) for name in BAR.names}
    columns["bar_index"] = pa.array(np.arange(1, n + 1))
    columns["known_at"] = inputs.known_at
    columns["is_in_study"] = pa.array(inputs.is_in_study)
    columns["market_ends_at"] = pa.repeat(inputs.bar_ts[n - 1], n)
    columns["symbol"] = pa.repeat("ETH", n)
    tables = [
        pa.table({"profile": [name] * n, "bar_ts": inputs.bar_ts} | columns)
        for name in names
    ]
    return draw_random_entries(
        profiles=relation([row_of(profile_named(name)) for name in names]),
        bars=connection.from_arrow(pa.concat_tables(tables)),
        candidates=relation([{"profile": "none", "symbol": "ETH", "bar_index": 1}]),
        windows=relation(
            [{"profile": "none", "symbol": "ETH", "first_index": 1, "last_index": 1}]
        ),
        exits=connection.from_arrow(schemas.EXIT_LEARNED.empty_table()),
        seen=relation([{"profile": "none", "symbol": "ETH", "bar_index": 1}]),
    ).to_pylist()


@pytest.fixture(scope="module")
def calm():
    return runs_of(["eth_calm"])[0]


def test_draws_are_reproducible_and_differ(calm):
    assert len(calm["draws"]) == DRAWS
    assert calm == runs_of(["eth_calm"])[0]
    assert len({row["net_pnl"] for row in calm["draws"]}) > DRAWS * 0.9


def test_the_draws_of_a_profile_do_not_depend_on_the_other_profiles(calm):
    bold, together = runs_of(["eth_bold", "eth_calm"])
    assert together == calm
    assert bold["draws"] != calm["draws"]


def test_a_draw_reports_the_figures_of_its_trades(calm):
    for row in calm["draws"]:
        assert 0 <= row["win_rate"] <= 1
        assert 0 <= row["max_drawdown"] <= 1
        assert row["costs"] > 0
        assert row["kept"] == 1
        assert row["gross_r"] > row["mean_r"]
        assert (row["profit_factor"] > 1) == (row["net_pnl"] > 0)
