"""One configuration after the other: its signals, the replay's own step, its measures.

The signals are those of `fusion_scores`, by the operations of the macro `fusion_score`
in their order: the same bits.
"""

import numpy as np

from barsieve.compile import compiled
from barsieve.replay.kernel import replay_bars
from barsieve.replay.state import FLAT, LONG, SHORT, Rules
from barsieve.sweep.measure import measure


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
def fusion_score(config, scores, known, is_aligned):
    """Return the weighted mean of the known scores, shrunk where trends do not align.

    NaN where no score with a weight is known.
    """
    total = (
        config.weight_wyckoff * scores[0]
        + config.weight_liquidity * scores[1]
        + config.weight_smc * scores[2]
        + config.weight_momentum * scores[3]
        + config.weight_temporal * scores[4]
    )
    weight = (
        config.weight_wyckoff * known[0]
        + config.weight_liquidity * known[1]
        + config.weight_smc * known[2]
        + config.weight_momentum * known[3]
        + config.weight_temporal * known[4]
    )
    if weight == 0.0:
        return np.nan
    factor = 1.0 if is_aligned else 0.8
    return 0.5 + factor * (total / weight - 0.5)


@compiled
def side_of(margin, score):
    """Return the side of the majority; a tie goes by the score, NaN to nobody."""
    if score != score:
        return FLAT
    if margin > 0 or (margin == 0 and score > 0.52):
        return LONG
    if margin < 0 or (margin == 0 and score < 0.48):
        return SHORT
    return FLAT


@compiled
def passes_gates(config, atr_rank, is_aligned):
    """Tell whether a bar passes the gates; an unknown rank passes none."""
    return (
        atr_rank >= config.atr_rank_floor
        and atr_rank <= config.atr_rank_cap
        and (is_aligned or config.alignment_required == 0)
    )


@compiled
def write_signals(bars, screen, config, is_4h, entry_bars):
    """Write a configuration's signals into its bars; return how many.

    Only bars whose confidence reaches the threshold get one: on any other the step
    would admit nothing, whatever it carries.
    """
    last_block, n_entries = -1, 0
    for row in range(len(screen.index)):
        if not passes_gates(config, screen.atr_rank[row], screen.is_aligned[row]):
            continue
        if is_4h:
            if screen.block[row] == last_block:
                continue
            last_block = screen.block[row]
        if screen.reach[row] < config.entry_threshold:
            continue
        score = fusion_score(
            config, screen.scores[row], screen.known[row], screen.is_aligned[row]
        )
        side = side_of(screen.margin[row], score)
        confidence = score if side == LONG else 1.0 - score
        threshold = config.entry_threshold + screen.shift[row]
        if side == FLAT or not confidence >= threshold:
            continue
        bar = bars[screen.index[row]]
        bar.confidence = confidence
        bar.threshold = threshold
        bar.side = side
        bar.is_eligible = True
        entry_bars[n_entries] = screen.index[row]
        n_entries += 1
    return n_entries


@compiled
def clear_signals(bars, entry_bars):
    """Take the signals out again, for the next configuration."""
    for index in entry_bars:
        bars[index].is_eligible = False
        bars[index].side = FLAT


@compiled
def sweep_configs(
    bars, screen, configs, base, start_balance, is_4h, calendar, room, figures, hashes
):
    """Replay each configuration where its own entries can be, and measure it.

    `figures` has shape (n_configs, 1 + n_folds, n_figures), `hashes` the first two;
    row 0 is the whole history. `bars` and `room` are this thread's own.
    """
    for at in range(len(configs)):
        config = configs[at]
        n_entries = write_signals(bars, screen, config, is_4h, room.entry_bars)
        entry_bars = room.entry_bars[:n_entries]
        outcome = replay_bars(
            bars,
            rules_of(config, base),
            start_balance,
            entry_bars,
            True,
            room.legs,
            room.trades,
        )
        measure(
            calendar, start_balance, room, outcome.legs, outcome.trades,
            figures[at], hashes[at],
        )  # fmt: skip
        clear_signals(bars, entry_bars)
