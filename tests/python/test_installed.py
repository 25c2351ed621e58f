"""The built wheel, installed into an environment of its own, as a newcomer meets it.

One process calls dbt as a scheduler or an editor does, in the process itself, without a
home and from a folder that is not the project's; commands then ask of what was built.
"""

import json
import shutil
import subprocess
import sys
import venv
from pathlib import Path
from zipfile import ZipFile

import duckdb
import pytest

from conftest import PROJECT

pytestmark = pytest.mark.slow

pytest.importorskip("hatchling", reason="hatchling, which builds the wheel, is missing")

# What comes before any build, and leaves no database; then the build.
CALLS = [
    ["parse"],
    ["compile"],
    ["compile", "--no-introspect"],
    ["show", "--inline", "select 1 as one"],
    ["docs", "generate"],
    ["test"],
    ["build", "--select", "nothing_of_the_kind"],
]
DRIVER = """
import json, os, sys
from pathlib import Path
from dbt.cli.main import dbtRunner

told = []
for call in json.loads(sys.argv[1]):
    runner = dbtRunner(callbacks=[lambda event: said.append(event.info.msg)])
    said = []
    done = runner.invoke([*call, "--project-dir", "desk", "--profiles-dir", "desk"])
    if call[0] == "build" and Path("desk/barsieve.duckdb").exists():
        # Whoever called dbt can read what it made, and nobody else is kept waiting.
        import barsieve.database.connect as connect
        connect.open_database(Path("desk/barsieve.duckdb")).close()
    told.append([call, done.success, str(done.exception or ""), said, os.getcwd(),
                 sorted(str(path) for path in Path().rglob("*.duckdb*"))])
print("TOLD" + json.dumps(told))
"""
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "DBT_SEND_ANONYMOUS_USAGE_STATS": "false"}


class Newcomer:
    """An environment with the wheel, and a folder to begin in."""

    def __init__(self, folder: Path):
        self.python = folder / "venv/bin/python"
        self.home = folder / "work"
        self.desk = self.home / "desk"
        self.home.mkdir()

    def run(self, *arguments: str, within: Path | None = None):
        return subprocess.run(
            [str(self.python), *arguments],
            cwd=within or self.home,
            env=ENVIRONMENT,
            capture_output=True,
            text=True,
            check=False,
        )

    def barsieve(self, *arguments: str, within: Path | None = None) -> str:
        done = self.run("-m", "barsieve", *arguments, within=within or self.desk)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def calls(self, *calls: list[str], within: Path | None = None) -> list[list]:
        done = self.run("-c", DRIVER, json.dumps(calls), within=within)
        told = [line for line in done.stdout.splitlines() if line.startswith("TOLD")]
        assert told, done.stdout[-3000:] + done.stderr[-3000:]
        return json.loads(told[0].removeprefix("TOLD"))


def pip(*arguments: str) -> None:
    subprocess.run([sys.executable, "-m", "pip", *arguments, "--quiet"], check=True)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    alone = ("--no-deps", "--no-build-isolation", "--wheel-dir", str(folder))
    pip("wheel", str(PROJECT), *alone)
    (found,) = folder.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def newcomer(wheel, tmp_path_factory) -> Newcomer:
    """The wheel in an environment that finds its libraries in ours, and a desk."""
    folder = tmp_path_factory.mktemp("newcomer")
    venv.create(folder / "venv", with_pip=False)
    (site,) = folder.glob("venv/lib/*/site-packages")
    ours = [path for path in sys.path if path.endswith("-packages")]
    (site / "libraries.pth").write_text("\n".join(ours))
    made = Newcomer(folder)
    pip("--python", str(made.python), "install", "--no-deps", "--no-index", str(wheel))
    made.barsieve("init", "desk", within=made.home)
    made.barsieve("demo", "--hours", "3000")
    return made


@pytest.fixture(scope="module")
def before_and_after(newcomer) -> list[list]:
    # What learns, and the tests of the package's own models, take minutes.
    short = ["--exclude", "tag:ml", "test_type:unit"]
    build, tested = ["build", *short], ["test", *short]
    return newcomer.calls(*CALLS, build, ["docs", "generate"], tested)


