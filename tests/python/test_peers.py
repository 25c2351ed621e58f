"""The bench beside other backtesters: the same trades, and guards that bite."""

import json
import time

import numpy as np
import pytest

from barsieve.bench.peers.rules import (
    MOST_CONFIGURATIONS,
    REFERENCE,
    TRADED,
    Bars,
    configurations,
    make_sweep,
    read_bars,
)
from barsieve.core.errors import InputError
from command_line import barsieve
from conftest import PROJECT

MISSING = "the extra peers is not installed: pip install 'barsieve[peers]'"
DEMO = PROJECT / "data" / "demo"


def stormy(seed: int, n_bars: int = 1_500) -> Bars:
    """A simulated market that gaps at the open often, beyond stops and targets too."""
    rng = np.random.default_rng(seed)
    gap = rng.normal(0.0, 0.004, n_bars) * (rng.random(n_bars) < 0.3)
    gap += rng.normal(0.0, 0.04, n_bars) * (rng.random(n_bars) < 0.03)
    move = rng.normal(0.0, 0.01, n_bars)
    close = 100.0 * np.exp(np.cumsum(gap + move))
    open_ = close * np.exp(-move)
    # Small wicks: a bar that opens beyond a target does not fall through the stop too.
    reach = rng.exponential(0.003, (2, n_bars))
    high = np.maximum(open_, close) * np.exp(reach[0])
    low = np.minimum(open_, close) * np.exp(-reach[1])
    ts = np.arange(n_bars).astype("datetime64[h]").astype("datetime64[us]")
    return Bars("STORM", ts, open_, high, low, close)


def own_trades(bars: Bars, chosen, threads: int = 1) -> np.ndarray:
    from barsieve.bench.peers.own import Kernel

    kernel = Kernel(make_sweep(bars, chosen), threads)
    (step,) = kernel.steps()
    return np.sort(kernel.trades(step()), order=["configuration", "entry_index"])


def slow_trades(bars: Bars, configuration) -> list[tuple]:
    """The rules told plainly: side, bars and prices of a configuration's trades."""
    sides = bars.crossings(configuration.fast, configuration.slow)
    position, found = None, []
    for i in range(1, len(bars)):
        side = int(sides[i - 1])
        if side and (position is None or position[0] == -side):
            if position is not None:
                found.append((*position[:2], i, position[2], bars.open[i]))
            fill, distance = bars.open[i], configuration.stop_atr * bars.atr[i - 1]
            target = fill + side * configuration.target_r * distance
            position = (side, i, fill, fill - side * distance, target)
        if position is None:
            continue
        side, entered, fill, stop, target = position
        against, with_ = (bars.low, bars.high) if side > 0 else (bars.high, bars.low)
        price = None
        if side * (bars.open[i] - stop) <= 0 or side * (bars.open[i] - target) >= 0:
            price = bars.open[i]
        elif side * (against[i] - stop) <= 0:
            price = stop
        elif side * (with_[i] - target) >= 0:
            price = target
        if price is not None:
            found.append((side, entered, i, fill, price))
            position = None
    return found


@pytest.mark.parametrize("configuration", configurations(6))
def test_the_kernel_trades_the_rules_as_they_are_told(configuration):
    bars = stormy(3)
    traded = own_trades(bars, [configuration])
    expected = slow_trades(bars, configuration)
    assert len(expected) > 10
    names = ["side", "entry_index", "exit_index", "entry_price", "exit_price"]
    assert traded[names].tolist() == expected
    gross = traded["side"] * (traded["exit_price"] - traded["entry_price"])
    costs = 0.0008 * (traded["exit_price"] + traded["entry_price"])
    np.testing.assert_allclose(traded["net"], gross - costs, atol=1e-9)


def test_stormy_bars_reach_every_rule():
    bars = stormy(3)
    traded = np.concatenate([own_trades(bars, [c]) for c in configurations(6)])
    gross = traded["side"] * (traded["exit_price"] - traded["entry_price"])
    at_open = traded["exit_price"] == bars.open[traded["exit_index"]]
    assert (at_open & (gross > 0)).any()
    assert (at_open & (gross < 0)).any()
    assert (~at_open & (gross > 0)).any()
    assert (traded["exit_index"] == traded["entry_index"]).any()
    assert np.isin(traded["exit_index"], traded["entry_index"]).any()


def test_threads_change_nothing():
    bars, chosen = stormy(4), configurations(9)
    one, two = own_trades(bars, chosen), own_trades(bars, chosen, threads=2)
    assert len(one) > 100
    np.testing.assert_array_equal(one, two)


def test_configurations_are_distinct_and_a_few_are_the_first_of_many():
    many = configurations(MOST_CONFIGURATIONS)
    assert len(set(many)) == len(many) == MOST_CONFIGURATIONS >= 2_372
    assert many[0] == REFERENCE
    assert configurations(24) == many[:24]


