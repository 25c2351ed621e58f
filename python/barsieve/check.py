"""All checks of the input, as `barsieve check` and every dbt run make them."""

from barsieve import project
from barsieve.check_configs import check_configs
from barsieve.check_market import check_market
from barsieve.locations import location_problems
from barsieve.problems import Problem


def check_input() -> list[Problem]:
    """Return everything that is wrong with places, market and configs in force."""
    folder = project.project_dir()
    symbols, found = check_market(
        folder / project.market_dir(), folder / "seeds" / "macro_series.csv"
    )
    configs = check_configs(folder / project.configs_dir(), symbols)
    return location_problems() + found + configs
