"""Classify every day by regimes that were fitted on the days before its month."""


def model(dbt, session):
    """One row per classifier, fit window and reference symbol; fits and days nested."""
    from barsieve.regime.tables import regime_runs

    dbt.config(materialized="table", tags=["ml"])
    return regime_runs(
        profiles=dbt.ref("config_symbols"),
        observations=dbt.ref("regime_observations"),
        policy=dbt.ref("regime_policy"),
    )
