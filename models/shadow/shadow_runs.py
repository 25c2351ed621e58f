"""Replay what learns as it is without what it learns, and at random entries."""


def model(dbt, session):
    """One row per account and draw of entries, its trades and their legs nested."""
    from barsieve.learning.shadow import shadow_runs

    dbt.config(materialized="table")
    return shadow_runs(
        profiles=dbt.ref("config_symbols"),
        bars=dbt.ref("shadow_bars"),
        candidates=dbt.ref("candidates"),
        windows=dbt.ref("candidate_windows"),
    )
