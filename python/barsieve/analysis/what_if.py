"""Variations of one profile, each replayed: thresholds, and what else could have been.

Thresholds and costs act in the step alone: a variation is the bars of the profile with
another threshold on them, or its rules with other costs. Side, confidence and gates of
a bar do not depend on either.
"""

from collections.abc import Sequence
from dataclasses import replace as with_fields
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from barsieve.analysis.session import open_profile, put_runs, read, refuse_other_models
from barsieve.core.arrow import matching, numbers
from barsieve.core.errors import refuse
from barsieve.database.overlay import Scratch
from barsieve.metrics import account
from barsieve.replay.decimals import sum_of_decimals
from barsieve.replay.learned import at_bars
from barsieve.replay.runs import FOCUSED, FULL, Inputs, Run, replay
from barsieve.replay.state import BAR_FIELDS, FLAT

COST_FACTORS = (0.0, 0.5, 1.0, 2.0)
THRESHOLD_SHIFT = 0.05

# What a bar is, and not what is thought of it: these stay where they are when decisions
# come one bar later.
PRICES = ("index", "hours_since", "open", "high", "low", "close", "funding_settled")


class Variant(NamedTuple):
    """One variation: what it is called, what its accounts read, how it is replayed."""

    name: Any
    accounts: list[Inputs]
    replayed: str


class Asked(NamedTuple):
    """Demands of a profile on an entry at each bar of an account, shape (n_bars,).

    `threshold` is the profile's own or the learned one, `shift` what the regime adds.
    """

    threshold: np.ndarray
    shift: np.ndarray


def _asked(scratch: Scratch, name: str, accounts: Sequence[Inputs]) -> list[Asked]:
    """Return what is asked at the bars of each account of a profile."""
    rows = matching(scratch.table("fusion_scores"), profile=name)
    columns = rows.order("symbol, bar_index").select("entry_threshold", "regime_shift")
    table = columns.to_arrow_table()
    ends = np.cumsum([len(inputs.bars) for inputs in accounts])[:-1]
    threshold, shift = (np.split(numbers(table[n]), ends) for n in table.column_names)
    return [Asked(*pair) for pair in zip(threshold, shift, strict=True)]


def _at_threshold(
    inputs: Inputs, threshold: float | np.ndarray, shift: np.ndarray
) -> Inputs:
    """Return inputs that ask for another threshold, summed as `fusion_scores` does."""
    bars = inputs.bars.copy()
    bars.threshold = sum_of_decimals(np.asarray(threshold), shift)
    return inputs._replace(bars=bars)


def _numbered(inputs: Inputs, number: int) -> Inputs:
    profile = inputs.profile
    name = f"{profile.profile} #{number}"
    return inputs._replace(profile=with_fields(profile, profile=name))


def _results(
    scratch: Scratch, variants: Sequence[Sequence[Run]]
) -> list[dict[str, Any]]:
    """Return the figures of replays, whose profiles have names of their own."""
    put_runs(scratch, [run for runs in variants for run in runs])
    trades: dict[str, list[dict[str, Any]]] = {
        runs[0].inputs.profile.profile: [] for runs in variants
    }
    for trade in scratch.rows(
        "select * from {replay_trades} order by profile, entry_ts, account, trade_id"
    ):
        trades[trade["profile"]].append(trade)
    return [
        account.of_runs(runs, trades[runs[0].inputs.profile.profile])
        for runs in variants
    ]


def _replayed(scratch: Scratch, variants: Sequence[Variant]) -> list[dict[str, Any]]:
    made = [
        [
            replay(_numbered(inputs, number), variant.replayed)
            for inputs in variant.accounts
        ]
        for number, variant in enumerate(variants)
    ]
    return [
        {
            "variant": variant.name,
            "replayed": variant.replayed,
            "bars": sum(len(run.inputs.bars) for run in runs),
            "bars_visited": sum(run.outcome.bars_visited for run in runs),
            **figures,
        }
        for variant, runs, figures in zip(
            variants, made, _results(scratch, made), strict=True
        )
    ]


def lowest_covered(scratch: Scratch, name: str) -> float | None:
    """Return the lowest threshold that a profile's screen covers; None if none."""
    found = scratch.rows(
        "select lowest_threshold from {config_envelopes} "
        "inner join {config_profiles} using (profile) "
        "where profile = ? and screen = 'admissible'",
        name,
    )
    return found[0]["lowest_threshold"] if found else None


