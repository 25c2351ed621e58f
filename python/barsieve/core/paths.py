"""Paths of the project folder, its configs, the market, the database.

The environment variables are locations, never settings of a trade: `BARSIEVE_PROJECT`
(default: this folder, or the nearest above with a `dbt_project.yml`) and, relative to
the project folder, `BARSIEVE_MARKET` (default `data/demo`), `BARSIEVE_CONFIGS` (default
`configs`) and `BARSIEVE_DATABASE` (default `barsieve.duckdb`).
"""

import os
from pathlib import Path

from barsieve.core.errors import NoProjectError

# The folder of the package.
PACKAGE = Path(__file__).parents[1]

PROJECT = "BARSIEVE_PROJECT"
MARKET, CONFIGS, DATABASE = "BARSIEVE_MARKET", "BARSIEVE_CONFIGS", "BARSIEVE_DATABASE"


def project_dir() -> Path:
    """Return the project folder: BARSIEVE_PROJECT, this one, or the nearest above it.

    Raises NoProjectError when there is none, or none where the variable says.
    """
    if named := os.environ.get(PROJECT):
        folder = Path(named).expanduser().resolve()
        if (folder / "dbt_project.yml").exists():
            return folder
        raise NoProjectError(
            f"no dbt_project.yml in {folder}: set {PROJECT} to the project folder"
        )
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / "dbt_project.yml").exists():
            return folder
    raise NoProjectError(
        f"no dbt_project.yml in {here} or above: run this in the project folder, or "
        f"set {PROJECT} to it"
    )


def market_dir() -> Path:
    """Return the location of the market, relative to the project unless absolute."""
    return Path(os.environ.get(MARKET) or "data/demo")


def macro_series_seed() -> Path:
    """Return the file that declares the macro series.

    Raises NoProjectError outside of a project.
    """
    return project_dir() / "seeds" / "macro_series.csv"


def configs_dir() -> Path:
    """Return the location of the profiles, relative to the project unless absolute."""
    return Path(os.environ.get(CONFIGS) or "configs")


def database_location() -> Path:
    """Return the location of the database, relative to the project unless absolute."""
    return Path(os.environ.get(DATABASE) or "barsieve.duckdb")


def database_path() -> Path:
    """Return the DuckDB file that dbt builds, as short as it can be named from here.

    Raises NoProjectError outside of a project, unless its location is absolute.
    """
    path = database_location()
    if path.is_absolute():
        return path
    folder = project_dir()
    return path if folder == Path.cwd() else folder / path


def database_file() -> Path:
    """Return the DuckDB file that dbt builds, absolute, links followed.

    Raises NoProjectError outside of a project, unless its location is absolute.
    """
    return database_path().resolve()
