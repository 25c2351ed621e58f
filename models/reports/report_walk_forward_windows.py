"""Train on twelve months, test on the next, roll."""


def model(dbt, session):
    """One row per symbol and tested month."""
    from barsieve.optimizer.rolling import TEST_MONTHS, TRAIN_MONTHS, walk_forward_table

    dbt.config(materialized="table", tags=["ml"])
    return walk_forward_table(
        configs=dbt.ref("sweep_configs"),
        results=dbt.ref("sweep_results"),
        months=dbt.ref("sweep_months"),
        train=TRAIN_MONTHS,
        test=TEST_MONTHS,
    )
