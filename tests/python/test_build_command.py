"""`barsieve build`: the database is the old one or the new one, at every moment."""

import hashlib
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import duckdb
import psutil
import pytest

import barsieve.database.store
from barsieve.database.build import BuildRefusedError, only_build, refuse_unusable
from conftest import PROJECT

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Place:
    """A database of its own, with the environment of its builds."""

    database: Path
    environment: dict[str, str]

    @property
    def building(self) -> Path:
        return self.database.with_name(".barsieve.duckdb.building")

    def start(self, *arguments: str, **variables: str) -> subprocess.Popen:
        return subprocess.Popen(
            [sys.executable, "-m", "barsieve", "build", "--no-prove", *arguments],
            cwd=PROJECT,
            env=self.environment | variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def build(self, *arguments: str, **variables: str) -> tuple[int, str, str]:
        process = self.start(*arguments, **variables)
        stdout, stderr = process.communicate(timeout=120)
        return process.returncode, stdout, stderr

    def files(self) -> list[str]:
        return sorted(path.name for path in self.database.parent.iterdir())

    def digest(self) -> str:
        return hashlib.sha256(self.database.read_bytes()).hexdigest()


@pytest.fixture(scope="module")
def place(demo_build, tmp_path_factory) -> Place:
    """A copy of the built demo, and a parse of the project to start from."""
    folder = tmp_path_factory.mktemp("place")
    database = folder / "database" / "barsieve.duckdb"
    database.parent.mkdir()
    (folder / "target").mkdir()
    shutil.copy(demo_build.database, database)
    environment = {k: v for k, v in os.environ.items() if "BARSIEVE" not in k}
    environment |= {
        "BARSIEVE_DATABASE": str(database),
        "DBT_TARGET_PATH": str(folder / "target"),
        "DBT_LOG_PATH": str(folder / "logs"),
    }
    return Place(database, environment)


def wait_until(happened, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.02)


def test_one_build_at_a_time_and_the_other_is_named(tmp_path):
    database = tmp_path / "barsieve.duckdb"
    with only_build(database):
        with pytest.raises(BuildRefusedError) as refused, only_build(database):
            pass
        assert f"pid {os.getpid()} (" in str(refused.value)
        assert "\n" not in str(refused.value)
    with only_build(database):
        pass
    assert list(tmp_path.iterdir()) == []


def test_the_lock_of_a_killed_build_does_not_block(tmp_path):
    database = tmp_path / "barsieve.duckdb"
    code = (
        "import pathlib, os, signal; from barsieve.database.build import only_build\n"
        f"with only_build(pathlib.Path({str(database)!r})):\n"
        "    os.kill(os.getpid(), signal.SIGKILL)"
    )
    killed = subprocess.run([sys.executable, "-c", code], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert [path.name for path in tmp_path.iterdir()] == [".barsieve.duckdb.lock"]
    with only_build(database):
        pass
    assert list(tmp_path.iterdir()) == []


def test_many_processes_that_want_the_lock_never_hold_it_together(tmp_path):
    code = (
        "import pathlib, time; from barsieve.database.build import *\n"
        f"database = pathlib.Path({str(tmp_path / 'x.duckdb')!r})\n"
        "held = 0\n"
        "end = time.monotonic() + 1.5\n"
        "while time.monotonic() < end:\n"
        "    try:\n"
        "        with only_build(database):\n"
        "            mark = database.with_name('mark')\n"
        "            mark.touch(exist_ok=False)\n"
        "            held += 1\n"
        "            mark.unlink()\n"
        "    except BuildRefusedError:\n"
        "        pass\n"
        "print(held)\n"
    )
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True
        )
        for _ in range(3)
    ]
    held = [racer.communicate()[0] for racer in racers]
    assert [racer.returncode for racer in racers] == [0, 0, 0]
    assert sum(map(int, held)) > 50


def test_two_builds_or_a_locked_file_give_one_line(place):
    before = place.digest()
    with only_build(place.database):
        code, out, err = place.build()
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert f"pid {os.getpid()} (" in err
    with duckdb.connect(str(place.database)):
        code, out, err = place.build()
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert f"locked by pid {os.getpid()} (" in err
    assert place.digest() == before
    refuse_unusable(place.database)


def test_a_build_that_leaves_out_what_vouches_for_it_is_not_swapped_in(place):
    before = place.digest()
    code, out, err = place.build("--select", "config_profiles")
    assert code == 1
    assert "1 of 1  config" in out
    assert "build_info" in err
    assert (place.digest(), place.files()) == (before, ["barsieve.duckdb"])


