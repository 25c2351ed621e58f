"""Results of a sweep as matrices: months in rows, configurations in columns."""

from typing import NamedTuple

import numpy as np


class Months(NamedTuple):
    """`values`: shape (n_columns, n_months, n_configs); both names are sorted."""

    months: list[str]
    configs: list[str]
    values: np.ndarray


def months_of(rows: dict[str, np.ndarray], *columns: str) -> Months:
    """Return columns of `sweep_results` (with `fold` and `config`) as matrices.

    Only months that every configuration has are kept: sweeps of profiles with other
    studies may lie in one table. A month without a trade is there, with results of 0.
    """
    months, month = np.unique(rows["fold"].astype(str), return_inverse=True)
    configs, config = np.unique(rows["config"].astype(str), return_inverse=True)
    values = np.full((len(columns), len(months), len(configs)), np.nan)
    for k, name in enumerate(columns):
        values[k, month, config] = rows[name]
    is_whole = np.isfinite(values).all(axis=(0, 2))
    return Months(months[is_whole].tolist(), configs.tolist(), values[:, is_whole])
