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

KNOWS_ALL = 31
"""The bits of five known scores, in the order of the domains."""


class Weights(Protocol):
    """Whatever has a weight of each domain: a configuration, a corner, a profile."""

    weight_wyckoff: float
    weight_liquidity: float
    weight_smc: float
    weight_momentum: float
    weight_temporal: float


class Row(Protocol):
    """A bar before any settings; an unknown score is 0, its bit of `knows` off.

    `index` is its position among the bars, `margin` votes long less votes short,
    `factor` what the score keeps of its distance from 0.5, `shift` the regime's.
    """

    index: int
    knows: int
    margin: int
    factor: float
    shift: float
    wyckoff: float
    liquidity: float
    smc: float
    momentum: float
    temporal: float


@compiled
def known_weight(weights: Weights, knows: int) -> float:
    """Return the sum of the weights whose scores are known, in the order of domains."""
    return (
        (weights.weight_wyckoff if knows & 1 else 0.0)
        + (weights.weight_liquidity if knows & 2 else 0.0)
        + (weights.weight_smc if knows & 4 else 0.0)
        + (weights.weight_momentum if knows & 8 else 0.0)
        + (weights.weight_temporal if knows & 16 else 0.0)
    )


@compiled
def fusion_score(weights: Weights, row: Row, weight: float) -> float:
    """Return the weighted mean of the known scores, shrunk where trends do not align.

    `weight` is what the known ones sum to; NaN without any.
    """
    if weight == 0.0:
        return np.nan
    total = (
        weights.weight_wyckoff * row.wyckoff
        + weights.weight_liquidity * row.liquidity
        + weights.weight_smc * row.smc
        + weights.weight_momentum * row.momentum
        + weights.weight_temporal * row.temporal
    )
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
