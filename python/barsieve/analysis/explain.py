"""Answers in one document each: what to do at the next open, and why a trade was."""

from datetime import datetime
from typing import Any

from barsieve.analysis.decision import (
    HOUR,
    Decision,
    action_of,
    decision_at,
    domain_votes,
    index_of,
    input_ages,
    last_known,
    order_of,
    position_of,
    signals_in_force,
)
from barsieve.analysis.gates import gates_at
from barsieve.analysis.session import Study
from barsieve.analysis.trade_reasons import why_entered, why_left
from barsieve.core.errors import refuse
from barsieve.replay.runs import replay
from barsieve.replay.state import REASONS


def _read_at_close(study: Study, decision: Decision) -> dict[str, Any]:
    """Return what a decision was made upon."""
    fusion = decision.fusion
    return {
        "fusion_score": fusion["fusion_score"],
        "side": fusion["side"],
        "confidence": fusion["confidence"],
        "threshold": float(decision.bar.threshold),
        "loss_streak_shift": decision.threshold_shift,
        "regime": fusion["regime"],
        "regime_shift": fusion["regime_shift"],
        "net_veto": fusion["net_veto"],
        "macro_coverage": fusion["macro_coverage"],
        "votes": domain_votes(study, decision),
        "gates": gates_at(study, decision),
        "signals": signals_in_force(study, decision),
    }


def signal(study: Study, at: datetime | None, replayed: str) -> dict[str, Any]:
    """Return what the replay would do at the open after the last bar known at a moment.

    `at` is None for the last bar of all. `filled` is what the replay did at that open,
    where the bar is already known.
    """
    index = last_known(study, at)
    decision = decision_at(study, index, replayed)
    account = decision.state.account
    return {
        "profile": study.inputs.profile.profile,
        "symbol": study.inputs.profile.symbol,
        "mode": replayed,
        "bar_ts": decision.bar_ts,
        "known_at": decision.known_at,
        "close": float(decision.bar.close),
        "action": action_of(decision),
        "exit_reason": REASONS[decision.state.orders.exit_reason],
        "order": order_of(study, decision, replayed),
        "position": position_of(study, decision),
        "balance": account.balance,
        "loss_streak": account.loss_streak,
        **_read_at_close(study, decision),
        "inputs": input_ages(study, decision),
        "filled": _filled_after(study, index, replayed),
    }


def _filled_after(study: Study, index: int, replayed: str) -> list[dict[str, Any]]:
    """Return the legs that the replay filled in the bar after, if that is known."""
    from barsieve.replay.ledger import KINDS

    legs = replay(study.inputs, replayed).legs
    return [
        {"kind": KINDS[leg.kind], "price": float(leg.price), "qty": float(leg.qty)}
        for leg in legs[legs.index == index + 1]
    ]


def find_trade(study: Study, trade_id: int, replayed: str) -> dict[str, Any]:
    """Return a trade of the built table, with the position of its bars.

    Raises InputError for a number that the profile's replay does not have.
    """
    name = study.inputs.profile.profile
    found = study.scratch.rows(
        "select * from {replay_trades} "
        "where replayed = ? and profile = ? and trade_id = ?",
        replayed, name, trade_id,
    )  # fmt: skip
    if found:
        [trade] = found
        return trade | {
            "decision_index": index_of(study, trade["decision_ts"]),
            "exit_index": index_of(study, trade["exit_ts"]),
        }
    count = study.scratch.rows(
        "select count(*) as n from {replay_trades} where replayed = ? and profile = ?",
        replayed, name,
    )[0]["n"]  # fmt: skip
    refuse(
        str(study.scratch.path),
        f"trades of {name}, {replayed}",
        expected=f"a number from 1 to {count}" if count else "a trade",
        found=f"{trade_id}",
        fix="barsieve replay lists the last ones"
        if count
        else "the replay of this profile has none",
    )


def explain(study: Study, trade_id: int, replayed: str) -> dict[str, Any]:
    """Return a trade of the built table with all that it was decided upon, and why.

    Raises InputError for a number that the profile's replay does not have.
    """
    trade = find_trade(study, trade_id, replayed)
    decision = decision_at(study, trade["decision_index"], replayed)
    legs = study.scratch.rows(
        "select * exclude (replayed, profile, symbol, trade_id) from {replay_legs} "
        "where replayed = ? and profile = ? and trade_id = ? order by leg",
        replayed, trade["profile"], trade_id,
    )  # fmt: skip
    stops = study.scratch.rows(
        "select bar_ts, stop, reason from {replay_stops} "
        "where replayed = ? and profile = ? and trade_id = ? order by bar_ts",
        replayed, trade["profile"], trade_id,
    )  # fmt: skip
    [told] = study.scratch.rows(
        "select * from {evaluation_decisions} "
        "where replayed = ? and profile = ? and trade_id = ?",
        replayed, trade["profile"], trade_id,
    )  # fmt: skip
    return {
        "trade": trade,
        "risk_distance": decision.state.orders.entry_risk_distance,
        "risk_share": decision.state.orders.entry_risk_share,
        "loss_streak": trade["loss_streak"],
        **_read_at_close(study, decision),
        "legs": legs,
        "stops": stops,
        "why_entered": why_entered(told, study.inputs.profile),
        "why_left": why_left(told, study.inputs.profile),
    }


def age_of(document: dict[str, Any], now: datetime) -> float:
    """Return how many hours ago the last bar of a signal closed."""
    age: float = (now - document["known_at"]) / HOUR
    return age
