"""Screen once: the bars where some configuration of a grid may enter.

The bound of `candidate_bounds`, for the box around the grid's own configurations: the
fusion score is linear-fractional in the weights, so its extremes lie at corners.
"""

import itertools
from typing import Any, NamedTuple

import numpy as np

from barsieve.profiles.schema import DOMAINS
from barsieve.sweep.grids import WEIGHTS
from barsieve.sweep.inputs import Market

# Rounding may only widen the screen, never narrow it.
SLACK = 1e-12

ALIGNED, UNALIGNED = 1.0, 0.8


# A bar that is left, in 64 bytes. An unknown score is 0, and its bit of `knows` is off.
# `factor` shrinks the fusion score where the trends do not align.
ROW = np.dtype(
    [
        ("index", np.int32),
        ("knows", np.int16),
        ("margin", np.int16),
        ("factor", np.float64),
        ("shift", np.float64),
        *((domain, np.float64) for domain in DOMAINS),
    ],
    align=True,
)
KNOWS_ALL = 2 ** len(DOMAINS) - 1

# Rows of a block, the last ones empty (knowing nothing, passing no gate) where it has
# fewer. Four hours have four bars; a cadence of one hour makes blocks of one.
SLOTS = 4


# Far above any error of single precision, far below what would let many bars through.
GUESS_SLACK = np.float32(1e-4)
NEVER, ALWAYS = np.float32(-1e6), np.float32(1e6)


class Screen(NamedTuple):
    """The blocks left, in time order, with their bars that may be the first to pass.

    `rows`: dtype `ROW`, shape (n_blocks * SLOTS,). `ranks`: the ATR ranks that occur,
    ascending; `rank_codes`, shape (2, n_rows): which of them a row has; in [1] only
    where its trends align; else -1. A gate is then two comparisons of small integers.

    `guesses`, shape (7, n_rows), single precision: the shrunk scores in the direction
    of the row's side, so that their weighted mean is about its confidence; 1 where the
    side is a tie, else 0; and what to add before a threshold is compared. A row that
    the guess refuses cannot be a signal; one that it admits is worked out exactly.
    """

    rows: np.recarray
    ranks: np.ndarray
    rank_codes: np.ndarray
    guesses: np.ndarray


def _corners(configs) -> list[tuple[float, ...]]:
    edges = [sorted({configs[w].min(), configs[w].max()}) for w in WEIGHTS]
    return list(itertools.product(*edges))


