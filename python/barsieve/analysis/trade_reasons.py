"""Reasons of trades in words: why each was entered and left, told here alone."""

import json
from typing import Any

import duckdb
import pyarrow as pa

from barsieve.analysis.gates import WORTH_SAYING, Close, gates_of_close, shown
from barsieve.core import schemas
from barsieve.core.arrow import matching, rows_of
from barsieve.core.prices import shown_price
from barsieve.profiles.settings import Profile, read_profiles
from barsieve.replay.state import BREAK_EVEN, REASONS, STOP, TARGET, TRAIL, VOLUME_TRAP

RESTING = {
    REASONS[code]: words
    for code, words in {
        STOP: "the initial stop",
        BREAK_EVEN: "the stop at break-even",
        TRAIL: "the trailing stop",
        VOLUME_TRAP: "the stop that a burst of volume had pulled close",
        TARGET: "the target",
    }.items()
}
"""The orders that rest in the market, by the reason of the exit that they make."""


def close_of_trade(decision: dict[str, Any]) -> Close:
    """Return the close of a row of `trade_decisions` as the gates see it."""
    return Close(**{name: decision[name] for name in Close._fields})


def why_entered(decision: dict[str, Any], profile: Profile) -> str:
    """Return in words why a trade, a row of `trade_decisions`, was entered."""
    close = close_of_trade(decision)
    text = (
        f"At the close of {close.known_at:%Y-%m-%d %H:%M} UTC "
        f"{close.votes_long} domains voted long and {close.votes_short} short; the "
        f"confidence of a {close.side} was {close.confidence:.4f}, at least "
        f"{close.threshold:.4f} was asked; the net macro veto was "
        f"{close.net_veto:.2f}, below {profile.rules.veto_limit:g}, and no "
        "macro exit held."
    )
    if close.streak_shift:
        text += (
            f" {close.loss_streak} losses in a row had raised the threshold by "
            f"{close.streak_shift:g}."
        )
    if abs(close.regime_shift) >= WORTH_SAYING:
        moved = "raised" if close.regime_shift > 0 else "lowered"
        text += (
            f" The regime, {close.regime}, had {moved} it by "
            f"{abs(close.regime_shift):.4f}."
        )
    if decision["is_reversal"]:
        text += " It reversed the position of the other side."
    return text


def _why_resting_order(decision: dict[str, Any], profile: Profile) -> str:
    """Return which resting order was hit, at the level that was in force."""
    reason, side = decision["exit_reason"], 1 if decision["side"] == "long" else -1
    level = decision["last_stop"]
    if reason == REASONS[TARGET]:
        reach = side * profile.rules.target_r * decision["risk_distance"]
        level = decision["entry_price"] + reach
    is_gap = side * (decision["exit_price"] - level) != 0
    how = "opened beyond" if is_gap else "reached"
    text = (
        f"The bar of {decision['exit_ts']:%Y-%m-%d %H:%M} UTC {how} {RESTING[reason]} "
        f"at {shown_price(level)} and filled at {shown_price(decision['exit_price'])}."
    )
    if decision["shortfall"] > 0:
        text += f" The account could not pay {decision['shortfall']:,.2f} USD of it."
    return text


def _macro_exits_that_held(decision: dict[str, Any], profile: Profile) -> str:
    veto, vix, held = decision["exit_net_veto"], decision["exit_vix"], []
    limit, level = profile.rules.macro_exit_veto, profile.rules.vix_exit
    # What is switched off is NaN, which nothing reaches.
    if veto is not None and veto >= limit:
        held.append(f"the net veto was {veto:.2f}, at or above {limit:g}")
    if vix is not None and vix >= level:
        held.append(f"VIX was {vix:.2f}, at or above {level:g}")
    return " and ".join(held)


def why_left(decision: dict[str, Any], profile: Profile) -> str:
    """Return in words what closed a trade, a row of `trade_decisions`."""
    reason, exit_ts = decision["exit_reason"], decision["exit_ts"]
    if reason in RESTING:
        return _why_resting_order(decision, profile)
    if reason == "liquidation":
        closed_at = decision["exit_known_at"]
        return (
            f"At the close of {closed_at:%Y-%m-%d %H:%M} UTC the account was "
            f"worth nothing: all was closed at {shown_price(decision['exit_price'])}, "
            f"and {decision['shortfall']:,.2f} USD could not be paid."
        )
    if reason == "delisted":
        return (
            f"No bar had come for {profile.rules.delisted_after_hours:g} hours at "
            f"{exit_ts:%Y-%m-%d %H:%M} UTC: left at the last close."
        )
    if reason == "end_of_data":
        return "The data end while it was open: closed at the last close."
    at_the_close = f"At the close of {exit_ts:%Y-%m-%d %H:%M} UTC "
    if reason == "time":
        return at_the_close + (
            f"it had been held for {decision['bars_held']} bars; the time stop is "
            f"{profile.rules.time_stop_bars}."
        )
    if reason == "reversal":
        return at_the_close + "the entry predicate held for the other side."
    if reason != "macro":
        return at_the_close + f"the exit '{reason}' was ordered."
    held = _macro_exits_that_held(decision, profile)
    return at_the_close + f"the macro exit held: {held}."


def _reasons(
    decision: dict[str, Any], profile: Profile, document: dict[str, Any]
) -> dict[str, Any]:
    gates = gates_of_close(close_of_trade(decision), profile, document)
    return {
        "profile": profile.profile,
        "symbol": profile.symbol,
        "trade_id": decision["trade_id"],
        "why_entered": why_entered(decision, profile),
        "why_left": why_left(decision, profile),
        "gates": [gate._asdict() | {"found": shown(gate.found)} for gate in gates],
    }


def _documents(profiles: duckdb.DuckDBPyRelation) -> dict[str, dict[str, Any]]:
    """Return the settings of each profile as its file has them."""
    rows = rows_of(profiles.select("profile", "document"))
    return {row["profile"]: json.loads(row["document"]) for row in rows}


def trade_reasons(
    profiles: duckdb.DuckDBPyRelation, decisions: duckdb.DuckDBPyRelation
) -> pa.Table:
    """Return the trades of the full replay in words: the rows of `trade_reasons`.

    Parameters are the relations `config_symbols` and `trade_decisions`.
    """
    rows: list[dict[str, Any]] = []
    documents = _documents(profiles)
    for profile in read_profiles(profiles):
        name = profile.profile
        own = matching(decisions, profile=name, symbol=profile.symbol).order("trade_id")
        rows += [_reasons(row, profile, documents[name]) for row in rows_of(own)]
    return pa.Table.from_pylist(rows, schema=schemas.TRADE_REASONS)
