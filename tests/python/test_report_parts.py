"""What a report is made of, and how it is written: no browser needed but for one."""

import json
import math
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml
from typer.testing import CliRunner

from barsieve.cli import app
from barsieve.core.errors import InputError
from barsieve.replay.decimals import sum_of_decimals
from barsieve.report import MARK, write_report
from barsieve.report.pack import Pack, decimals_for
from barsieve.report.picture import find_browser
from barsieve.report.render import page_script
from barsieve.report.sections import SECTIONS
from barsieve.report.sections.price import SIGNALS
from barsieve.report.source import open_source
from barsieve.report.text import DASH, MINUS, number
from command_line import barsieve
from conftest import PROJECT
from report_browser import LATER


def test_equal_columns_are_kept_once_and_large_ones_bit_for_bit():
    pack = Pack()
    values = np.arange(1000.0)
    assert pack.rounded(values, 2) == pack.rounded(values.copy(), 2)
    assert pack.rounded(np.array([1e15]), 6)["kind"] == "exact"


@pytest.mark.parametrize(
    ("prices", "decimals"),
    [
        ([1.0, 2.0], 0),
        ([0.1, 30_000.25], 2),
        ([1 / 3], 7),
        ([math.pi * 1e4], 2),
        ([], 2),
    ],
)
def test_prices_keep_their_decimals_or_seven_digits(prices, decimals):
    assert decimals_for(np.array(prices)) == decimals


def test_no_entry_lies_below_the_threshold_in_force(demo_build):
    source = open_source(demo_build.database, [])
    trades = source.arrays(
        "select trades.confidence, trades.threshold, "
        "fusion.threshold as without_streak, "
        "loss_streak >= loss_streak_trades as is_streak, loss_streak_shift as shift "
        "from trades inner join config_profiles using (profile) "
        "inner join fusion_scores as fusion on fusion.profile = trades.profile "
        "and fusion.symbol = trades.symbol and fusion.bar_ts = decision_ts"
    )
    assert (trades["confidence"] >= trades["threshold"]).all()
    raised = np.where(trades["is_streak"], trades["shift"], 0.0)
    asked = sum_of_decimals(trades["without_streak"], raised)
    assert (trades["threshold"] == asked).all()
    # The property says something only where streaks were met.
    assert np.count_nonzero(trades["is_streak"]) > 20


def test_the_streak_of_a_decision_is_that_of_the_trades_that_ended_before_it(
    demo_build,
):
    source = open_source(demo_build.database, [])
    rows = source.rows("from trades order by profile, trade_id")
    for profile in {row["profile"] for row in rows}:
        own = [row for row in rows if row["profile"] == profile]
        for k, trade in enumerate(own):
            ended = [
                t
                for t in own[max(0, k - 60) : k]
                if t["exit_ts"] <= trade["decision_ts"]
            ]
            streak = 0
            for before in ended:
                streak = 0 if before["net_pnl"] > 0 else streak + 1
            assert trade["loss_streak"] == streak or len(ended) >= 59


def test_the_chart_raises_the_threshold_from_the_exit_of_the_losing_trade_on(
    demo_build,
):
    source = open_source(demo_build.database, [])
    for name in ("eth_comprehensive", "btc_live"):
        trades = source.rows(
            "select decision_ts, threshold from trades where profile = $profile",
            profile=name,
        )
        symbol = next(p["symbol"] for p in source.profiles if p["profile"] == name)
        drawn = source.arrays(SIGNALS, profile=name, symbol=symbol, account=symbol)
        at = np.searchsorted(drawn["at"], [trade["decision_ts"] for trade in trades])
        # At each decision the chart shows what the confidence had to meet.
        assert (drawn["threshold"][at] == [t["threshold"] for t in trades]).all()


def test_the_exposure_ends_in_the_tables_that_the_report_reads():
    described = yaml.safe_load((PROJECT / "models/reports/exposures.yml").read_text())
    refs = {ref[5:-2] for ref in described["exposures"][0]["depends_on"]}
    shown = {t for s in SECTIONS if s.key not in LATER for t in s.tables}
    assert shown <= refs
    head = {"build_info", "parity_trades", "parity_equity", "replay_trades"}
    assert refs == shown | head


def test_equal_databases_give_equal_reports_without_a_trace_of_the_machine(
    demo_build, tmp_path
):
    one, other = tmp_path / "one.html", tmp_path / "other.html"
    for path in (one, other):
        write_report(demo_build.database, path, ["btc_live"])
    assert one.read_bytes() == other.read_bytes()
    assert str(demo_build.database.parent) not in one.read_text()


