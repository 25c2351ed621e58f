"""Replay each profile with and without regimes: what their shift is worth."""


def model(dbt, session):
    """One row per profile, classifier, span and figure."""
    from barsieve.regime.worth import regime_replays

    dbt.config(materialized="table", tags=["ml"])
    return regime_replays(
        profiles=dbt.ref("config_symbols"),
        bars=dbt.ref("replay_bars"),
        candidates=dbt.ref("candidates"),
        windows=dbt.ref("candidate_windows"),
        regimes=dbt.ref("regimes"),
        exits=dbt.ref("exit_learned"),
        seen=dbt.ref("shadow_seen"),
    )
