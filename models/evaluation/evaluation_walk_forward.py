"""Train on twelve months, test on the next, roll."""


def model(dbt, session):
    """One row per symbol and tested month."""
    from barsieve.learning.dataset import SweepTables
    from barsieve.learning.rolling import TEST_MONTHS, TRAIN_MONTHS, walk_forward_table

    dbt.config(materialized="table", tags=["ml"])
    return walk_forward_table(
        sweep=SweepTables(
            configs=dbt.ref("sweep_configs"),
            results=dbt.ref("sweep_results"),
            months=dbt.ref("sweep_months"),
            regime_shares=dbt.ref("sweep_regime_shares"),
        ),
        train=TRAIN_MONTHS,
        test=TEST_MONTHS,
    )
