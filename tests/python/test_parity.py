"""Focused equals full, and every guard of it bites when there is something to bite."""

import json
import re
import shutil
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from barsieve.oracle.compare import compare_features
from barsieve.profiles.settings import read_profiles
from barsieve.replay.runs import FOCUSED, FULL, read_inputs, replay
from command_line import barsieve, barsieve_alone
from compiled_project import CompiledProject
from conftest import PROJECT, Build

DOMAINS = ("wyckoff", "liquidity", "smc", "momentum", "temporal")
SCORES = tuple(f"score_{domain}" for domain in DOMAINS)


def check_summary(build: Build, symbols: set[str]) -> None:
    with build.connect() as connection:
        rows = connection.execute(
            "select profile, symbol, promise, verdict, full_trades, focused_trades, "
            "identical, missing, invented, differs, recall, candidate_share "
            "from parity_summary"
        ).fetchall()
    assert {row[1] for row in rows} == symbols
    for (
        profile,
        _,
        promise,
        verdict,
        full,
        focused,
        same,
        *faults,
        recall,
        share,
    ) in rows:
        assert verdict == "holds", profile
        if promise == "exact":
            assert full == focused == same > 0
            assert faults == [0, 0, 0]
            assert recall == 1
            assert share <= 0.15


def test_the_demo_keeps_every_promise(demo_build):
    check_summary(demo_build, {"BTC", "ETH"})


@pytest.mark.slow
@pytest.mark.real_market
def test_the_real_market_keeps_every_promise(real_build):
    check_summary(real_build, {"BTC", "ETH"})


def inputs_of(connection, name: str):
    profile = next(
        p
        for p in read_profiles(connection.table("config_symbols"))
        if p.profile == name
    )
    return read_inputs(
        [profile],
        connection.table("replay_bars"),
        connection.table("candidates"),
        connection.table("candidate_windows"),
    )


