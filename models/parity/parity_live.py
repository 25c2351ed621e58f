"""Hold what was said while trading on paper against what the build says."""


def model(dbt, session):
    """One row per decision of a paper account, with a verdict."""
    from barsieve.live.parity import built_parity

    dbt.config(materialized="table")
    tables = {
        "config_symbols": dbt.ref("config_symbols"),
        "config_profiles": dbt.ref("config_profiles"),
        "replay_bars": dbt.ref("replay_bars"),
        "exit_learned": dbt.ref("exit_learned"),
        "shadow_seen": dbt.ref("shadow_seen"),
        "candidates": dbt.ref("candidates"),
        "candidate_windows": dbt.ref("candidate_windows"),
        "fusion_scores": dbt.ref("fusion_scores"),
        "votes": dbt.ref("votes"),
        "features": dbt.ref("features"),
        "bars_1h": dbt.ref("bars_1h"),
    }
    return built_parity(tables.__getitem__)
