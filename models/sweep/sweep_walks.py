"""Predict each month of the sweep from those before it; propose settings for it."""


def model(dbt, session):
    """One row per symbol; fits, scores and proposals nested."""
    from barsieve.learning.dataset import SweepTables
    from barsieve.learning.tables import sweep_walks

    dbt.config(materialized="table", tags=["ml"])
    return sweep_walks(
        profiles=dbt.ref("config_symbols"),
        envelopes=dbt.ref("config_envelopes"),
        weights=dbt.ref("config_weights"),
        sweep=SweepTables(
            configs=dbt.ref("sweep_configs"),
            results=dbt.ref("sweep_results"),
            months=dbt.ref("sweep_months"),
            regime_shares=dbt.ref("sweep_regime_shares"),
        ),
    )