def try_thresholds(
    path: Path,
    name: str | Path,
    thresholds: Sequence[float],
    changes: dict[str, Any] | None = None,
) -> tuple[list[dict[str, Any]], float | None]:
    """Replay a profile at several thresholds; return a row for each, and the lowest
    threshold that its screen covers.

    Candidates are those of the profile, found once: at a threshold no lower than the
    envelope's they are exact, for a higher threshold admits no bar that a lower one
    refuses. Below it, and for the lossy screen, every bar is replayed. A learned
    profile keeps its learned weights. Raises InputError for a threshold that is no
    fraction.
    """
    if not thresholds:
        refuse(
            "thresholds",
            expected="one or more to try",
            found="none",
            fix="write them like 0.62 0.65",
        )
    for threshold in thresholds:
        if not isinstance(threshold, int | float) or not 0 <= threshold <= 1:
            refuse(
                "thresholds",
                expected="fractions from 0 to 1",
                found=f"{threshold!r}",
                fix="write them like 0.62 0.65",
            )
    scratch, document = open_profile(path, name, changes)
    own: str = document["profile"]
    refuse_other_models(scratch)
    accounts = read(scratch, own)
    asked = _asked(scratch, own, accounts)
    lowest = lowest_covered(scratch, own)
    variants = []
    for threshold in thresholds:
        is_covered = lowest is not None and threshold >= lowest
        made = [
            _at_threshold(inputs, threshold, of_account.shift)
            for inputs, of_account in zip(accounts, asked, strict=True)
        ]
        variants.append(Variant(threshold, made, FOCUSED if is_covered else FULL))
    return _replayed(scratch, variants), lowest


def one_bar_later(inputs: Inputs) -> Inputs:
    """Return inputs whose decisions are made on what was known a bar before.

    At each close the step reads signals, vetoes, VIX, ATR, ADX and volume of the bar
    before, so what they decide fills one bar later. Prices, funding, resting stops and
    targets, and what follows from the position itself (profit for the partial, bars
    held, the close that a trail follows) stay where they are.
    """
    bars = inputs.bars.copy()
    firsts = [part.start for part in inputs.symbols]
    for name in BAR_FIELDS:
        if name not in PRICES:
            bars[name][1:] = inputs.bars[name][:-1]
            if bars[name].dtype.kind == "f":
                bars[name][firsts] = np.nan
    bars.side[firsts], bars.is_eligible[firsts] = FLAT, False
    before = np.maximum(np.arange(len(bars)) - 1, 0)
    before[firsts] = firsts
    return inputs._replace(bars=bars, learned=at_bars(inputs.learned, before))


def _with_costs(inputs: Inputs, factor: float) -> Inputs:
    rules = inputs.profile.rules
    costly = rules._replace(
        fees_bps=rules.fees_bps * factor, slippage_bps=rules.slippage_bps * factor
    )
    return inputs._replace(profile=with_fields(inputs.profile, rules=costly))


def stress(
    path: Path,
    name: str | Path,
    changes: dict[str, Any] | None = None,
) -> list[dict[str, Any]]:
    """Replay a profile, every bar, as it is and as it could have been.

    Fees and slippage (not funding) are multiplied; decisions come one bar later; the
    threshold, learned or not, moves by 0.05, within 0 to 1. The first row is the
    profile as it is.
    """
    scratch, document = open_profile(path, name, changes, is_screened=False)
    own: str = document["profile"]
    refuse_other_models(scratch)
    base = read(scratch, own)
    asked = _asked(scratch, own, base)
    scenarios = [("as it is", base)]
    for factor in COST_FACTORS:
        costly = [_with_costs(inputs, factor) for inputs in base]
        scenarios.append((f"costs x {factor:g}", costly))
    scenarios.append(("one bar later", [one_bar_later(inputs) for inputs in base]))
    for sign, shift in (("-", -THRESHOLD_SHIFT), ("+", THRESHOLD_SHIFT)):
        shifted = [
            _at_threshold(
                inputs,
                np.clip(of_account.threshold + shift, 0.0, 1.0),
                of_account.shift,
            )
            for inputs, of_account in zip(base, asked, strict=True)
        ]
        scenarios.append((f"threshold {sign} {THRESHOLD_SHIFT:g}", shifted))
    return _replayed(scratch, [Variant(label, made, FULL) for label, made in scenarios])
