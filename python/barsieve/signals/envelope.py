"""Screen of an envelope: the most that any of its weights makes of a confidence.

The fusion score is linear-fractional in the weights, so over a box of weights its
extremes lie at corners. As `candidate_bounds` and `candidates` have it.
"""

import itertools
from collections.abc import Iterable

import numpy as np

from barsieve.core.numba_cache import compiled, compiled_apart
from barsieve.profiles.rules import Rules
from barsieve.profiles.schema import DOMAINS
from barsieve.replay.state import LONG, SHORT
from barsieve.replay.step import is_open
from barsieve.signals.market import Market, rows_at
from barsieve.signals.score import (
    TIE_IS_LONG_ABOVE,
    TIE_IS_SHORT_BELOW,
    confidence_of,
    fusion_score,
    known_weight,
)

# Rounding may only widen a screen, never narrow it.
SLACK = 1e-12

WEIGHTS = tuple(f"weight_{domain}" for domain in DOMAINS)
CORNER = np.dtype([(name, np.float64) for name in WEIGHTS])

CHANCE = np.dtype([("long", np.float64), ("short", np.float64)])
"""The highest confidence of either side; NaN where none of the envelope may enter."""


def corners_of(box: Iterable[tuple[float, float]]) -> np.recarray:
    """Return the corners of a box: the least and greatest weight of each domain."""
    corners = list(itertools.product(*(sorted(set(edges)) for edges in box)))
    return np.array(corners, CORNER).view(np.recarray)


@compiled
def _may_take(side: int, margin: int, score: float) -> bool:
    """Tell whether votes allow a side; a tie may go either way, by the best score."""
    if margin != 0:
        return margin > 0 if side == LONG else margin < 0
    if side == LONG:
        return score > TIE_IS_LONG_ABOVE - SLACK
    return score < TIE_IS_SHORT_BELOW + SLACK


@compiled_apart
def _write_chances(
    corners: np.recarray,
    rows: np.recarray,
    bars: np.recarray,
    rules: Rules,
    chances: np.recarray,
) -> None:
    for at in range(len(rows)):
        row, bar, chance = rows[at], bars[rows[at].index], chances[at]
        lowest, highest = np.inf, -np.inf
        for k in range(len(corners)):
            weight = known_weight(corners[k], row.knows)
            score = fusion_score(corners[k], row, weight)
            if score == score:
                lowest, highest = min(lowest, score), max(highest, score)
        chance.long = chance.short = np.nan
        if lowest > highest:
            continue
        if _may_take(LONG, row.margin, highest) and is_open(LONG, bar, rules):
            chance.long = confidence_of(LONG, highest)
        if _may_take(SHORT, row.margin, lowest) and is_open(SHORT, bar, rules):
            chance.short = confidence_of(SHORT, lowest)


def chances_of(market: Market, corners: np.recarray, rules: Rules) -> np.recarray:
    """Return the chances of each bar, shape (n_bars,), dtype `CHANCE`.

    `rules` with the highest limit of vetoes in the envelope.
    """
    rows = rows_at(market, np.arange(len(market.bars)))
    chances = np.empty(len(rows), CHANCE).view(np.recarray)
    _write_chances(corners, rows, market.bars, rules, chances)
    return chances


def reaches(confidence: np.ndarray, threshold: np.ndarray) -> np.ndarray:
    """Tell where a confidence may be enough, but for rounding; NaN never is."""
    is_enough: np.ndarray = confidence >= threshold - SLACK
    return is_enough
