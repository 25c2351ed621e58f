"""All checks of the input, as `barsieve check` and every dbt run make them."""

import os
from pathlib import Path

from barsieve import project
from barsieve.check_configs import check_configs
from barsieve.check_market import check_market
from barsieve.problems import Problem

# The sources of dbt paste a location into SQL, between quotes and before `/*.parquet`:
# there these end the text, make a pattern of it, or stand for something else.
SPECIAL = "'*?[{}" + ("\\" if os.sep == "/" else "")


def _location_problems(variable: str, location: Path) -> list[Problem]:
    found = [character for character in SPECIAL if character in str(location)]
    if not found:
        return []
    return [
        Problem(
            str(location), f"variable {variable}",
            f"a path without {' '.join(SPECIAL)}",
            f"{' '.join(found)} in it", "rename the folder, or link to it",
        )
    ]  # fmt: skip


def check_input() -> list[Problem]:
    """Return everything that is wrong with the market and the configs in force."""
    folder = project.project_dir()
    market, configs = project.market_dir(), project.configs_dir()
    problems = [
        *_location_problems(project.MARKET, market),
        *_location_problems(project.CONFIGS, configs),
    ]
    symbols, found = check_market(
        folder / market, folder / "seeds" / "macro_series.csv"
    )
    return problems + found + check_configs(folder / configs, symbols)
