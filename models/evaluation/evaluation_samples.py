"""Tell what a profile made where it was picked from what it made afterwards."""


def model(dbt, session):
    """One row per profile that says until when it was picked, and sample."""
    from barsieve.metrics.samples import sample_rows

    dbt.config(materialized="table")
    return sample_rows(
        profiles=dbt.ref("config_symbols"),
        equity=dbt.ref("equity"),
        profile_equity=dbt.ref("profile_equity"),
        trades=dbt.ref("trades"),
        runs=dbt.ref("replay_runs"),
        bars=dbt.ref("bars_1h"),
        fusion_scores=dbt.ref("fusion_scores"),
    )
