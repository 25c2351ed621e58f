"""The commands that replay, compare and answer: output, exit codes, refusals."""

import json
import re

import pytest
from typer.testing import CliRunner

from barsieve.cli import app
from conftest import PROJECT

pytestmark = pytest.mark.slow

FIGURE = re.compile(r"-?\d+(\.\d+)?([eE][-+]?\d+)?|nan|inf", re.IGNORECASE)


@pytest.fixture
def run(demo_build, monkeypatch):
    """The command line in this process: a new one would import numba each time."""
    monkeypatch.chdir(PROJECT)
    monkeypatch.setenv("BARSIEVE_DATABASE", str(demo_build.database))
    return lambda *arguments: CliRunner().invoke(app, arguments)


def figures_as_text(document) -> list:
    if isinstance(document, dict):
        return [f for value in document.values() for f in figures_as_text(value)]
    if isinstance(document, list):
        return [f for value in document for f in figures_as_text(value)]
    return (
        [document] if isinstance(document, str) and FIGURE.fullmatch(document) else []
    )


@pytest.mark.parametrize(
    ("arguments", "keys"),
    [
        (
            ("replay", "--profile", "btc_live", "--set", "exits.stop_atr=2.5",
             "--from", "2022-01-01", "--mode", "focused"),
            {"settings", "summary", "batch", "trades"},
        ),
        (
            ("thresholds", "--profile", "btc_live", "0.66", "0.7"),
            {"thresholds", "lowest_covered"},
        ),
        (("stress", "--profile", "btc_live"), {"scenarios"}),
        (
            ("signal", "--profile", "btc_live", "--at", "2023-06-01T05:00"),
            {"action", "order", "position", "votes", "gates", "signals", "inputs",
             "bar_age_hours"},
        ),
        (
            ("explain", "12", "--profile", "btc_live"),
            {"trade", "legs", "votes", "gates", "why_entered", "why_left"},
        ),
        (
            ("compare", "btc_live", "btc_live:focused"),
            {"verdict", "counts", "metrics", "trades"},
        ),
    ],
)  # fmt: skip
def test_json_holds_numbers_and_nothing_else_is_printed(run, arguments, keys):
    done = run(*arguments, "--json")
    assert (done.exit_code, done.stderr) == (0, "")
    document = json.loads(done.stdout, parse_constant=pytest.fail)
    assert keys <= set(document)
    assert figures_as_text(document) == []


def test_candidates_are_written_and_read_again_and_compared(run, tmp_path):
    lines = run("candidates", "--profile", "btc_live", "--jsonl")
    path, log = tmp_path / "candidates.jsonl", tmp_path / "trades.jsonl"
    done = run("candidates", "--profile", "btc_live", "--to", str(path))
    assert done.exit_code == 0, done.stderr
    assert path.read_text() == lines.stdout
    done = run(
        "replay", "--profile", "btc_live", "--candidates", str(path),
        "--mode", "focused", "--trade-log", str(log),
    )  # fmt: skip
    assert done.exit_code == 0, done.stderr
    assert "entries lost" in done.stdout
    done = run("compare", str(log), "btc_live")
    assert done.exit_code == 0, done.stdout
    assert "identical" in done.stdout


def test_compare_tells_by_its_exit_code(run):
    runs = ("compare", "eth_sentinel", "eth_sentinel:focused")
    apart = run(*runs)
    assert apart.exit_code == 1
    assert "missing" in apart.stdout
    assert "qty" in apart.stdout
    assert run(*runs, "--within").exit_code == 0
    assert run(*runs, "--within", "--trades-tolerance", "0.01").exit_code == 1
    empty = run("compare", "btc_live", "btc_live", "--to", "2021-03-02")
    assert empty.exit_code == 1
    assert "vacuous" in empty.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("replay", "--profile", "btc_live", "--set", "exits.stop_art=2"),
         "exits.stop_atr"),
        (("replay", "--profile", "btc_live", "--set", "symbols=DOGE"), "BTC, ETH"),
        (("replay", "--profile", "btc_live", "--from", "soon"), "2024-07-01"),
        (("replay", "--profile", "btc_live", "--from", "2023-01-01", "--to",
          "2022-01-01"), "--from before --to"),
        (("replay", "--profile", "btc_live", "--candidates", "/nowhere.jsonl"),
         "nowhere"),
        (("replay", "--profile", "btc_live", "--mode", "full", "--candidates", "x"),
         "--mode focused"),
        (("replay", "--profile", "btc_live", "--trade-log", "configs/btc_live.json"),
         ".jsonl"),
        (("replay", "--profile", "btc_live", "--trade-log", "/nowhere/x.jsonl"),
         "no folder"),
        (("thresholds", "--profile", "btc_live", "1.5"), "fractions"),
        (("thresholds", "--profile", "btc_live", "high"), "a valid number"),
        (("signal", "--profile", "btc_live", "--at", "1999-01-01"), "closes at"),
        (("signal", "--profile", "nobody"), "btc_live"),
        (("explain", "100000", "--profile", "btc_live"), "from 1 to"),
        (("compare", "btc_live", "nobody"), "btc_live"),
        (("compare", "btc_live", "btc_live", "--win-rate-tolerance", "2"),
         "a fraction"),
        (("candidates", "--profile", "btc_live", "--to", "configs/btc_live.json"),
         ".jsonl"),
    ],
)  # fmt: skip
def test_bad_input_gets_a_message_that_helps_and_no_stack_trace(run, arguments, words):
    done = run(*arguments)
    assert done.exit_code in (1, 2)
    assert words in done.stderr
    assert isinstance(done.exception, SystemExit)
    assert done.stdout == ""
