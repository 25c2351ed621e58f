"""Gates of an entry in words: what each asks, what it found, whether it passed.

Told here alone. `report_screening` shows what the gates ask of all bars of a profile,
`trade_reasons` and `explain` what they asked of one close; all pass exactly when the
step orders an entry.
"""

from datetime import datetime
from math import isnan
from typing import Any, NamedTuple

import pyarrow as pa

from barsieve.analysis.decision import SIDES, Decision
from barsieve.analysis.session import Study
from barsieve.core import schemas
from barsieve.core.arrow import rows_of
from barsieve.profiles.rules import Rules
from barsieve.profiles.settings import Profile
from barsieve.replay.decimals import sum_of_decimals
from barsieve.replay.exits import is_macro_exit
from barsieve.replay.state import FLAT

# A shift that would be printed as 0.0000.
WORTH_SAYING = 5e-5


class Close(NamedTuple):
    """What the gates of an entry see of one close; names as in `trade_decisions`.

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


def _is_off(limit: float | None) -> bool:
    """Tell whether a limit is switched off: null in a table, NaN in the rules."""
    return limit is None or isnan(limit)


def _macro_limits(macro_exit_veto: float | None, vix_exit: float | None, kind: str):
    """Return what the macro exits of a profile ask for: net veto and VIX."""
    limits = {"net macro veto": macro_exit_veto, "VIX": vix_exit}
    return [f"{k} below {v:{kind}}" for k, v in limits.items() if not _is_off(v)]


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


def _signal_gates(close: Close, rules: Rules) -> list[Gate]:
    is_sided = close.side is not None
    is_confident = close.confidence is not None and close.confidence >= close.threshold
    is_admitted = close.net_veto is not None and close.net_veto < rules.veto_limit
    limits = _macro_limits(rules.macro_exit_veto, rules.vix_exit, "g")
    return [
        _gate(
            "sided", is_sided, "votes or score give a side",
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
        *_signal_gates(close, profile.rules),
    ]


def _account_gates(study: Study, decision: Decision) -> list[Gate]:
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


def close_of(study: Study, decision: Decision) -> Close:
    """Return what the gates see of the close of a decision."""
    bar, fusion = decision.bar, decision.fusion
    rules, streak = study.inputs.profile.rules, decision.threshold_shift
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


def gates_at(study: Study, decision: Decision) -> list[dict[str, Any]]:
    """Return every gate between a close and an entry, in order."""
    close, profile = close_of(study, decision), study.inputs.profile
    gates = gates_of_close(close, profile, study.document)
    gates += _account_gates(study, decision)
    return [gate._asdict() for gate in gates]


def funnel(counts: dict[str, Any]) -> list[tuple[str, int, str]]:
    """Return the gates over all bars: name, bars left, what it asks of them.

    `counts` is a row of `evaluation_gate_counts`. What is asked comes with the nearest
    that the market came to it.
    """
    of = counts.__getitem__
    limits = _macro_limits(of("macro_exit_veto"), of("vix_exit"), "")
    highest, lowest = of("highest_confidence") or 0, of("lowest_veto") or 0
    covered = 100 * (of("macro_coverage") or 0)
    asked = {
        "bars": "every bar of the symbol",
        "scored": "trends and at least one domain score are known",
        "in_atr_band":
            f"atr_rank_100 within {of('atr_rank_floor')} to {of('atr_rank_cap')}",
        "aligned": "trends align, inside the study" if of("alignment_required")
            else "inside the study (alignment is not required)",
        "eligible": "first such bar of its 4-hour block" if of("cadence") == "4h"
            else "every such bar",
        "sided": "the votes or the score give a side",
        "confident": f"confidence at least {of('entry_threshold')}; "
            f"the highest here is {highest:.3f}",
        "admitted": f"net macro veto below {of('veto_limit')}; the lowest here is "
            f"{lowest:.2f}, and {covered:.0f} % of the signals had their series",
        "no_macro_exit": "no macro exit in force: " + ", ".join(limits) if limits
            else "the profile has no macro exit",
        "entered": "no position of that side was open, no cooldown, no loss streak; "
            f"of the orders {of('lapsed')} lapsed and {of('refused')} were refused",
    }  # fmt: skip
    return [(gate, of(gate), asks) for gate, asks in asked.items()]


def screening_gates(counts) -> pa.Table:
    """Return the gates of every profile: the rows of `evaluation_gates`.

    `counts` is the relation `evaluation_gate_counts`.
    """
    rows = [
        {
            "profile": row["profile"],
            "symbol": row["symbol"],
            "gate_number": number,
            "gate": gate,
            "bars": bars,
            "asks": asks,
        }
        for row in rows_of(counts)
        for number, (gate, bars, asks) in enumerate(funnel(row), 1)
    ]
    return pa.Table.from_pylist(rows, schema=schemas.SCREENING_GATES)
