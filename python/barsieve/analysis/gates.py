"""Gates of an entry in words: what each asks, what it found, whether it passed.

Told here alone of one close, to `trade_reasons` and `explain`; `gate_counts` tells what
the gates ask of all bars of a profile. All pass exactly when the step orders an entry.
"""

from datetime import datetime
from math import isnan
from typing import Any, NamedTuple

from barsieve.analysis.decision import SIDES, Decision
from barsieve.analysis.gate_counts import macro_limits, sides_asked
from barsieve.analysis.session import Traded
from barsieve.profiles.rules import Rules
from barsieve.profiles.settings import Profile
from barsieve.replay.decimals import sum_of_decimals
from barsieve.replay.exits import is_macro_exit
from barsieve.replay.state import FLAT

# A shift that would be printed as 0.0000.
WORTH_SAYING = 5e-5


class Close(NamedTuple):
    """Close as the gates of an entry see it; names as in `trade_decisions`.

    `threshold` is what is asked, with `streak_shift` and `regime_shift` in it;
    `net_veto` that of the side.
    """

    bar_ts: datetime
    known_at: datetime
    fusion_score: float | None
    is_in_atr_band: bool
    atr_rank_100: float | None
    is_in_study: bool
    is_aligned: bool
    alignment: float | None
    is_eligible: bool
    side: str | None
    votes_long: int
    votes_short: int
    confidence: float | None
    threshold: float
    streak_shift: float
    loss_streak: int
    regime: str
    regime_shift: float
    net_veto: float | None
    vix: float | None
    is_macro_exit: bool


# What a close takes from its row of `fusion_scores` as it stands there.
OF_FUSION = (
    "fusion_score",
    "is_in_atr_band",
    "is_in_study",
    "is_aligned",
    "alignment",
    "side",
    "votes_long",
    "votes_short",
    "regime",
    "regime_shift",
)


class Gate(NamedTuple):
    """A gate at one close. `found` is a number, a moment, a text, or unknown."""

    gate: str
    passed: bool
    asks: str
    found: float | int | datetime | str | None


def _gate(name: str, passed: bool, asks: str, found: Any) -> Gate:
    if isinstance(found, float):
        found = None if isnan(found) else float(found)
    return Gate(name, bool(passed), asks, found)


def shown(found: Any) -> str:
    """Return what a gate found as it is printed; a dash for the unknown."""
    if isinstance(found, datetime):
        return f"{found:%Y-%m-%d %H:%M}"
    if isinstance(found, str):
        return found
    return "-" if found is None else f"{found:.4g}"


def _figure(value: float | None) -> str:
    return "unknown" if value is None or isnan(value) else f"{value:.4g}"


def _market_gates(close: Close, document: dict[str, Any]) -> list[Gate]:
    entry = document["entry"]
    span = [document["study"][key] for key in ("start", "end")]
    is_required = entry["alignment_required"]
    is_4h = entry["cadence"] == "4h"
    return [
        _gate(
            "scored", close.fusion_score is not None,
            "trends and a domain score known", close.fusion_score,
        ),
        _gate(
            "in_atr_band", close.is_in_atr_band,
            f"ATR rank within {entry['atr_rank_floor']:g} to {entry['atr_rank_cap']:g}",
            close.atr_rank_100,
        ),
        _gate(
            "aligned", close.is_aligned or not is_required,
            "alignment at least 1" if is_required else "any alignment",
            close.alignment,
        ),
        _gate(
            "in_study", close.is_in_study,
            "within " + " to ".join(moment or "any time" for moment in span),
            close.known_at,
        ),
        _gate(
            "eligible", close.is_eligible,
            "first bar of its 4 hours to pass the gates above" if is_4h
            else "every bar that passes the gates above",
            close.bar_ts,
        ),
    ]  # fmt: skip


def _raised(close: Close) -> str:
    """Return what raised the threshold, in brackets; nothing where nothing did."""
    why = ""
    if close.streak_shift:
        losses = close.loss_streak
        why += f" ({close.streak_shift:g} of it for {losses} losses in a row)"
    if abs(close.regime_shift) >= WORTH_SAYING:
        why += f" ({close.regime_shift:+.4f} for the regime {close.regime})"
    return why


def _signal_gates(close: Close, rules: Rules, sides: str) -> list[Gate]:
    is_sided = close.side is not None and sides in ("both", close.side)
    is_confident = close.confidence is not None and close.confidence >= close.threshold
    is_admitted = close.net_veto is not None and close.net_veto < rules.veto_limit
    limits = macro_limits(rules.macro_exit_veto, rules.vix_exit, "g")
    return [
        _gate(
            "sided", is_sided, sides_asked(sides),
            f"{close.side or 'none'}, {close.votes_long} long to "
            f"{close.votes_short} short",
        ),
        _gate(
            "confident", is_confident,
            f"confidence at least {close.threshold:.4g}{_raised(close)}",
            close.confidence,
        ),
        _gate(
            "admitted", is_sided and is_admitted,
            f"net macro veto below {rules.veto_limit:g}",
            close.net_veto if is_sided else None,
        ),
        _gate(
            "no_macro_exit", not (is_sided and close.is_macro_exit),
            "no macro exit in force: "
            + (" and ".join(limits) or "the profile has none"),
            f"{_figure(close.net_veto)} and {_figure(close.vix)}" if is_sided else None,
        ),
    ]  # fmt: skip


def gates_of_close(
    close: Close, profile: Profile, document: dict[str, Any]
) -> list[Gate]:
    """Return the gates that market and signal must pass, in order.

    `document` has the settings of the profile as its file has them.
    """
    return [
        *_market_gates(close, document),
        *_signal_gates(close, profile.rules, document["entry"]["sides"]),
    ]


def _account_gates(traded: Traded, decision: Decision) -> list[Gate]:
    account, position = decision.state.account, decision.state.position
    bar, rules = decision.bar, traded.profile.rules
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


def close_of(traded: Traded, decision: Decision) -> Close:
    """Return what the gates see of the close of a decision."""
    bar, fusion = decision.bar, decision.fusion
    rules, streak = traded.profile.rules, decision.threshold_shift
    veto = float(bar.net_veto_long if bar.side > 0 else bar.net_veto_short)
    return Close(
        bar_ts=decision.bar_ts,
        known_at=decision.known_at,
        atr_rank_100=decision.votes["atr_rank_100"],
        is_eligible=bool(bar.is_eligible),
        confidence=float(bar.confidence),
        threshold=float(sum_of_decimals(bar.threshold, streak)),
        streak_shift=streak,
        loss_streak=decision.state.account.loss_streak,
        net_veto=veto,
        vix=float(bar.vix),
        is_macro_exit=bar.side != FLAT and bool(is_macro_exit(bar.side, bar, rules)),
        **{name: fusion[name] for name in OF_FUSION},
    )


def gates_at(traded: Traded, decision: Decision) -> list[dict[str, Any]]:
    """Return every gate between a close and an entry, in order."""
    close, profile = close_of(traded, decision), traded.profile
    gates = gates_of_close(close, profile, traded.document)
    gates += _account_gates(traded, decision)
    return [gate._asdict() for gate in gates]
