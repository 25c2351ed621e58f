"""Ask of each sweep how much of its best result is the search for it."""


def model(dbt, session):
    """One row per grid and symbol."""
    from barsieve.sweep.overfit import sweep_statistics

    dbt.config(materialized="table", tags=["ml"])
    return sweep_statistics(dbt.ref("sweep_results"))