def test_a_report_may_show_some_profiles_in_the_order_asked(demo_build, tmp_path):
    path = tmp_path / "two.html"
    written = write_report(demo_build.database, path, ["eth_sentinel", "btc_live"])
    assert written.profiles == ["eth_sentinel", "btc_live"]
    options = re.findall(r'<option value="\d">(\w+) \(', path.read_text())
    assert options == ["eth_sentinel", "btc_live"]
    assert written.size_bytes == path.stat().st_size
    assert MARK in path.read_text()


@pytest.mark.parametrize(
    ("name", "profiles", "words"),
    [
        ("mine.html", [], "a new file or an older report"),
        (".", [], "a folder"),
        ("no/such/folder.html", [], "no such folder"),
        ("new.html", ["nope"], "'nope'"),
    ],
)
def test_what_cannot_be_written_is_refused_and_nothing_changes(
    demo_build, tmp_path, name, profiles, words
):
    (tmp_path / "mine.html").write_text("a page of my own")
    with pytest.raises(InputError, match=re.escape(words)):
        write_report(demo_build.database, tmp_path / name, profiles)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.html"]
    assert (tmp_path / "mine.html").read_text() == "a page of my own"


def invoke(database, *arguments: str):
    """Run the command in this process: its modules are loaded already."""
    return CliRunner().invoke(
        app, ["report", *arguments], env={"BARSIEVE_DATABASE": str(database)}
    )


@pytest.mark.slow
@pytest.mark.skipif(find_browser() is None, reason="no browser is installed")
def test_the_command_writes_report_and_picture_and_says_so(demo_build, tmp_path):
    pytest.importorskip("playwright", reason="playwright is not installed")
    path, picture = tmp_path / "report.html", tmp_path / "report.png"
    done = barsieve(
        "report", "--to", str(path), "--profile", "btc_live", "--picture", str(picture),
        BARSIEVE_DATABASE=demo_build.database,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("\n") == 1
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert 20_000 < picture.stat().st_size < 400_000
    again = invoke(
        demo_build.database, "--to", str(path), "--profile", "btc_live", "--json"
    )
    told = json.loads(again.stdout)
    assert told["size_bytes"] == path.stat().st_size
    assert (told["profiles"], told["parity"]) == (["btc_live"], "holds")
    assert told["left_out"] == []


def test_a_refusal_is_one_message_and_an_exit_code(demo_build, tmp_path):
    refused = invoke(demo_build.database, "--to", str(tmp_path))
    assert refused.exit_code == 1
    assert "choose another file" in refused.stderr
    missing = invoke(tmp_path / "none.duckdb", "--to", str(tmp_path / "new.html"))
    assert missing.exit_code == 2
    assert "none.duckdb" in missing.stderr
    assert list(tmp_path.iterdir()) == []


def names_amiss(script: str, folder: Path) -> str:
    """Return what a linter says of names in a script: used or defined alone."""
    (folder / "page.js").write_text(script)
    rules = ("-A", "all", "-D", "no-undef", "-D", "no-unused-vars")
    linter = Path(sys.executable).with_name("oxlint")
    config = ("-c", PROJECT / ".oxlintrc.json")
    done = subprocess.run(
        [linter, *config, *rules, folder / "page.js"], capture_output=True, text=True
    )
    return done.stdout if done.returncode else ""


def test_every_name_of_the_page_is_defined_and_used(tmp_path):
    script = page_script()
    assert names_amiss(script, tmp_path) == ""
    renamed = script.replace("function tradesInView(", "function x(")
    assert "tradesInView" in names_amiss(renamed, tmp_path)


@pytest.mark.parametrize(
    ("value", "decimals", "is_signed", "text"),
    [
        (1234.5, 0, False, "1,235"),
        (0.125, 2, False, "0.13"),
        (-2.5, 0, False, f"{MINUS}3"),
        (0.004, 2, True, "0.00"),
        (-0.004, 2, True, "0.00"),
        (7, 0, True, "+7"),
        (1e7, 2, True, "+10,000,000.00"),
        (None, 2, False, DASH),
        (math.nan, 2, False, DASH),
    ],
)
def test_a_number_is_shown_as_the_page_shows_it(value, decimals, is_signed, text):
    assert number(value, decimals, is_signed) == text
