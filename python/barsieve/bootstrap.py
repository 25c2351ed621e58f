"""How far a figure may be chance: a circular block bootstrap over days.

Blocks of days in a row are drawn with replacement, so that what depends on the day
before stays together. Source: Politis and Romano (1992), A Circular Block-Resampling
Procedure for Stationary Data; drawn by the library `arch`.
"""

import numpy as np

BLOCK_DAYS, DRAWS, SEED = 20, 1_000, 20_260_101
LEVEL = 0.95
"""Share of the draws that lie within an interval."""


def drawn_days(n_days: int, n_draws: int = DRAWS) -> np.ndarray:
    """Return positions of days in blocks drawn at random, shape (n_draws, n_days).

    Blocks are shorter than `BLOCK_DAYS` where there are under four of them.
    """
    from arch.bootstrap import CircularBlockBootstrap

    block = max(1, min(BLOCK_DAYS, n_days // 4))
    bootstrap = CircularBlockBootstrap(block, np.arange(n_days), seed=SEED)
    return np.stack([drawn[0][0] for drawn in bootstrap.bootstrap(n_draws)])


def interval(values: np.ndarray) -> tuple[float, float] | tuple[None, None]:
    """Return the ends of the interval that holds `LEVEL` of the finite values."""
    finite = values[np.isfinite(values)]
    if not len(finite):
        return None, None
    low, high = np.quantile(finite, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)
