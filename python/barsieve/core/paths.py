"""Paths of the project folder, its configs, the market, the database.

The environment variables are locations, never settings of a trade: `BARSIEVE_PROJECT`
(default: this folder, or the nearest above with a `dbt_project.yml`) and, relative to
the project folder, `BARSIEVE_MARKET` (default `data/demo`), `BARSIEVE_CONFIGS` (default
`configs`) and `BARSIEVE_DATABASE` (default `barsieve.duckdb`).
"""

import json
import os
from pathlib import Path
from typing import Any

from barsieve.core.errors import NoProjectError

# The folder of the package.
PACKAGE = Path(__file__).parents[1]

PROJECT = "BARSIEVE_PROJECT"
# Where dbt puts the packages of a project, and ours among them.
PACKAGES = "dbt_packages"
OURS = f"{PACKAGES}/barsieve"
MARKET, CONFIGS, DATABASE = "BARSIEVE_MARKET", "BARSIEVE_CONFIGS", "BARSIEVE_DATABASE"


def dbt_package() -> Path:
    """Return the dbt package that belongs to this code: models, macros, seeds, tests.

    A folder of the Python package where that was installed; in a checkout the project.
    """
    shipped = PACKAGE / "package"
    return shipped if shipped.is_dir() else PACKAGE.parents[1]


def project_dir() -> Path:
    """Return the project folder: BARSIEVE_PROJECT, this one, or the nearest above it.

    Raises NoProjectError when there is none, or none where the variable says, or
    when it is the installed package itself, in which nothing is to be built.
    """
    folder = _nearest_project()
    if folder.resolve() == PACKAGE / "package":
        raise NoProjectError(
            f"{folder} is the installed package: go to your own project, or set "
            f"{PROJECT} to it"
        )
    return folder


def _nearest_project() -> Path:
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
        f"set {PROJECT} to it; barsieve init makes a new one"
    )


def market_dir() -> Path:
    """Return the location of the market, relative to the project unless absolute."""
    return Path(os.environ.get(MARKET) or "data/demo")


def about_market(market: Path) -> dict[str, Any]:
    """Return name and kind of a market, from its `market.json` if it has one."""
    try:
        about = json.loads((market / "market.json").read_text())
    except (OSError, ValueError):
        about = {}
    return {
        "market_name": str(about.get("name", market.resolve().name)),
        "is_simulated": bool(about.get("is_simulated", False)),
    }


def macro_series_seed() -> Path:
    """Return the file that declares the macro series: the project's, or the package's.

    Raises NoProjectError outside of a project, or where that lacks its package.
    """
    folder = project_dir()
    for home in (folder, folder / OURS):
        if (seed := home / "seeds" / "macro_series.csv").exists():
            return seed
    raise NoProjectError(
        f"{folder / OURS}: the package is not there; barsieve init --upgrade"
    )


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
