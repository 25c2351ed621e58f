"""Where things lie: the project folder, its configs, the market, the database.

The environment variables are locations, never settings of a trade:
`BARSIEVE_MARKET` (default `data/demo`), `BARSIEVE_CONFIGS` (default `configs`) and
`BARSIEVE_DATABASE` (default `barsieve.duckdb`), relative to the project folder.
"""

import os
from pathlib import Path

MARKET, CONFIGS, DATABASE = "BARSIEVE_MARKET", "BARSIEVE_CONFIGS", "BARSIEVE_DATABASE"


def project_dir() -> Path:
    """Return the folder with `dbt_project.yml`: this one or the nearest above it.

    Raises FileNotFoundError when there is none.
    """
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / "dbt_project.yml").exists():
            return folder
    raise FileNotFoundError(
        f"no dbt_project.yml in {here} or above: run this in the project folder"
    )


def market_dir() -> Path:
    """Return the market folder."""
    return Path(os.environ.get(MARKET, "data/demo"))


def configs_dir() -> Path:
    """Return the folder of the profiles."""
    return Path(os.environ.get(CONFIGS, "configs"))


def database_path() -> Path:
    """Return the DuckDB file that dbt builds."""
    return Path(os.environ.get(DATABASE, "barsieve.duckdb"))


def database_file() -> Path:
    """Return the DuckDB file that dbt builds, absolute, links followed.

    Raises FileNotFoundError outside of a project, unless its location is absolute.
    """
    path = database_path()
    return (path if path.is_absolute() else project_dir() / path).resolve()
