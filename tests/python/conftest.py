"""One build per session, shared by every test that reads a database."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest
from filelock import FileLock

PROJECT = Path(__file__).parents[2]
REAL_MARKET = Path(
    os.environ.get("BARSIEVE_REAL_MARKET", PROJECT.parent / "shared" / "market")
)


@dataclass(frozen=True)
class Build:
    """A finished dbt run: where it wrote, how it ended, what it printed."""

    database: Path
    target: Path
    exit_code: int
    output: str

    def connect(self) -> duckdb.DuckDBPyConnection:
        connection = duckdb.connect(str(self.database), read_only=True)
        connection.execute("set timezone = 'UTC'")
        return connection


def run_dbt(*arguments: str, folder: Path, **locations: Path | str) -> Build:
    """Run dbt on the project as a user would, with files of its own in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    environment = {
        key: value for key, value in os.environ.items() if "BARSIEVE" not in key
    }
    environment |= {
        "BARSIEVE_DATABASE": str(folder / "built.duckdb"),
        "DBT_TARGET_PATH": str(folder / "target"),
        "DBT_LOG_PATH": str(folder / "logs"),
    }
    environment |= {key: str(value) for key, value in locations.items()}
    done = subprocess.run(
        [sys.executable, "-m", "dbt.cli.main", "--no-use-colors", *arguments],
        cwd=PROJECT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return Build(
        Path(environment["BARSIEVE_DATABASE"]),
        folder / "target",
        done.returncode,
        done.stdout + done.stderr,
    )


@pytest.fixture(scope="session")
def real_market() -> Path:
    """The real market, in place; never copied into the project."""
    if not (REAL_MARKET / "bars").is_dir():
        pytest.skip(f"the real market is not at {REAL_MARKET}")
    return REAL_MARKET


def built_once(shared: Path, name: str, **locations: Path | str) -> Build:
    """Build a market once, whichever of the test processes needs it first."""
    folder = shared / name
    with FileLock(shared / f"{name}.lock"):
        if not (folder / "done").exists():
            build = run_dbt("build", folder=folder, **locations)
            (folder / "output").write_text(build.output)
            (folder / "done").write_text(str(build.exit_code))
    exit_code, output = (folder / "done").read_text(), (folder / "output").read_text()
    assert exit_code == "0", output[-6000:]
    return Build(folder / "built.duckdb", folder / "target", 0, output)


@pytest.fixture(scope="session")
def shared(tmp_path_factory) -> Path:
    """A folder that all processes of this run of the tests have in common."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


@pytest.fixture(scope="session")
def demo_build(shared) -> Build:
    """`dbt build` of the shipped demo market, tests included."""
    return built_once(shared, "demo")


@pytest.fixture(scope="session")
def real_build(shared, real_market) -> Build:
    """`dbt build` of the real market, tests included."""
    return built_once(shared, "real", BARSIEVE_MARKET=real_market)


@pytest.fixture
def demo(demo_build):
    """A read-only connection to the built demo."""
    with demo_build.connect() as connection:
        yield connection
