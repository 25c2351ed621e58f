"""What is answered is what the replay does, at any close and of any trade."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from barsieve.analysis.decision import decision_at, last_known, order_of
from barsieve.analysis.explain import explain, signal
from barsieve.analysis.gates import gates_at, shown
from barsieve.analysis.session import prepare
from barsieve.core.errors import InputError
from barsieve.replay.decimals import sum_of_decimals
from barsieve.replay.ledger import ENTRY, EXIT, PARTIAL
from barsieve.replay.runs import FOCUSED, FULL, replay
from barsieve.replay.state import REASONS
from conftest import PROJECT

pytestmark = pytest.mark.slow

HOUR = timedelta(hours=1)
PROFILES = ("btc_live", "eth_comprehensive", "eth_sentinel")


@pytest.fixture(scope="module")
def wholes(demo_build):
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(PROJECT)
        yield {name: prepare(demo_build.database, name) for name in PROFILES}


@pytest.fixture(scope="module")
def studies(wholes):
    """Each profile on its only symbol."""
    return {name: study.on(None) for name, study in wholes.items()}


def closes(study, indexes) -> list[datetime]:
    return [study.inputs.bar_ts[int(i)].as_py() + HOUR for i in indexes]


def sampled(indexes, n: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.choice(indexes, min(n, len(indexes)), replace=False)


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("replayed", [FULL, FOCUSED])
def test_the_order_of_a_signal_is_the_trade_that_the_replay_opens(
    studies, profile, replayed
):
    study = studies[profile]
    run = replay(study.inputs, replayed)
    for number in sampled(np.arange(len(run.trades)), 12, 1):
        trade = run.trades[number]
        entry = next(
            leg for leg in run.legs if leg.trade == number and leg.kind == ENTRY
        )
        at = closes(study, [trade.decision_index])[0]
        told = signal(study, at, replayed)
        side = "long" if trade.side > 0 else "short"
        assert told["action"] in (f"enter {side}", f"reverse to {side}")
        assert told["order"]["side"] == side
        assert told["order"]["confidence"] == trade.confidence
        assert told["order"]["risk_distance"] == trade.risk_distance
        assert told["filled"][-1]["price"] == entry.price or len(told["filled"]) > 1
        quantities = [leg["qty"] for leg in told["filled"] if leg["kind"] == "entry"]
        assert quantities == [entry.qty]
        # Where the next bar opens at the close, the size told is the size filled.
        if entry.price == told["close"]:
            assert told["order"]["qty"] == pytest.approx(entry.qty, rel=1e-12)
            stop = entry.price - trade.side * trade.risk_distance
            assert told["order"]["stop"] == pytest.approx(stop, rel=1e-12)


@pytest.mark.parametrize("profile", PROFILES)
def test_at_any_close_what_is_told_is_what_the_next_bar_does(studies, profile):
    study = studies[profile]
    run = replay(study.inputs, FULL)
    ordered = {
        int(leg.index): leg.kind
        for leg in run.legs
        if leg.kind in (PARTIAL, ENTRY)
        or (leg.kind == EXIT and REASONS[run.trades[leg.trade].exit_reason]
            in ("macro", "time", "reversal"))
    }  # fmt: skip
    held = {
        index
        for trade in run.trades
        for index in range(trade.entry_index, trade.exit_index)
    }
    indexes = [*sampled(np.arange(300, len(study.inputs.bars) - 1), 40, 2)]
    indexes += [i - 1 for i in sampled([*ordered], 20, 3)]
    for index in map(int, indexes):
        told = signal(study, closes(study, [index])[0], FULL)
        assert (told["position"] is not None) == (index in held)
        does_nothing = told["action"] in ("hold", "stay flat")
        assert does_nothing == (index + 1 not in ordered)
        kind = ordered.get(index + 1)
        if kind == PARTIAL:
            assert told["action"] == "take partial"
            assert told["filled"][-1]["qty"] == told["position"]["partial_qty"]
        if told["action"] == "exit" or told["action"].startswith("reverse"):
            trade = next(t for t in run.trades if t.exit_index == index + 1)
            assert told["exit_reason"] == REASONS[trade.exit_reason]


@pytest.mark.parametrize("profile", PROFILES)
def test_every_gate_passes_exactly_when_an_entry_is_ordered(studies, profile):
    study = studies[profile]
    decided = replay(study.inputs, FULL).trades.decision_index
    indexes = [*sampled(np.arange(len(study.inputs.bars)), 60, 4)]
    indexes += [*sampled(decided, 15, 5)]
    eligible = np.flatnonzero(study.inputs.bars.is_eligible)
    indexes += [*sampled(eligible, 60, 6)]
    n_ordered = 0
    for index in map(int, indexes):
        decision = decision_at(study, index, FULL)
        passed = all(gate["passed"] for gate in gates_at(study, decision))
        is_ordered = order_of(study, decision, FULL) is not None
        assert passed == is_ordered, (index, gates_at(study, decision))
        n_ordered += is_ordered
    assert n_ordered >= 15


def test_votes_and_ages_are_those_of_the_tables(studies):
    study = studies["btc_live"]
    told = signal(study, datetime(2022, 5, 3, 7, tzinfo=UTC), FULL)
    row = study.scratch.rows(
        "select * from {fusion_scores} where profile = 'btc_live' and bar_ts = ?",
        told["bar_ts"],
    )[0]
    votes = [vote["vote"] for vote in told["votes"]]
    assert votes.count("long") == row["votes_long"]
    assert votes.count("short") == row["votes_short"]
    assert told["confidence"] == row["confidence"]
    vetoes = study.scratch.rows(
        "select sum(veto_long - greenlight) as net from {macro_signals} "
        "where symbol = 'BTC' and bar_ts = ?",
        told["bar_ts"],
    )[0]["net"]
    listed = sum(s["veto_long"] - s["greenlight"] for s in told["signals"])
    assert listed == pytest.approx(vetoes or 0)
    ages = {row["input"]: row["age_hours"] for row in told["inputs"]}
    assert ages["bar"] == 0
    assert ages["bar_4h"] == 3
    assert ages["bar_1d"] == 7
    assert {"vix", "dxy", "funding_rate", "open_interest"} <= set(ages)
    assert all(age is None or age >= 0 for age in ages.values())


def test_the_last_bar_known_is_the_last_one_closed(studies):
    study = studies["btc_live"]
    first, last = closes(study, [0, len(study.inputs.bars) - 1])
    assert last_known(study, None) == len(study.inputs.bars) - 1
    assert last_known(study, last + 1000 * HOUR) == len(study.inputs.bars) - 1
    assert last_known(study, first) == 0
    assert last_known(study, first + HOUR - timedelta(seconds=1)) == 0
    assert last_known(study, first + HOUR) == 1
    with pytest.raises(InputError, match="one before all bars"):
        last_known(study, first - timedelta(seconds=1))


def test_what_is_told_at_a_moment_does_not_depend_on_what_came_after(studies):
    study = studies["eth_comprehensive"]
    index = 9000
    at = closes(study, [index])[0]
    told = signal(study, at, FULL)
    seen = study.inputs.until(study.inputs.opens[index])
    assert len(seen.bars) == index + 1
    cut = study._replace(inputs=seen)
    then = signal(cut, at, FULL)
    later = {"filled"}
    assert {k: v for k, v in told.items() if k not in later} == {
        k: v for k, v in then.items() if k not in later
    }


def assert_told_alike(told, reasons):
    """Compare what is told of a trade with its row of `trade_reasons`."""
    for name in ("why_entered", "why_left"):
        assert told[name] == reasons[name]
    gates = [gate | {"found": shown(gate["found"])} for gate in told["gates"]]
    assert gates[: len(reasons["gates"])] == reasons["gates"]
    # The table leaves out what the account alone decides.
    rest = [gate["gate"] for gate in gates[len(reasons["gates"]) :]]
    assert rest == ["free", "cooled_down", "stop_known"]


def test_every_trade_has_its_reasons(demo):
    """A trade without its decision, or with a gate closed, would be left out."""
    (trades, decided, told, passed) = demo.execute(
        "select (select count(*) from trades), "
        "(select count(*) from trade_decisions), "
        "(select count(*) from trade_reasons), "
        "(select count_if(len(gates) = 9 and "
        "list_bool_and(list_transform(gates, lambda g: g.passed))) from trade_reasons)"
    ).fetchall()[0]
    assert decided == trades == told == passed > 1000


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("replayed", [FULL, FOCUSED])
def test_an_explanation_agrees_with_the_trade_and_its_legs(wholes, profile, replayed):
    study = wholes[profile]
    trades = study.scratch.rows(
        "select * from {replay_trades} where profile = ? and replayed = ?",
        profile,
        replayed,
    )
    by_reason = {trade["exit_reason"]: trade["trade_id"] for trade in trades}
    chosen = {*by_reason.values(), 1, len(trades), len(trades) // 2}
    reasons = study.scratch.rows(
        "select * from {trade_reasons} where profile = ? order by trade_id", profile
    )
    for trade_id in chosen:
        told = explain(study, trade_id, replayed)
        if replayed == FULL:
            assert_told_alike(told, reasons[trade_id - 1])
        trade = told["trade"]
        assert all(gate["passed"] for gate in told["gates"]), trade_id
        assert told["confidence"] == trade["confidence"]
        asked = sum_of_decimals(told["threshold"], told["loss_streak_shift"])
        assert trade["confidence"] >= asked == trade["threshold"]
        assert told["loss_streak"] == trade["loss_streak"]
        assert {v["domain"]: v["weight"] for v in told["votes"]} == trade["weights"]
        assert told["stops"][0]["bar_ts"] == trade["entry_ts"]
        kinds = [leg["kind"] for leg in told["legs"]]
        assert kinds[0] == "entry"
        assert kinds[-1] == "exit"
        nets = [g["amount"] - g["fee"] - g["slippage"] for g in told["legs"]]
        assert sum(nets) == pytest.approx(trade["net_pnl"], abs=1e-9)
        r_multiple = trade["net_pnl"] / (told["risk_distance"] * trade["qty"])
        assert r_multiple == pytest.approx(trade["r_multiple"], rel=1e-12)
        words = {
            "stop": "initial stop", "break_even": "break-even", "trail": "trailing",
            "volume_trap": "burst of volume", "target": "the target", "time": "bars",
            "macro": "macro exit", "reversal": "the other side", "end_of_data": "end",
            "liquidation": "worth nothing",
        }  # fmt: skip
        assert words[trade["exit_reason"]] in told["why_left"]
        assert not told["why_left"].endswith(": .")
        assert f"{asked:.4f}" in told["why_entered"]


def test_a_stop_that_was_reached_is_told_at_the_price_that_it_filled(wholes):
    study = wholes["eth_comprehensive"]
    trades = study.scratch.rows(
        "select * from {trades} where profile = 'eth_comprehensive' "
        "and exit_reason in "
        "('stop', 'break_even', 'trail', 'volume_trap', 'target') limit 40"
    )
    for trade in trades:
        told = explain(study, trade["trade_id"], FULL)["why_left"]
        opened = study.scratch.rows(
            "select open from {bars_1h} where symbol = 'ETH' and bar_ts = ?",
            trade["exit_ts"],
        )[0]["open"]
        is_gap = opened == trade["exit_price"]
        assert ("opened beyond" in told) == is_gap, told
        if not is_gap:
            assert told.count(f"{trade['exit_price']:.2f}") == 2


def test_a_trade_that_is_not_there_is_refused_with_the_range(wholes):
    for number in (0, -1, 10**9):
        with pytest.raises(InputError, match="a number from 1 to"):
            explain(wholes["btc_live"], number, FULL)
