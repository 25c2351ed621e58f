"""Measure each profile's full replay, and what holding the asset would have come to."""


def model(dbt, session):
    """One row per profile, symbol and strategy: the replay itself, and buy-and-hold."""
    from barsieve.metrics.performance_runs import performance_runs

    dbt.config(materialized="table")
    return performance_runs(
        profiles=dbt.ref("config_symbols"),
        equity=dbt.ref("equity"),
        profile_equity=dbt.ref("profile_equity"),
        trades=dbt.ref("trades"),
        runs=dbt.ref("replay_runs"),
        bars=dbt.ref("bars_1h"),
        fusion_scores=dbt.ref("fusion_scores"),
    )
