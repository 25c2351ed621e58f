"""Two runs compared: the verdicts of the parity tables, and their tolerances."""

import json
from datetime import timedelta

import pytest

from barsieve.analysis.compare import compare, is_within
from barsieve.analysis.named_runs import NamedRun, read_run
from barsieve.analysis.replay import replay_profile
from barsieve.analysis.trade_log import write_lines
from barsieve.core.errors import InputError
from barsieve.core.times import span
from conftest import PROJECT


@pytest.fixture(autouse=True)
def _in_the_project(monkeypatch, demo_build):
    monkeypatch.chdir(PROJECT)
    monkeypatch.setenv("BARSIEVE_DATABASE", str(demo_build.database))


@pytest.mark.parametrize(
    "profile", ["btc_live", "eth_comprehensive", "eth_live_aggressive", "eth_sentinel"]
)
def test_the_verdicts_are_those_of_parity_summary(demo, profile):
    full, focused = read_run(profile), read_run(f"{profile}:focused")
    comparison = compare(full, focused)
    row = demo.execute(
        "select identical, differs, missing, invented, promise, verdict "
        "from parity_summary where profile = ?",
        [profile],
    ).fetchall()[0]
    # The table also counts the number of a trade as a field.
    identical, differs, missing, invented, promise, verdict = row
    assert comparison.counts["missing"] == missing
    assert comparison.counts["invented"] == invented
    assert comparison.counts["identical"] >= identical
    assert sum(comparison.counts.values()) == identical + differs + missing + invented
    if promise == "exact":
        assert comparison.verdict == "identical"
    else:
        assert comparison.verdict == "differs"
        assert is_within(full, focused, 0.05, 0.02) == (verdict == "holds")
        assert not is_within(full, focused, 0.01, 0.02)


def test_metrics_are_those_of_report_performance(demo):
    comparison = compare(read_run("btc_live"), read_run("eth_live_aggressive"))
    for side, profile in (("a", "btc_live"), ("b", "eth_live_aggressive")):
        row = demo.execute(
            "select * from report_performance "
            "where profile = ? and strategy = 'strategy'",
            [profile],
        ).fetchnumpy()
        apart = demo.execute(
            "select * exclude (side, profile, symbol), side from report_sides "
            "where profile = ? order by side",
            [profile],
        ).fetchnumpy()
        for number, name in enumerate(("long", "short")):
            row |= {f"{name}_{figure}": [of[number]] for figure, of in apart.items()}
        for metric in comparison.metrics:
            # A column of trades, not of the report.
            if metric["figure"].endswith("shortfall"):
                assert metric[side] == 0
                continue
            expected = row[metric["figure"]][0]
            assert metric[side] == pytest.approx(expected, rel=1e-9), metric
    assert comparison.counts["identical"] == comparison.counts["differs"] == 0


def test_a_trade_log_is_the_run_it_was_written_of(demo_build, tmp_path):
    path = tmp_path / "log.jsonl"
    report = replay_profile(demo_build.database, "btc_live", "focused")
    write_lines(path, report.trades_with_legs())
    by_database = f"{demo_build.database}::btc_live:full"
    assert compare(read_run(str(path)), read_run(by_database)).verdict == "identical"


def test_one_bit_in_one_field_is_found_and_named(demo_build, tmp_path):
    report = replay_profile(demo_build.database, "btc_live", "full")
    trades = [dict(trade) for trade in report.trades]
    trades[7]["exit_price"] *= 1 + 2**-52
    trades[9]["trade_id"] = 1000
    del trades[3]
    path = tmp_path / "log.jsonl"
    write_lines(path, trades)
    comparison = compare(read_run("btc_live"), read_run(str(path)))
    n = len(report.trades)
    assert comparison.counts == {
        "identical": n - 2, "differs": 1, "missing": 1, "invented": 0,
    }  # fmt: skip
    differing = next(t for t in comparison.trades if t["verdict"] == "differs")
    assert set(differing["fields"]) == {"exit_price"}
    assert differing["a_trade_id"] == 8


def test_a_span_keeps_the_trades_decided_in_it():
    ends = span("2022-01-01", "2022-04-01")
    trades = read_run("eth_comprehensive", ends).trades
    everything = read_run("eth_comprehensive").trades
    assert 0 < len(trades) < len(everything)
    kept = [t for t in everything if ends[0] <= t["decision_ts"] < ends[1]]
    assert trades == kept


def test_runs_without_a_trade_pass_nothing():
    empty = NamedRun("none", [], {})
    assert compare(empty, empty).verdict == "vacuous"
    assert not is_within(empty, empty, 1.0, 1.0)
    assert not is_within(read_run("btc_live"), empty, 1.0, 1.0)


def test_the_tolerances_are_inclusive():
    def run(n_trades: int, n_wins: int) -> NamedRun:
        start = read_run("btc_live").trades[0]
        trades = [
            start
            | {
                "decision_ts": start["decision_ts"] + timedelta(hours=number),
                "net_pnl": 1.0 if number < n_wins else -1.0,
            }
            for number in range(n_trades)
        ]
        return NamedRun("made", trades, {})

    assert is_within(run(100, 50), run(95, 47), 0.05, 0.02)
    assert not is_within(run(100, 50), run(94, 47), 0.05, 0.02)
    assert is_within(run(100, 50), run(100, 52), 0.05, 0.02 + 1e-12)
    assert not is_within(run(100, 50), run(100, 53), 0.05, 0.02)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("nobody", "btc_live"),
        ("btc_live:half", "profile:focused"),
        ("", "profile:focused"),
        ("/nowhere.duckdb::btc_live", "no such file"),
        ("/nowhere.jsonl", "trade log"),
    ],
)
def test_a_name_that_stands_for_no_run_is_refused(name, words):
    with pytest.raises(InputError) as caught:
        read_run(name)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    "line",
    [
        "{",
        "[]",
        "{}",
        '{"symbol": "BTC"}',
        json.dumps(
            dict.fromkeys(
                ("symbol", "side", "decision_ts", "entry_ts", "exit_ts", "net_pnl",
                 "gross_pnl", "fees", "slippage", "funding", "r_multiple"), 1,
            )
        ),
    ],
)  # fmt: skip
def test_a_line_that_is_no_trade_is_named(tmp_path, line):
    path = tmp_path / "log.jsonl"
    path.write_text(line + "\n")
    with pytest.raises(InputError) as caught:
        read_run(str(path))
    assert "line 1" in str(caught.value)
