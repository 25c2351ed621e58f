"""Learn how often and how much trades win, each month of those that ended before it."""


def model(dbt, session):
    """One row per profile that sizes by it, and bar: what a trade may pay."""
    from barsieve.learning.sizes.walk import sizing_learned

    dbt.config(materialized="table")
    return sizing_learned(
        profiles=dbt.ref("config_profiles"),
        results=dbt.ref("shadow_results"),
        seen=dbt.ref("shadow_seen"),
    )
