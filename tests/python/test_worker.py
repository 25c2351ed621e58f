"""The process that replays for a command: the same bytes, and no harm when it dies."""

import multiprocessing
import subprocess
import sys
import time

import numpy as np
import psutil
import pytest

from barsieve.replay import worker
from conftest import PROJECT
from replay_cases import (
    BALANCE,
    entries_of,
    random_bars,
    random_rules,
    run,
    same_bits,
)

ASKED = [sys.executable, "-m", "barsieve", "replay", "--profile", "btc_live"]


@pytest.fixture
def started():
    """Start the process; yield it, and end it after."""
    worker.start()
    (process,) = multiprocessing.active_children()
    yield process
    worker._apart = None
    process.kill()
    process.join()


def _replayed(seed, is_focused=False):
    rng = np.random.default_rng(seed)
    bars, rules = random_bars(rng, 300), random_rules(rng)
    entries = entries_of(bars, rules) if is_focused else None
    here = run(bars, rules, BALANCE, entries)
    looked_at = entries if is_focused else np.empty(0, np.int64)
    there = worker.replay_into_ledger(bars, rules, BALANCE, looked_at, is_focused, 0.0)
    return here, there


@pytest.mark.parametrize("is_focused", [False, True])
def test_the_other_process_writes_the_same_bytes(started, is_focused):
    for seed in range(5):
        here, there = _replayed(seed, is_focused)
        assert same_bits(here, there)
        assert here.outcome == there.outcome
        assert there.legs.index.dtype == np.int64
    assert started.is_alive()


def test_a_process_that_dies_is_replaced_by_this_one(started):
    started.kill()
    started.join()
    here, there = _replayed(1)
    assert same_bits(here, there)
    assert worker._apart is None


def test_an_error_is_raised_here_and_shown_once(started, capfd):
    with pytest.raises(TypeError):
        worker.replay_into_ledger("no bars")
    started.join()
    assert capfd.readouterr() == ("", "")


def test_a_command_leaves_no_process_behind(demo_build):
    env = {"PATH": "/usr/bin", "BARSIEVE_DATABASE": str(demo_build.database),
           "PYTHONPATH": ":".join(sys.path)}  # fmt: skip
    command = subprocess.Popen(
        ASKED, cwd=PROJECT, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    seen: set[psutil.Process] = set()
    while command.poll() is None:
        try:
            seen |= set(psutil.Process(command.pid).children())
        except psutil.NoSuchProcess:
            break
        time.sleep(0.01)
    assert command.wait() == 0, command.stderr.read()
    assert len(seen) == 1
    _, alive = psutil.wait_procs(seen, timeout=5)
    assert not alive


def test_a_command_that_is_killed_leaves_no_process_behind(demo_build):
    env = {"PATH": "/usr/bin", "BARSIEVE_DATABASE": str(demo_build.database),
           "PYTHONPATH": ":".join(sys.path)}  # fmt: skip
    command = subprocess.Popen(ASKED, cwd=PROJECT, env=env, stdout=subprocess.DEVNULL)
    children: list[psutil.Process] = []
    while not children:
        assert command.poll() is None
        children = psutil.Process(command.pid).children()
    command.kill()
    command.wait()
    _, alive = psutil.wait_procs(children, timeout=20)
    assert not alive
