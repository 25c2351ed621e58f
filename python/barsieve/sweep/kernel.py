"""Kernel of the sweep: of each configuration its signals, the step, its measures.

The signals are those of the room `signals`; here they are looked for fast.
"""

import numpy as np

from barsieve.core.numba_cache import compiled, compiled_apart
from barsieve.replay.decimals import decimal_sum
from barsieve.replay.kernel import replay_bars
from barsieve.replay.records import overlaid
from barsieve.replay.state import FLAT
from barsieve.replay.wallet import end_wallet, replay_wallet
from barsieve.replay.wallet_records import look_at, renew
from barsieve.signals.blocks import SLOTS, check_gates, first_passing, slot_of
from barsieve.signals.score import (
    confidence_of,
    fusion_score,
    known_weight,
    knows_all,
    side_of,
)
from barsieve.sweep.buffers import TILE_ROWS, TOGETHER
from barsieve.sweep.figures import measure
from barsieve.sweep.wallet_figures import measure_wallet


@compiled
def guess_rows(config, guesses, first, guessed, may_be):
    """Tell, in single precision, which rows may pass the threshold: never one too few.

    For as many rows from `first` on as `may_be` has room for; `guessed` is room to work
    in. A domain at a time, without a branch or a gather: the compiler takes eight rows
    at once, however many domains there are.
    """
    n_rows, shares = len(may_be), config.weights
    n_domains, stop = len(shares), first + len(may_be)
    whole = known_weight(shares, knows_all(n_domains))
    guessed[:] = 0.0
    for k in range(n_domains):
        share, scores = np.float32(shares[k] / whole), guesses[k][first:stop]
        for at in range(n_rows):
            guessed[at] += share * scores[at]
    is_tie, addend = guesses[n_domains][first:stop], guesses[n_domains + 1][first:stop]
    threshold = np.float32(config.entry_threshold)
    for at in range(n_rows):
        other = is_tie[at] * (np.float32(1.0) - guessed[at])
        needed = threshold - addend[at]
        may_be[at] = (guessed[at] >= needed) | (other >= needed)


@compiled
def find_candidates(passes, may_be, candidates):
    """Write the first row of each block that passes the gates, if it may be a signal.

    What a branch would decide is a coin's throw, so there is none: every block is
    written, and the count moves on where it was one. Returns the count.
    """
    n_candidates = 0
    for block in range(len(passes)):
        lowest_bit = first_passing(passes[block])
        candidates[n_candidates] = block
        n_candidates += (lowest_bit & may_be[block]) != 0
    for at in range(n_candidates):
        block = candidates[at]
        candidates[at] = block * SLOTS + slot_of(first_passing(passes[block]))
    return n_candidates


@compiled
def write_signal(signal, config, row, whole_weight):
    """Work out the signal of a row; tell whether its confidence is enough.

    On any other bar the step would admit nothing, whatever it carries.
    """
    weights, weight = config.weights, whole_weight
    if row.knows != knows_all(len(weights)):
        weight = known_weight(weights, row.knows)
    score = fusion_score(weights, row, weight)
    side = side_of(row.margin, score)
    signal.index = row.index
    signal.side = side
    signal.confidence = confidence_of(side, score)
    signal.threshold = decimal_sum(config.entry_threshold, row.shift)
    return signal.confidence >= signal.threshold


