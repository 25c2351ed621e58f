"""Names and places: one rule for project, market, configs and database."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from barsieve.cli import app
from barsieve.core import paths
from barsieve.core.locations import (
    database_problems,
    folder_problems,
    location_problems,
    parquet_rows,
)
from barsieve.core.prices import shown_price
from barsieve.database.input_check import check_input

PROJECT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    "name",
    [
        "main",
        "Main",
        "temp",
        "system",
        "memory",
        "a'b",
        'a"b',
        "a?b",
        "a#b",
        "a;b",
        "a:b",
    ],
)
def test_a_database_that_duckdb_could_not_name_is_refused(name, monkeypatch):
    location = Path(f"/somewhere/{name}.duckdb")
    (problem,) = database_problems(location)
    assert problem.file == str(location)
    monkeypatch.setenv("BARSIEVE_DATABASE", str(location))
    assert problem in location_problems()


def test_check_refuses_a_name_as_dbt_does(monkeypatch):
    monkeypatch.chdir(PROJECT)
    monkeypatch.setenv("BARSIEVE_DATABASE", "main.duckdb")
    (problem,) = check_input()
    assert problem.found == "'main'"


@pytest.mark.parametrize(
    "name",
    [
        "barsieve",
        "a b",
        "a-b",
        "a.b",
        "ä",
        "100%",
        "a[1]",
        "select",
        "main2",
        ".x",
        "1",
    ],
)
def test_a_database_may_have_any_other_name(name):
    assert database_problems(Path(f"/some where/ä/{name}.duckdb")) == []


@pytest.mark.parametrize("name", ["a b", "ä", "100%", "a=b", "a;b", "a#b", "(a)"])
def test_a_market_may_lie_in_a_folder_that_sql_can_quote(name):
    assert folder_problems(paths.MARKET, Path(f"/{name}/market")) == []


def test_a_path_is_a_path_in_every_read():
    """A read of Parquet or JSON outside of the one place says so itself."""
    assert "hive_partitioning = false" in parquet_rows(Path("a"))
    for path in [*PROJECT.glob("models/**/*.yml"), *PROJECT.glob("python/**/*.py")]:
        for line in path.read_text().splitlines():
            if "read_parquet('" in line or "read_json_objects('" in line:
                assert "hive_partitioning = false" in line, path


def test_locations_are_relative_to_the_project_from_anywhere(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("BARSIEVE_DATABASE", raising=False)
    with pytest.raises(FileNotFoundError, match="BARSIEVE_PROJECT"):
        paths.database_path()
    monkeypatch.setenv("BARSIEVE_PROJECT", str(PROJECT))
    assert paths.project_dir() == PROJECT
    assert paths.database_path() == PROJECT / "barsieve.duckdb"
    monkeypatch.chdir(PROJECT)
    assert str(paths.database_path()) == "barsieve.duckdb"
    monkeypatch.chdir(PROJECT / "models")
    monkeypatch.delenv("BARSIEVE_PROJECT")
    assert paths.database_path() == PROJECT / "barsieve.duckdb"


def test_a_project_that_is_none_is_named(monkeypatch, tmp_path):
    monkeypatch.setenv("BARSIEVE_PROJECT", str(tmp_path))
    with pytest.raises(FileNotFoundError, match=r"set BARSIEVE_PROJECT to the project"):
        paths.project_dir()


def test_check_works_from_anywhere(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BARSIEVE_PROJECT", str(PROJECT))
    monkeypatch.delenv("BARSIEVE_MARKET", raising=False)
    done = CliRunner().invoke(app, ["check"])
    assert done.exit_code == 0, done.output


def dbt(*arguments: str, folder: Path, **environment: str):
    known = {k: v for k, v in os.environ.items() if "BARSIEVE" not in k}
    return subprocess.run(
        [sys.executable, "-m", "dbt.cli.main", "--no-use-colors", *arguments],
        cwd=folder,
        env=known | environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
def test_a_project_builds_from_another_folder_wherever_it_lies(tmp_path):
    """Seeds are what dbt reads by the project's own path."""
    home = tmp_path / "o'brien's 100% [x] ä"
    home.mkdir()
    for part in ("macros", "models", "seeds", "tests", "configs", "data"):
        shutil.copytree(PROJECT / part, home / part, ignore=lambda _, names: [
            name for name in names if name in ("python", "__pycache__")
        ])  # fmt: skip
    for file in ("dbt_project.yml", "profiles.yml"):
        shutil.copy(PROJECT / file, home / file)
    away = tmp_path / "away"
    away.mkdir()
    places = ("--project-dir", str(home), "--profiles-dir", str(home))
    done = dbt("build", *places, "--select", "+bars_1h", "macro_series", folder=away)
    assert done.returncode == 0, done.stdout[-3000:]
    assert (home / "barsieve.duckdb").exists()
    assert list(away.iterdir()) == []
    done = dbt("seed", *places, folder=away, BARSIEVE_DATABASE="temp.duckdb")
    assert done.returncode != 0
    assert "found 'temp'" in done.stdout
    assert not (home / "temp.duckdb").exists()
    assert list(away.iterdir()) == []


@pytest.mark.parametrize(
    ("price", "shown"),
    [
        (1e-8, "0.00000001"), (2.53e-8, "0.0000000253"),
        (1.2345678e-8, "0.0000000123457"),
        (0.0712345, "0.0712345"), (0.5, "0.50"), (1.5, "1.50"), (99.98765, "99.9877"),
        (31234.567, "31234.57"), (1e7, "10000000.00"), (12345678.9, "12345678.90"),
        (0.0, "0.00"), (-2.5e-8, "-0.000000025"), (1e-30, "1e-30"), (None, "-"),
        (float("nan"), "-"), (9.9999996, "10.00"),
    ],
)  # fmt: skip
def test_a_price_is_shown_with_significant_digits(price, shown):
    assert shown_price(price) == shown
