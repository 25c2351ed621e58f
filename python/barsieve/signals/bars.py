"""Bars of one profile with its signals, by the settings in force at each."""

from typing import Any, NamedTuple

import numpy as np

from barsieve.core.numba_cache import compiled_apart
from barsieve.profiles.rules import Rules
from barsieve.replay.decimals import decimal_sum
from barsieve.replay.exits import is_macro_exit
from barsieve.replay.state import FLAT, LONG, SHORT
from barsieve.replay.step import is_open, signal
from barsieve.signals.blocks import Gates, codes_of, first_of_blocks, passing
from barsieve.signals.market import Market, rows_at
from barsieve.signals.score import confidence_of, fusion_score, known_weight, side_of


class InForce(NamedTuple):
    """The settings of a profile that its signals depend on, at each bar.

    `weights`: shape (n_bars, n_domains), 0 for a domain that it does not name;
    `entry_threshold`: shape (n_bars,).
    """

    weights: np.ndarray
    entry_threshold: np.ndarray


class Signalled(NamedTuple):
    """Bars with their signals, and what led to them, shape (n_bars,) each."""

    bars: np.recarray
    fusion_score: np.ndarray
    is_in_atr_band: np.ndarray
    passes_gates: np.ndarray


@compiled_apart
def _write_signals(
    weights: np.ndarray,
    thresholds: np.ndarray,
    rows: np.recarray,
    bars: np.recarray,
    scores: np.ndarray,
) -> None:
    for at in range(len(rows)):
        row, bar = rows[at], bars[at]
        weight = known_weight(weights[at], row.knows)
        scores[at] = fusion_score(weights[at], row, weight)
        bar.side = side_of(row.margin, scores[at])
        bar.confidence = confidence_of(bar.side, scores[at])
        bar.threshold = decimal_sum(thresholds[at], row.shift)


def signalled(market: Market, base: dict[str, Any], in_force: InForce) -> Signalled:
    """Return the bars of a market with the signals of a profile.

    `base`, a row of `config_profiles`, has gates and cadence; `in_force` the rest.
    """
    n_bars = len(market.bars)
    bars, scores = market.bars.copy(), np.empty(n_bars)
    weights = np.ascontiguousarray(in_force.weights)
    thresholds = np.ascontiguousarray(in_force.entry_threshold)
    rows = rows_at(market, np.arange(n_bars))
    _write_signals(weights, thresholds, rows, bars, scores)
    codes = codes_of(market.atr_rank, market.is_aligned)
    gates = Gates(*(base[name] for name in Gates._fields))
    is_in_band = passing(codes, gates._replace(alignment_required=0))
    passes = (
        passing(codes, gates._replace(alignment_required=int(gates.alignment_required)))
        & market.is_in_study
    )
    bars.is_eligible = first_of_blocks(market.blocks(base["cadence"]), passes)
    return Signalled(bars, scores, is_in_band, passes)


class NoLosses(NamedTuple):
    """All that the entry predicate asks of an account: no streak of losses."""

    loss_streak: int = 0


@compiled_apart
def _write_entries(
    bars: np.recarray, account: NoLosses, rules: Rules, entered: np.ndarray
) -> None:
    for index in range(len(bars)):
        entered[index] = signal(account, bars[index], rules) != FLAT


def are_entries(bars: np.recarray, rules: Rules) -> np.ndarray:
    """Tell on which bars the predicate of the step holds, before any loss streak."""
    entered = np.empty(len(bars), bool)
    _write_entries(bars, NoLosses(), rules, entered)
    return entered


@compiled_apart
def _write_macro_exits(bars: np.recarray, rules: Rules, is_found: np.ndarray) -> None:
    for at in range(len(bars)):
        is_found[at] = is_macro_exit(bars[at].side, bars[at], rules)


def are_macro_exits(bars: np.recarray, rules: Rules) -> np.ndarray:
    """Tell on which bars a position of the bar's side would be left at the close."""
    is_found = np.empty(len(bars), bool)
    _write_macro_exits(bars, rules, is_found)
    return is_found


@compiled_apart
def _write_open(bars: np.recarray, rules: Rules, is_found: np.ndarray) -> None:
    for at in range(len(bars)):
        bar = bars[at]
        is_found[at] = is_open(LONG, bar, rules) or is_open(SHORT, bar, rules)


def are_open(bars: np.recarray, rules: Rules) -> np.ndarray:
    """Tell on which bars vetoes and macro exits let some side through."""
    is_found = np.empty(len(bars), bool)
    _write_open(bars, rules, is_found)
    return is_found
