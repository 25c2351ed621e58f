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


# An interval needs a figure that most draws define.
LEAST_DEFINED = 0.9


def simultaneous_intervals(
    observed: np.ndarray, draws: np.ndarray
) -> list[tuple[float, float] | tuple[None, None]]:
    """Return intervals that hold together: all of them at once in `LEVEL` of the cases.

    Each figure's distance from what was observed, in units of its own standard
    deviation; the greatest of them in each draw, and of those the quantile `LEVEL`, is
    how many deviations every interval reaches. Figures that move together cost less
    than as many independent ones. Source: Romano and Wolf (2005), Exact and Approximate
    Stepdown Methods for Multiple Hypothesis Testing, the single step.

    Parameters
    ----------
    observed : array of shape (n_figures,)
    draws : array of shape (n_figures, n_draws)
        Draw k of every figure comes from the same random numbers. A figure that is NaN,
        or is so in more than a tenth of the draws, gets no interval; one that never
        varies gets an interval without width.
    """
    intervals: list[tuple[float, float] | tuple[None, None]] = [(None, None)] * len(
        observed
    )
    defined = np.isfinite(draws).mean(axis=1) >= LEAST_DEFINED
    judged = np.flatnonzero(np.isfinite(observed) & defined)
    if not len(judged):
        return intervals
    centred = draws[judged] - observed[judged, None]
    deviations = np.nanstd(centred, axis=1, ddof=1)
    distances = np.abs(centred) / np.where(deviations > 0, deviations, np.inf)[:, None]
    reach = np.quantile(np.fmax.reduce(distances, axis=0, initial=0.0), LEVEL)
    for at, figure in enumerate(judged):
        half = float(reach * deviations[at])
        middle = float(observed[figure])
        intervals[figure] = middle - half, middle + half
    return intervals
