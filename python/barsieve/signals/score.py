"""Score, side and confidence of a bar under some weights.

By the operations of `fusion_scores` and its macro, in their order: the same bits.
"""

from typing import Protocol

import numpy as np

from barsieve.core.numba_cache import compiled
from barsieve.replay.state import FLAT, LONG, SHORT

ALIGNED, UNALIGNED = 1.0, 0.8
"""What the fusion score keeps of its distance from 0.5, by whether trends align."""
TIE_IS_LONG_ABOVE, TIE_IS_SHORT_BELOW = 0.52, 0.48

VOTES_LONG_ABOVE, VOTES_SHORT_BELOW = 0.55, 0.45


class Row(Protocol):
    """A bar before any settings; an unknown score is 0, its bit of `knows` off.

    `index` is its position among the bars, `margin` votes long less votes short,
    `factor` what the score keeps of its distance from 0.5, `shift` the regime's,
    `scores` those of the domains in the order of their list, shape (n_domains,).
    """

    index: int
    knows: int
    margin: int
    factor: float
    shift: float
    scores: np.ndarray


@compiled
def knows_all(n_domains: int) -> int:
    """Return the bits of so many known scores, in the order of the domains."""
    return (1 << n_domains) - 1


@compiled
def known_weight(weights: np.ndarray, knows: int) -> float:
    """Return the sum of the weights whose scores are known, in the order of domains."""
    total = 0.0
    for k in range(len(weights)):
        total += weights[k] if knows >> k & 1 else 0.0
    return total


@compiled
def fusion_score(weights: np.ndarray, row: Row, weight: float) -> float:
    """Return the weighted mean of the known scores, shrunk where trends do not align.

    `weights` are those of the domains, 0 for one without a part; `weight` is what the
    known ones sum to. NaN without any.
    """
    if weight == 0.0:
        return np.nan
    total, scores = 0.0, row.scores
    for k in range(len(weights)):
        total += weights[k] * scores[k]
    return 0.5 + row.factor * (total / weight - 0.5)


@compiled
def side_of(margin: int, score: float) -> int:
    """Return the side of the majority; a tie goes by the score, NaN to nobody."""
    if score != score:
        return FLAT
    if margin > 0 or (margin == 0 and score > TIE_IS_LONG_ABOVE):
        return LONG
    if margin < 0 or (margin == 0 and score < TIE_IS_SHORT_BELOW):
        return SHORT
    return FLAT


@compiled
def confidence_of(side: int, score: float) -> float:
    """Return the score as it speaks for a side; NaN, which passes nothing, for none."""
    if side == LONG:
        return score
    return 1.0 - score if side == SHORT else np.nan
