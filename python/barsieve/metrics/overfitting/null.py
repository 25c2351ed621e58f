"""Null of no skill: the best of many trials, by what their own returns would show.

Each trial's mean is taken out, and the same blocks of rows are drawn with replacement
for all of them, so that what trials share they go on sharing, and how much they really
differ says nothing. Sources: White (2000), A Reality Check for Data Snooping,
Econometrica 68(5), 1097-1126; Romano and Wolf (2005), Stepwise Multiple Testing as
Formalized Data Snooping, Econometrica 73(4), 1237-1282 (studentised).
"""

import numpy as np

DRAWS, SEED = 1_000, 20_260_101
CHUNK_CELLS = 2_000_000
"""Cells of draws x trials worked on at a time: some 100 MB at most."""
LEAST_SPREAD = 0.5
"""A draw's deviation counts as at least this share of the trial's own.

A trial that lost in few months has draws without any of them: it would earn the same
each month, at no risk at all.
"""


def block_rows(n_rows: int) -> int:
    """Return how many rows in a row are drawn together: the cube root of all."""
    return max(1, round(float(n_rows ** (1 / 3))))


def drawn_counts(n_rows: int, n_draws: int = DRAWS, seed: int = SEED) -> np.ndarray:
    """Return how often each row is in each draw, shape (n_draws, n_rows).

    Circular blocks; the last is cut so that a draw has as many rows as history.
    """
    rng, block = np.random.default_rng(seed), block_rows(n_rows)
    starts = rng.integers(n_rows, size=(n_draws, -(-n_rows // block)))
    rows = (starts[:, :, None] + np.arange(block)).reshape(n_draws, -1)[:, :n_rows]
    cells = rows % n_rows + n_rows * np.arange(n_draws)[:, None]
    counts = np.bincount(cells.ravel(), minlength=n_draws * n_rows)
    return counts.reshape(n_draws, n_rows).astype(np.float64)


def best_without_skill(
    returns: np.ndarray, n_draws: int = DRAWS, seed: int = SEED
) -> np.ndarray:
    """Return the best Sharpe ratio of each draw, per period, shape (n_draws,).

    `returns` of shape (n_rows, n_trials) vary in every trial. The mean of blocks varies
    a little less than that of as many single rows; it is scaled for that.
    """
    n_rows, n_trials = returns.shape
    counts = drawn_counts(n_rows, n_draws, seed)
    scale = np.sqrt((n_rows - 1) / (n_rows - block_rows(n_rows)))
    best = np.full(n_draws, -np.inf)
    width = max(1, CHUNK_CELLS // n_draws)
    for first in range(0, n_trials, width):
        part = returns[:, first : first + width]
        standard = (part - part.mean(axis=0)) / part.std(axis=0, ddof=1)
        means = counts @ standard / n_rows
        spread = counts @ np.square(standard) / n_rows - means**2
        spread = np.maximum(spread * n_rows / (n_rows - 1), LEAST_SPREAD**2)
        best = np.maximum(best, (means * scale / np.sqrt(spread)).max(axis=1))
    return best
