"""What all the learning is worth, judged on months that nobody had seen."""


def model(dbt, session):
    """One row per symbol, profile, section, subject and figure."""
    from barsieve.learning.dataset import SweepTables
    from barsieve.learning.evaluation import optimizer_figures

    dbt.config(materialized="table", tags=["ml"])
    return optimizer_figures(
        profiles=dbt.ref("config_symbols"),
        envelopes=dbt.ref("config_envelopes"),
        weights=dbt.ref("config_weights"),
        walks=dbt.ref("sweep_walks"),
        sweep=SweepTables(
            configs=dbt.ref("sweep_configs"),
            results=dbt.ref("sweep_results"),
            months=dbt.ref("sweep_months"),
            regime_shares=dbt.ref("sweep_regime_shares"),
        ),
        sweep_bars=dbt.ref("sweep_bars"),
        regimes=dbt.ref("regimes"),
        fusion_scores=dbt.ref("fusion_scores"),
    )