def _bounds(market: Market, configs) -> tuple[np.ndarray, np.ndarray]:
    """Return the least and the greatest fusion score of the box at each bar."""
    known = ~np.isnan(market.scores)
    scores = np.where(known, market.scores, 0.0)
    factor = np.where(market.is_aligned, ALIGNED, UNALIGNED)
    lowest, highest = np.full((2, len(factor)), np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        for corner in _corners(configs):
            mean = np.array(corner) @ scores / (np.array(corner) @ known)
            score = 0.5 + factor * (mean - 0.5)
            lowest, highest = np.fmin(lowest, score), np.fmax(highest, score)
    unknown = ~market.is_known
    lowest[unknown] = highest[unknown] = np.nan
    return lowest, highest


def _no_macro_exit(market: Market, base: dict[str, Any], net_veto) -> np.ndarray:
    """Tell where no macro exit of the profile would leave a side at once."""
    is_free = np.ones(len(net_veto), bool)
    if base["vix_exit"] is not None:
        is_free &= ~(market.bars.vix >= base["vix_exit"])
    if base["macro_exit_veto"] is not None:
        is_free &= ~(net_veto >= base["macro_exit_veto"])
    return is_free


def _reach(market: Market, configs, base: dict[str, Any]) -> np.ndarray:
    """Return the highest threshold that some configuration may pass at each bar."""
    lowest, highest = _bounds(market, configs)
    limit = configs.veto_limit.max()
    may_long = (market.margin > 0) | ((market.margin == 0) & (highest > 0.52 - SLACK))
    may_long &= market.bars.net_veto_long < limit
    may_long &= _no_macro_exit(market, base, market.bars.net_veto_long)
    may_short = (market.margin < 0) | ((market.margin == 0) & (lowest < 0.48 + SLACK))
    may_short &= market.bars.net_veto_short < limit
    may_short &= _no_macro_exit(market, base, market.bars.net_veto_short)
    confidence = np.fmax(
        np.where(may_long, highest, -np.inf), np.where(may_short, 1 - lowest, -np.inf)
    )
    return np.nan_to_num(confidence, nan=-np.inf) - market.shift + SLACK


def _varies_gates(configs) -> bool:
    gates = ("atr_rank_floor", "atr_rank_cap", "alignment_required")
    return any(configs[gate].min() != configs[gate].max() for gate in gates)


def _rows(market: Market, left: np.ndarray) -> np.recarray:
    rows = np.zeros(len(left), ROW).view(np.recarray)
    rows["index"] = left
    rows["factor"] = np.where(market.is_aligned[left], ALIGNED, UNALIGNED)
    rows["margin"], rows["shift"] = market.margin[left], market.shift[left]
    for bit, domain in enumerate(DOMAINS):
        score = market.scores[bit, left]
        rows[domain] = np.nan_to_num(score)
        rows["knows"] |= (np.isfinite(score) & market.is_known[left]) << np.int16(bit)
    return rows


def _guesses(market: Market, left: np.ndarray) -> np.ndarray:
    """Return the guesses of the bars, shape (n_left, 7): five scores, tie, addend."""
    margin, scores = market.margin[left], market.scores[:, left]
    factor = np.where(market.is_aligned[left], ALIGNED, UNALIGNED)
    shrunk = 0.5 + factor * (scores - 0.5)
    shrunk = np.where(margin < 0, 1 - shrunk, shrunk)
    # With an unknown score the weights of the rest are not those of the guess.
    shrunk[:, np.isnan(scores).any(axis=0)] = ALWAYS
    shrunk[:, ~market.is_known[left]] = NEVER
    addend = GUESS_SLACK - market.shift[left]
    return np.vstack([shrunk, margin == 0, addend]).T.astype(np.float32)


def _in_slots(market: Market, left: np.ndarray, block: np.ndarray) -> Screen:
    """Lay the bars out by their blocks."""
    starts = np.flatnonzero(np.diff(block[left], prepend=-1))
    sizes = np.diff(np.append(starts, len(left)))
    slot = np.repeat(np.arange(len(starts)) * SLOTS - starts, sizes)
    slot += np.arange(len(left))
    rows = np.zeros(len(starts) * SLOTS, ROW).view(np.recarray)
    rows[slot] = _rows(market, left)
    ranks, ranked = np.unique(market.atr_rank[left], return_inverse=True)
    codes = np.full((2, len(rows)), -1, np.int16)
    codes[:, slot] = ranked, np.where(market.is_aligned[left], ranked, -1)
    guesses = np.zeros((len(DOMAINS) + 2, len(rows)), np.float32)
    guesses[:, slot] = _guesses(market, left).T
    return Screen(rows, ranks, codes, guesses)


def make_screen(market: Market, configs, base: dict[str, Any]) -> Screen:
    """Return the bars where an entry of some configuration may happen.

    With one setting of the gates the first bar of each 4-hour block is known. Where
    gates vary, every bar that passes the most permissive ones may be it: a block that
    holds a bar within reach keeps them all. `base`, a row of `config_profiles`, has the
    cadence and the macro exits, which no grid varies.
    """
    reach = _reach(market, configs, base)
    is_left = (
        (market.atr_rank >= configs.atr_rank_floor.min())
        & (market.atr_rank <= configs.atr_rank_cap.max())
        & (market.is_aligned | (configs.alignment_required.min() == 0))
        & market.is_in_study
    )
    is_within = is_left & (reach >= configs.entry_threshold.min())
    block = market.block if base["cadence"] == "4h" else np.arange(len(reach))
    if _varies_gates(configs):
        is_left &= np.isin(block, block[is_within])
    else:
        passing = np.flatnonzero(is_left)
        first = passing[np.unique(block[passing], return_index=True)[1]]
        is_left = np.zeros_like(is_left)
        is_left[first] = is_within[first]
    return _in_slots(market, np.flatnonzero(is_left), block)
