"""Answers in one document each: what to do at the next open, and why a trade was."""

from datetime import datetime
from typing import Any

from barsieve.analysis.decision import (
    HOUR,
    Decision,
    action_of,
    decision_at,
    domain_votes,
    input_ages,
    last_known,
    order_of,
    position_of,
    signals_in_force,
)
from barsieve.analysis.gates import WORTH_SAYING, gates_at
from barsieve.analysis.session import Study
from barsieve.core.errors import refuse
from barsieve.core.prices import shown_price
from barsieve.replay.runs import replay
from barsieve.replay.state import BREAK_EVEN, REASONS, STOP, TARGET, TRAIL, VOLUME_TRAP

RESTING = [REASONS[code] for code in (STOP, BREAK_EVEN, TRAIL, VOLUME_TRAP, TARGET)]


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
        {"kind": KINDS[leg.kind], "price": float(leg.price), "qty": float(leg.quantity)}
        for leg in legs[legs.index == index + 1]
    ]


def find_trade(study: Study, trade_id: int, replayed: str) -> dict[str, Any]:
    """Return a trade of the built table, with the position of its bars.

    Raises InputError for a number that the profile's replay does not have.
    """
    name = study.inputs.profile.profile
    found = study.scratch.rows(
        "select trades.*, decided.bar_index - 1 as decision_index, "
        "left_at.bar_index - 1 as exit_index from {trades} as trades "
        "join {bars_1h} as decided on decided.symbol = trades.symbol "
        "and decided.bar_ts = trades.decision_ts "
        "join {bars_1h} as left_at on left_at.symbol = trades.symbol "
        "and left_at.bar_ts = trades.exit_ts "
        "where replayed = ? and profile = ? and trade_id = ?",
        replayed, name, trade_id,
    )  # fmt: skip
    if found:
        return found[0]
    count = study.scratch.rows(
        "select count(*) as n from {trades} where replayed = ? and profile = ?",
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
        "select * exclude (replayed, profile, symbol, trade_id) from {trade_legs} "
        "where replayed = ? and profile = ? and trade_id = ? order by leg",
        replayed, trade["profile"], trade_id,
    )  # fmt: skip
    stops = study.scratch.rows(
        "select bar_ts, stop, reason from {trade_stops} "
        "where replayed = ? and profile = ? and trade_id = ? order by bar_ts",
        replayed, trade["profile"], trade_id,
    )  # fmt: skip
    read = _read_at_close(study, decision)
    distance = decision.state.orders.entry_risk_distance
    return {
        "trade": trade,
        "risk_distance": distance,
        "risk_share": decision.state.orders.entry_risk_share,
        "loss_streak": trade["loss_streak"],
        **read,
        "legs": legs,
        "stops": stops,
        "why_entered": _why_entered(study, trade, decision, read),
        "why_left": _why_left(study, trade, stops, distance),
    }


def _why_entered(study, trade, decision: Decision, read) -> str:
    limit = study.inputs.profile.rules.veto_limit
    was_reversed = decision.state.position.side != 0
    text = (
        f"At the close of {decision.known_at:%Y-%m-%d %H:%M} UTC "
        f"{decision.fusion['votes_long']} domains voted long and "
        f"{decision.fusion['votes_short']} short; the confidence of a {trade['side']} "
        f"was {trade['confidence']:.4f}, at least {trade['threshold']:.4f} was asked; "
        f"the net macro veto was {read['net_veto']:.2f}, below {limit:g}, and no macro "
        "exit held."
    )
    if read["loss_streak_shift"]:
        text += (
            f" {trade['loss_streak']} losses in a row had raised the threshold by "
            f"{read['loss_streak_shift']:g}."
        )
    if abs(read["regime_shift"]) >= WORTH_SAYING:
        moved = "raised" if read["regime_shift"] > 0 else "lowered"
        text += (
            f" The regime, {read['regime']}, had {moved} it by "
            f"{abs(read['regime_shift']):.4f}."
        )
    if was_reversed:
        text += " It reversed the position of the other side."
    return text


def _why_left(study: Study, trade: dict[str, Any], stops, distance: float) -> str:
    """Return in words what closed a trade, with the numbers that did.

    `stops` are its rows of `trade_stops`, `distance` is its D.
    """
    reason, rules = trade["exit_reason"], study.inputs.profile.rules
    if reason in RESTING:
        text = _why_resting_order(study, trade, stops, distance)
        if trade["shortfall"] > 0:
            text += f" The account could not pay {trade['shortfall']:,.2f} USD of it."
        return text
    if reason == "liquidation":
        return (
            f"At the close of {trade['exit_ts'] + HOUR:%Y-%m-%d %H:%M} UTC the account "
            f"was worth nothing: all was closed at {shown_price(trade['exit_price'])}, "
            f"and {trade['shortfall']:,.2f} USD could not be paid."
        )
    if reason == "end_of_data":
        return "The data end while it was open: closed at the last close."
    bar = study.inputs.bars[trade["exit_index"] - 1]
    closed_at = f"{trade['exit_ts']:%Y-%m-%d %H:%M} UTC"
    if reason == "time":
        return (
            f"At the close of {closed_at} it had been held for {trade['bars_held']} "
            f"bars; the time stop is {rules.time_stop_bars}."
        )
    if reason == "reversal":
        return (
            f"At the close of {closed_at} the entry predicate held for the other side."
        )
    if reason != "macro":
        return f"At the close of {closed_at} the exit '{reason}' was ordered."
    veto = bar.net_veto_long if trade["side"] == "long" else bar.net_veto_short
    held = []  # What is switched off is NaN, which nothing reaches.
    if veto >= rules.macro_exit_veto:
        held.append(
            f"the net veto was {veto:.2f}, at or above {rules.macro_exit_veto:g}"
        )
    if bar.vix >= rules.vix_exit:
        held.append(f"VIX was {bar.vix:.2f}, at or above {rules.vix_exit:g}")
    return f"At the close of {closed_at} the macro exit held: {' and '.join(held)}."


def _why_resting_order(study: Study, trade: dict[str, Any], stops, distance) -> str:
    """Return which resting order was hit, at the level that was in force."""
    reason, side = trade["exit_reason"], 1 if trade["side"] == "long" else -1
    level = stops[-1]["stop"]
    if reason == "target":
        target_r = study.inputs.profile.rules.target_r
        level = trade["entry_price"] + side * target_r * distance
    names = {
        "stop": "the initial stop", "break_even": "the stop at break-even",
        "trail": "the trailing stop", "target": "the target",
        "volume_trap": "the stop that a burst of volume had pulled close",
    }  # fmt: skip
    is_gap = side * (trade["exit_price"] - level) != 0
    how = "opened beyond" if is_gap else "reached"
    return (
        f"The bar of {trade['exit_ts']:%Y-%m-%d %H:%M} UTC {how} {names[reason]} at "
        f"{shown_price(level)} and filled at {shown_price(trade['exit_price'])}."
    )


def age_of(document: dict[str, Any], now: datetime) -> float:
    """Return how many hours ago the last bar of a signal closed."""
    return (now - document["known_at"]) / HOUR
