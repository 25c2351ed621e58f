"""What all the learning is worth, judged on months that nobody had seen."""


def model(dbt, session):
    """One row per symbol, profile, section, subject and figure."""
    from barsieve.optimizer.truth import optimizer_figures

    dbt.config(materialized="table", tags=["ml"])
    names = (
        dbt.ref("config_profiles"),
        dbt.ref("sweep_walks"),
        dbt.ref("sweep_configs"),
        dbt.ref("sweep_results"),
        dbt.ref("sweep_months"),
        dbt.ref("sweep_bars"),
        dbt.ref("regimes"),
        dbt.ref("fusion_scores"),
    )
    return optimizer_figures(*names)
