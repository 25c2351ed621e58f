"""Tell what a profile made where it was picked from what it made afterwards."""


def model(dbt, session):
    """One row per profile that says until when it was picked, and sample."""
    from barsieve.metrics.samples import sample_rows

    dbt.config(materialized="table")
    return sample_rows(
        profiles=dbt.ref("config_profiles"),
        equity=dbt.ref("equity"),
        trades=dbt.ref("trades"),
        bars=dbt.ref("bars_1h"),
        fusion_scores=dbt.ref("fusion_scores"),
    )
