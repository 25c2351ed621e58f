"""One build per session, shared by every test that reads a database."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest

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


@pytest.fixture(scope="session")
def demo_build(tmp_path_factory) -> Build:
    """`dbt build` of the shipped demo market, tests included."""
    build = run_dbt("build", folder=tmp_path_factory.mktemp("demo"))
    assert build.exit_code == 0, build.output[-6000:]
    return build


@pytest.fixture(scope="session")
def real_build(tmp_path_factory, real_market) -> Build:
    """`dbt build` of the real market, tests included."""
    folder = tmp_path_factory.mktemp("real")
    build = run_dbt("build", folder=folder, BARSIEVE_MARKET=real_market)
    assert build.exit_code == 0, build.output[-6000:]
    return build


@pytest.fixture
def demo(demo_build):
    """A read-only connection to the built demo."""
    with demo_build.connect() as connection:
        yield connection
