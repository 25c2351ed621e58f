"""Answers in one document each: what to do at the next open, and why a trade was."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from barsieve.analysis.decision import (
    HOUR,
    SIDES,
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
from barsieve.analysis.session import Study, Traded
from barsieve.analysis.trade_reasons import why_entered, why_left
from barsieve.core.errors import refuse
from barsieve.learning.exits.others import with_other_exits
from barsieve.replay.decimals import sum_of_decimals
from barsieve.replay.runs import FULL, HOUR_US, Inputs, replay
from barsieve.replay.state import FLAT, REASONS


def _read_at_close(traded: Traded, decision: Decision) -> dict[str, Any]:
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
        "votes": domain_votes(traded, decision),
        "gates": gates_at(traded, decision),
        "signals": signals_in_force(traded, decision),
    }


def signal(traded: Traded, at: datetime | None, replayed: str) -> dict[str, Any]:
    """Return what the replay would do at the open after the last bar known at a moment.

    `at` is None for the last bar of all. `filled` is what the replay did at that open,
    where the bar is already known.
    """
    index = last_known(traded, at)
    decision = decision_at(traded, index, replayed)
    account = decision.state.account
    return {
        "profile": traded.profile.profile,
        "symbol": traded.profile.symbol,
        "mode": replayed,
        "bar_ts": decision.bar_ts,
        "known_at": decision.known_at,
        "close": float(decision.bar.close),
        "action": action_of(decision.state),
        "exit_reason": REASONS[decision.state.orders.exit_reason],
        "order": order_of(traded, decision, replayed),
        "position": position_of(traded, decision),
        "balance": account.balance,
        "loss_streak": account.loss_streak,
        **_read_at_close(traded, decision),
        "inputs": input_ages(traded, decision),
        "filled": _filled_after(traded, index, replayed),
    }


def signals(study: Study, at: datetime | None, replayed: str) -> list[dict[str, Any]]:
    """Return what the replay would do with each symbol, a row each, by symbol.

    At the open after the last hour that had closed at a moment, the last of all where
    it is None. A symbol without a bar in that hour has no decision: `action` is None.
    """
    rows = [
        row
        for inputs in study.accounts
        for row in _signals_of_account(study, inputs, at, replayed)
    ]
    return sorted(rows, key=lambda row: row["symbol"])


def _signals_of_account(
    study: Study, inputs: Inputs, at: datetime | None, replayed: str
) -> Iterator[dict[str, Any]]:
    closed = inputs.hours
    if at is not None:
        closed = closed[closed + HOUR_US <= at.timestamp() * 1e6]
    if not len(closed):
        return
    seen = inputs.until(int(closed[-1]))
    run = replay(seen, replayed)
    for part, state in zip(seen.symbols, run.states, strict=True):
        if part.start == part.stop:
            continue
        last = part.stop - 1
        position, bar = state.position, seen.bars[last]
        is_flat = position.side == FLAT
        profit = position.side * (float(bar.close) - position.entry_price)
        has_bar = seen.opens[last] == closed[-1]
        yield {
            "profile": study.profile,
            "symbol": part.symbol,
            "bar_ts": seen.bar_ts[last].as_py(),
            "known_at": seen.known_at[last].as_py(),
            "close": float(bar.close),
            "action": action_of(state) if has_bar else None,
            "confidence": float(bar.confidence),
            "threshold": sum_of_decimals(
                float(bar.threshold), run.outcome.threshold_shift
            ),
            "position": SIDES[position.side],
            "profit_r": None if is_flat else profit / position.risk_distance,
            "balance": state.account.balance,
        }


def _filled_after(traded: Traded, index: int, replayed: str) -> list[dict[str, Any]]:
    """Return the legs that the replay filled in the bar after, if that is known."""
    from barsieve.replay.ledger import KINDS

    if index + 1 == traded.part.stop:
        return []
    legs = replay(traded.inputs, replayed).legs
    return [
        {"kind": KINDS[leg.kind], "price": float(leg.price), "qty": float(leg.qty)}
        for leg in legs[legs.index == index + 1]
    ]


def find_trade(
    study: Study, trade_id: int, symbol: str | None, replayed: str
) -> dict[str, Any]:
    """Return a trade of the built table.

    Raises InputError for a number that the profile's replay does not have, and where
    the accounts of several symbols have it and none is named.
    """
    name, scratch = study.profile, study.scratch
    if symbol is not None:
        study.on(symbol)
    asked = "replayed = ? and profile = ? and (? is null or symbol = ?)"
    values = (replayed, name, symbol, symbol)
    found = scratch.rows(
        f"select * from {{replay_trades}} where {asked} and trade_id = ? "
        "order by symbol",
        *values, trade_id,
    )  # fmt: skip
    if len(found) == 1:
        return found[0]
    of_symbol = f" of {symbol}" if symbol else ""
    if found:
        refuse(
            str(scratch.path),
            f"trade {trade_id} of {name}",
            expected="the symbol of one of them",
            found=f"trades of {', '.join(trade['symbol'] for trade in found)}",
            fix="name the symbol (--symbol)",
        )
    last = scratch.rows(
        f"select max(trade_id) as n from {{replay_trades}} where {asked}", *values
    )[0]["n"]
    refuse(
        str(scratch.path),
        f"trades of {name}{of_symbol}, {replayed}",
        expected=f"a number from 1 to {last}" if last else "a trade",
        found=f"{trade_id}",
        fix="barsieve replay lists the last ones"
        if last
        else "the replay of this profile has none",
    )


def explain(
    study: Study, trade_id: int, replayed: str, symbol: str | None = None
) -> dict[str, Any]:
    """Return a trade of the built table with all that it was decided upon, and why.

    Raises InputError as `find_trade` does.
    """
    trade = find_trade(study, trade_id, symbol, replayed)
    traded, scratch = study.on(trade["symbol"]), study.scratch
    decided, left = (
        index_of(traded, trade[name]) for name in ("decision_ts", "exit_ts")
    )
    trade |= {"decision_index": decided, "exit_index": left}
    decision = decision_at(traded, decided, replayed)
    key = (replayed, trade["profile"], trade["symbol"], trade_id)
    of_trade = "where replayed = ? and profile = ? and symbol = ? and trade_id = ?"
    legs = scratch.rows(
        "select * exclude (replayed, profile, symbol, account, trade_id) "
        f"from {{replay_legs}} {of_trade} order by leg",
        *key,
    )
    stops = scratch.rows(
        f"select bar_ts, stop, reason from {{replay_stops}} {of_trade} order by bar_ts",
        *key,
    )
    paths = (
        []
        if replayed != FULL
        else scratch.rows(
            "select * from {report_paths} where profile = ? and symbol = ? "
            "and trade_id = ? order by bars_held",
            *key[1:],
        )
    )
    [told] = scratch.rows(f"select * from {{evaluation_decisions}} {of_trade}", *key)
    return {
        "trade": trade,
        "risk_distance": decision.state.orders.entry_risk_distance,
        "risk_share": decision.state.orders.entry_risk_share,
        "loss_streak": trade["loss_streak"],
        **_read_at_close(traded, decision),
        "legs": legs,
        "stops": stops,
        "other_exits": list(with_other_exits(paths, trade["r_multiple"])),
        "why_entered": why_entered(told, traded.profile),
        "why_left": why_left(told, traded.profile),
    }


def age_of(document: dict[str, Any], now: datetime) -> float:
    """Return how many hours ago the last bar of a signal closed."""
    age: float = (now - document["known_at"]) / HOUR
    return age
