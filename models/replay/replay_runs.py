"""Replay every profile over every bar, and over the bars that its screen leaves."""


def model(dbt, session):
    """One row per account and kind of replay, its trades and their legs nested."""
    from barsieve.replay.runs import replay_profiles

    dbt.config(materialized="table")
    return replay_profiles(
        profiles=dbt.ref("config_symbols"),
        bars=dbt.ref("replay_bars"),
        candidates=dbt.ref("candidates"),
        windows=dbt.ref("candidate_windows"),
        exits=dbt.ref("exit_learned"),
        seen=dbt.ref("shadow_seen"),
    )
