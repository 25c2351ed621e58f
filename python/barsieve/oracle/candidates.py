"""The screen of one bar, by every corner of the envelope, or by the legacy rules."""

import itertools
from collections.abc import Iterable
from typing import Any

from barsieve.oracle.entries import box_of, envelope_of, fuse, is_traded
from barsieve.oracle.signals import Row

# Rounding may only widen the screen.
SLACK = 1e-12


# Beyond so many weights that vary there are too many corners for a slow answer.
MOST_VARIED = 10


def _telling_corners(
    scores: dict[str, Any], box: dict[str, tuple[float, float]]
) -> list[tuple[float, ...]]:
    """Return the corners at which a weighted mean can be at its ends.

    There the scores above some level have all their highest weights and the others
    their lowest, or the other way round.
    """
    known = sorted({score for score in scores.values() if score is not None})
    return [
        tuple(
            high if is_high == ((scores.get(d) or 0.0) >= level) else low
            for d, (low, high) in box.items()
        )
        for level in [*known, 2.0]
        for is_high in (True, False)
    ]


def _corner_scores(
    scores: dict[str, Any], profile: Row, is_aligned: bool
) -> list[float]:
    box = box_of(profile)
    corners: Iterable[tuple[float, ...]] = itertools.product(*map(set, box.values()))
    if sum(low < high for low, high in box.values()) > MOST_VARIED:
        corners = _telling_corners(scores, box)
    fused = [
        fuse(scores, dict(zip(box, corner, strict=True)), is_aligned)
        for corner in corners
    ]
    return [score for score in fused if score is not None]


def _may_pass_gates(row: Row, entry: Row, profile: Row) -> bool:
    """Tell whether some setting of the gates makes the bar eligible."""
    gates = envelope_of(profile).get("gates")
    if gates is None:
        is_eligible: bool = entry["is_eligible"]
        return is_eligible
    rank, is_required = row["atr_rank_100"], profile["alignment_required"]
    return (
        rank is not None
        and gates.get("atr_rank_floor", profile["atr_rank_floor"]) <= rank
        and rank <= gates.get("atr_rank_cap", profile["atr_rank_cap"])
        and (entry["is_aligned"] or not gates.get("alignment_required", is_required))
    )


def admissible(
    row: Row, scores: dict[str, Any], entry: Row, profile: Row, lowest_shift: float
) -> dict[str, float]:
    """Return the sides on which some configuration may enter, with the best score.

    `entry` is the row of `entry_row`, `lowest_shift` the most that any classifier
    lowers the threshold.
    """
    envelope = envelope_of(profile)
    may_enter = entry["has_sentinel"] and _may_pass_gates(row, entry, profile)
    if entry["alignment"] is None or not may_enter:
        return {}
    reached = _corner_scores(scores, profile, entry["is_aligned"])
    if not reached:
        return {}
    threshold: Any = envelope.get("entry_threshold", profile["entry_threshold"])
    threshold += lowest_shift if envelope.get("any_regime") else entry["regime_shift"]
    gates = envelope.get("gates", {})
    limit = gates.get("veto_limit", profile["veto_limit"])
    margin = entry["votes_long"] - entry["votes_short"]
    highest, lowest = max(reached), min(reached)
    level = gates.get("vix_exit", profile["vix_exit"])
    if None not in (row["vix"], level) and row["vix"] >= level:
        return {}
    may = {
        "long": margin > 0 or (margin == 0 and highest > 0.52 - SLACK),
        "short": margin < 0 or (margin == 0 and lowest < 0.48 + SLACK),
    }
    found = {}
    for side, score in (("long", highest), ("short", 1 - lowest)):
        veto = entry[f"net_veto_{side}"]
        leaves = gates.get("macro_exit_veto", profile["macro_exit_veto"])
        is_free = veto < limit and (leaves is None or veto < leaves)
        is_free = is_free and is_traded(side, profile)
        if may[side] and is_free and score >= threshold - SLACK:
            found[side] = score
    return found


def _clip(value: float) -> float:
    return min(max(value, 0.0), 1.0)


def legacy(row: Row) -> dict[str, float]:
    """Return the side of the legacy screen with its proto-fusion, where it has one."""
    adx, rsi, mean = row["adx_14_4h"], row["rsi_14"], row["sma_20"]
    days = (row["sma_20_1d"], row["sma_50_1d"])
    if None in (adx, rsi, mean) or adx < 22:
        return {}
    proto = 0.3 * _clip(adx / 50) + 0.2 * _clip((rsi - 30) / 40)
    if None not in days and (row["close"] > mean) == (days[0] > days[1]):
        proto += 0.3
    proto += 0.2 if row["vix"] is not None and row["vix"] < 25 else 0.0
    if proto < 0.35:
        return {}
    if row["close"] > mean and rsi < 70:
        return {"long": proto}
    return {"short": proto} if row["close"] < mean and rsi > 30 else {}
