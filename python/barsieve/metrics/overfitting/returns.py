"""Matrix of returns: what it must be before anything is said about it."""

import numpy as np

LEAST_ROWS = 12
"""Fewer returns have no skewness or kurtosis worth the name."""


def checked_returns(returns: np.ndarray, least_trials: int = 1) -> np.ndarray:
    """Return the matrix as floats; raise ValueError that says what is wrong with it."""
    matrix = np.asarray(returns, dtype=np.float64)
    if matrix.ndim != 2:
        raise ValueError(f"returns: expected rows x trials, found shape {matrix.shape}")
    n_rows, n_trials = matrix.shape
    if n_rows < LEAST_ROWS:
        raise ValueError(
            f"returns: expected at least {LEAST_ROWS} rows, found {n_rows}; "
            "use daily returns in the place of monthly ones"
        )
    if n_trials < least_trials:
        raise ValueError(
            f"returns: expected at least {least_trials} trials, found {n_trials}"
        )
    unknown = np.argwhere(~np.isfinite(matrix))
    if len(unknown):
        row, trial = unknown[0]
        raise ValueError(
            f"returns: expected finite numbers, found {matrix[row, trial]} in row "
            f"{row} of trial {trial} ({len(unknown)} such); a period without trades "
            "returns 0"
        )
    still = np.flatnonzero((matrix == matrix[0]).all(axis=0))
    if len(still):
        raise ValueError(
            f"returns: expected trials that vary, found the same return in every row "
            f"of trial {', '.join(map(str, still[:5]))} ({len(still)} such); leave out "
            "trials that never traded"
        )
    return matrix