@compiled
def find_signals(screen, config, first, stop, room, signals, n_signals):
    """Write a configuration's signals in rows [first, stop); return how many so far."""
    n_rows, candidates = stop - first, room.candidates
    check_gates(config, screen, first, room.passes[:n_rows])
    guess_rows(
        config, screen.guesses, first, room.guessed[:n_rows], room.may_be[:n_rows]
    )
    n_candidates = find_candidates(
        room.pass_words[: n_rows // SLOTS],
        room.may_words[: n_rows // SLOTS],
        candidates,
    )
    rows, weights = screen.rows, config.weights
    whole_weight = known_weight(weights, knows_all(len(weights)))
    for at in range(n_candidates):
        row = rows[first + candidates[at]]
        n_signals += write_signal(signals[n_signals], config, row, whole_weight)
    return n_signals


@compiled
def write_signals(bars, signals, n_signals, entry_bars):
    """Write the signals into the bars, and where they are."""
    for at in range(n_signals):
        signal = signals[at]
        bar = bars[signal.index]
        bar.confidence = signal.confidence
        bar.threshold = signal.threshold
        bar.side = signal.side
        bar.is_eligible = True
        entry_bars[at] = signal.index


@compiled
def clear_signals(bars, entry_bars):
    """Take the signals out again, for the next configuration."""
    for index in entry_bars:
        bars[index].is_eligible = False
        bars[index].side = FLAT


@compiled_apart
def find_all_signals(screen, configs, room):
    """Find the signals of at most TOGETHER configurations, a tile of rows at a time.

    All of them read a tile before the next: a screen is larger than a processor's near
    memory, a tile is not.
    """
    n_rows, signals, counts = len(screen.rows), room.signals, room.counts
    counts[:] = 0
    for first in range(0, n_rows, TILE_ROWS):
        stop = min(n_rows, first + TILE_ROWS)
        for at in range(len(configs)):
            counts[at] = find_signals(
                screen, configs[at], first, stop, room, signals[at], counts[at]
            )


@compiled_apart
def replay_config(
    bars,
    config,
    base,
    start_balance,
    hours_after,
    entry_bars,
    room,
):
    """Replay one configuration, `base` with its settings, where its entries can be."""
    rules = overlaid(base, config)
    return replay_bars(
        bars, rules, start_balance, entry_bars, True, hours_after, room.learned,
        room.memory, room.sight, room.legs, room.trades, room.stops,
    )  # fmt: skip


@compiled_apart
def sweep_configs(
    bars,
    screen,
    configs,
    base,
    start_balance,
    hours_after,
    calendar,
    room,
    figures,
    hashes,
):
    """Replay each configuration by its own signals, and measure it.

    `figures` has shape (n_configs, 1 + n_folds, n_figures), `hashes` the first two;
    row 0 is the whole history. `bars` and `room` are this thread's own.
    """
    legs, trades, signals, counts = room.legs, room.trades, room.signals, room.counts
    for first in range(0, len(configs), TOGETHER):
        stop = min(len(configs), first + TOGETHER)
        find_all_signals(screen, configs[first:stop], room)
        for at in range(first, stop):
            n_signals = counts[at - first]
            entry_bars = room.entry_bars[:n_signals]
            write_signals(bars, signals[at - first], n_signals, entry_bars)
            done = replay_config(
                bars, configs[at], base, start_balance, hours_after, entry_bars, room
            )
            measure(
                calendar, start_balance, room, legs[: done.legs],
                trades[: done.trades], figures[at], hashes[at],
            )  # fmt: skip
            clear_signals(bars, entry_bars)


@compiled_apart
def _replay_wallet(space, config, base, hours_after):
    """Replay one configuration of a wallet to its market's end."""
    rules = overlaid(base, config)
    renew(space.wallet, space.fresh)
    replay_wallet(space.wallet, space.market, rules)
    end_wallet(space.wallet, space.market, hours_after.min(), rules)


@compiled_apart
def sweep_wallet(
    screen, configs, base, start_balance, hours_after, calendar, space, figures, hashes
):
    """Replay each configuration of a shared wallet, and measure it.

    As `sweep_configs`; the rows of `screen` are those of all symbols, one after the
    other, and `space` is this thread's own. `hours_after`, shape (n_symbols,): from the
    last bar of each to the market's end.
    """
    room, market = space.room, space.market
    signals, counts = room.signals, room.counts
    for first in range(0, len(configs), TOGETHER):
        stop = min(len(configs), first + TOGETHER)
        find_all_signals(screen, configs[first:stop], room)
        for at in range(first, stop):
            n_signals = counts[at - first]
            entry_rows = room.entry_bars[:n_signals]
            write_signals(market.bars, signals[at - first], n_signals, entry_rows)
            look_at(market, entry_rows)
            _replay_wallet(space, configs[at], base, hours_after)
            measure_wallet(
                calendar, start_balance, space, base.delisted_after_hours, hours_after,
                figures[at], hashes[at],
            )  # fmt: skip
            clear_signals(market.bars, entry_rows)
