"""Screen of an envelope: the most that any of its weights makes of a confidence.

The fusion score is linear-fractional in the weights, so over a box of weights it is at
its most where every score above some level has the highest of its weights and the rest
have the lowest. The level is one of the scores, or above them all: n + 1 candidates, by
whatever number of domains. As `candidate_bounds` and `candidates` have it.
"""

import numpy as np

from barsieve.core.numba_cache import compiled, compiled_apart
from barsieve.profiles.rules import Rules
from barsieve.replay.state import LONG, SHORT
from barsieve.replay.step import is_open
from barsieve.signals.market import Market, rows_at
from barsieve.signals.score import (
    TIE_IS_LONG_ABOVE,
    TIE_IS_SHORT_BELOW,
    Row,
    confidence_of,
    fusion_score,
    known_weight,
)

# Rounding may only widen a screen, never narrow it.
SLACK = 1e-12

CHANCE = np.dtype([("long", np.float64), ("short", np.float64)])
"""The highest confidence of either side; NaN where none of the envelope may enter."""


@compiled
def _score_at(
    box: np.ndarray, row: Row, level: float, sign: int, weights: np.ndarray
) -> float:
    """Return the score with the highest weights for what is at or beyond a level.

    `weights`, shape (n_domains,), is where they are written.
    """
    for k in range(len(box)):
        is_high = row.knows >> k & 1 and sign * row.scores[k] >= sign * level
        weights[k] = box[k, 1] if is_high else box[k, 0]
    return fusion_score(weights, row, known_weight(weights, row.knows))


@compiled
def extreme_score(box: np.ndarray, row: Row, sign: int, weights: np.ndarray) -> float:
    """Return the most that weights of a box make of the score of a row, or the least.

    `box`, shape (n_domains, 2), has the least and greatest weight of each domain;
    `sign` is 1 for the most, -1 for the least; `weights`, shape (n_domains,), is room
    to work in. NaN where no weights say anything.
    """
    extreme = _score_at(box, row, sign * np.inf, sign, weights)
    for k in range(len(box)):
        if row.knows >> k & 1:
            score = _score_at(box, row, row.scores[k], sign, weights)
            if extreme != extreme or sign * score > sign * extreme:
                extreme = score
    return extreme


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
    box: np.ndarray,
    rows: np.recarray,
    bars: np.recarray,
    rules: Rules,
    chances: np.recarray,
) -> None:
    weights = np.empty(len(box))
    for at in range(len(rows)):
        row, bar, chance = rows[at], bars[rows[at].index], chances[at]
        chance.long = chance.short = np.nan
        highest = extreme_score(box, row, 1, weights)
        lowest = extreme_score(box, row, -1, weights)
        if highest != highest:
            continue
        if _may_take(LONG, row.margin, highest) and is_open(LONG, bar, rules):
            chance.long = confidence_of(LONG, highest)
        if _may_take(SHORT, row.margin, lowest) and is_open(SHORT, bar, rules):
            chance.short = confidence_of(SHORT, lowest)


def chances_of(market: Market, box: np.ndarray, rules: Rules) -> np.recarray:
    """Return the chances of each bar, shape (n_bars,), dtype `CHANCE`.

    `box`: the least and greatest weight of each domain, shape (n_domains, 2); `rules`
    with the highest limit of vetoes in the envelope.
    """
    rows = rows_at(market, np.arange(len(market.bars)))
    chances = np.empty(len(rows), CHANCE).view(np.recarray)
    _write_chances(box, rows, market.bars, rules, chances)
    return chances


def reaches(confidence: np.ndarray, threshold: np.ndarray) -> np.ndarray:
    """Tell where a confidence may be enough, but for rounding; NaN never is."""
    is_enough: np.ndarray = confidence >= threshold - SLACK
    return is_enough
