"""Screen of a grid: the bars where some configuration of it may enter.

The envelope is the box around the grid's own configurations.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from barsieve.profiles.rules import MACRO_EXITS
from barsieve.profiles.settings import rules_of
from barsieve.replay.decimals import sum_of_decimals
from barsieve.signals.blocks import (
    SLOTS,
    Gates,
    codes_of,
    first_of_blocks,
    passing,
    places_of,
)
from barsieve.signals.envelope import chances_of, reaches
from barsieve.signals.market import Market, row_dtype, rows_at
from barsieve.signals.score import ALIGNED, UNALIGNED

# Far above any error of single precision, far below what would let many bars through.
GUESS_SLACK = np.float32(1e-4)
NEVER, ALWAYS = np.float32(-1e6), np.float32(1e6)


class Screen(NamedTuple):
    """The blocks left, in time order, with their bars that may be the first to pass.

    `rows`: a `Row` each, shape (n_blocks * SLOTS,). `ranks`: the ATR ranks that occur,
    ascending; `rank_codes`, shape (2, n_rows): which of them a row has; in [1] only
    where its trends align; else -1. A gate is then two comparisons of small integers.

    `guesses`, shape (n_domains + 2, n_rows), single precision: the shrunk scores in the
    direction of the row's side, so that their weighted mean is about its confidence; 1
    where the side is a tie, else 0; and what to add before a threshold is compared. A
    row that the guess refuses cannot be a signal; one that it admits is worked out
    exactly.
    """

    rows: np.recarray
    ranks: np.ndarray
    rank_codes: np.ndarray
    guesses: np.ndarray


def _is_within_reach(market: Market, configs, base: dict[str, Any]) -> np.ndarray:
    """Tell at which bars some configuration may pass its threshold."""
    box = np.array([configs.weights.min(axis=0), configs.weights.max(axis=0)]).T
    # A macro exit that some configuration lacks is NaN, and so is the greatest then.
    highest = {n: float(configs[n].max()) for n in ("veto_limit", *MACRO_EXITS)}
    rules = rules_of(base)._replace(**highest)
    chances = chances_of(market, np.ascontiguousarray(box), rules)
    lowest = sum_of_decimals(configs.entry_threshold.min(), market.shift)
    return reaches(np.fmax(chances.long, chances.short), lowest)


def _varies_gates(configs) -> bool:
    gates = ("atr_rank_floor", "atr_rank_cap", "alignment_required")
    return any(configs[gate].min() != configs[gate].max() for gate in gates)


def _guesses(market: Market, left: np.ndarray) -> np.ndarray:
    """Return the guesses of the bars, shape (n_left, n_domains + 2)."""
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
    slot = places_of(block[left])
    n_rows = (slot[-1] // SLOTS + 1) * SLOTS if len(slot) else 0
    rows = np.zeros(n_rows, row_dtype(len(market.domains))).view(np.recarray)
    rows[slot] = rows_at(market, left)
    ranks, of_bars = codes_of(market.atr_rank[left], market.is_aligned[left])
    codes = np.full((2, n_rows), -1, np.int16)
    codes[:, slot] = of_bars
    guesses = np.zeros((len(market.domains) + 2, n_rows), np.float32)
    guesses[:, slot] = _guesses(market, left).T
    return Screen(rows, ranks, codes, guesses)


def make_screen(market: Market, configs, base: dict[str, Any]) -> Screen:
    """Return the bars where an entry of some configuration may happen.

    With one setting of the gates the first bar of each 4-hour block is known. Where
    gates vary, every bar that passes the most permissive ones may be it: a block that
    holds a bar within reach keeps them all. `base`, a row of `config_symbols`, has the
    cadence and the sides, which no grid varies.
    """
    most_permissive = Gates(
        configs.atr_rank_floor.min(),
        configs.atr_rank_cap.max(),
        configs.alignment_required.min(),
    )
    codes = codes_of(market.atr_rank, market.is_aligned)
    is_left = passing(codes, most_permissive) & market.is_in_study
    is_within = _is_within_reach(market, configs, base)
    block = market.blocks(base["cadence"])
    if _varies_gates(configs):
        is_left &= np.isin(block, block[is_left & is_within])
    else:
        is_left = first_of_blocks(block, is_left) & is_within
    return _in_slots(market, np.flatnonzero(is_left), block)


def joined(screens: Sequence[Screen], first: np.ndarray) -> Screen:
    """Return the screens of symbols as one, of bars that lie one after the other.

    `first`, shape (n_symbols + 1,): where the bars of each begin. A block is of one
    symbol, so that the first of it to pass is what it was.
    """
    rows = np.concatenate([screen.rows for screen in screens]).view(np.recarray)
    sizes = [len(screen.rows) for screen in screens]
    rows["index"] += np.repeat(first[:-1], sizes).astype(rows["index"].dtype)
    ranks = np.unique(np.concatenate([screen.ranks for screen in screens]))
    # A row without a rank has the code -1, which looks up the last.
    codes = [
        np.append(np.searchsorted(ranks, screen.ranks), -1)[screen.rank_codes]
        for screen in screens
    ]
    return Screen(
        rows=rows,
        ranks=ranks,
        rank_codes=np.concatenate(codes, axis=1).astype(np.int16),
        guesses=np.concatenate([screen.guesses for screen in screens], axis=1),
    )
