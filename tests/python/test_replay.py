"""Replays beside a built database: its trades, its figures, other screens, logs."""

import random
import subprocess
import sys

import pytest

from barsieve.analysis.candidate_lines import lines_of
from barsieve.analysis.named_runs import read_run
from barsieve.analysis.replay import replay_profile
from barsieve.analysis.session import open_profile
from barsieve.analysis.trade_log import read_log, write_lines
from barsieve.core.errors import InputError
from conftest import PROJECT

PROFILES = ("btc_live", "eth_comprehensive", "eth_live_aggressive", "eth_sentinel")


@pytest.fixture(autouse=True)
def _in_the_project(monkeypatch):
    monkeypatch.chdir(PROJECT)


def built_trades(demo, profile: str, replayed: str) -> list[dict]:
    found = demo.execute(
        "select * from replay_trades where profile = ? and replayed = ? "
        "order by trade_id",
        [profile, replayed],
    )
    columns = [column[0] for column in found.description]
    return [dict(zip(columns, row, strict=True)) for row in found.fetchall()]


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("replayed", ["full", "focused"])
def test_the_trades_are_the_rows_of_the_table_bit_for_bit(
    demo_build, demo, profile, replayed
):
    report = replay_profile(demo_build.database, profile, replayed)
    assert report.trades == built_trades(demo, profile, replayed) != []


@pytest.mark.parametrize("profile", PROFILES)
def test_the_summary_is_that_of_report_performance(demo_build, demo, profile):
    report = replay_profile(demo_build.database, profile, "full")
    row = demo.execute(
        "select * from report_performance where profile = ? and strategy = 'strategy'",
        [profile],
    ).fetchnumpy()
    shared = set(report.summary) & set(row)
    assert {"sharpe", "max_drawdown", "profit_factor", "fees", "net_pnl"} <= shared
    for figure in shared:
        assert report.summary[figure] == pytest.approx(row[figure][0], rel=1e-9), figure


def test_a_study_limits_entries_and_what_is_judged(demo_build):
    span = {
        "study.start": "2022-03-01T02:00:00+00:00",
        "study.end": "2022-09-01T00:00Z",
    }
    report = replay_profile(demo_build.database, "eth_comprehensive", "full", span)
    decided = [trade["decision_ts"].isoformat() for trade in report.trades]
    assert decided
    assert min(decided) >= "2022-03-01T02:00:00"
    assert max(decided) < "2022-09-01T00:00:00"
    whole = replay_profile(demo_build.database, "eth_comprehensive", "full")
    assert report.batch["bars"] == whole.batch["bars"]
    assert report.summary["max_drawdown"] != whole.summary["max_drawdown"]


def test_the_batch_counts_what_the_focused_replay_looked_at(demo_build, demo):
    batch = replay_profile(demo_build.database, "btc_live", "focused").batch
    row = demo.execute(
        "select bars, bars_visited from parity_summary where profile = 'btc_live'"
    ).fetchall()[0]
    windows = demo.execute(
        "select count(*) from candidate_windows where profile = 'btc_live'"
    ).fetchall()[0][0]
    assert (batch["bars"], batch["bars_visited"]) == row
    assert batch["bars_skipped"] == row[0] - row[1]
    assert batch["windows"] == windows


@pytest.mark.parametrize("profile", ["btc_live", "eth_sentinel"])
def test_the_profiles_own_candidates_from_a_file_give_its_focused_replay(
    demo_build, demo, profile, tmp_path
):
    scratch, _ = open_profile(demo_build.database, profile)
    lines = lines_of(scratch, profile)
    assert set(lines[0]) == {"timestamp", "side", "score", "reason"}
    random.Random(3).shuffle(lines)
    path = tmp_path / "candidates.jsonl"
    write_lines(path, lines)
    report = replay_profile(demo_build.database, profile, "focused", {}, path)
    trades = built_trades(demo, profile, "focused")
    assert report.trades == trades
    full = {row["decision_ts"] for row in built_trades(demo, profile, "full")}
    lost = full - {row["decision_ts"] for row in trades}
    assert report.loss["entries_lost"] == len(lost)
    assert report.loss["full_trades"] == len(full)
    assert (profile == "btc_live") == (len(lost) == 0)


def test_a_file_that_loses_entries_is_used_and_its_loss_is_told(
    demo_build, demo, tmp_path
):
    scratch, _ = open_profile(demo_build.database, "btc_live")
    kept = [line for line in lines_of(scratch, "btc_live") if line["side"] == "long"]
    path = tmp_path / "candidates.jsonl"
    write_lines(path, kept)
    report = replay_profile(demo_build.database, "btc_live", "focused", {}, path)
    opened = {line["timestamp"] for line in kept}
    full = built_trades(demo, "btc_live", "full")
    assert report.loss["entries_lost"] > 0
    assert report.loss["recall"] == 1 - report.loss["entries_lost"] / len(full)
    assert 0 < len(report.trades) < len(full)
    assert opened >= {
        trade["decision_ts"].isoformat()
        for trade in report.trades
        if trade["side"] == "long"
    }


