"""Hold every entry of SQL against the compiled signals that sweeps and luck trade."""


def model(dbt, session):
    """One row per profile and bar, with a verdict."""
    from barsieve.signals.parity import Relations, compare_fusion

    dbt.config(materialized="table")
    return compare_fusion(
        Relations(
            config_symbols=dbt.ref("config_symbols"),
            config_envelopes=dbt.ref("config_envelopes"),
            config_weights=dbt.ref("config_weights"),
            sweep_bars=dbt.ref("sweep_bars"),
            regimes=dbt.ref("regimes"),
            fusion_scores=dbt.ref("fusion_scores"),
            candidates=dbt.ref("candidates"),
        )
    )