def test_a_lost_candidate_loses_a_trade(demo):
    inputs = inputs_of(demo, "eth_comprehensive")
    trades = replay(inputs, FULL).trades
    # The account was flat at the decision: no reversal, which needs no candidate.
    was_flat = trades.decision_index[1:] >= trades.exit_index[:-1]
    from_flat = trades.decision_index[1:][was_flat]
    decided = from_flat[len(from_flat) // 2]
    kept = inputs.entry_bars[inputs.entry_bars != decided]
    assert len(kept) == len(inputs.entry_bars) - 1
    narrowed = replay(inputs._replace(entry_bars=kept), FOCUSED)
    assert decided not in narrowed.trades.decision_index


def test_more_candidates_than_needed_change_nothing(demo):
    inputs = inputs_of(demo, "eth_comprehensive")
    every_bar = np.arange(len(inputs.bars))
    whole = replay(inputs, FULL)
    widened = replay(inputs._replace(entry_bars=every_bar), FOCUSED)
    assert whole.legs.tobytes() == widened.legs.tobytes()


def test_full_and_focused_write_the_same_bytes(demo):
    for name in ("btc_live", "eth_comprehensive", "eth_live_aggressive"):
        inputs = inputs_of(demo, name)
        full, focused = replay(inputs, FULL), replay(inputs, FOCUSED)
        assert full.legs.tobytes() == focused.legs.tobytes()
        assert full.trades.tobytes() == focused.trades.tobytes()
        assert focused.outcome.bars_visited < full.outcome.bars_visited


NARROWED = {
    "candidates of one side only": (
        "candidates",
        "as votes using (symbol, bar_ts)",
        "as votes using (symbol, bar_ts) where side = 'long'",
    ),
    "a bound that is too low": (
        "candidates",
        "highest_fusion_score >= lowest_threshold - 1e-12",
        "highest_fusion_score >= lowest_threshold + 0.05",
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("fault", NARROWED)
def test_a_screen_that_is_too_narrow_fails_in_the_tables(demo_build, fault):
    model, old, new = NARROWED[fault]

    def narrow(name: str, sql: str) -> str:
        if name != model:
            return sql
        line = " ".join(re.sub(r"--[^\n]*", "", sql).split())
        assert old in line, f"{model} no longer says: {old}"
        return line.replace(old, new)

    project = CompiledProject(demo_build, narrow)
    connection = project.connect()
    project.run_again(connection, model, without=("evaluation", "reports"))
    verdicts = dict(
        connection.execute(
            "select profile, verdict from parity_summary where promise = 'exact'"
        ).fetchall()
    )
    assert verdicts["eth_comprehensive"] == "broken"
    missing = connection.execute(
        "select count(*) from parity_coverage as c join config_profiles as p "
        "using (profile) where p.screen = 'admissible' and c.verdict = 'missing'"
    ).fetchone()[0]
    assert missing > 0


@pytest.mark.slow
def test_a_cent_too_much_in_one_leg_unbalances_the_account(demo_build):
    def misbook(name: str, sql: str) -> str:
        if name != "replay_legs":
            return sql
        cent = "if(trade_id = 3, 0.01, 0)"
        return f"select * replace (amount + {cent} as amount) from ({sql})"

    project = CompiledProject(demo_build, misbook)
    connection = project.connect()
    project.run_again(connection, "replay_legs", without=("evaluation", "reports"))
    verdicts = connection.execute(
        "select distinct verdict from parity_equity where profile = 'eth_comprehensive'"
    ).fetchall()
    assert verdicts == [("differs",)]
    summary = connection.execute(
        "select verdict from parity_summary where profile = 'eth_comprehensive'"
    ).fetchone()
    assert summary == ("broken",)


def verdicts_of_the_oracle(connection, features: str) -> dict[str, str]:
    table = compare_features(
        connection.sql(features),
        connection.table("scores"),
        connection.table("bars_1h"),
        connection.table("bars_macro"),
        connection.table("bars_funding"),
        connection.table("macro_series"),
    )
    rows = table.to_pylist()
    return {row["feature"]: row["verdict"] for row in rows if row["symbol"] == "ETH"}


@pytest.mark.slow
def test_the_oracle_names_the_feature_that_is_wrong(demo):
    wrong = {
        "sma_20": "sma_20 * (1 + 1e-8) as sma_20",
        "trend_4h": "coalesce(trend_4h, 'neutral') as trend_4h",
        "vix": "lag(vix, 24) over (partition by symbol order by bar_index) as vix",
    }
    altered = f"select * replace ({', '.join(wrong.values())}) from features"
    verdicts = verdicts_of_the_oracle(demo, altered)
    assert {name for name, v in verdicts.items() if v != "identical"} == set(wrong)


@pytest.mark.slow
def test_a_broken_promise_marks_its_profile_and_stops_nothing(spine_build):
    assert spine_build.exit_code == 1, spine_build.output[-4000:]
    assert "is new, after" in spine_build.output
    assert "eth_lossy is broken: it promised 'within'" in spine_build.output
    assert spine_build.output.count(" is broken: ") == 1
    with spine_build.connect() as connection:
        rows = connection.execute(
            "select profile, verdict from parity_summary where verdict != 'holds'"
        )
        assert dict(rows.fetchall()) == {
            "eth_silent": "vacuous", "eth_lossy": "broken"
        }  # fmt: skip
        found = connection.execute(
            "select subject, meaning from report_health "
            "where finding in ('broken_promise', 'no_trades') order by subject"
        ).fetchall()
        earned = connection.execute(
            "select trades, return_share from report_performance "
            "where profile = 'eth_silent' and strategy = 'strategy'"
        ).fetchone()
    assert earned == (0, 0.0)
    assert [subject for subject, _ in found] == ["eth_lossy", "eth_silent"]
    assert "the focused replay made" in found[0][1]
    assert "the gate 'confident' lets no bar through" in found[1][1]
    assert "confidence at least 0.9" in found[1][1]


@pytest.mark.slow
def test_a_broken_promise_is_seen_wherever_results_are_shown(spine_build):
    place = {
        "BARSIEVE_DATABASE": str(spine_build.database),
        "BARSIEVE_CONFIGS": str(spine_build.database.parent / "configs"),
    }
    shown = barsieve_alone("show", **place, FORCE_COLOR="1").stdout
    red = [line for line in shown.splitlines() if "\x1b[1;31m" in line]
    assert any("eth_lossy" in line and "broken" in line for line in red)
    assert not any("eth_silent" in line for line in red)
    with spine_build.connect() as connection:
        rows = connection.execute("select count(*) from report_health").fetchall()
    assert f"report_health: {rows[0][0]} findings" in shown
    health = barsieve("show", "--health", **place).stdout
    assert "ETH eth_lossy, broken_promise: eth_lossy broke its promise" in health
    compared = barsieve("compare", "eth_lossy", "eth_lossy:focused", **place).stdout
    assert "eth_lossy is broken in its build: it promised 'within'" in compared


@pytest.fixture(scope="module")
def swept(demo_build, tmp_path_factory):
    """A build with one profile whose envelope covers many configurations."""
    folder = tmp_path_factory.mktemp("swept")
    shutil.copytree(PROJECT / "configs/shared", folder / "shared")
    profile = json.loads((PROJECT / "configs/eth_comprehensive.json").read_text())
    profile["profile"] = "eth_swept"
    profile["weights"] = dict.fromkeys(DOMAINS, 0.2)
    profile["screen"]["envelope"] = {
        "weights": {domain: [0.0, 0.5] for domain in DOMAINS},
        "entry_threshold": 0.4,
        "gates": {
            "atr_rank_floor": 0.1,
            "atr_rank_cap": 1.0,
            "alignment_required": False,
            "veto_limit": 0.95,
        },
    }
    (folder / "eth_swept.json").write_text(json.dumps(profile))
    project = CompiledProject(demo_build)
    connection = project.connect()
    project.run(connection, PROJECT / "data/demo", folder)
    yield connection
    connection.close()


@pytest.mark.slow
def test_the_bound_is_reached_and_never_passed(swept):
    """No weights of the box pass the bound, and some corner of it reaches it."""
    rows = swept.sql(
        "select * from candidate_bounds using sample 300 rows (reservoir, 7)"
    ).to_arrow_table()
    votes = swept.table("votes").to_arrow_table().to_pylist()
    by_bar = {(v["symbol"], v["bar_ts"]): v for v in votes}
    rng = np.random.default_rng(5)
    for row in rows.to_pylist():
        vote = by_bar[(row["symbol"], row["bar_ts"])]
        scores = np.array([np.nan if vote[d] is None else vote[d] for d in SCORES])
        known = np.isfinite(scores)
        weights = rng.uniform(0, 0.5, (400, 5))
        weights[rng.random((400, 5)) < 0.3] = 0.0
        weights = weights[(weights[:, known].sum(axis=1)) > 0]
        raw = (weights[:, known] @ scores[known]) / weights[:, known].sum(axis=1)
        fused = 0.5 + (1.0 if vote["is_aligned"] else 0.8) * (raw - 0.5)
        assert fused.max() <= row["highest_fusion_score"] + 1e-12
        assert fused.min() >= row["lowest_fusion_score"] - 1e-12
        best = 0.5 + (1.0 if vote["is_aligned"] else 0.8) * (scores[known].max() - 0.5)
        assert row["highest_fusion_score"] == pytest.approx(best, abs=1e-12)


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(
    weights=st.lists(st.floats(0.01, 0.5), min_size=5, max_size=5),
    threshold=st.floats(0.4, 0.8),
    floor=st.floats(0.1, 0.5),
    cap=st.floats(0.6, 1.0),
    is_aligned=st.booleans(),
    veto_limit=st.floats(0.2, 0.95),
    cadence=st.sampled_from(["1h", "4h"]),
)
def test_one_screen_is_exact_for_every_configuration_inside_its_envelope(
    swept, weights, threshold, floor, cap, is_aligned, veto_limit, cadence
):
    inputs = inputs_of(swept, "eth_swept")
    bars = inputs.bars.copy()
    votes = swept.execute(
        "select * from votes where symbol = 'ETH' order by bar_index"
    ).fetchnumpy()
    scores = np.array(
        [np.ma.filled(votes[name].astype(float), np.nan) for name in SCORES]
    )
    known = np.isfinite(scores)
    w = np.array(weights)[:, None] * known
    with np.errstate(invalid="ignore"):
        raw = np.nansum(w * np.nan_to_num(scores), axis=0) / w.sum(axis=0)
    aligned = np.ma.filled(votes["is_aligned"], False).astype(bool)
    fused = 0.5 + np.where(aligned, 1.0, 0.8) * (raw - 0.5)
    fused[np.ma.getmaskarray(votes["alignment"])] = np.nan
    margin = (scores > 0.55).sum(axis=0) - (scores < 0.45).sum(axis=0)
    side = np.where(margin > 0, 1, np.where(margin < 0, -1, 0))
    side = np.where((margin == 0) & (fused > 0.52), 1, side)
    side = np.where((margin == 0) & (fused < 0.48), -1, side)
    side[~np.isfinite(fused)] = 0
    rank = np.ma.filled(votes["atr_rank_100"].astype(float), np.nan)
    passes = (rank >= floor) & (rank <= cap) & (aligned | (not is_aligned))
    if cadence == "4h":
        block = votes["bar_ts"].astype("datetime64[h]").astype(int) // 4
        first = np.zeros(len(passes), bool)
        indexes = np.flatnonzero(passes)
        first[indexes[np.unique(block[indexes], return_index=True)[1]]] = True
        passes = first
    bars.side, bars.is_eligible = side, passes
    bars.confidence = np.where(side > 0, fused, 1 - fused)
    bars.threshold[:] = threshold
    rules = inputs.profile.rules._replace(veto_limit=veto_limit)
    profile = replace(inputs.profile, rules=rules)
    configured = inputs._replace(bars=bars, profile=profile)
    full, focused = replay(configured, FULL), replay(configured, FOCUSED)
    assert full.legs.tobytes() == focused.legs.tobytes()
