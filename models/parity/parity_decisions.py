"""Hold signals, sentinels, entries and candidates against the slow oracle."""


def model(dbt, session):
    """One row per symbol, table, subject and column, with a verdict."""
    from barsieve.oracle.decisions import compare_decisions

    dbt.config(materialized="table")
    return compare_decisions(
        features=dbt.ref("features"),
        scores=dbt.ref("scores"),
        bars_macro=dbt.ref("bars_macro"),
        config_macro_signals=dbt.ref("config_macro_signals"),
        macro_signals=dbt.ref("macro_signals"),
        macro_vetoes=dbt.ref("macro_vetoes"),
        sentinels=dbt.ref("sentinels"),
        config_symbols=dbt.ref("config_symbols"),
        regimes=dbt.ref("regimes"),
        fusion_learned=dbt.ref("fusion_learned"),
        fusion_scores=dbt.ref("fusion_scores"),
        candidates=dbt.ref("candidates"),
    )
