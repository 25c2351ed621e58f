"""The command line: what it prints, how it ends, what it says when it cannot."""

import json

import pytest

from barsieve.bench import run
from command_line import barsieve, barsieve_alone

pytestmark = pytest.mark.slow


def test_check_of_the_demo_is_sound():
    done = barsieve_alone("check")
    assert (done.returncode, done.stderr) == (0, "")
    assert "sound" in done.stdout
    assert json.loads(barsieve("check", "--json").stdout) == []


def test_check_names_the_problem_and_exits_with_1(tmp_path):
    done = barsieve("check", BARSIEVE_MARKET=tmp_path / "nowhere")
    assert done.returncode == 1
    assert "nowhere" in done.stderr
    assert "fix:" in done.stderr
    listed = barsieve("check", "--json", BARSIEVE_MARKET=tmp_path / "nowhere")
    assert listed.returncode == 1
    assert set(json.loads(listed.stdout)[0]) == {
        "file", "where", "expected", "found", "fix",
    }  # fmt: skip


def test_show_prints_origin_parity_and_performance(demo_build):
    done = barsieve_alone("show", BARSIEVE_DATABASE=demo_build.database)
    assert done.returncode == 0, done.stderr
    for words in ("SIMULATED", "parity_summary", "report_performance", "holds"):
        assert words in done.stdout
    shown = json.loads(
        barsieve("show", "--json", BARSIEVE_DATABASE=demo_build.database).stdout
    )
    assert {row["verdict"] for row in shown["parity_summary"]} == {"holds"}


def test_show_of_a_profile_has_its_figures_alone(demo_build):
    place = {"BARSIEVE_DATABASE": demo_build.database}
    done = barsieve("show", "btc_live", **place)
    assert done.returncode == 0, done.stderr
    for words in ("CAGR", "Sortino", "longest losing streak", "drawdowns", "hold"):
        assert words in done.stdout
    assert "eth_" not in done.stdout
    shown = json.loads(barsieve("show", "btc_live", "--json", **place).stdout)
    for name in ("report_performance", "report_sides", "report_drawdowns"):
        assert {row["profile"] for row in shown[name]} == {"btc_live"}
    done = barsieve("show", "btc_life", **place)
    assert done.returncode == 2
    assert "btc_live" in done.stderr


def test_replay_shows_a_few_figures_and_with_all_every_one(demo_build):
    asked = ("replay", "--profile", "btc_live", "--last", "0")
    few = barsieve(*asked, BARSIEVE_DATABASE=demo_build.database).stdout
    every = barsieve(*asked, "--all", BARSIEVE_DATABASE=demo_build.database).stdout
    assert "CAGR" in few
    for words in ("volatility", "turnover", "under water", "deepest drawdowns"):
        assert words not in few
        assert words in every


@pytest.mark.parametrize("mode", ["full", "focused"])
def test_replay_gives_the_trades_of_the_table(demo_build, demo, mode):
    done = barsieve_alone(
        "replay", "--profile", "eth_comprehensive", "--mode", mode, "--json",
        BARSIEVE_DATABASE=demo_build.database,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    rows = demo.execute(
        "select entry_price, exit_price, qty, exit_reason, bars_held, net_pnl, "
        f"r_multiple from replay_trades where replayed = '{mode}' "
        "and profile = 'eth_comprehensive' order by trade_id"
    ).fetchall()
    assert len(rows) == len(report["trades"]) == report["summary"]["trades"]
    for row, trade in zip(rows, report["trades"], strict=True):
        *exact, net_pnl, r_multiple = row
        names = ("entry_price", "exit_price", "qty", "exit_reason", "bars_held")
        assert exact == [trade[name] for name in names]
        assert trade["net_pnl"] == pytest.approx(net_pnl, abs=1e-9)
        assert trade["r_multiple"] == pytest.approx(r_multiple, abs=1e-9)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("replay", "--profile", "nope"), "eth_comprehensive"),
        (("demo", "--symbols", "DOGE"), "BTC"),
        (("demo", "--hours", "3"), "336"),
        (("demo", "--to", "configs"), "choose another folder"),
        (("bench", "--market", "/nowhere"), "nowhere"),
        (("replay",), "--profile"),
    ],
)
def test_bad_arguments_get_one_message_and_no_stack_trace(demo_build, arguments, words):
    done = barsieve(*arguments, BARSIEVE_DATABASE=demo_build.database)
    assert done.returncode != 0
    assert words in done.stderr
    assert "Traceback" not in done.stderr + done.stdout


def test_a_missing_or_foreign_database_is_named(tmp_path):
    done = barsieve("show", BARSIEVE_DATABASE=tmp_path / "none.duckdb")
    assert done.returncode == 2
    assert "none.duckdb" in done.stderr
    (tmp_path / "text.duckdb").write_text("not a database at all")
    done = barsieve("show", BARSIEVE_DATABASE=tmp_path / "text.duckdb")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_demo_writes_a_market_that_is_sound(tmp_path):
    market = tmp_path / "market"
    done = barsieve("demo", "--seed", "7", "--hours", "1000", "--to", str(market))
    assert done.returncode == 0, done.stderr
    assert "simulated" in done.stdout
    assert barsieve("check", BARSIEVE_MARKET=market).returncode == 0


def test_bench_measures_build_replay_commands_and_sweep_in_one_run(monkeypatch):
    # Each is measured once; how often it is repeated is a matter of the machine.
    for repeats in ("REPEATS", "SWEEP_REPEATS", "COMMAND_REPEATS"):
        monkeypatch.setattr(run, repeats, 1)
    monkeypatch.setattr(run, "COMMANDS", run.COMMANDS[:1])
    monkeypatch.setattr(run, "SWEEPS", {"exhaustive": (), "sobol": ("--n", "100")})
    done = barsieve("bench", "--hours", "4000", "--json")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["build"]["seconds"] > 0
    assert result["build"]["peak_mb"] > 50
    layers = list(result["build"]["layers"])
    flow = ["config", "bars", "features", "macro", "scores", "fusion", "candidates"]
    assert {*flow, "sentinels", "replay", "parity", "reports"} <= set(layers)
    for row in result["replay"]:
        assert row["full_ms"] > 0
        assert 0 < row["bars_visited"] <= row["bars"] <= 4000
    # On so short a market the lossy screen may break its promise: then no sweep.
    swept = [(row["grid"], row["configs"]) for row in result["sweep"]]
    is_whole = not result["failed_tests"]
    assert swept == ([("exhaustive", 594), ("sobol", 100)] if is_whole else [])
    assert bool(result["commands"]) == is_whole
    for row in result["commands"]:
        assert 0 < row["best_seconds"] <= row["median_seconds"]
    for row in result["sweep"]:
        assert row["seconds"] > 0
        assert row["peak_mb"] > 50
