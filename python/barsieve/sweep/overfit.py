"""Deflated Sharpe ratio and PBO of a sweep: the rows of `report_sweep`."""

from collections.abc import Iterator, Sequence
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from barsieve.core import schemas
from barsieve.core.extras import empty_without
from barsieve.sweep.folds import months_of

MOST_BLOCKS = 16
MONTHS = 12
"""Months of a year: ratios of months are annualised by its root."""


def judge(names: Sequence[str], returns: np.ndarray) -> dict[str, Any]:
    """Return what luck explains of the best Sharpe ratio; nothing where it cannot tell.

    Configurations whose months are all alike are no trials: they never traded.

    Parameters
    ----------
    names : sequence of n_configs names
    returns : array of shape (n_months, n_configs)
        Result of each month as a share of the equity that it began with.
    """
    from barsieve.metrics.overfitting import backtest_overfitting, deflated_sharpe
    from barsieve.metrics.overfitting.returns import LEAST_ROWS

    # In the order of their names: sums depend on it, and no figure may on who asks.
    in_order = np.argsort(np.asarray(names))
    ordered, returns = np.asarray(names)[in_order], returns[:, in_order]
    has_traded = np.flatnonzero((returns != returns[:1]).any(axis=0))
    returns = returns[:, has_traded]
    n_months, n_trials = returns.shape
    if n_months < LEAST_ROWS or n_trials < 2:
        return {"months": n_months, "trials": n_trials}
    luck = deflated_sharpe(returns)
    n_blocks = min(MOST_BLOCKS, n_months // 4 * 2)
    chosen = backtest_overfitting(returns, n_blocks)
    return {
        "months": n_months,
        "trials": n_trials,
        "best_config": str(ordered[has_traded[luck.best]]),
        "best_sharpe": luck.sharpe,
        "mean_correlation": luck.mean_correlation,
        "effective_trials": luck.effective_trials,
        "expected_sharpe": luck.expected_maximum,
        "needed_sharpe": luck.needed,
        "visible_annual_sharpe": luck.visible * MONTHS**0.5,
        "probabilistic_sharpe": luck.probabilistic,
        "deflated_sharpe": luck.deflated,
        "blocks": n_blocks,
        "combinations": chosen.n_combinations,
        "overfitting": chosen.probability,
        "loss_probability": chosen.loss_probability,
        "degradation_slope": chosen.slope,
    }


def _rows(months: dict[str, np.ndarray]) -> Iterator[dict[str, Any]]:
    symbol, grid = months["symbol"].astype(str), months["grid"].astype(str)
    for about in sorted(set(zip(symbol, grid, strict=True))):
        chosen = (symbol == about[0]) & (grid == about[1])
        own = {name: values[chosen] for name, values in months.items()}
        _, configs, (returns,) = months_of(own, "return_share")
        yield {"symbol": about[0], "grid": about[1]} | judge(configs, returns)


@empty_without("ml", schemas.EVALUATION_SWEEP)
def sweep_statistics(results: duckdb.DuckDBPyRelation) -> pa.Table:
    """Judge every sweep of the relation `sweep_results`: a row per grid and symbol."""
    months = results.filter("fold != 'all'")
    found = months.select("symbol, grid, config, fold, return_share").fetchnumpy()
    rows = list(_rows(found))
    return pa.Table.from_pylist(rows, schema=schemas.EVALUATION_SWEEP)
