"""Figures of trades and of an account, against quantstats and slow definitions."""

import math
import warnings
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from barsieve.analysis.replay import replay_profile
from barsieve.metrics.account import (
    CURVE,
    SIDES,
    Marks,
    by_side,
    of_curve,
    of_runs,
    of_trades,
)
from barsieve.metrics.performance import (
    DAY_US,
    DAYS_A_YEAR,
    HOUR_US,
    annual_growth,
    longest_run,
    of_results,
    of_wins_and_losses,
    years_of,
)
from barsieve.metrics.under_water import worst_drawdowns
from barsieve.replay.runs import replay
from profile_cases import inputs_of
from replay_cases import as_bars, quiet, random_bars

# The same sums in another order.
RELATIVE = 1e-9
FIRST = datetime(2021, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def library():
    """quantstats; skipped, with a reason, where it is not installed."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pytest.importorskip(
            "quantstats.stats", reason="quantstats is not installed"
        )


def daily_curve(seed: int, n_days: int = 500) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return 10_000 * np.exp(np.cumsum(rng.normal(3e-4, 0.02, n_days)))


def hourly(closes: np.ndarray) -> Marks:
    """Return an account that has the equity of each day at all its hours."""
    equity = np.repeat(closes, 24)
    bar_ts = int(FIRST.timestamp()) * 1_000_000 + np.arange(len(equity)) * HOUR_US
    return Marks(equity, np.arange(len(equity)) % 3 == 0, bar_ts)


def as_returns(closes: np.ndarray) -> pd.Series:
    days = pd.date_range(FIRST.date(), periods=len(closes))
    return pd.Series(closes, days).pct_change().fillna(0.0)


# --- Of an account --------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(5))
def test_the_figures_of_a_curve_are_those_of_quantstats(library, seed):
    closes = daily_curve(seed)
    found = of_curve(hourly(closes), closes[0], closes[-1], 0.0)
    whole = as_returns(closes)
    # The first day has a return on what was there before, which no day closed at.
    returns = whole.iloc[1:]
    expected = {
        "cagr": library.cagr(whole, periods=DAYS_A_YEAR),
        "volatility": library.volatility(returns, periods=DAYS_A_YEAR),
        "sharpe": library.sharpe(returns, periods=DAYS_A_YEAR),
        "sortino": library.sortino(returns, periods=DAYS_A_YEAR),
        "calmar": library.calmar(whole, periods=DAYS_A_YEAR),
        "max_drawdown": -library.max_drawdown(whole),
        "best_day": library.best(returns),
        "worst_day": library.worst(returns),
        "return_share": library.comp(whole),
    }
    assert {name: found[name] for name in expected} == pytest.approx(
        expected, rel=RELATIVE
    )


@pytest.mark.parametrize("seed", range(5))
def test_the_worst_drawdowns_are_those_of_quantstats(library, seed):
    """Its spells run from the first day below the peak to the last one."""
    closes = daily_curve(seed)
    days = int(FIRST.timestamp()) * 1_000_000 + np.arange(len(closes)) * DAY_US
    found = worst_drawdowns(closes, days, most=1_000)
    falls = library.to_drawdown_series(as_returns(closes))
    told = library.drawdown_details(falls).sort_values("max drawdown")
    assert len(found) == len(told) > 3
    last = (FIRST + timedelta(days=len(closes) - 1)).date().isoformat()
    for row, expected in zip(found, told.to_dict("records"), strict=True):
        first_below = row["start_ts"] + timedelta(days=1)
        assert first_below.date().isoformat() == expected["start"]
        assert row["trough_ts"].date().isoformat() == expected["valley"]
        assert row["depth"] == pytest.approx(-expected["max drawdown"] / 100)
        if row["end_ts"]:
            last_below = row["end_ts"] - timedelta(days=1)
            assert last_below.date().isoformat() == expected["end"]
            assert row["days"] == expected["days"] + 1
        else:
            assert (expected["end"], row["days"]) == (last, expected["days"])


def test_a_drawdown_that_is_open_has_no_end_and_one_that_is_none_no_row():
    hours = np.arange(6) * HOUR_US
    rows = worst_drawdowns(np.array([10.0, 8.0, 10.0, 12.0, 11.0, 11.5]), hours)
    assert [row["depth"] for row in rows] == pytest.approx([0.2, 1 / 12])
    assert [row["end_ts"] is None for row in rows] == [False, True]
    assert [row["days"] for row in rows] == pytest.approx([2 / 24, 2 / 24])
    assert rows[1]["trough_ts"] - rows[1]["start_ts"] == timedelta(hours=1)
    assert worst_drawdowns(np.array([1.0, 1.0, 2.0]), hours[:3]) == []


def test_time_under_water_goes_by_the_clock():
    """Two bars a day apart: the market had a hole, and the account was below."""
    equity, bar_ts = np.array([10.0, 9.0, 10.0, 9.5]), np.array([0, 1, 26, 27])
    marks = Marks(equity, equity < 10, bar_ts * HOUR_US)
    found = of_curve(marks, 10.0, 9.5, 30.0)
    assert found["under_water_share"] == 0.5
    assert found["longest_under_water_days"] == pytest.approx(26 / 24)
    assert found["exposure"] == 0.5
    years = 28 / 24 / DAYS_A_YEAR
    assert found["turnover"] == pytest.approx(30.0 / equity.mean() / years)
    assert found["cagr"] == pytest.approx(0.95 ** (1 / years) - 1)
    assert found["calmar"] == pytest.approx(found["cagr"] / 0.1)


def test_an_account_that_is_lost_has_lost_all_a_year():
    closes = np.array([100.0, 50.0, 0.0, 0.0])
    found = of_curve(hourly(closes), 100.0, 0.0, 10.0)
    assert found["cagr"] == found["calmar"] == -1
    assert found["max_drawdown"] == 1
    for name in ("sharpe", "sortino", "volatility", "best_day", "worst_day"):
        assert found[name] is None


def test_a_curve_that_stands_still_or_is_none_has_no_figures():
    found = of_curve(hourly(np.full(3, 100.0)), 100.0, 100.0, 0.0)
    assert (found["cagr"], found["volatility"], found["turnover"]) == (0, 0, 0)
    assert (found["under_water_share"], found["drawdowns"]) == (0, [])
    for name in ("sharpe", "sortino", "calmar"):
        assert found[name] is None
    nothing = of_curve(hourly(np.empty(0)), 100.0, 100.0, 0.0)
    assert nothing == dict.fromkeys(CURVE) | {"drawdowns": []}


def test_a_growth_beyond_all_numbers_is_no_figure():
    assert math.isinf(annual_growth(1.0, 1.5, 1e-6))
    one_hour = Marks(np.array([1.5]), np.array([True]), np.array([0]))
    assert of_curve(one_hour, 1e-3, 1e3, 0.0)["cagr"] is None


def test_a_day_that_never_lost_has_no_sortino_and_a_flat_one_counts(library):
    rising = of_curve(hourly(np.array([1.0, 2.0, 3.0])), 1.0, 3.0, 0.0)
    assert rising["sortino"] is None
    closes = np.array([100.0, 100.0, 90.0, 100.0])
    found = of_curve(hourly(closes), 100.0, 100.0, 0.0)["sortino"]
    expected = library.sortino(as_returns(closes).iloc[1:], periods=DAYS_A_YEAR)
    assert found == pytest.approx(expected)


# --- Of trades ------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(5))
def test_the_figures_of_results_are_those_of_quantstats(library, seed):
    """It drops results of 0, which it counts as neither; ours are losses."""
    nets = np.random.default_rng(seed).normal(0.0, 0.01, 300)
    trades = pd.Series(nets, pd.date_range(FIRST.date(), periods=len(nets)))
    found = of_results(nets) | of_wins_and_losses(nets)
    expected = {
        "win_rate": library.win_rate(trades),
        "profit_factor": library.profit_factor(trades),
        "mean_win": library.avg_win(trades),
        "mean_loss": library.avg_loss(trades),
        "best_trade": library.best(trades),
        "worst_trade": library.worst(trades),
        "longest_win_streak": library.consecutive_wins(trades),
        "longest_loss_streak": library.consecutive_losses(trades),
    }
    assert {name: found[name] for name in expected} == pytest.approx(
        expected, rel=RELATIVE
    )
    won = found["win_rate"]
    assert found["expectancy"] == pytest.approx(
        won * found["mean_win"] + (1 - won) * found["mean_loss"]
    )


def test_a_result_of_nothing_is_a_loss_and_ends_a_streak():
    found = of_wins_and_losses(np.array([1.0, 2.0, 0.0, 3.0, -4.0]))
    assert (found["longest_win_streak"], found["longest_loss_streak"]) == (2, 1)
    assert (found["mean_win"], found["mean_loss"]) == (2.0, -2.0)
    assert longest_run(np.array([], bool)) == 0
    nothing = of_wins_and_losses(np.array([]))
    assert nothing["longest_win_streak"] == nothing["longest_loss_streak"] == 0
    assert nothing["expectancy"] is nothing["mean_win"] is nothing["best_trade"] is None
    only_wins = of_wins_and_losses(np.array([1.0]))
    assert (only_wins["mean_loss"], only_wins["longest_loss_streak"]) == (None, 0)


# --- Of a replay, and of the build ----------------------------------------------------


def test_the_turnover_is_the_price_times_quantity_of_every_fill():
    inputs = inputs_of(random_bars(np.random.default_rng(3), 2_000))
    run = replay(inputs)
    legs = pd.DataFrame.from_records(np.asarray(run.legs))
    fills = legs[legs["kind"] != 3]
    notional = float((fills["price"] * fills["qty"]).sum())
    assert notional > 0
    rows = [
        {
            "side": "long", "net_pnl": 1.0, "r_multiple": 0.1, "mae_r": 0.0,
            "mfe_r": 0.0, "gross_pnl": 1.0, "fees": 0.0, "slippage": 0.0,
            "funding": 0.0, "notional": notional,
        }
    ]  # fmt: skip
    found = of_runs([run], rows)
    years = years_of(run.inputs.opens)
    account = found["turnover"] * years
    assert notional / account == pytest.approx(10_000, rel=0.5)


def test_without_trades_every_figure_is_nothing_or_none():
    found = of_runs([replay(inputs_of(as_bars([quiet()] * 48)))], [])
    assert found["trades"] == found["long"]["trades"] == 0
    assert (found["cagr"], found["turnover"], found["drawdowns"]) == (0, 0, [])
    assert found["expectancy"] is found["mean_mae_r"] is found["sharpe"] is None


def test_longs_and_shorts_are_all_trades(demo_build):
    report = replay_profile(demo_build.database, "eth_comprehensive", "full")
    apart = by_side(report.trades)
    whole = of_trades(report.trades)
    for name in ("trades", "net_pnl", "fees", "funding"):
        assert sum(apart[side][name] for side in SIDES) == pytest.approx(whole[name])
    best = max(apart[side]["best_trade"] for side in SIDES)
    assert best == whole["best_trade"]
    assert min(apart[side]["trades"] for side in SIDES) > 100


@pytest.mark.parametrize("profile", ["btc_live", "eth_sentinel"])
def test_the_tables_have_the_figures_of_the_replay(demo_build, demo, profile):
    summary = replay_profile(demo_build.database, profile, "full").summary

    def rows(sql: str) -> list[dict]:
        found = demo.execute(sql, [profile])
        names = [column[0] for column in found.description]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]

    [own] = rows("from report_performance where profile = ? and strategy = 'strategy'")
    shared = own.keys() & summary.keys()
    assert {*CURVE, *of_trades([])} - {"shortfall"} <= shared
    assert {name: own[name] for name in shared} == {
        name: pytest.approx(summary[name], rel=RELATIVE) for name in shared
    }
    for row in rows("from report_sides where profile = ?"):
        found = summary[row["side"]]
        assert row["trades"] == found["trades"] > 0
        assert row["net_pnl"] == found["net_pnl"]
        assert row["mean_mae_r"] == found["mean_mae_r"]
    falls = rows(
        "from report_drawdowns where profile = ? and strategy = 'strategy' "
        "order by drawdown_number"
    )
    names = summary["drawdowns"][0]
    assert [{name: fall[name] for name in names} for fall in falls] == summary[
        "drawdowns"
    ]
    assert falls[0]["depth"] == own["max_drawdown"]
