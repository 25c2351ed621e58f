"""Learn what is still to come of an open position, each month of trades before it."""


def model(dbt, session):
    """One row per profile that learns its exits, and month: a model's numbers."""
    from barsieve.learning.exits.walk import exit_learned

    dbt.config(materialized="table")
    return exit_learned(
        profiles=dbt.ref("config_profiles"),
        paths=dbt.ref("trade_paths"),
        seen=dbt.ref("shadow_seen"),
        is_deep=dbt.config.meta_get("deep"),
    )