def test_crossings_and_range_are_those_of_their_definitions():
    bars = stormy(5, 600)
    sides = bars.crossings(5, 40)
    assert not sides[bars.gaps_far].any()
    fast, slow = (
        np.array([np.mean(bars.close[i - w + 1 : i + 1]) for i in range(60, 600)])
        for w in (5, 40)
    )
    above = fast > slow
    expected = np.where(
        above[1:] & ~above[:-1], 1, np.where(~above[1:] & above[:-1], -1, 0)
    )
    expected[bars.gaps_far[61:]] = 0
    np.testing.assert_array_equal(sides[61:], expected)
    assert np.count_nonzero(expected) > 5
    assert np.isnan(bars.atr[:14]).all()
    reach = [
        max(bars.high[i], bars.close[i - 1]) - min(bars.low[i], bars.close[i - 1])
        for i in range(1, 16)
    ]
    first = sum(reach[:14]) / 14
    assert bars.atr[14] == pytest.approx(first)
    assert bars.atr[15] == pytest.approx((13 * first + reach[14]) / 14)


def test_a_crossing_knows_nothing_of_the_bars_after_it():
    bars = stormy(6)
    early = Bars(bars.symbol, *(getattr(bars, n)[:900] for n in
                 ("ts", "open", "high", "low", "close")))  # fmt: skip
    # Whether the next bar gaps is known one bar later: the harness, not the rule.
    whole, part = (b.crossings(20, 50)[:899] for b in (bars, early))
    np.testing.assert_array_equal(whole, part)
    np.testing.assert_array_equal(bars.atr[:900], early.atr)


@pytest.fixture(scope="module")
def engines():
    pytest.importorskip("vectorbt", reason=MISSING)
    pytest.importorskip("backtesting", reason=MISSING)
    from barsieve.bench.peers.in_backtesting import Backtests
    from barsieve.bench.peers.in_vectorbt import Portfolios

    return {"vectorbt": Portfolios, "backtesting.py": Backtests}


def traded_by(engine) -> np.ndarray:
    return np.concatenate([engine.trades(step()) for step in engine.steps()])


@pytest.mark.parametrize("name", ["vectorbt", "backtesting.py"])
def test_every_trade_agrees_on_a_stormy_market(engines, name):
    from barsieve.bench.peers.bench import compare

    bars, chosen = stormy(3), configurations(12)
    theirs = traded_by(engines[name](make_sweep(bars, chosen)))
    agreed = compare(own_trades(bars, chosen), theirs)
    assert agreed.is_whole, agreed.first_difference
    assert agreed.of > 200


def test_one_row_a_bar_is_other_rules(engines):
    from barsieve.bench.peers.bench import compare

    bars, chosen = stormy(3), configurations(6)
    unsplit = engines["vectorbt"](make_sweep(bars, chosen), is_split=False)
    assert 0.5 < compare(own_trades(bars, chosen), traded_by(unsplit)).share < 1.0


@pytest.mark.parametrize(
    ("name", "by"),
    [
        ("side", -2), ("exit_index", 1), ("entry_index", 1), ("entry_price", 1e-5),
        ("exit_price", 1e-5), ("net", 1e-5), ("configuration", 7),
    ],
)  # fmt: skip
def test_the_comparison_notices_whatever_differs(engines, name, by):
    from barsieve.bench.peers.bench import compare

    traded = own_trades(stormy(3), configurations(6))
    other = traded.copy()
    other[name][5] += by
    agreed = compare(traded, other)
    assert not agreed.is_whole
    assert agreed.share == pytest.approx(1.0, abs=0.02)
    assert str(traded[5]) in agreed.first_difference
    assert not compare(traded, traded[:-1]).is_whole
    assert not compare(traded[:-1], traded).is_whole


def test_comparing_nothing_is_no_agreement(engines):
    from barsieve.bench.peers.bench import compare, disagreements

    nothing = np.empty(0, TRADED)
    assert not compare(nothing, nothing).is_whole
    row = {
        "engine": "e", "agreement": 0.0, "agrees": False, "has_same_rules": True,
        "first_difference": "",
    }  # fmt: skip
    assert "expected all" in disagreements({"one": [row], "sweep": []})[0]


@pytest.mark.slow
def test_the_bench_times_all_and_finds_them_agreed(engines):
    from barsieve.bench.peers.bench import disagreements, run_bench_peers

    result = run_bench_peers(DEMO, None, 5, 2, 1, time.perf_counter, last=3_000)
    assert disagreements(result) == []
    assert result["is_simulated"]
    for rows in (result["one"], result["sweep"]):
        assert all(r["seconds"] > 0 and r["trades"] > 20 for r in rows)
    by_name = {r["engine"]: r for r in result["sweep"]}
    assert by_name["backtesting.py"]["is_extrapolated"]
    assert by_name["backtesting.py"]["configurations"] == 2
    assert not by_name["vectorbt"]["is_extrapolated"]
    assert json.dumps(result)


def test_a_market_that_cannot_be_used_is_named(tmp_path):
    with pytest.raises(InputError, match=r"DOGE\.parquet.*BTC, ETH"):
        read_bars(DEMO, "DOGE")
    with pytest.raises(InputError, match="no bars"):
        read_bars(tmp_path)
    with pytest.raises(InputError, match="at least 500"):
        read_bars(DEMO, last=100)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--market", "/nowhere"), "/nowhere/bars"),
        (("--configs", "0"), "--configs"),
    ],
)
def test_bad_arguments_of_the_bench_get_a_message(engines, arguments, words):
    done = barsieve("bench-peers", *arguments)
    assert done.returncode != 0
    assert words in done.stderr
    assert "Traceback" not in done.stderr + done.stdout
