"""Kills at any moment: the same journal, the same file, nothing twice, nothing lost."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import pytest

from barsieve.live.lines import read_lines
from barsieve.market.check import check_market
from barsieve.market.simulation import simulate, write_market
from paper_cases import HOUR, SEED
from paper_runs import Project, made
from paper_venue import PaperVenue, utc

START = utc(2021, 5, 4, 20)
CHILD = Path(__file__).with_name("paper_child.py")
TABLES = ("trades", "trade_legs", "equity", "parity_live", "report_live", "bars_1h")


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("kills") / "demo"
    write_market(simulate(hours=1700), folder)
    return folder


@pytest.fixture(scope="module")
def project(whole, tmp_path_factory):
    return made(tmp_path_factory.mktemp("killed") / "desk", whole, START)


def started(project: Project, venue: PaperVenue, hours: int) -> subprocess.Popen:
    """Start the hours of a project in a process of its own, in a group of its own."""
    asked = project.folder / "asked.json"
    asked.write_text(
        json.dumps(
            {
                "folder": str(project.folder),
                "whole": str(project.whole),
                "options": venue.options(),
                "until": (START + hours * HOUR).isoformat(),
            }
        )
    )
    return subprocess.Popen(
        [sys.executable, str(CHILD), str(asked)],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        start_new_session=True,
    )  # fmt: skip


def finished(project: Project, venue: PaperVenue, hours: int) -> None:
    """Let the hours be done to their end, by whoever is started now."""
    child = started(project, venue, hours)
    _, told = child.communicate(timeout=300)
    assert child.returncode == 0, told[-2000:]


def state(project: Project) -> dict[str, list]:
    """Return all that is compared: the journal's bytes, and tables of the file."""
    tables = {
        name: project.rows(f"select * from {name} order by all") for name in TABLES
    }
    return tables | {"journal": project.live.journal.read_bytes()}


def assert_readable(project: Project) -> None:
    """Assert that a reader finds a whole file, and a market that is sound."""
    (n_rows,) = project.rows("select count(*) from build_info")[0]
    assert n_rows == 1
    assert check_market(project.market, SEED)[1] == []


def kill_and_go_on(project, whole, tmp_path, hours, kills, seed):
    """Kill a run at random moments, then let it end; hold it against one unharmed."""
    venue = PaperVenue(whole, START + (hours + 1) * HOUR - timedelta(minutes=59))
    chance = random.Random(seed)
    undisturbed = project.copy(tmp_path / "undisturbed")
    killed = project.copy(tmp_path / "killed")
    n_killed = 0
    try:
        finished(undisturbed, venue, hours)
        for _ in range(kills):
            child = started(killed, venue, hours)
            time.sleep(chance.uniform(1.0, 8.0))
            if child.poll() is None:
                os.killpg(child.pid, signal.SIGKILL)
                n_killed += 1
            child.communicate()
            assert_readable(killed)
        finished(killed, venue, hours)
    finally:
        venue.close()
    assert n_killed > 0
    assert state(killed) == state(undisturbed)
    lines = read_lines(killed.live.journal)
    keys = {(one["account"], one["symbol"], one["bar_ts"]) for one in lines}
    assert len(keys) == len(lines) == 3 * hours
    assert not list(killed.market.glob("*/.*.partial"))


@pytest.mark.slow
def test_some_kills_change_nothing(project, whole, tmp_path):
    kill_and_go_on(project, whole, tmp_path, hours=4, kills=5, seed=1)


@pytest.mark.proofs
@pytest.mark.parametrize("seed", range(20))
def test_many_kills_change_nothing(project, whole, tmp_path, seed):
    kill_and_go_on(project, whole, tmp_path, hours=12, kills=25, seed=seed)
