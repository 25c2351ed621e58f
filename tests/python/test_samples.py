"""In and out of sample: what a profile made where it was picked, and afterwards."""

import json
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from barsieve.core.times import epoch_us
from barsieve.metrics.account import Marks
from barsieve.metrics.performance import daily_sharpe
from barsieve.metrics.performance_runs import Judged
from barsieve.metrics.samples import picked, samples_of
from profile_cases import profile_named

FIRST = datetime(2022, 1, 1, tzinfo=UTC)
HOUR_US = 3_600_000_000


def judged_of(equity: np.ndarray, trades: list[dict]) -> Judged:
    """Return a profile that began with 1,000 USD, as it is judged hour by hour."""
    hours = epoch_us(FIRST) + np.arange(len(equity)) * HOUR_US
    marks = Marks(equity, np.zeros(len(equity), bool), hours)
    end = float(equity[-1])
    return Judged([profile_named("p")], marks, [], 1_000.0, end, None, trades)


def trade(hours: int, net: float) -> dict:
    rest = dict.fromkeys(
        ("gross_pnl", "fees", "slippage", "funding", "shortfall", "r_multiple"), 0.0
    )
    decided = FIRST + timedelta(hours=hours)
    return rest | {"decision_ts": decided, "net_pnl": net, "r_multiple": net / 50}


def rows(equity, trades, until_hours: int) -> dict[str, dict]:
    until = FIRST + timedelta(hours=until_hours)
    found = samples_of(until, judged_of(np.array(equity, float), trades))
    return {row["sample"]: row for row in found}


def test_each_sample_begins_with_what_the_one_before_left():
    rng = np.random.default_rng(3)
    equity = 1_000 * np.cumprod(1 + rng.normal(0.001, 0.01, 24 * 60))
    found = rows(equity, [], 24 * 40)
    inside, outside = found["in_sample"], found["out_of_sample"]
    assert (inside["days"], outside["days"]) == (40, 20)
    whole = (1 + inside["return_share"]) * (1 + outside["return_share"])
    assert whole == pytest.approx(equity[-1] / 1_000)
    ends = equity[23::24]
    days = np.arange(21)
    expected = daily_sharpe(ends[39:], days)
    # The first day's return counts from the close before it.
    assert outside["sharpe"] == pytest.approx(expected)


def test_a_trade_belongs_to_the_sample_in_which_it_was_decided():
    trades = [trade(5, 100.0), trade(47, -40.0), trade(48, 30.0)]
    found = rows([1_000.0] * 96, trades, 48)
    assert found["in_sample"]["trades"] == 2
    assert found["in_sample"]["net_pnl"] == 60.0
    assert found["out_of_sample"]["trades"] == 1
    assert found["out_of_sample"]["win_rate"] == 1.0


@pytest.mark.parametrize(("until", "left"), [(0, "out_of_sample"), (500, "in_sample")])
def test_a_sample_without_a_bar_has_no_row(until, left):
    assert set(rows([1_000.0] * 48, [], until)) == {left}


def test_an_account_that_lost_all_has_nothing_to_begin_with():
    found = rows([1_000.0] * 24 + [0.0] * 24, [], 48)
    assert found["in_sample"]["return_share"] == -1.0
    found = rows([1_000.0] * 24 + [0.0] * 24 + [0.0] * 24, [], 48)
    assert set(found) == {"in_sample"}


def test_a_profile_says_itself_until_when_it_was_picked():
    assert picked(json.dumps({"profile": "p"})) is None
    assert picked(json.dumps({"origin": {"tried": 9}})) is None
    origin = {"tried": 57, "until": "2022-01-01T00:00:00+00:00"}
    found = picked(json.dumps({"origin": origin}))
    assert found == (FIRST, None, 57)
    assert found.saw("demo")
    found = picked(json.dumps({"origin": origin | {"market": "demo"}}))
    assert found.saw("demo")
    assert not found.saw("market")


def test_on_another_market_all_is_out_of_sample():
    found = list(samples_of(None, judged_of(np.full(48, 1e3), [trade(5, 9.0)])))
    assert [row["sample"] for row in found] == ["out_of_sample"]
    assert found[0]["trades"] == 1


def test_the_shipped_edge_earns_after_costs_out_of_sample(demo):
    found = {
        row[0]: row[1:]
        for row in demo.sql(
            "select sample, tried, trades, net_pnl, return_share, sharpe "
            "from report_samples where profile = 'demo_edge'"
        ).fetchall()
    }
    assert set(found) == {"in_sample", "out_of_sample"}
    for tried, trades, net_pnl, return_share, sharpe in found.values():
        assert tried == 167
        assert trades >= 40
        assert net_pnl > 0
        assert return_share > 0
        assert sharpe > 0.5
    # Honest: what was picked looks better where it was picked.
    assert found["in_sample"][-1] > found["out_of_sample"][-1]


def test_both_samples_are_the_whole_replay(demo):
    ((parts, whole),) = demo.sql(
        "select (select sum(trades) from report_samples where profile = 'demo_edge'), "
        "(select count(*) from trades where profile = 'demo_edge')"
    ).fetchall()
    assert parts == whole
    ((product, total),) = demo.sql(
        "select (select product(1 + return_share) from report_samples "
        "where profile = 'demo_edge'), (select 1 + return_share from "
        "report_performance where profile = 'demo_edge' and strategy = 'strategy')"
    ).fetchall()
    assert product == pytest.approx(total)


def test_a_profile_that_does_not_say_has_no_rows(demo):
    found = demo.sql("select distinct profile from report_samples").fetchall()
    assert found == [("demo_edge",)]


@pytest.mark.proofs
def test_the_shipped_edge_earns_in_markets_that_nobody_looked_at(demo_build, tmp_path):
    """Same planted effects, other noise: the profile was picked on none of these."""
    from barsieve.market.simulation import Effects, simulate, write_market
    from compiled_project import CompiledProject
    from conftest import PROJECT

    configs = tmp_path / "configs"
    (configs / "shared").mkdir(parents=True)
    for path in (PROJECT / "configs/shared").iterdir():
        (configs / "shared" / path.name).write_text(path.read_text())
    own = (PROJECT / "configs/demo_edge.json").read_text()
    for symbol in ("ETH", "BTC"):
        settings = json.loads(own) | {"profile": symbol.lower(), "symbols": [symbol]}
        (configs / f"{symbol.lower()}.json").write_text(json.dumps(settings))
    project, connection = CompiledProject(demo_build), None
    nets: dict[str, list[float]] = {"planted": [], "noise": []}
    nothing = Effects(momentum=0, season=0, trend=0)
    for seed in range(301, 305):
        for kind, effects in (("planted", Effects()), ("noise", nothing)):
            market = tmp_path / f"{kind}{seed}"
            write_market(simulate(seed=seed, effects=effects), market)
            connection = connection or project.connect()
            project.run(connection, market, configs)
            found = connection.sql(
                "select profile, sum(net_pnl) from trades group by profile"
            ).fetchall()
            nets[kind] += [net for _, net in found]
    assert np.mean(np.array(nets["planted"]) > 0) >= 0.75, nets
    # Where nothing is planted costs are all that is left.
    assert np.mean(nets["noise"]) < np.mean(nets["planted"]) / 2, nets
