"""The gates of an entry at one close: what each asks, what it found, whether it passed.

In the order of `report_screening`; all pass exactly when the step orders an entry.
"""

from math import isnan
from typing import Any

import numpy as np

from barsieve.analysis.decision import SIDES, Decision
from barsieve.analysis.session import Study
from barsieve.replay.decimals import sum_of_decimals
from barsieve.replay.exits import is_macro_exit
from barsieve.replay.state import FLAT

# A shift that would be printed as 0.0000.
WORTH_SAYING = 5e-5


def _gate(name: str, passed: bool, asks: str, found: Any) -> dict[str, Any]:
    if isinstance(found, float):
        found = None if np.isnan(found) else float(found)
    return {"gate": name, "passed": bool(passed), "asks": asks, "found": found}


def _figure(value: float) -> str:
    return "unknown" if np.isnan(value) else f"{value:.4g}"


def _macro_exits(study: Study) -> str:
    """Return what the macro exits of a profile ask for: net veto and VIX."""
    rules = study.inputs.profile.rules
    asked = [
        f"{name} below {limit:g}"
        for name, limit in (
            ("net macro veto", rules.macro_exit_veto),
            ("VIX", rules.vix_exit),
        )
        if not isnan(limit)
    ]
    return " and ".join(asked) or "the profile has none"


def _market_gates(study: Study, decision: Decision) -> list[dict[str, Any]]:
    entry, fusion, votes = study.document["entry"], decision.fusion, decision.votes
    span = [study.document["study"][key] for key in ("start", "end")]
    profile = study.inputs.profile
    starts, ends = profile.study_start, profile.study_end
    is_inside = (starts is None or decision.known_at > starts) and (
        ends is None or decision.known_at <= ends
    )
    is_required = entry["alignment_required"]
    is_4h = entry["cadence"] == "4h"
    return [
        _gate(
            "scored", fusion["fusion_score"] is not None,
            "trends and a domain score known", fusion["fusion_score"],
        ),
        _gate(
            "in_atr_band", fusion["is_in_atr_band"],
            f"ATR rank within {entry['atr_rank_floor']:g} to {entry['atr_rank_cap']:g}",
            votes["atr_rank_100"],
        ),
        _gate(
            "aligned", fusion["is_aligned"] or not is_required,
            "alignment at least 1" if is_required else "any alignment",
            fusion["alignment"],
        ),
        _gate(
            "in_study", is_inside,
            "within " + " to ".join(moment or "any time" for moment in span),
            decision.known_at,
        ),
        _gate(
            "eligible", decision.bar.is_eligible,
            "first bar of its 4 hours to pass the gates above" if is_4h
            else "every bar that passes the gates above",
            decision.bar_ts,
        ),
    ]  # fmt: skip


def _signal_gates(study: Study, decision: Decision) -> list[dict[str, Any]]:
    bar, fusion = decision.bar, decision.fusion
    streak = decision.threshold_shift
    asked = float(sum_of_decimals(decision.bar.threshold, streak))
    veto = bar.net_veto_long if bar.side > 0 else bar.net_veto_short
    rules = study.inputs.profile.rules
    losses = decision.state.account.loss_streak
    why = f" ({streak:g} of it for {losses} losses in a row)" if streak else ""
    if abs(fusion["regime_shift"]) >= WORTH_SAYING:
        why += f" ({fusion['regime_shift']:+.4f} for the regime {fusion['regime']})"
    return [
        _gate(
            "sided", bar.side != FLAT, "votes or score give a side",
            f"{fusion['side'] or 'none'}, {fusion['votes_long']} long to "
            f"{fusion['votes_short']} short",
        ),
        _gate(
            "confident", bar.confidence >= asked,
            f"confidence at least {asked:.4g}{why}", bar.confidence,
        ),
        _gate(
            "admitted", bar.side != FLAT and veto < rules.veto_limit,
            f"net macro veto below {rules.veto_limit:g}",
            veto if bar.side != FLAT else None,
        ),
        _gate(
            "no_macro_exit",
            bar.side == FLAT or not is_macro_exit(bar.side, bar, rules),
            "no macro exit in force: " + _macro_exits(study),
            f"{_figure(veto)} and {_figure(bar.vix)}" if bar.side != FLAT else None,
        ),
    ]  # fmt: skip


def _account_gates(study: Study, decision: Decision) -> list[dict[str, Any]]:
    account, position = decision.state.account, decision.state.position
    bar, rules = decision.bar, study.inputs.profile.rules
    since = decision.index - account.last_exit_index
    is_flat = position.side == FLAT
    return [
        _gate(
            "free", is_flat or position.side == -bar.side,
            "flat, or a position of the other side",
            "flat" if is_flat else f"{SIDES[position.side]} open",
        ),
        _gate(
            "cooled_down", not is_flat or since >= rules.cooldown_bars,
            f"{rules.cooldown_bars} bars since the last exit",
            since if since < 2**39 else None,
        ),
        _gate(
            "stop_known", bar.atr_20 > 0, "atr_20 known, so that a stop can be placed",
            bar.atr_20,
        ),
    ]  # fmt: skip


def gates_at(study: Study, decision: Decision) -> list[dict[str, Any]]:
    """Return every gate between a close and an entry, in order."""
    return [
        *_market_gates(study, decision),
        *_signal_gates(study, decision),
        *_account_gates(study, decision),
    ]
