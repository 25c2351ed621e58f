"""Random entries and their figures, against slow definitions and against the clock."""

import math
from dataclasses import asdict
from itertools import islice

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from barsieve.baselines import (
    MOST_DRAWS,
    SIGNAL,
    daily_sharpe,
    draw_random_entries,
    marked_equity,
    max_drawdown,
    shuffled_signals,
)
from barsieve.replay.ledger import KINDS
from barsieve.replay.runs import FOCUSED, Inputs, replay
from barsieve.replay.state import BAR, LONG
from barsieve.settings import BPS, Profile
from replay_cases import RULES, as_bars, at, quiet, random_bars, signalled

# The same sums in another order.
RELATIVE = 1e-9

HOUR = 3_600_000_000
START = 1_700_006_400_000_000


def profile_named(name, **changes):
    """Return a profile with the rules of the replay's cases, costs of 15 bps."""
    settings = RULES._asdict() | {"profile": name, "symbol": "ETH"}
    settings |= {"start_balance": 10_000.0, "screen": "admissible"}
    settings |= {"fees_bps": 10.0, "slippage_bps": 5.0}
    del settings["fee_rate"], settings["slippage_rate"]
    return Profile(**(settings | changes))


def inputs_of(bars, **changes):
    opens = pa.array(START + HOUR * np.arange(len(bars)), pa.timestamp("us", "UTC"))
    return Inputs(profile_named("test", **changes), bars, opens, np.empty(0, np.int64))


def random_inputs(seed, n_bars=2_000):
    """Return inputs with a few signals; every tenth bar has no score at all."""
    rng = np.random.default_rng(seed)
    bars = random_bars(rng, n_bars)
    bars.is_eligible = rng.random(n_bars) < 0.1
    bars.confidence = np.where(bars.side == 0, 0.5, bars.confidence)
    bars.confidence[::10] = np.nan
    bars.side[::10] = 0
    return inputs_of(bars)


# --- Equity marked at each close ------------------------------------------------------


def equity_by_definition(run):
    """Return start + net of all legs so far + open quantity · (close - entry price)."""
    legs = pd.DataFrame.from_records(np.asarray(run.legs))
    equity = []
    for index, close in enumerate(run.inputs.bars.close):
        past = legs[legs["index"] <= index]
        nets = past["amount"] - past["fee"] - past["slippage"]
        open_pnl = 0.0
        if len(past):
            trade = past[past["trade"] == past["trade"].iloc[-1]]
            by_kind = (
                trade.groupby("kind")["quantity"].sum().rename(dict(enumerate(KINDS)))
            )
            held = by_kind["entry"] - by_kind.get("partial", 0) - by_kind.get("exit", 0)
            side = run.trades.side[past["trade"].iloc[-1]]
            open_pnl = side * held * (close - trade["price"].iloc[0])
        equity.append(run.inputs.profile.start_balance + nets.sum() + open_pnl)
    return np.array(equity)


@pytest.mark.parametrize("seed", [1, 3, 4])
def test_marked_equity_agrees_with_its_definition(seed):
    run = replay(random_inputs(seed, 400))
    # Every kind of leg, so that nothing is compared in vain.
    assert set(run.legs.kind) == {0, 1, 2, 3}
    expected = equity_by_definition(run)
    assert marked_equity(run, run.inputs.bars.close) == pytest.approx(
        expected, rel=RELATIVE
    )


def test_marked_equity_ends_at_the_end_balance():
    run = replay(random_inputs(4))
    assert run.outcome.trades > 0
    end = marked_equity(run, run.inputs.bars.close)[-1]
    assert end == pytest.approx(run.outcome.end_balance, rel=RELATIVE)


def test_marked_equity_counts_an_open_position_at_the_close():
    # 90 bought at 100 for 13.5 of costs, at 101 at the next close, and sold at 104.
    bars = [
        signalled(quiet(), LONG),
        quiet(),
        at(100, 101, 100, 101),
        at(101, 104, 101, 104),
    ]
    run = replay(inputs_of(as_bars(bars)))
    out = 360 - 90 * 104 * 15 * BPS
    assert marked_equity(run, run.inputs.bars.close) == pytest.approx(
        [10_000, 9_986.5, 9_986.5 + 90, 9_986.5 + out], rel=RELATIVE
    )


