"""Judge what scores, sentinels and signals know of the hours that follow."""


def model(dbt, session):
    """One row per subject, symbol, horizon and regime; months and lags nested in it."""
    from barsieve.metrics.worth.rows import worth_of_scores

    dbt.config(materialized="table", tags=["ml"])
    return worth_of_scores(
        bars=dbt.ref("evaluation_score_bars"),
        scores=dbt.ref("scores"),
        sentinels=dbt.ref("sentinels"),
        macro_signals=dbt.ref("macro_signals"),
        profiles=dbt.ref("config_symbols"),
    )
