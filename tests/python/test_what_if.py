"""Thresholds on candidates found once, and stress, against replays one by one."""

import numpy as np
import pytest

from barsieve.analysis.replay import replay_profile
from barsieve.analysis.session import prepare
from barsieve.analysis.what_if import PRICES, one_bar_later, stress, try_thresholds
from barsieve.core.errors import InputError
from barsieve.replay.runs import FOCUSED, FULL, replay
from barsieve.replay.state import BAR
from conftest import PROJECT

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def _in_the_project(monkeypatch):
    monkeypatch.chdir(PROJECT)


def summary_of(build, profile: str, **settings) -> dict:
    changes = {key.replace("__", "."): value for key, value in settings.items()}
    return replay_profile(build.database, profile, FULL, changes).summary


def agree(row: dict, summary: dict) -> bool:
    return all(row[figure] == value for figure, value in summary.items())


@pytest.mark.parametrize("profile", ["btc_live", "eth_comprehensive", "eth_sentinel"])
def test_a_threshold_on_candidates_found_once_is_its_full_replay(demo_build, profile):
    thresholds = [0.42, 0.45, 0.65, 0.67]
    rows, lowest = try_thresholds(demo_build.database, profile, thresholds)
    kinds = [row["replayed"] for row in rows]
    assert lowest == {"btc_live": 0.65, "eth_comprehensive": 0.45}.get(profile)
    assert kinds == [
        FOCUSED if lowest is not None and t >= lowest else FULL for t in thresholds
    ]
    for threshold, row in zip(thresholds, rows, strict=True):
        summary = summary_of(demo_build, profile, entry__entry_threshold=threshold)
        assert summary["trades"] > 0
        assert agree(row, summary), threshold


def test_an_envelope_lets_lower_thresholds_be_screened(demo_build):
    envelope = {"screen.envelope": {"entry_threshold": 0.6}}
    rows, lowest = try_thresholds(
        demo_build.database, "btc_live", [0.6, 0.62], envelope
    )
    assert lowest == 0.6
    assert {row["replayed"] for row in rows} == {FOCUSED}
    for row in rows:
        summary = summary_of(
            demo_build, "btc_live", entry__entry_threshold=row["variant"]
        )
        assert agree(row, summary)


@pytest.mark.parametrize("threshold", [-0.1, 1.1, float("nan"), float("inf")])
def test_a_threshold_that_is_no_fraction_is_refused(demo_build, threshold):
    with pytest.raises(InputError):
        try_thresholds(demo_build.database, "btc_live", [0.65, threshold])


def test_each_stress_is_the_replay_with_those_settings(demo_build):
    rows = {r["variant"]: r for r in stress(demo_build.database, "btc_live")}
    assert {row["replayed"] for row in rows.values()} == {FULL}
    as_it_is = summary_of(demo_build, "btc_live")
    assert agree(rows["as it is"], as_it_is)
    assert agree(rows["costs x 1"], as_it_is)
    for factor in (0.0, 0.5, 2.0):
        costs = {"costs__fees_bps": 10 * factor, "costs__slippage_bps": 5 * factor}
        row = rows[f"costs x {factor:g}"]
        assert agree(row, summary_of(demo_build, "btc_live", **costs))
    for label, threshold in (("- 0.05", 0.65 - 0.05), ("+ 0.05", 0.65 + 0.05)):
        settings = {"entry__entry_threshold": threshold}
        summary = summary_of(demo_build, "btc_live", **settings)
        assert agree(rows[f"threshold {label}"], summary)
    assert rows["costs x 0"]["fees"] == rows["costs x 0"]["slippage"] == 0


@pytest.mark.parametrize("profile", ["eth_learned", "eth_regime"])
def test_stress_begins_with_what_the_build_traded(demo_build, demo, profile):
    rows = {r["variant"]: r for r in stress(demo_build.database, profile)}
    built = demo.execute(
        "select len(trades), end_balance - start_balance from replay_runs "
        "where profile = $1 and replayed = 'full'",
        [profile],
    ).fetchall()[0]
    for name in ("as it is", "costs x 1"):
        assert (rows[name]["trades"], rows[name]["net_pnl"]) == built
    fewer, more = (rows[f"threshold {sign} 0.05"]["trades"] for sign in "+-")
    assert fewer < built[0] < more


def test_a_learned_profile_keeps_its_weights_at_every_threshold(demo_build, demo):
    rows, lowest = try_thresholds(demo_build.database, "eth_learned", [0.6])
    weights = demo.sql(
        "select count(distinct weights['momentum']) from fusion_scores "
        "where profile = 'eth_learned'"
    ).fetchall()[0][0]
    assert weights > 10
    (inputs,) = prepare(demo_build.database, "eth_learned").accounts
    shift = demo.sql(
        "select regime_shift from fusion_scores where profile = 'eth_learned' "
        "order by bar_index"
    ).fetchnumpy()["regime_shift"]
    bars = inputs.bars.copy()
    bars.threshold = 0.6 + shift
    full = replay(inputs._replace(bars=bars))
    assert lowest <= 0.6
    assert rows[0]["trades"] == len(full.trades) > 0
    assert rows[0]["bars_visited"] < len(bars)


def test_one_bar_later_every_decision_reads_the_bar_before(demo_build):
    (inputs,) = prepare(demo_build.database, "eth_comprehensive").accounts
    later = one_bar_later(inputs)
    for name in BAR.names:
        if name in PRICES:
            np.testing.assert_array_equal(later.bars[name], inputs.bars[name])
        else:
            np.testing.assert_array_equal(later.bars[name][1:], inputs.bars[name][:-1])
    now, then = replay(inputs), replay(later)
    first = now.trades[0], then.trades[0]
    assert first[1].decision_index == first[0].decision_index + 1
    assert first[1].entry_index == first[0].entry_index + 1
    assert first[1].confidence == first[0].confidence
    assert first[1].risk_distance == first[0].risk_distance
    opened = then.trades.decision_index
    assert inputs.bars.is_eligible[opened - 1].all()
    np.testing.assert_array_equal(inputs.bars.side[opened - 1], then.trades.side)
    entries = then.legs[then.legs.kind == 0]
    np.testing.assert_array_equal(entries.price, inputs.bars.open[opened + 1])
    # The inputs that were given are left alone.
    assert replay(inputs).legs.tobytes() == now.legs.tobytes()


def test_the_first_bar_decides_nothing_one_bar_later(demo_build):
    (inputs,) = prepare(demo_build.database, "btc_live").accounts
    bar = one_bar_later(inputs).bars[0]
    assert not bar.is_eligible
    assert bar.side == 0
    assert np.isnan([bar.confidence, bar.threshold, bar.atr_20, bar.vix]).all()
