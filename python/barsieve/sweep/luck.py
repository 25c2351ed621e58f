"""How much of a sweep's best result is the search: the rows of `report_sweep`."""

from collections.abc import Iterator
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from barsieve import schemas
from barsieve.overfitting import backtest_overfitting, deflated_sharpe
from barsieve.overfitting.returns import LEAST_ROWS

MOST_BLOCKS = 16


def monthly_returns(months: dict[str, np.ndarray]) -> tuple[list[str], np.ndarray]:
    """Return the configurations that ever traded and returns (n_months, n_configs).

    `months` are columns of one sweep: a row for each configuration and month, by
    configuration and then by month; a month without a trade has earned 0.
    """
    names = np.unique(months["config"].astype(str))
    matrix = months["earned"].astype(float).reshape(len(names), -1)
    has_traded = np.ptp(matrix, axis=1) > 0.0
    return names[has_traded].tolist(), matrix[has_traded].T


def judge(names: list[str], returns: np.ndarray) -> dict[str, Any]:
    """Return what luck explains of the best Sharpe ratio; nothing where it cannot tell.

    Parameters
    ----------
    names : list of n_configs names
    returns : array of shape (n_months, n_configs)
        Result of each month over the start balance.
    """
    n_months, n_trials = returns.shape
    if n_months < LEAST_ROWS or n_trials < 2:
        return {"months": n_months, "trials": n_trials}
    luck = deflated_sharpe(returns)
    n_blocks = min(MOST_BLOCKS, n_months // 4 * 2)
    chosen = backtest_overfitting(returns, n_blocks)
    return {
        "months": n_months,
        "trials": n_trials,
        "best_config": names[luck.best],
        "best_sharpe": luck.sharpe,
        "mean_correlation": luck.mean_correlation,
        "effective_trials": luck.effective_trials,
        "expected_sharpe": luck.expected_maximum,
        "deflated_sharpe": luck.deflated,
        "blocks": n_blocks,
        "combinations": chosen.n_combinations,
        "overfitting": chosen.probability,
        "loss_probability": chosen.loss_probability,
    }


def _rows(months: dict[str, np.ndarray]) -> Iterator[dict[str, Any]]:
    symbol, grid = months["symbol"].astype(str), months["grid"].astype(str)
    for about in sorted(set(zip(symbol, grid, strict=True))):
        chosen = (symbol == about[0]) & (grid == about[1])
        own = {name: values[chosen] for name, values in months.items()}
        judged = judge(*monthly_returns(own))
        yield {"symbol": about[0], "grid": about[1]} | judged


def sweep_statistics(
    results: duckdb.DuckDBPyRelation,
    configs: duckdb.DuckDBPyRelation,
    profiles: duckdb.DuckDBPyRelation,
) -> pa.Table:
    """Judge every sweep of the built database: a row per grid and symbol.

    Parameters are the relations `sweep_results`, `sweep_configs`, `config_profiles`.
    """
    balances = profiles.select("profile", "start_balance")
    months = (
        results.filter("fold != 'all'")
        .join(configs.select("grid, config, symbol, profile"), "grid, config, symbol")
        .join(balances, "profile")
        .select("symbol, grid, config, net_pnl / start_balance as earned, fold")
        .order("symbol, grid, config, fold")
    )
    rows = list(_rows(months.fetchnumpy()))
    return pa.Table.from_pylist(rows, schema=schemas.REPORT_SWEEP_STATISTICS)
