"""Gates of a bar, and the first bar of a block of hours to pass them."""

from typing import NamedTuple, Protocol

import numpy as np

from barsieve.core.numba_cache import compiled, compiled_apart

SLOTS = 4
"""Bars of a block at most. A cadence of one hour makes blocks of one."""


class Gates(NamedTuple):
    """Gates of a bar whatever its side; fields named as in `config_profiles`."""

    atr_rank_floor: float
    atr_rank_cap: float
    alignment_required: int


class Ranked(Protocol):
    """The ATR ranks that occur, ascending, and which of them a row has.

    `rank_codes`, shape (2, n_rows): -1 for none; in [1] only where trends align. A gate
    is then two comparisons of small integers.
    """

    @property
    def ranks(self) -> np.ndarray:
        """The ranks, shape (n_ranks,)."""

    @property
    def rank_codes(self) -> np.ndarray:
        """The positions in `ranks`, shape (2, n_rows)."""


class Codes(NamedTuple):
    """Bars in their order, `Ranked`."""

    ranks: np.ndarray
    rank_codes: np.ndarray


def codes_of(atr_rank: np.ndarray, is_aligned: np.ndarray) -> Codes:
    """Return the codes of bars, arrays of shape (n_bars,); a NaN is above any cap."""
    ranks, ranked = np.unique(atr_rank, return_inverse=True)
    return Codes(ranks, np.stack([ranked, np.where(is_aligned, ranked, -1)]))


@compiled
def check_gates(gates: Gates, ranked: Ranked, first: int, passes: np.ndarray) -> None:
    """Tell which rows pass the gates, for as many from `first` as `passes` holds."""
    codes = ranked.rank_codes[gates.alignment_required][first : first + len(passes)]
    lowest = np.int16(np.searchsorted(ranked.ranks, gates.atr_rank_floor, "left"))
    above = np.searchsorted(ranked.ranks, gates.atr_rank_cap, "right")
    highest = np.int16(above - 1)
    for at in range(len(passes)):
        passes[at] = (codes[at] >= lowest) & (codes[at] <= highest)


@compiled
def first_passing(word: int) -> int:
    """Return the lowest bit of a block whose four answers are the bytes of one word."""
    return word & (~word + 1)


@compiled
def slot_of(lowest_bit: int) -> int:
    """Return which of a block's bars such a bit belongs to."""
    return (lowest_bit > 0x1) + (lowest_bit > 0x100) + (lowest_bit > 0x10000)


@compiled_apart
def _check_all(gates: Gates, codes: Codes, passes: np.ndarray) -> None:
    check_gates(gates, codes, 0, passes)


@compiled_apart
def _keep_first(words: np.ndarray) -> None:
    for at in range(len(words)):
        words[at] = first_passing(words[at])


def passing(codes: Codes, gates: Gates) -> np.ndarray:
    """Tell which bars pass the gates, shape (n_bars,)."""
    passes = np.empty(codes.rank_codes.shape[1], np.uint8)
    _check_all(gates, codes, passes)
    return passes.view(bool)


def places_of(block: np.ndarray) -> np.ndarray:
    """Return where bars lie among the slots of their blocks, shape (n_bars,).

    `block`, shape (n_bars,), numbers the blocks in time order. A block has `SLOTS`
    slots, and its bars the first of them.
    """
    starts = np.flatnonzero(np.diff(block, prepend=-1))
    sizes = np.diff(np.append(starts, len(block)))
    places = np.repeat(np.arange(len(starts)) * SLOTS - starts, sizes)
    return places + np.arange(len(block))


def first_of_blocks(block: np.ndarray, passes: np.ndarray) -> np.ndarray:
    """Tell which bars are the first of their block to pass, shape (n_bars,)."""
    places = places_of(block)
    n_blocks = places[-1] // SLOTS + 1 if len(places) else 0
    slots = np.zeros(n_blocks * SLOTS, np.uint8)
    slots[places] = passes
    _keep_first(slots.view(np.uint32))
    is_first: np.ndarray = slots[places].view(bool)
    return is_first