def test_the_wheel_ships_the_package_from_its_one_home(wheel):
    shipped = set(ZipFile(wheel).namelist())
    for part in ("models", "macros", "seeds", "configs", "tests/generic"):
        for path in (PROJECT / part).rglob("*.*"):
            if "__pycache__" not in path.parts:
                name = path.relative_to(PROJECT).as_posix()
                assert f"barsieve/package/{name}" in shipped
    for name in ("package/dbt_project.yml", "project/template/.gitignore"):
        assert f"barsieve/{name}" in shipped
    assert not [name for name in shipped if "tests/python" in name]


def test_what_makes_no_table_leaves_no_database(before_and_after):
    for call, is_done, exception, _, _, databases in before_and_after[: len(CALLS)]:
        assert databases == [], call
        if call == ["test"]:
            assert "expected a built database, found no such file" in exception
        else:
            assert is_done, (call, exception)


def test_dbt_warns_of_nothing(before_and_after):
    for call, _, _, said, _, _ in before_and_after:
        warned = [line for line in said if "WARNING" in line or "eprecat" in line]
        assert [line for line in warned if "fire_event" not in line] == [], call


def test_a_caller_of_dbt_is_left_where_it_was(before_and_after, newcomer):
    assert {told[4] for told in before_and_after} == {str(newcomer.home)}
    assert {path.name for path in newcomer.home.iterdir()} <= {"desk", "logs"}
    assert not (newcomer.desk / "desk").exists()


def test_a_project_builds_and_is_tested(before_and_after, newcomer):
    for call, is_done, exception, said, _, databases in before_and_after[len(CALLS) :]:
        failed = [line for line in said if "ERROR" in line or "FAIL" in line]
        assert is_done, (call, exception, failed)
        assert databases == ["desk/barsieve.duckdb"]
    with duckdb.connect(str(newcomer.desk / "barsieve.duckdb"), read_only=True) as made:
        voted = made.execute(
            "select count(*) from scores where domain = 'drift' and vote <> 'none'"
        ).fetchall()
        (comment,) = made.execute(
            "select comment from duckdb_columns() where table_name = 'score_drift' "
            "and column_name = 'score'"
        ).fetchall()
    assert voted[0][0] > 100
    assert "0.5 is no view" in comment[0]


def test_commands_work_from_below_the_project(before_and_after, newcomer):
    below = newcomer.desk / "models/scores"
    assert "sound: market" in newcomer.barsieve("check", within=below)
    assert "eth_drift" in newcomer.barsieve("show", within=below)
    newcomer.barsieve("config", "check", within=below)
    changed = ("--profile", "eth_drift", "--set", "exits.stop_atr=2.5")
    assert "profit factor" in newcomer.barsieve("replay", *changed, within=below)
    newcomer.barsieve("report", within=below)
    assert [path.name for path in below.iterdir() if "duckdb" in path.name] == []


def test_bad_input_makes_no_database(newcomer, tmp_path):
    """A refused first build leaves nothing; a refused later one, what there was."""
    home = tmp_path / "desk"
    shutil.copytree(newcomer.desk, home, symlinks=True)
    (home / "barsieve.duckdb").unlink(missing_ok=True)
    profile = home / "configs/eth_drift.json"
    profile.write_text(profile.read_text().replace("drift", "shift"))
    ((_, is_done, exception, said, _, databases),) = newcomer.calls(
        ["build"], within=tmp_path
    )
    assert not is_done
    assert databases == []
    assert "barsieve refuses this input" in exception + "".join(said)


def test_a_score_that_looks_ahead_makes_no_database(newcomer, tmp_path):
    """What only dbt knows is refused once the database is open."""
    shutil.copytree(newcomer.desk, tmp_path / "desk", symlinks=True)
    (tmp_path / "desk/barsieve.duckdb").unlink(missing_ok=True)
    score = tmp_path / "desk/models/scores/score_drift.sql"
    peek = "lead(close, 24) over (partition by symbol order by bar_ts)"
    score.write_text(
        score.read_text().replace("        close,\n", f"        {peek} as close,\n")
    )
    ((_, is_done, exception, said, _, databases),) = newcomer.calls(
        ["build"], within=tmp_path
    )
    assert not is_done
    assert databases == []
    assert "score_drift.sql" in exception + "".join(said)
