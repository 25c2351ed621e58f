"""What learned sizes are worth: each kind of size replayed on the same signals."""


def model(dbt, session):
    """One row per account, section, subject and figure."""
    from barsieve.learning.sizes.evaluation import sizing_figures

    dbt.config(materialized="table", tags=["ml"])
    return sizing_figures(
        profiles=dbt.ref("config_symbols"),
        bars=dbt.ref("replay_bars"),
        candidates=dbt.ref("candidates"),
        windows=dbt.ref("candidate_windows"),
        results=dbt.ref("shadow_results"),
        exits=dbt.ref("exit_learned"),
        seen=dbt.ref("shadow_seen"),
    )