def test_without_trades_the_equity_stands_still():
    run = replay(inputs_of(as_bars([quiet()] * 5)))
    assert list(marked_equity(run, run.inputs.bars.close)) == [10_000.0] * 5


# --- Sharpe ratio and drawdown --------------------------------------------------------


def random_curve(seed, n_bars=1_000):
    rng = np.random.default_rng(seed)
    return 10_000 * np.exp(np.cumsum(rng.normal(1e-4, 0.01, n_bars)))


@pytest.mark.parametrize("seed", range(5))
def test_the_daily_sharpe_agrees_with_pandas(seed):
    # Starts within a day and lacks hours, as markets do.
    rng = np.random.default_rng(seed)
    hours = 7 + np.flatnonzero(rng.random(1_500) > 0.2)[:1_000]
    equity = random_curve(seed, len(hours))
    opens = pd.to_datetime(hours, unit="h", origin="2024-01-01")
    closes = pd.Series(equity, opens).groupby(opens.date).last()
    returns = closes.pct_change().dropna()
    expected = returns.mean() / returns.std() * math.sqrt(365)
    assert daily_sharpe(equity, hours // 24) == pytest.approx(expected, rel=RELATIVE)


def test_only_the_last_equity_of_a_day_counts():
    days = np.repeat(np.arange(30), 24)
    equity = random_curve(1, len(days))
    disturbed = equity.copy()
    disturbed[days * 24 + 23 != np.arange(len(days))] *= 1.5
    assert daily_sharpe(disturbed, days) == daily_sharpe(equity, days)


@pytest.mark.parametrize("n_days", [1, 2, 5])
def test_the_sharpe_of_a_curve_that_never_varies_is_nan(n_days):
    assert math.isnan(daily_sharpe(np.full(n_days, 100.0), np.arange(n_days)))


def drawdown_by_definition(equity):
    """Return the greatest loss of anyone who bought at one point and sold later."""
    return max(
        1 - equity[j] / equity[i] for j in range(len(equity)) for i in range(j + 1)
    )


@pytest.mark.parametrize("seed", range(5))
def test_the_drawdown_is_the_worst_loss_between_any_two_points(seed):
    equity = random_curve(seed, 300)
    expected = drawdown_by_definition(equity)
    assert max_drawdown(equity) == pytest.approx(expected, rel=RELATIVE)


def test_a_curve_that_only_rises_has_no_drawdown():
    assert max_drawdown(np.array([1.0, 2.0, 2.0, 3.0])) == 0


# --- Signals at random times ----------------------------------------------------------


def shuffled(inputs, seed):
    rng = np.random.default_rng(seed)
    return next(shuffled_signals(inputs, rng)).bars


def signals_of(bars):
    """Return the signals of the eligible bars as sorted rows."""
    is_signal = bars.is_eligible & (bars.side != 0)
    return sorted(zip(*(bars[name][is_signal] for name in SIGNAL), strict=True))


def test_shuffled_signals_keep_their_number_sides_and_strengths():
    inputs = random_inputs(1)
    bars = shuffled(inputs, 1)
    assert len(signals_of(bars)) > 50
    assert signals_of(bars) == signals_of(inputs.bars)
    assert bars.is_eligible.sum() == len(signals_of(bars))


def test_shuffled_signals_move():
    inputs = random_inputs(1)
    bars = shuffled(inputs, 1)
    moved = bars.is_eligible & ~inputs.bars.is_eligible
    # A tenth of the bars is eligible: about nine of ten signals land elsewhere.
    assert moved.sum() > 0.8 * bars.is_eligible.sum()


def test_shuffled_signals_land_on_bars_that_have_a_score():
    inputs = random_inputs(2)
    bars = shuffled(inputs, 2)
    assert np.isfinite(inputs.bars.confidence[bars.is_eligible]).all()
    assert np.isnan(inputs.bars.confidence).any()


def test_a_shuffle_leaves_everything_but_the_signals_untouched():
    inputs = random_inputs(3)
    original = inputs.bars.copy()
    bars = shuffled(inputs, 3)
    for name in set(BAR.names) - {*SIGNAL, "is_eligible"}:
        assert bars[name].tobytes() == original[name].tobytes(), name
    elsewhere = ~bars.is_eligible
    for name in SIGNAL:
        assert bars[name][elsewhere].tobytes() == original[name][elsewhere].tobytes()
    for name in BAR.names:
        assert inputs.bars[name].tobytes() == original[name].tobytes(), name


def test_one_signal_lands_anywhere_with_equal_chance():
    bars = as_bars([{**quiet(), "confidence": 0.5} for _ in range(10)])
    bars.side[3], bars.is_eligible[3], bars.confidence[3] = LONG, True, 0.9
    draws = shuffled_signals(inputs_of(bars), np.random.default_rng(1))
    landed = np.zeros(10)
    for drawn in islice(draws, 5_000):
        landed += drawn.bars.is_eligible
    # 500 each, standard deviation 21: five of them.
    assert np.abs(landed - 500).max() < 106


def test_the_leftovers_of_an_earlier_draw_do_not_trade():
    # The copy is written to again and again: a reused one replays like a fresh one,
    # over every bar as over the bars of its signals.
    inputs = random_inputs(5)
    for drawn in islice(shuffled_signals(inputs, np.random.default_rng(5)), 5):
        bars = inputs.bars.copy()
        bars.is_eligible[:] = False
        bars[drawn.entry_bars] = drawn.bars[drawn.entry_bars]
        ours, theirs = replay(drawn, FOCUSED), replay(inputs._replace(bars=bars))
        assert ours.outcome.trades > 0
        assert ours.legs.tobytes() == theirs.legs.tobytes()
        assert ours.trades.tobytes() == theirs.trades.tobytes()


# --- Draws ----------------------------------------------------------------------------


def draws_of(names, seed=1):
    """Draw random entries for profiles of these names over one market."""
    inputs = random_inputs(seed, 500)
    connection = duckdb.connect()

    def relation(rows):
        return connection.from_arrow(pa.Table.from_pylist(rows))

    columns = {name: inputs.bars[name] for name in BAR.names}
    bars = [
        connection.from_arrow(
            pa.table(
                {"profile": [name] * 500, "bar_ts": inputs.bar_ts}
                | {column: pa.array(values) for column, values in columns.items()}
            )
        )
        for name in names
    ]
    every_bar = bars[0]
    for further in bars[1:]:
        every_bar = every_bar.union(further)
    return draw_random_entries(
        profiles=relation([asdict(profile_named(name)) for name in names]),
        bars=every_bar,
        candidates=relation([{"profile": "none", "bar_index": 1}]),
        windows=relation([{"profile": "none", "first_index": 1, "last_index": 1}]),
    )


@pytest.fixture(scope="module")
def draws():
    return draws_of(["eth_calm"])


def test_draws_are_reproducible(draws):
    assert draws.num_rows == MOST_DRAWS
    assert draws.equals(draws_of(["eth_calm"]))


def test_draws_differ_from_each_other(draws):
    assert len(set(draws["net_pnl"].to_pylist())) > MOST_DRAWS * 0.9


def test_the_draws_of_a_profile_do_not_depend_on_the_other_profiles(draws):
    together = draws_of(["eth_bold", "eth_calm"])
    is_calm = pa.compute.equal(together["profile"], "eth_calm")
    assert together.filter(is_calm).equals(draws)
    bold = together.filter(pa.compute.invert(is_calm))
    assert bold["net_pnl"] != draws["net_pnl"]


def test_a_draw_reports_the_figures_of_its_trades(draws):
    rows = draws.to_pandas()
    assert (rows["trades"] > 0).all()
    assert rows["win_rate"].between(0, 1).all()
    assert rows["max_drawdown"].between(0, 1).all()
    assert (rows["costs"] > 0).all()
    assert ((rows["profit_factor"] > 1) == (rows["net_pnl"] > 0)).all()
