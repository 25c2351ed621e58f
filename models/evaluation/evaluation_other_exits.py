"""Leave every trade by simple rules, on its path: what other exits would have given."""


def model(dbt, session):
    """One row per profile, symbol and exit."""
    from barsieve.learning.exits.others import other_exits

    dbt.config(materialized="table")
    return other_exits(paths=dbt.ref("evaluation_paths"))
