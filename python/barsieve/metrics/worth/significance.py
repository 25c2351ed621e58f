"""Significance of drawn figures: intervals, p-values, and what could have been seen."""

from typing import Any, NamedTuple

import numpy as np

from barsieve.metrics.bootstrap import LEAST_DEFINED, LEVEL

LEAST_BLOCKS = 10
"""Blocks of days with fewer say nothing of how far a figure may stray."""
POWER = 0.8
"""Share of the markets in which an effect of the detectable size would be seen."""


class Estimates(NamedTuple):
    """Figures with what chance does to them, arrays of equal shape.

    `error`: standard error. `freedom`: degrees of it. NaN where too few days tell.
    """

    value: np.ndarray
    error: np.ndarray
    freedom: np.ndarray

    def interval(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the ends of the interval at `LEVEL`, each figure for itself."""
        from scipy.stats import t

        width = t.isf((1 - LEVEL) / 2, self.freedom) * self.error
        return self.value - width, self.value + width

    def p_value(self) -> np.ndarray:
        """Return the two-sided p-value of the value 0."""
        from scipy.stats import t

        p: np.ndarray = 2 * t.sf(np.abs(self.value) / self.error, self.freedom)
        return p

    def detectable(self, comparisons: int) -> np.ndarray:
        """Return the effect that would be seen with `POWER`, alone among so many.

        One effect among many must pass the least p-value that Benjamini and Hochberg
        ask for: (1 - `LEVEL`) by their number.
        """
        from scipy.stats import t

        level = (1 - LEVEL) / max(comparisons, 1)
        reach = t.isf(level / 2, self.freedom) + t.isf(1 - POWER, self.freedom)
        found: np.ndarray = reach * self.error
        return found


def estimates(value: Any, drawn: np.ndarray, n_blocks: np.ndarray) -> Estimates:
    """Return figures with their standard errors over drawn days.

    Parameters
    ----------
    value : array of shape (...)
    drawn : array of shape (n_draws, ...)
        The figures of drawn days; NaN where not defined.
    n_blocks : array of shape (...)
        Blocks of days that a figure comes from; of fewer than `LEAST_BLOCKS` no error
        is told.
    """
    known = np.isfinite(drawn)
    n = np.maximum(known.sum(axis=0), 1)
    mean = np.where(known, drawn, 0.0).sum(axis=0) / n
    deviations = np.where(known, drawn - mean, 0.0)
    spread = np.sqrt(np.square(deviations).sum(axis=0) / n)
    is_told = (known.mean(axis=0) >= LEAST_DEFINED) & (n_blocks >= LEAST_BLOCKS)
    is_told &= np.isfinite(value) & (spread > 1e-12 * np.maximum(np.abs(mean), 1e-300))
    blocks = np.maximum(n_blocks, 2)
    # The mean of blocks varies a little less than that of as many single days.
    error = np.where(is_told, spread * np.sqrt(blocks / (blocks - 1)), np.nan)
    return Estimates(np.asarray(value), error, np.where(is_told, blocks - 1, np.nan))


def adjusted(p_values: np.ndarray) -> np.ndarray:
    """Return p-values corrected for how many were looked at; NaN stays NaN.

    Source: Benjamini and Hochberg (1995), J. R. Statist. Soc. B 57(1), 289-300.
    """
    from scipy.stats import false_discovery_control

    found = np.full(len(p_values), np.nan)
    known = np.isfinite(p_values)
    if known.any():
        found[known] = false_discovery_control(p_values[known])
    return found
