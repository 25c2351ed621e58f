"""One configuration after the other: its signals, the replay's own step, its measures.

The signals are those of `fusion_scores`, by the operations of the macro `fusion_score`
in their order: the same bits.
"""

import numpy as np

from barsieve.compile import compiled, compiled_apart
from barsieve.replay.kernel import replay_bars
from barsieve.replay.state import FLAT, LONG, SHORT, Rules
from barsieve.sweep.measure import TOGETHER, measure
from barsieve.sweep.screen import KNOWS_ALL, SLOTS

TILE_BLOCKS = 512


@compiled
def rules_of(config, base):
    """Return the rules of the base profile with the settings of a configuration."""
    return Rules(
        config.veto_limit,
        base.loss_streak_trades,
        base.loss_streak_shift,
        config.cooldown_bars,
        config.stop_atr,
        config.target_r,
        config.partial_at_r,
        config.partial_share,
        config.trail_atr,
        base.volume_trap_z,
        base.volume_trap_atr,
        config.time_stop_bars,
        base.vix_exit,
        base.macro_exit_veto,
        base.risk_min,
        base.risk_max,
        base.risk_cap,
        base.leverage,
        base.margin_cap,
        base.min_notional,
        base.fee_rate,
        base.slippage_rate,
    )


@compiled
def known_weight(config, knows):
    """Return the sum of the weights whose scores are known, in the order of domains."""
    return (
        (config.weight_wyckoff if knows & 1 else 0.0)
        + (config.weight_liquidity if knows & 2 else 0.0)
        + (config.weight_smc if knows & 4 else 0.0)
        + (config.weight_momentum if knows & 8 else 0.0)
        + (config.weight_temporal if knows & 16 else 0.0)
    )


@compiled
def fusion_score(config, row, weight):
    """Return the weighted mean of the known scores, shrunk where trends do not align.

    `weight` is what the known ones sum to; 0 of 0 is NaN, no score.
    """
    total = (
        config.weight_wyckoff * row.wyckoff
        + config.weight_liquidity * row.liquidity
        + config.weight_smc * row.smc
        + config.weight_momentum * row.momentum
        + config.weight_temporal * row.temporal
    )
    return 0.5 + row.factor * (total / weight - 0.5)


@compiled
def first_to_pass(codes, first, lowest, highest):
    """Return the slot of a block's first bar that passes the gates, and if one does."""
    fails_0 = (codes[first] < lowest) | (codes[first] > highest)
    fails_1 = (codes[first + 1] < lowest) | (codes[first + 1] > highest)
    fails_2 = (codes[first + 2] < lowest) | (codes[first + 2] > highest)
    fails_3 = (codes[first + 3] < lowest) | (codes[first + 3] > highest)
    slot = fails_0 + (fails_0 & fails_1) + (fails_0 & fails_1 & fails_2)
    return slot, not (fails_0 & fails_1 & fails_2 & fails_3)


@compiled
def find_signals(screen, config, first, stop, signals, n_signals):
    """Write a configuration's signals in blocks [first, stop); return how many so far.

    One per block at most. A signal is found only where the confidence reaches the
    threshold: on any other bar the step would admit nothing. What the branches would
    decide is a coin's throw, so there are none: every bar is written, and the count
    moves on where it was one.
    """
    rows, reach = screen.rows, screen.reach
    codes = screen.rank_codes[config.alignment_required]
    lowest = np.searchsorted(screen.ranks, config.atr_rank_floor, "left")
    highest = np.searchsorted(screen.ranks, config.atr_rank_cap, "right") - 1
    whole_weight = known_weight(config, KNOWS_ALL)
    for block in range(first, stop):
        if reach[block] < config.entry_threshold:
            continue
        slot, passes = first_to_pass(codes, block * SLOTS, lowest, highest)
        row = rows[block * SLOTS + slot]
        weight = whole_weight
        if row.knows != KNOWS_ALL:
            weight = known_weight(config, row.knows)
        score = fusion_score(config, row, weight)
        is_long = (row.margin > 0) | ((row.margin == 0) & (score > 0.52))
        is_short = (row.margin < 0) | ((row.margin == 0) & (score < 0.48))
        confidence = is_long * score + (1 - is_long) * (1.0 - score)
        threshold = config.entry_threshold + row.shift
        signal = signals[n_signals]
        signal.index = row.index
        signal.side = LONG * is_long + SHORT * (1 - is_long)
        signal.confidence = confidence
        signal.threshold = threshold
        n_signals += passes & (is_long | is_short) & (confidence >= threshold)
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
def find_all_signals(screen, configs, first, stop, signals, n_signals):
    """Find the signals of configurations [first, stop), a tile of blocks at a time.

    All of them read a tile before the next: a screen is larger than a processor's near
    memory, a tile is not. `signals` has shape (TOGETHER, n_blocks + 1).
    """
    n_blocks = len(screen.reach)
    n_signals[:] = 0
    for tile in range(0, n_blocks, TILE_BLOCKS):
        end = min(n_blocks, tile + TILE_BLOCKS)
        for at in range(first, stop):
            n_signals[at - first] = find_signals(
                screen, configs[at], tile, end, signals[at - first],
                n_signals[at - first],
            )  # fmt: skip


@compiled_apart
def replay_config(bars, config, base, start_balance, entry_bars, legs, trades):
    """Replay one configuration where its own entries can be."""
    rules = rules_of(config, base)
    return replay_bars(bars, rules, start_balance, entry_bars, True, legs, trades)


@compiled_apart
def sweep_configs(
    bars, screen, configs, base, start_balance, calendar, room, figures, hashes
):
    """Replay each configuration by its own signals, and measure it.

    `figures` has shape (n_configs, 1 + n_folds, n_figures), `hashes` the first two;
    row 0 is the whole history. `bars` and `room` are this thread's own.
    """
    legs, trades, signals, counts = room.legs, room.trades, room.signals, room.counts
    for first in range(0, len(configs), TOGETHER):
        stop = min(len(configs), first + TOGETHER)
        find_all_signals(screen, configs, first, stop, signals, counts)
        for at in range(first, stop):
            n_signals = counts[at - first]
            entry_bars = room.entry_bars[:n_signals]
            write_signals(bars, signals[at - first], n_signals, entry_bars)
            done = replay_config(
                bars, configs[at], base, start_balance, entry_bars, legs, trades
            )
            measure(
                calendar, start_balance, room, legs[: done.legs],
                trades[: done.trades], figures[at], hashes[at],
            )  # fmt: skip
            clear_signals(bars, entry_bars)
