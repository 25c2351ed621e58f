"""Tell in words why each trade was entered and left, and what its gates asked."""


def model(dbt, session):
    """One row per trade of the full replay, its gates nested in it."""
    from barsieve.analysis.trade_reasons import trade_reasons

    dbt.config(materialized="table")
    return trade_reasons(
        profiles=dbt.ref("config_symbols"),
        decisions=dbt.ref("trade_decisions"),
    )
