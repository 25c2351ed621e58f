"""All checks of the input, as `barsieve check` and every dbt run make them."""

from barsieve.core import paths
from barsieve.core.errors import Problem
from barsieve.core.locations import location_problems
from barsieve.market.check import check_market
from barsieve.profiles.check import check_configs


def check_input() -> list[Problem]:
    """Return everything that is wrong with places, market and configs in force."""
    folder = paths.project_dir()
    market = folder / paths.market_dir()
    symbols, found = check_market(market, paths.macro_series_seed())
    configs = check_configs(folder / paths.configs_dir(), symbols)
    return location_problems() + found + configs
