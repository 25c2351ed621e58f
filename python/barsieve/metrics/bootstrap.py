"""Circular block bootstrap over days: how far a figure may be chance.

Blocks of days in a row are drawn with replacement, so that what depends on the day
before stays together. Source: Politis and Romano (1992), A Circular Block-Resampling
Procedure for Stationary Data; drawn by the library `arch`.
"""

from functools import lru_cache

import numpy as np

BLOCK_DAYS, LEAST_BLOCKS, DRAWS, SEED = 20, 20, 1_000, 20_260_101
LEVEL = 0.95
"""Share of the draws that lie within an interval."""
LEAST_DEFINED = 0.9
"""Share of the draws that must define a figure which is to have an interval."""


def block_days(n_days: int) -> int:
    """Return the length of a block: `BLOCK_DAYS`, or less to have `LEAST_BLOCKS`.

    A handful of blocks says little of how far a figure may stray, and says too little.
    """
    return max(1, min(BLOCK_DAYS, n_days // LEAST_BLOCKS))


@lru_cache(maxsize=4)
def drawn_days(n_days: int, n_draws: int = DRAWS) -> np.ndarray:
    """Return positions of days in blocks drawn at random, shape (n_draws, n_days).

    The same for the same number of days, so that figures are paired; read only.
    """
    from arch.bootstrap import CircularBlockBootstrap

    block = block_days(n_days)
    bootstrap = CircularBlockBootstrap(block, np.arange(n_days), seed=SEED)
    drawn = np.stack([sample[0][0] for sample in bootstrap.bootstrap(n_draws)])
    drawn.flags.writeable = False
    return drawn


def means_of_days(
    differences: np.ndarray, days: np.ndarray
) -> tuple[np.ndarray, np.ndarray, int]:
    """Return means a trade, those of drawn days, and how many days there are.

    `differences`, shape (n, n_trades), of trades of some `days`, shape (n_trades,);
    means have shapes (n,) and (n, n_draws).
    """
    every = np.arange(days.min(), days.max() + 1)
    place = days - every[0]
    counts = np.bincount(place, minlength=len(every))
    sums = np.stack([np.bincount(place, d, len(every)) for d in differences])
    drawn = drawn_days(len(every))
    n = np.maximum(counts[drawn].sum(axis=1), 1)
    return differences.mean(axis=1), sums[:, drawn].sum(axis=2) / n, len(every)


def interval(values: np.ndarray) -> tuple[float, float] | tuple[None, None]:
    """Return the ends of the interval that holds `LEVEL` of the finite values."""
    finite = values[np.isfinite(values)]
    if not len(finite):
        return None, None
    low, high = np.quantile(finite, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def simultaneous(
    points: np.ndarray, draws: np.ndarray, n_days: np.ndarray
) -> tuple[np.ndarray, np.ndarray, int]:
    """Return intervals that hold all figures at once with the probability `LEVEL`.

    The greatest of many deviations is drawn with them (max-t), so that figures that
    move together count as what they are. Deviations are those of a normal estimate;
    one of few blocks strays further, as Student's does. A figure that no draw changes
    has its point alone, and is no comparison.

    Parameters
    ----------
    points : array of shape (n_figures,)
        The figures; NaN where one is not defined, and then its interval is.
    draws : array of shape (n_figures, n_draws)
        The figures of drawn days, NaN where not defined; one that is so in more than
        `1 - LEAST_DEFINED` of them gets no interval.
    n_days : array of shape (n_figures,)
        Days that each figure was drawn from.

    Returns
    -------
    low, high : arrays of shape (n_figures,)
    n : number of figures that vary, for which the intervals are corrected

    Source: Romano and Wolf (2005), Econometrica 73(4), 1237-1282.
    """
    from scipy.stats import norm, t

    known = np.isfinite(draws) & np.isfinite(points)[:, None]
    # A figure that a tenth of the draws leave undefined is of too few trades to judge.
    known &= (known.mean(axis=1) >= LEAST_DEFINED)[:, None]
    n_known = np.maximum(known.sum(axis=1), 1)
    mean = np.where(known, draws, 0.0).sum(axis=1) / n_known
    deviations = np.where(known, draws - mean[:, None], 0.0)
    spread = np.sqrt(np.square(deviations).sum(axis=1) / n_known)
    varies = spread > 1e-12 * np.maximum(np.abs(mean), 1e-300)
    greatest = np.abs(deviations[varies] / spread[varies, None]).max(axis=0, initial=0)
    blocks = np.array([max(n / block_days(n), 2.0) for n in n_days])
    # The mean of blocks varies a little less than that of as many single days.
    scale = np.sqrt(blocks / (blocks - 1.0))
    reach = t.isf(norm.sf(np.quantile(greatest, LEVEL)), blocks - 1.0)
    width = np.where(varies, reach * scale * spread, 0.0)
    undefined = ~known.any(axis=1)
    width[undefined] = np.nan
    return points - width, points + width, int(varies.sum())
