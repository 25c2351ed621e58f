"""What learned exits are worth, judged on trades that no model had seen."""


def model(dbt, session):
    """One row per profile, section, subject and figure."""
    from barsieve.learning.exits.evaluation import exit_figures

    dbt.config(materialized="table", tags=["ml"])
    return exit_figures(
        profiles=dbt.ref("config_profiles"),
        models=dbt.ref("exit_learned"),
        paths=dbt.ref("trade_paths"),
        seen=dbt.ref("shadow_seen"),
    )
