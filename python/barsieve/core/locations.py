"""Names that a market, configs or a database may have; one rule for all.

A project may lie anywhere: everything below it is named relative to it. What the
environment variables name is pasted into SQL by the sources of dbt, or becomes the name
of a catalog; `barsieve check` and dbt refuse the same before anything is opened.
"""

import os
import re
from collections.abc import Iterable
from pathlib import Path

from barsieve.core import paths
from barsieve.core.errors import Problem

# The sources of dbt paste a location into SQL, between quotes and before `/*.parquet`:
# there these end the text, make a pattern of it, or stand for something else.
SPECIAL = "'*?[{}" + ("\\" if os.sep == "/" else "")

# dbt takes the location of a database for a URL, and its file's name for the name of a
# catalog, which stands between quotes of both kinds.
SPECIAL_IN_DATABASE = "'\"?#;" + ("\\" if os.sep == "/" else "")
# Catalogs and schemas that every DuckDB connection has.
TAKEN_CATALOGS = ("main", "temp", "system", "memory")


def quoted_path(path: Path) -> str:
    """Return a path as SQL text that DuckDB reads as one file, not as a pattern."""
    literal = re.sub(r"([*?[])", r"[\1]", str(path))
    return "'" + literal.replace("'", "''") + "'"


def parquet_rows(paths: Path | Iterable[Path], *options: str) -> str:
    """Return SQL for the rows of Parquet files.

    A path is a path: a folder called `symbol=BTC` adds no column, and hides none.
    """
    if isinstance(paths, Path):
        files = quoted_path(paths)
    else:
        files = f"[{', '.join(quoted_path(path) for path in paths)}]"
    return f"read_parquet({', '.join((files, 'hive_partitioning = false', *options))})"


def folder_problems(variable: str, location: Path) -> list[Problem]:
    """Return why dbt could not read a folder by this name."""
    found = [character for character in SPECIAL if character in str(location)]
    if not found:
        return []
    return [
        Problem(
            str(location),
            f"variable {variable}",
            expected=f"a path without {' '.join(SPECIAL)}",
            found=f"{' '.join(found)} in it",
            fix="rename the folder, or link to it",
        )
    ]


def database_problems(location: Path) -> list[Problem]:
    """Return why dbt could not build a database by this name."""
    where = f"variable {paths.DATABASE}"
    found = [sign for sign in SPECIAL_IN_DATABASE if sign in str(location)]
    if found or ":" in location.name:
        return [
            Problem(
                str(location),
                where,
                expected=(
                    f"a path without {' '.join(SPECIAL_IN_DATABASE)}, no ':' "
                    "in its name"
                ),
                found=f"{' '.join(found) or ':'} in it",
                fix="rename the file or its folder",
            )
        ]
    # DuckDB names the catalog after the file, up to the first dot within its name.
    catalog = location.name.lstrip(".").split(".")[0]
    if not catalog or catalog.lower() in TAKEN_CATALOGS:
        return [
            Problem(
                str(location),
                where,
                expected=(
                    f"a name that is none of DuckDB's own: {', '.join(TAKEN_CATALOGS)}"
                ),
                found=f"'{catalog}'",
                fix="call it barsieve.duckdb, for one",
            )
        ]
    return []


def location_problems() -> list[Problem]:
    """Return what is wrong with the names of the places that the environment names."""
    return [
        *folder_problems(paths.MARKET, paths.market_dir()),
        *folder_problems(paths.CONFIGS, paths.configs_dir()),
        *database_problems(paths.database_location()),
    ]
