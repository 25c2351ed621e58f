"""The gates of an entry at one close: what each asks, what it found, whether it passed.

In the order of `report_screening`; all pass exactly when the step orders an entry.
"""

from typing import Any

import numpy as np

from barsieve.decisions import SIDES, Decision
from barsieve.replay.state import FLAT
from barsieve.rerun import Study


def _gate(name: str, passed: bool, asks: str, found: str) -> dict[str, Any]:
    return {"gate": name, "passed": bool(passed), "asks": asks, "found": found}


def _figure(value: float | None, pattern: str = ".4g") -> str:
    return "unknown" if value is None or np.isnan(value) else format(value, pattern)


def threshold_at(study: Study, decision: Decision) -> tuple[float, float]:
    """Return the threshold of the bar, and what a streak of losses adds to it."""
    rules, account = study.inputs.profile, decision.state.account
    is_streak = account.loss_streak >= rules.loss_streak_trades
    added = rules.loss_streak_shift if is_streak else 0.0
    return float(decision.bar.threshold), added


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
            "trends and a domain score known", _figure(fusion["fusion_score"]),
        ),
        _gate(
            "in_atr_band", fusion["is_in_atr_band"],
            f"ATR rank within {entry['atr_rank_floor']:g} to {entry['atr_rank_cap']:g}",
            _figure(votes["atr_rank_100"]),
        ),
        _gate(
            "aligned", fusion["is_aligned"] or not is_required,
            "trends align" if is_required else "alignment is not required",
            f"alignment {_figure(fusion['alignment'])}",
        ),
        _gate(
            "in_study", is_inside,
            "within " + " to ".join(moment or "any time" for moment in span),
            f"{decision.known_at:%Y-%m-%d %H:%M}",
        ),
        _gate(
            "eligible", decision.bar.is_eligible,
            "first bar of its 4 hours to pass the gates above" if is_4h
            else "every bar that passes the gates above",
            f"{decision.bar_ts:%H:%M}",
        ),
    ]  # fmt: skip


def _signal_gates(study: Study, decision: Decision) -> list[dict[str, Any]]:
    bar, fusion = decision.bar, decision.fusion
    threshold, streak = threshold_at(study, decision)
    asked = threshold + streak
    veto = bar.net_veto_long if bar.side > 0 else bar.net_veto_short
    limit = study.inputs.profile.veto_limit
    losses = decision.state.account.loss_streak
    why = f" ({streak:g} of it for {losses} losses in a row)" if streak else ""
    return [
        _gate(
            "sided", bar.side != FLAT, "votes or score give a side",
            f"{fusion['side'] or 'none'}, {fusion['votes_long']} long to "
            f"{fusion['votes_short']} short",
        ),
        _gate(
            "confident", bar.confidence >= asked,
            f"confidence at least {asked:.4g}{why}", _figure(bar.confidence),
        ),
        _gate(
            "admitted", bar.side != FLAT and veto < limit,
            f"net macro veto below {limit:g}",
            _figure(veto, ".3g") if bar.side != FLAT else "no side",
        ),
    ]  # fmt: skip


def _account_gates(study: Study, decision: Decision) -> list[dict[str, Any]]:
    (account, position, _), bar = decision.state, decision.bar
    rules = study.inputs.profile
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
            f"{since} bars" if since < 2**39 else "no exit yet",
        ),
        _gate(
            "stop_known", bar.atr_20 > 0, "ATR known, so that a stop can be placed",
            f"ATR {_figure(bar.atr_20)}",
        ),
    ]  # fmt: skip


def gates_at(study: Study, decision: Decision) -> list[dict[str, Any]]:
    """Return every gate between a close and an entry, in order."""
    return [
        *_market_gates(study, decision),
        *_signal_gates(study, decision),
        *_account_gates(study, decision),
    ]
