"""An account over time, against slow definitions."""

import math

import numpy as np
import pandas as pd
import pytest

from barsieve.metrics.account import marked_equity
from barsieve.metrics.performance import (
    annual_sharpe,
    daily_sharpe,
    drawdowns,
    max_drawdown,
    of_results,
    profit_factor,
)
from barsieve.profiles.rules import BPS
from barsieve.replay.ledger import KINDS
from barsieve.replay.runs import replay
from barsieve.replay.state import LONG
from profile_cases import inputs_of
from replay_cases import as_bars, at, quiet, random_bars, signalled

# The same sums in another order.
RELATIVE = 1e-9


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
    for opened, close in zip(run.inputs.opens, run.inputs.bars.close, strict=True):
        past = legs[run.booked <= opened]
        nets = past["amount"] - past["fee"] - past["slippage"]
        open_pnl = 0.0
        if len(past):
            trade = past[past["trade"] == past["trade"].iloc[-1]]
            by_kind = trade.groupby("kind")["qty"].sum().rename(dict(enumerate(KINDS)))
            held = by_kind["entry"] - by_kind.get("partial", 0) - by_kind.get("exit", 0)
            side = run.trades.side[past["trade"].iloc[-1]]
            open_pnl = side * held * (close - trade["price"].iloc[0])
        equity.append(run.inputs.profile.start_balance + nets.sum() + open_pnl)
    return np.array(equity)


@pytest.mark.parametrize("seed", [1, 4, 5])
def test_marked_equity_agrees_with_its_definition(seed):
    run = replay(random_inputs(seed, 400))
    # Every kind of leg, so that nothing is compared in vain.
    assert set(run.legs.kind) == {0, 1, 2, 3}
    expected = equity_by_definition(run)
    assert marked_equity(run) == pytest.approx(expected, rel=RELATIVE)


def test_marked_equity_ends_at_the_end_balance():
    run = replay(random_inputs(4))
    assert run.outcome.trades > 0
    end = marked_equity(run)[-1]
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
    assert marked_equity(run) == pytest.approx(
        [10_000, 9_986.5, 9_986.5 + 90, 9_986.5 + out], rel=RELATIVE
    )


def test_without_trades_the_equity_stands_still():
    run = replay(inputs_of(as_bars([quiet()] * 5)))
    assert list(marked_equity(run)) == [10_000.0] * 5


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


def test_a_fall_counts_from_the_start_where_that_is_given():
    curves = np.array([[0.9, 1.2, 0.6], [1.1, 1.1, 1.1]])
    assert drawdowns(curves, start=1.0) == pytest.approx(
        np.array([[0.1, 0.0, 0.5], [0.0, 0.0, 0.0]])
    )
    assert drawdowns(curves)[0] == pytest.approx([0.0, 0.0, 0.5])


def test_figures_of_many_curves_are_those_of_each():
    returns = np.random.default_rng(3).normal(0, 0.01, (5, 90))
    assert annual_sharpe(returns).tolist() == [
        pytest.approx(float(annual_sharpe(one)), rel=1e-12) for one in returns
    ]


def test_a_profit_factor_needs_a_loss():
    found = profit_factor(np.array([3.0, 3.0, 0.0]), np.array([2.0, 0.0, 1.0]))
    assert found == pytest.approx([1.5, np.nan, 0.0], nan_ok=True)
    nets = np.array([2.0, 0.0, -1.0, -1.0, 1.0])
    assert of_results(nets) == {"trades": 5, "win_rate": 0.4, "profit_factor": 1.5}
    nothing = {"trades": 0, "win_rate": None, "profit_factor": None}
    assert of_results(np.array([])) == nothing
