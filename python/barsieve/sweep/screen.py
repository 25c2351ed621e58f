"""Screen once: the bars where some configuration of a grid may enter.

The bound of `candidate_bounds`, for the box around the grid's own configurations: the
fusion score is linear-fractional in the weights, so its extremes lie at corners.
"""

import itertools
from typing import NamedTuple

import numpy as np

from barsieve.sweep.grids import WEIGHTS
from barsieve.sweep.market import Market

# Rounding may only widen the screen, never narrow it.
SLACK = 1e-12


class Screen(NamedTuple):
    """The bars left, in time order, shape (n_rows,) unless it says otherwise.

    `scores` (5, n_rows) are 0 and `known` is 0 where a score is unknown, else 1.
    `reach`: the highest entry threshold that any weights of the grid can pass at the
    bar. A row whose `reach` is -inf stays only to be the first of its block.
    """

    index: np.ndarray
    atr_rank: np.ndarray
    is_aligned: np.ndarray
    block: np.ndarray
    reach: np.ndarray
    margin: np.ndarray
    shift: np.ndarray
    scores: np.ndarray
    known: np.ndarray


def _corners(configs) -> list[tuple[float, ...]]:
    edges = [sorted({configs[w].min(), configs[w].max()}) for w in WEIGHTS]
    return list(itertools.product(*edges))


def _bounds(market: Market, configs) -> tuple[np.ndarray, np.ndarray]:
    """Return the least and the greatest fusion score of the box at each bar."""
    known = ~np.isnan(market.scores)
    scores = np.where(known, market.scores, 0.0)
    factor = np.where(market.is_aligned, 1.0, 0.8)
    lowest, highest = np.full((2, len(factor)), np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        for corner in _corners(configs):
            mean = np.array(corner) @ scores / (np.array(corner) @ known)
            score = 0.5 + factor * (mean - 0.5)
            lowest, highest = np.fmin(lowest, score), np.fmax(highest, score)
    unknown = ~market.is_known
    lowest[unknown] = highest[unknown] = np.nan
    return lowest, highest


def _reach(market: Market, configs) -> np.ndarray:
    """Return the highest threshold that some configuration may pass at each bar."""
    lowest, highest = _bounds(market, configs)
    limit = configs.veto_limit.max()
    may_long = (market.margin > 0) | ((market.margin == 0) & (highest > 0.52 - SLACK))
    may_long &= market.bars.net_veto_long < limit
    may_short = (market.margin < 0) | ((market.margin == 0) & (lowest < 0.48 + SLACK))
    may_short &= market.bars.net_veto_short < limit
    confidence = np.fmax(
        np.where(may_long, highest, -np.inf), np.where(may_short, 1 - lowest, -np.inf)
    )
    return np.nan_to_num(confidence, nan=-np.inf) - market.shift + SLACK


def _varies_gates(configs) -> bool:
    gates = ("atr_rank_floor", "atr_rank_cap", "alignment_required")
    return any(configs[gate].min() != configs[gate].max() for gate in gates)


def make_screen(market: Market, configs, cadence: str) -> Screen:
    """Return the bars where an entry of some configuration may happen.

    With one setting of the gates the first bar of each 4-hour block is known. Where
    gates vary, every bar that passes the most permissive ones may be it: a block that
    holds a bar within reach keeps them all.
    """
    reach = _reach(market, configs)
    is_left = (
        (market.atr_rank >= configs.atr_rank_floor.min())
        & (market.atr_rank <= configs.atr_rank_cap.max())
        & (market.is_aligned | (configs.alignment_required.min() == 0))
        & market.is_in_study
    )
    is_within = is_left & (reach >= configs.entry_threshold.min())
    if cadence == "1h":
        is_left = is_within
    elif _varies_gates(configs):
        is_left &= np.isin(market.block, market.block[is_within])
    else:
        passing = np.flatnonzero(is_left)
        first = passing[np.unique(market.block[passing], return_index=True)[1]]
        is_left = np.zeros_like(is_left)
        is_left[first] = is_within[first]
    rows = np.flatnonzero(is_left)
    known = ~np.isnan(market.scores[:, rows])
    return Screen(
        rows,
        market.atr_rank[rows],
        market.is_aligned[rows],
        market.block[rows],
        np.where(is_within, reach, -np.inf)[rows],
        market.margin[rows].astype(np.int64),
        market.shift[rows],
        np.ascontiguousarray(np.where(known, market.scores[:, rows], 0.0).T),
        np.ascontiguousarray(known.T.astype(np.float64)),
    )
