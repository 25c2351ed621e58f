"""Questions to a profile of several symbols: each answer is that of its symbols."""

import json
from datetime import UTC, timedelta

import numpy as np
import pytest
from typer.testing import CliRunner

import barsieve as bs
import barsieve.database.store
from barsieve.analysis.candidate_lines import lines_of, screened_by
from barsieve.analysis.explain import explain, signal, signals
from barsieve.analysis.replay import replay_profile
from barsieve.analysis.session import prepare, trade_rows
from barsieve.analysis.what_if import stress, try_thresholds
from barsieve.cli import app
from barsieve.core.errors import InputError
from barsieve.metrics.account import marks_of
from barsieve.metrics.shifts import Signals
from barsieve.replay.runs import FOCUSED, FULL, replay
from conftest import PROJECT

SHARED, APART, ALONE = "pair", "apart", "eth_comprehensive"
BOTH = (SHARED, APART)
HOUR = timedelta(hours=1)

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", autouse=True)
def in_the_project():
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(PROJECT)
        yield


@pytest.fixture(scope="module")
def path(spine_build):
    return spine_build.database


@pytest.fixture(scope="module")
def studies(path):
    return {name: prepare(path, name) for name in BOTH}


def bare(trades, *but: str):
    """Return trades without their profile's name and what else is not compared."""
    left = ("profile", "weights", *but)
    return [{k: v for k, v in row.items() if k not in left} for row in trades]


def built(study, profile: str, replayed: str = FULL):
    return study.scratch.rows(
        "select * from {replay_trades} where profile = ? and replayed = ? "
        "order by entry_ts, account, trade_id",
        profile,
        replayed,
    )


@pytest.mark.parametrize("profile", BOTH)
@pytest.mark.parametrize("replayed", [FULL, FOCUSED])
def test_a_replay_has_the_trades_and_the_figures_of_the_build(path, profile, replayed):
    report = replay_profile(path, profile, replayed)
    fresh = prepare(path, profile)
    assert bare(report.trades) == bare(built(fresh, profile, replayed))
    assert {trade["symbol"] for trade in report.trades} == {"BTC", "ETH"}
    [row] = fresh.scratch.rows(
        "from {report_performance} "
        "where profile = ? and symbol = '*' and strategy = 'strategy'",
        profile,
    )
    for name in ("trades", "net_pnl", "sharpe", "max_drawdown", "exposure", "turnover"):
        assert report.summary[name] == pytest.approx(row[name], rel=1e-12), name
    document = report.document()
    assert document["symbol"] == "*"
    assert sum(len(one["legs"]) for one in report.trades_with_legs()) == len(
        fresh.scratch.rows(
            "from {replay_legs} where profile = ? and replayed = ?", profile, replayed
        )
    )


