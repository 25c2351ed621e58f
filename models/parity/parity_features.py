"""Hold features and scores against the slow oracle on a sample of bars."""


def model(dbt, session):
    """One row per symbol and column, with a verdict."""
    from barsieve.oracle.compare import compare_features

    dbt.config(materialized="table")
    return compare_features(
        features=dbt.ref("features"),
        scores=dbt.ref("scores"),
        bars=dbt.ref("bars_1h"),
        macro=dbt.ref("bars_macro"),
        funding=dbt.ref("bars_funding"),
        macro_series=dbt.ref("macro_series"),
    )