def test_a_file_without_a_candidate_enters_nowhere(demo_build, tmp_path):
    path = tmp_path / "none.jsonl"
    path.write_text("\n")
    for profile in ("btc_live", "eth_sentinel"):
        report = replay_profile(demo_build.database, profile, "focused", {}, path)
        assert report.trades == []
        assert report.batch["bars_visited"] == 0
        assert report.loss["recall"] == 0


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("{", "one JSON object"),
        ("[1]", "timestamp and side"),
        ('{"side": "long"}', "timestamp and side"),
        ('{"timestamp": "2022-01-01T00:00Z", "side": "buy"}', "long or short"),
        ('{"timestamp": "yesterday", "side": "long"}', "a timestamp like"),
        ('{"timestamp": 5, "side": "long"}', "a timestamp like"),
        ('{"timestamp": "2022-01-01T00:30Z", "side": "long"}', "a bar of BTC"),
        ('{"timestamp": "1999-01-01T00:00Z", "side": "long"}', "a bar of BTC"),
        (
            '{"timestamp": "2022-01-01T00:00Z", "side": "long", "score": "x"}',
            "a number as score",
        ),
    ],
)
def test_a_broken_line_is_named_by_its_number(demo_build, tmp_path, line, words):
    path = tmp_path / "candidates.jsonl"
    sound = '{"timestamp": "2022-01-01 00:00:00", "side": "long"}'
    path.write_text(f"{sound}\n\n{line}\n")
    with pytest.raises(InputError) as caught:
        replay_profile(demo_build.database, "btc_live", "focused", {}, path)
    assert "line 3" in str(caught.value)
    assert words in str(caught.value)
    assert "line 1:" not in str(caught.value)


def test_a_trade_log_holds_the_trades_to_the_last_bit_and_their_legs(
    demo_build, demo, tmp_path
):
    report = replay_profile(demo_build.database, "eth_comprehensive", "full")
    path = tmp_path / "trades.jsonl"
    write_lines(path, report.trades_with_legs())
    for trade, row in zip(read_log(path), report.trades, strict=True):
        legs = trade.pop("legs")
        assert trade == row
        net = sum(leg["amount"] - leg["fee"] - leg["slippage"] for leg in legs)
        assert net == pytest.approx(row["net_pnl"], abs=1e-9)
        assert [leg["kind"] for leg in legs][:: len(legs) - 1] == ["entry", "exit"]
    assert read_run(str(path)).trades[0]["decision_ts"].tzinfo


def test_a_failed_write_leaves_the_file_as_it_was(tmp_path):
    path = tmp_path / "trades.jsonl"
    path.write_text("before")

    def rows():
        yield {"a": 1}
        raise RuntimeError("in the middle")

    with pytest.raises(RuntimeError):
        write_lines(path, rows())
    assert path.read_text() == "before"
    assert [p.name for p in tmp_path.iterdir()] == ["trades.jsonl"]


def test_the_database_is_not_touched_by_any_of_it(demo_build, tmp_path):
    before = demo_build.database.read_bytes()
    settings = {"entry.entry_threshold": 0.5, "exits.stop_atr": 3.0}
    replay_profile(demo_build.database, "eth_comprehensive", "focused", settings)
    assert demo_build.database.read_bytes() == before


@pytest.mark.slow
def test_other_models_than_those_of_the_database_are_refused(demo_build, tmp_path):
    import shutil

    for part in ("models", "macros", "seeds", "configs", "python/barsieve"):
        shutil.copytree(PROJECT / part, tmp_path / part)
    shutil.copy(PROJECT / "dbt_project.yml", tmp_path)
    model = tmp_path / "macros/fusion_score.sql"
    code = [
        "import os, sys; os.chdir(sys.argv[1])",
        "from pathlib import Path",
        "from barsieve.analysis.session import prepare",
        "prepare(Path(sys.argv[2]), 'btc_live', {'exits.stop_atr': 3.0})",
    ]

    def run():
        return subprocess.run(
            [sys.executable, "-c", "\n".join(code), tmp_path, demo_build.database],
            capture_output=True,
            text=True,
            check=False,
        )

    # A comment is other code and the same models; another factor is other models.
    model.write_text(model.read_text() + "{#- A comment. -#}")
    assert run().returncode == 0, run().stderr
    model.write_text(model.read_text().replace("else 0.8", "else 0.7"))
    refused = run()
    assert refused.returncode != 0
    assert (
        "built differently" in refused.stderr or "build differently" in refused.stderr
    )


def test_a_replay_imports_nothing_that_takes_longer_than_itself(demo_build):
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "barsieve",
         "replay", "--profile", "btc_live", "--mode", "focused"],
        cwd=PROJECT,
        env={"PATH": "/usr/bin", "BARSIEVE_DATABASE": str(demo_build.database),
             "PYTHONPATH": ":".join(sys.path)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    imported = {line.split("|")[-1].strip() for line in done.stderr.splitlines()}
    assert "numba" in imported
    for heavy in ("pandas", "scipy.linalg", "jsonschema", "dbt", "pyarrow.compute"):
        assert heavy not in imported


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"learned": True}, "set learned to false"),
        ({"regime.classifier": "hmm", "regime.fit_window": "rolling"}, "tag ml"),
    ],
)
def test_what_the_build_has_not_fitted_is_refused(demo_build, settings, words):
    with pytest.raises(InputError, match=words):
        replay_profile(demo_build.database, "btc_live", "full", settings)


def test_a_classifier_that_was_fitted_may_be_chosen(demo_build):
    settings = {"regime.classifier": "hmm"}
    report = replay_profile(demo_build.database, "eth_comprehensive", "full", settings)
    built = replay_profile(demo_build.database, "eth_regime", "full")
    for ours, theirs in zip(report.trades, built.trades, strict=True):
        assert ours | {"profile": ""} == theirs | {"profile": ""}