SETS = {
    "one of its symbols": (SHARED, {"symbols": ["ETH"]}, ALONE),
    "accounts of their own": (SHARED, {"wallet.kind": "separate"}, APART),
    "one account": (
        APART, {"wallet.kind": "shared", "wallet.max_positions": 1}, SHARED,
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", SETS)
def test_symbols_and_wallet_may_be_set_for_one_replay(path, case):
    profile, changes, other = SETS[case]
    for replayed in (FULL, FOCUSED):
        found = replay_profile(path, profile, replayed, changes).trades
        expected = built(prepare(path, other), other, replayed)
        assert len(found) > 100
        assert bare(found) == bare(expected)


@pytest.mark.parametrize("profile", BOTH)
def test_stress_and_thresholds_begin_with_the_profile_as_it_is(path, profile):
    trades = built(prepare(path, profile), profile)
    net = sum(trade["net_pnl"] for trade in trades)
    rows = stress(path, profile)
    assert rows[0]["trades"] == len(trades)
    assert rows[0]["net_pnl"] == pytest.approx(net, abs=1e-6)
    by_name = {row["variant"]: row for row in rows}
    assert by_name["costs x 0"]["net_pnl"] > by_name["costs x 2"]["net_pnl"]
    own = prepare(path, profile).document["entry"]["entry_threshold"]
    tried, lowest = try_thresholds(path, profile, [own, 0.9])
    assert (tried[0]["replayed"], lowest) == ("focused", own)
    assert tried[0]["trades"] == len(trades)
    assert tried[0]["net_pnl"] == rows[0]["net_pnl"]
    assert tried[1]["trades"] < len(trades)


@pytest.mark.parametrize("profile", BOTH)
def test_what_each_symbol_does_next_is_told_alike_together_and_alone(studies, profile):
    study = studies[profile]
    rng = np.random.default_rng(5)
    opens = study.accounts[0].hours
    actions = set()
    for index in rng.choice(np.arange(3000, len(opens)), 12):
        at = np.datetime64(int(opens[index]), "us").item().replace(tzinfo=UTC)
        rows = signals(study, at + HOUR, FULL)
        assert [row["symbol"] for row in rows] == ["BTC", "ETH"]
        for row in rows:
            told = signal(study.on(row["symbol"]), at + HOUR, FULL)
            for name in ("bar_ts", "known_at", "close", "action", "balance"):
                assert told[name] == row[name], name
            assert (told["position"] or {}).get("side") == row["position"]
            actions.add(row["action"])
    assert len(actions) > 1


def test_an_order_competes_with_those_of_the_other_symbols(studies):
    """Room for one: of two orders at a close the less confident is not filled."""
    study, seen = studies[SHARED], 0
    inputs = study.accounts[0]
    rows = study.scratch.rows(
        "select one.bar_ts, arg_min(one.symbol, confidence) as weaker from "
        "{fusion_scores} as one where profile = 'pair' and is_entry "
        "group by bar_ts having count(*) = 2 and min(confidence) < max(confidence) "
        "order by hash(bar_ts) limit 60"
    )
    for row in rows:
        both = {
            s: signal(study.on(s), row["bar_ts"] + HOUR, FULL) for s in study.symbols
        }
        if all(told["action"].startswith("enter") for told in both.values()):
            seen += 1
            weaker = both[row["weaker"]]["order"]
            stronger = next(t for s, t in both.items() if s != row["weaker"])["order"]
            assert stronger["is_filled"]
            assert not weaker["is_filled"]
            assert weaker["qty"] == 0.0
    assert seen >= 3
    assert len(inputs.symbols) == 2


def test_a_trade_is_explained_by_its_number_and_where_two_have_it_by_symbol(studies):
    for trade in built(studies[SHARED], SHARED)[:40:10]:
        told = explain(studies[SHARED], trade["trade_id"], FULL)
        assert told["trade"]["symbol"] == trade["symbol"]
        assert all(gate["passed"] for gate in told["gates"])
        nets = [g["amount"] - g["fee"] - g["slippage"] for g in told["legs"]]
        assert sum(nets) == pytest.approx(trade["net_pnl"], abs=1e-9)
    with pytest.raises(InputError, match="name the symbol"):
        explain(studies[APART], 7, FULL)
    told = explain(studies[APART], 7, FULL, "ETH")
    alone = explain(prepare(studies[APART].scratch.path, ALONE), 7, FULL)
    assert told["legs"] == alone["legs"]
    assert told["why_left"] == alone["why_left"]
    with pytest.raises(InputError, match="expected one of BTC, ETH"):
        explain(studies[APART], 7, FULL, "SOL")


@pytest.mark.parametrize("profile", BOTH)
def test_its_candidates_from_a_file_give_its_focused_replay(path, profile, tmp_path):
    study = prepare(path, profile)
    lines = lines_of(study.scratch, profile)
    assert {line["symbol"] for line in lines} == {"BTC", "ETH"}
    file = tmp_path / "candidates.jsonl"
    file.write_text("\n".join(map(json.dumps, lines)))
    screened = screened_by(study, file)
    found = trade_rows(study.scratch, screened.replay(FOCUSED))
    assert bare(found) == bare(built(prepare(path, profile), profile, FOCUSED))
    file.write_text(json.dumps(lines[0] | {"symbol": None}))
    with pytest.raises(InputError, match="line 1: expected a symbol of the profile"):
        screened_by(prepare(path, profile), file)


@pytest.mark.parametrize("profile", BOTH)
def test_its_own_signals_brought_back_give_its_trades(path, profile):
    with bs.open(path) as db:
        own = db.table(
            "select symbol, bar_ts as ts, side, confidence from fusion_scores "
            "where profile = ? and is_entry",
            profile,
        )
    # A streak of losses asks for more of the profile, and of signals brought never.
    changes = {"entry.loss_streak_shift": 0.0}
    expected = replay_profile(path, profile, FULL, changes).trades
    report = replay_profile(path, profile, FULL, changes, signals=own)
    assert len(expected) > 100
    assert bare(report.trades, "threshold", "loss_streak") == bare(
        expected, "threshold", "loss_streak"
    )
    assert report.signals["entered"] == len(expected)
    counted = sum(report.signals.values()) - report.signals["signals"]
    assert counted == report.signals["signals"]


@pytest.mark.parametrize("profile", BOTH)
def test_a_history_that_ends_early_has_the_trades_that_ended_by_then(studies, profile):
    """What happens later changes nothing before: of one account over many symbols."""
    for inputs in studies[profile].accounts:
        whole = replay(inputs)
        opens = inputs.opens
        for moment in np.random.default_rng(9).choice(inputs.hours[2000:], 6):
            cut = replay(inputs.until(int(moment)))
            ended = opens[whole.trades.exit_index] <= moment
            then = cut.inputs.opens[cut.trades.exit_index] <= moment
            kept = [name for name in whole.trades.dtype.names if "index" not in name]
            for name in kept:
                ours = whole.trades[name][ended]
                theirs = cut.trades[name][then][: len(ours)]
                assert ours.tobytes() == theirs.tobytes(), name
            # What was open is left with the history, and nothing else is new.
            assert len(cut.trades) - ended.sum() <= len(inputs.symbols)


def test_one_shift_moves_the_signals_of_all_symbols(studies):
    [inputs] = studies[SHARED].accounts
    signals_of = Signals(inputs)
    same = replay(signals_of.moved(0), FOCUSED)
    assert same.legs.tobytes() == replay(inputs).legs.tobytes()
    moved = signals_of.moved(13).bars
    for track in signals_of._tracks:
        expected = np.roll(inputs.bars.confidence[track], 13)
        assert moved.confidence[track].tobytes() == expected.tobytes()


@pytest.mark.parametrize("profile", BOTH)
def test_the_curve_of_all_accounts_is_that_of_the_table(studies, profile):
    study = studies[profile]
    found = marks_of(study.replay(FULL))
    rows = study.scratch.rows(
        "select equity, positions from {profile_equity} where profile = ? "
        "order by bar_ts",
        profile,
    )
    assert len(rows) == len(found.equity)
    expected = np.array([row["equity"] for row in rows])
    assert found.equity == pytest.approx(expected, rel=1e-12)
    assert [row["positions"] > 0 for row in rows] == found.is_held.tolist()


def test_from_python_a_run_has_its_symbols(path, studies):
    with bs.open(path) as db:
        assert db.symbols(APART) == ["BTC", "ETH"]
        run = db.replay(SHARED)
        frame = db.signals(SHARED)
        with pytest.raises(InputError, match="name one of them"):
            db.signal(SHARED)
        one = db.signal(SHARED, symbol="ETH")
        assert db.explain(APART, 3, symbol="BTC")["trade"]["symbol"] == "BTC"
    assert (run.symbol, list(frame.symbol)) == ("*", ["BTC", "ETH"])
    assert one["action"] == frame.action[1]
    assert set(run.table("prices")["symbol"].to_pylist()) == {"BTC", "ETH"}
    assert run.equity.equity.iloc[-1] == pytest.approx(run.metrics["end_balance"])
    parts = run.equity_by_symbol.groupby("symbol").equity.last() - 10_000.0
    assert parts.sum() == pytest.approx(run.metrics["net_pnl"])
    drawn = {trace.name for trace in run.plot().data}
    assert drawn >= {"BTC", "ETH", "equity", "drawdown"}


def test_runs_are_compared_and_stored_by_symbol(path):
    with bs.open(path) as db:
        found = db.compare(SHARED, f"{SHARED}:focused")
    assert found.verdict == "identical"
    assert found.counts["identical"] > 100
    with bs.database.store.open(path) as store:
        both = store.trades(APART).count().to_pyarrow().as_py()
        one = store.trades(APART, symbol="ETH").count().to_pyarrow().as_py()
        assert 0 < one < both
        with pytest.raises(InputError, match="expected one of BTC, ETH"):
            store.equity(APART, symbol="SOL")


@pytest.mark.parametrize("profile", BOTH)
def test_on_the_command_line_it_answers_for_all_symbols(path, profile, monkeypatch):
    monkeypatch.setenv("BARSIEVE_DATABASE", str(path))
    runner = CliRunner(env={"COLUMNS": "200"})

    def run(*arguments: str):
        return runner.invoke(app, [*arguments, "--profile", profile])

    done = run("signal")
    assert done.exit_code == 0, done.output
    assert {"BTC", "ETH"} <= set(done.output.split())
    assert len(json.loads(run("signal", "--json").output)) == 2
    assert "at the open of" in run("signal", "--symbol", "ETH").output
    replayed = run("replay")
    assert replayed.exit_code == 0, replayed.output
    assert "symbol" in replayed.output
    assert run("candidates").exit_code == 0
    assert run("stress").exit_code == 0
    refused = run("signal", "--symbol", "SOL")
    assert refused.exit_code == 2
    assert "BTC, ETH" in refused.output
