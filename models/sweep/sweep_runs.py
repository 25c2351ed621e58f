"""Replay the grid of the legacy system over symbols, and wallets that ask for it."""


def model(dbt, session):
    """One row per configuration and symbol, its folds nested."""
    from barsieve.sweep.tables import sweep_runs

    dbt.config(materialized="table", tags=["ml"])
    return sweep_runs(
        profiles=dbt.ref("config_symbols"),
        weights=dbt.ref("config_weights"),
        grids=dbt.ref("sweep_grids"),
        sweep_bars=dbt.ref("sweep_bars"),
        regimes=dbt.ref("regimes"),
        grid="exhaustive",
    )
