"""Replay each profile's own signals at random times: what luck would have earned."""


def model(dbt, session):
    """One row per profile, its draws nested in it."""
    from barsieve.metrics.random_entries import draw_random_entries

    dbt.config(materialized="table")
    return draw_random_entries(
        profiles=dbt.ref("config_symbols"),
        bars=dbt.ref("replay_bars"),
        candidates=dbt.ref("candidates"),
        windows=dbt.ref("candidate_windows"),
        exits=dbt.ref("exit_learned"),
        seen=dbt.ref("shadow_seen"),
    )
