"""All checks of the input, as `barsieve check` and every dbt run make them."""

from barsieve.core import paths
from barsieve.core.errors import Problem
from barsieve.core.locations import location_problems
from barsieve.core.model_lists import ModelLists, list_problems, model_lists
from barsieve.database.packages import package_problems
from barsieve.market.check import check_market
from barsieve.profiles.check import check_configs


def check_input(lists: ModelLists | None = None) -> list[Problem]:
    """Return everything that is wrong with places, market and configs in force.

    `lists` are the models that there are; those of the project where none are given.
    """
    folder = paths.project_dir()
    if problems := package_problems(folder):
        return problems
    market = folder / paths.market_dir()
    symbols, found = check_market(market, paths.macro_series_seed())
    lists = lists or model_lists(folder)
    configs = check_configs(folder / paths.configs_dir(), symbols, lists)
    return [*location_problems(), *list_problems(lists), *found, *configs]