def test_a_file_that_is_no_database_is_not_overwritten(place, tmp_path):
    notes = tmp_path / "notes.duckdb"
    notes.write_text("what I meant to do\n" * 500)
    for database, words in (
        (notes, "not overwritten"), (tmp_path, "not overwritten"),
        (tmp_path / "nowhere" / "x.duckdb", "no folder"),
    ):  # fmt: skip
        code, out, err = place.build(BARSIEVE_DATABASE=str(database))
        assert (code, out, err.count("\n")) == (1, "", 1)
        assert words in err
    assert notes.read_text() == "what I meant to do\n" * 500
    assert list(tmp_path.iterdir()) == [notes]


def test_readers_are_never_blocked_nor_shown_half_a_build(place):
    stop, faults, seen = threading.Event(), [], set()
    with duckdb.connect(str(place.database)) as connection:
        connection.execute("create table mine as select 42 as answer")

    def read_again_and_again() -> None:
        while not stop.is_set():
            try:
                with barsieve.database.store.open(place.database) as store:
                    assert store.trades.count().execute() > 0
                    seen.add(store.build["built_at"])
            except Exception as error:
                faults.append(error)
            stop.wait(0.1)

    reader = threading.Thread(target=read_again_and_again)
    with barsieve.database.store.open(place.database) as old:
        before = old.build["built_at"]
        n_trades = old.trades.count().execute()
        reader.start()
        code, out, err = place.build("--select", "build_info")
        stop.set()
        reader.join()
        assert code == 0, out + err
        assert old.build["built_at"] == before
        assert old.trades.count().execute() == n_trades
    assert faults == []
    with barsieve.database.store.open(place.database) as new:
        assert new.build["built_at"] > before
        assert new.trades.count().execute() == n_trades
        assert new.mine.answer.to_pyarrow().to_pylist() == [42]
        assert seen <= {before, new.build["built_at"]}
    assert place.files() == ["barsieve.duckdb"]
    assert str(place.database) in out


def stop(place: Place, kill: int, after: Path) -> tuple[int, str]:
    """Start a build and stop it when a file is there; return how it ended."""
    process = place.start()
    wait_until(lambda: after.exists() and psutil.Process(process.pid).children())
    children = psutil.Process(process.pid).children(recursive=True)
    signalled = os.killpg if kill == signal.SIGINT else os.kill
    signalled(process.pid, kill)
    _, err = process.communicate(timeout=30)
    _, alive = psutil.wait_procs(children, timeout=10)
    assert alive == []
    return process.returncode, err


@pytest.mark.parametrize("kill", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_build_says_so_and_leaves_nothing_behind(
    place, kill, ctrl_c_is_heard
):
    before = place.digest()
    code, err = stop(place, kill, after=place.building)
    assert code == 130
    assert "is as it was" in err
    assert "Traceback" not in err
    assert (place.digest(), place.files()) == (before, ["barsieve.duckdb"])


def test_after_a_kill_or_a_failure_the_database_is_as_it_was(place):
    before = place.digest()
    code, _ = stop(place, signal.SIGKILL, after=place.building / "barsieve.duckdb")
    assert code == -signal.SIGKILL
    assert place.building.exists()
    assert place.digest() == before
    code, out, err = place.build(BARSIEVE_MARKET="/nowhere")
    assert code != 0
    assert "expected a market folder" in out
    assert "is as it was" in err
    assert "\x1b" not in out + err
    assert (place.digest(), place.files()) == (before, ["barsieve.duckdb"])


def test_the_log_of_an_old_file_is_never_applied_to_the_new_one(tmp_path):
    from barsieve.database.build import _swap

    old, new = tmp_path / "old.duckdb", tmp_path / "new" / "old.duckdb"
    new.parent.mkdir()
    for path, value in ((old, 1), (new, 2)):
        with duckdb.connect(str(path)) as connection:
            connection.execute(f"create table build_info as select {value} as v")
    code = (
        "import duckdb, os\n"
        f"connection = duckdb.connect({str(old)!r})\n"
        "connection.execute('insert into build_info values (99)')\n"
        "os._exit(0)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    assert old.with_name("old.duckdb.wal").exists()
    _swap(new, old)
    assert not old.with_name("old.duckdb.wal").exists()
    with duckdb.connect(str(old), read_only=True) as connection:
        assert connection.sql("from build_info").fetchall() == [(2,)]
