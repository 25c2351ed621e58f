"""Ranks within groups, and the fifths that they make."""

from typing import NamedTuple

import numpy as np


class Sorted(NamedTuple):
    """Values, shape (n,), and the places that sort them; sorted once, ranked often."""

    values: np.ndarray
    order: np.ndarray

    @classmethod
    def of(cls, values: np.ndarray) -> "Sorted":
        """Sort values; NaN comes last."""
        return cls(values, np.argsort(values, kind="stable"))

    def ranks(self, is_used: np.ndarray, group: np.ndarray) -> np.ndarray:
        """Return the mean rank of each used value within its group, from -1/2 to 1/2.

        From the least to the greatest, so that its mean is 0; NaN where not used.
        Pearson's correlation of two such ranks is Spearman's of the values. `group`:
        shape (n,), small integers from 0.
        """
        at = self.order[is_used[self.order]]
        at = at[np.argsort(group[at], kind="stable")]
        values, groups = self.values[at], group[at]
        ranks = np.full(len(self.values), np.nan)
        if not len(at):
            return ranks
        is_new = np.ones(len(at), bool)
        is_new[1:] = (values[1:] != values[:-1]) | (groups[1:] != groups[:-1])
        first = np.flatnonzero(is_new)
        size = np.diff(first, append=len(at))
        counts = np.bincount(groups)
        begins = (np.cumsum(counts) - counts)[groups[first]]
        middle = first + (size - 1) / 2 - begins
        steps = np.maximum(counts[groups[first]] - 1, 1)
        shares = np.where(counts[groups[first]] > 1, middle / steps - 0.5, 0.0)
        ranks[at] = np.repeat(shares, size)
        return ranks


FIFTH, LOWEST_FIFTH = 0.3 + 1e-12, -0.3 + 1e-12
"""A value of a rank above the first is in the top fifth, up to the second in the last.

As pandas and alphalens cut: at a quantile, which belongs to the values below. The
little is for ranks that are the quantile but for rounding.
"""


def fifths(ranks: np.ndarray, group: np.ndarray) -> np.ndarray:
    """Return 1 in the top fifth of each group, -1 in the bottom, 0 between, else NaN.

    Equal values stay together: they are in a fifth if their mean rank is. Where no
    value is, as of a column that is mostly one, the values at that end stand for it.
    """
    sides = np.where(np.isnan(ranks), np.nan, 0.0)
    if np.isnan(ranks).all():
        return sides
    n_groups = int(group.max()) + 1
    known = ~np.isnan(ranks)
    highest, lowest = np.full(n_groups, -1.0), np.full(n_groups, 1.0)
    np.maximum.at(highest, group[known], ranks[known])
    np.minimum.at(lowest, group[known], ranks[known])
    # A group of one value has no ends.
    varies = (highest > lowest)[group]
    below_top = np.minimum(np.nextafter(highest, -1.0), FIFTH)[group]
    bottom = np.maximum(lowest, LOWEST_FIFTH)[group]
    with np.errstate(invalid="ignore"):
        sides[varies & (ranks > below_top)] = 1.0
        sides[varies & (ranks <= bottom)] = -1.0
    return sides
