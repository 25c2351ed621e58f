"""The step over many bars: every bar, or only those where something can happen."""

from typing import cast

import numpy as np

from barsieve.core.numba_cache import compiled
from barsieve.profiles.rules import Rules
from barsieve.replay.exits import close_position
from barsieve.replay.ledger import (
    ENTRY,
    EXIT,
    FUNDING,
    PARTIAL,
    Ledger,
    Outcome,
    make_ledger,
    make_stops,
)
from barsieve.replay.records import replaced
from barsieve.replay.sizing import is_ruined
from barsieve.replay.state import (
    END_OF_DATA,
    FLAT,
    FLAT_POSITION,
    NO_FILL,
    NO_ORDERS,
    NO_REASON,
    Account,
    Bar,
    Fill,
    Fills,
    Orders,
    State,
)
from barsieve.replay.step import step, streak_shift

LONG_AGO = -(2**40)


@compiled
def _write_leg(
    leg: np.record, trade: int, kind: int, bar: Bar, fill: Fill, position: float
) -> None:
    leg.trade = trade
    leg.kind = kind
    leg.index = bar.index
    leg.price = fill.price
    leg.qty = fill.qty
    leg.amount = fill.amount
    leg.fee = fill.fee
    leg.slippage = fill.slippage
    leg.position = position


@compiled
def _open_trade(trade: np.record, bar: Bar, orders: Orders) -> None:
    trade.side = orders.entry_side
    trade.decision_index = orders.entry_index
    trade.entry_index = bar.index
    trade.confidence = orders.entry_confidence
    trade.risk_distance = orders.entry_risk_distance
    trade.threshold = orders.entry_threshold
    trade.loss_streak = orders.entry_streak
    trade.shortfall = 0.0


@compiled
def _end_trade(
    trade: np.record,
    bar: Bar,
    bars_held: int,
    reason: int,
    account: Account,
    rules: Rules,
) -> None:
    trade.exit_index = bar.index
    trade.bars_held = bars_held
    trade.exit_reason = reason
    trade.shift_after = streak_shift(account, rules)


@compiled
def _write_stop(
    stops: np.recarray, n_stops: int, trade: int, bar: Bar, fills: Fills, is_new: bool
) -> int:
    """Write the stop that a bar tested, unless it is the one written last."""
    if len(stops) == 0 or fills.stop_reason == NO_REASON:
        return n_stops
    if not is_new and stops[n_stops - 1].stop == fills.stop:
        return n_stops
    move = stops[n_stops]
    move.trade = trade
    move.index = bar.index
    move.stop = fills.stop
    move.reason = fills.stop_reason
    return n_stops + 1


@compiled
def _write_bar(
    legs: np.recarray,
    trades: np.recarray,
    stops: np.recarray,
    counts: tuple[int, int, int],
    bar: Bar,
    before: State,
    fills: Fills,
    account: Account,
    rules: Rules,
) -> tuple[int, int, int]:
    """Write the fills of one bar; return the numbers of legs, trades and stops so far.

    `account` is that after the bar.
    """
    n_legs, n_trades, n_stops = counts
    bars_held, qty = before.position.bars_held, before.position.qty
    side = before.position.side
    if fills.funding != 0.0:
        paid = replaced(NO_FILL, qty=qty, price=bar.open, amount=fills.funding)
        _write_leg(legs[n_legs], n_trades - 1, FUNDING, bar, paid, side * qty)
        n_legs += 1
    out = fills.ordered_exit
    if out.qty > 0.0:
        kind = PARTIAL if out.reason == NO_REASON else EXIT
        left = qty - out.qty if kind == PARTIAL else 0.0
        _write_leg(legs[n_legs], n_trades - 1, kind, bar, out, side * left)
        n_legs += 1
        if kind == EXIT:
            _end_trade(trades[n_trades - 1], bar, bars_held, out.reason, account, rules)
    is_new = fills.entry.qty > 0.0
    if is_new:
        bars_held = 0
        n_trades += 1
        _open_trade(trades[n_trades - 1], bar, before.orders)
        entered = before.orders.entry_side * fills.entry.qty
        _write_leg(legs[n_legs], n_trades - 1, ENTRY, bar, fills.entry, entered)
        n_legs += 1
    n_stops = _write_stop(stops, n_stops, n_trades - 1, bar, fills, is_new)
    out = fills.resting_exit
    if out.qty > 0.0:
        _write_leg(legs[n_legs], n_trades - 1, EXIT, bar, out, 0.0)
        n_legs += 1
        _end_trade(trades[n_trades - 1], bar, bars_held, out.reason, account, rules)
    if fills.is_liquidated:
        out = fills.liquidation
        if out.qty > 0.0:
            _write_leg(legs[n_legs], n_trades - 1, EXIT, bar, out, 0.0)
            n_legs += 1
            _end_trade(
                trades[n_trades - 1], bar, bars_held + 1, out.reason, account, rules
            )
        # What is not paid is of the trade that ended last: at the close before the
        # account was worth something.
        trades[n_trades - 1].shortfall = fills.shortfall
    return n_legs, n_trades, n_stops


@compiled
def fresh_state(balance: float) -> State:
    """Return the state of an account that has never traded."""
    account = Account(balance=balance, loss_streak=0, last_exit_index=LONG_AGO)
    return State(account=account, position=FLAT_POSITION, orders=NO_ORDERS)


@compiled
def _is_idle(state: State) -> bool:
    return state.position.side == FLAT and state.orders.entry_side == FLAT


@compiled
def _next_entry_bar(entry_bars: np.ndarray, cursor: int, index: int) -> int:
    """Move the cursor to the first bar after `index` where an entry may happen."""
    while cursor < len(entry_bars) and entry_bars[cursor] <= index:
        cursor += 1
    return cursor


@compiled
def replay_bars(
    bars: np.recarray,
    rules: Rules,
    start_balance: float,
    entry_bars: np.ndarray,
    is_focused: bool,
    legs: np.recarray,
    trades: np.recarray,
    stops: np.recarray,
) -> Outcome:
    """Step through the bars and write what happens into the ledger.

    The full replay visits every bar. The focused one, while flat with nothing ordered,
    jumps to the next of `entry_bars` (ascending). That skips only bars on which the
    step would change nothing: no position to fund, fill, stop or hold, no order to
    fill, and (where the screen is admissible) no signal to take. `stops` without room
    keeps no path of the stop.
    """
    n_bars = len(bars)
    state = fresh_state(start_balance)
    counts, visited, cursor, index = (0, 0, 0), 0, 0, 0
    refused, lapsed, liquidated = 0, 0, 0
    ruined_index = 0 if n_bars > 0 and is_ruined(start_balance, rules) else -1
    if is_focused:
        index = entry_bars[0] if len(entry_bars) > 0 else n_bars
    while index < n_bars:
        before, bar = state, bars[index]
        state, fills = step(before, bar, rules)
        visited += 1
        # Nothing can have happened to a flat account without an order.
        if not _is_idle(before):
            counts = _write_bar(
                legs, trades, stops, counts, bar, before, fills, state.account, rules
            )
            if before.orders.entry_side != FLAT:
                refused += fills.is_refused
                lapsed += fills.is_lapsed
            if state.position.side == FLAT:
                liquidated += fills.is_liquidated
                if ruined_index < 0 and is_ruined(state.account.balance, rules):
                    ruined_index = index
        if is_focused and _is_idle(state):
            cursor = _next_entry_bar(entry_bars, cursor, index)
            index = entry_bars[cursor] if cursor < len(entry_bars) else n_bars
        else:
            index += 1
    account, position = state.account, state.position
    n_legs, n_trades, n_stops = counts
    shift = streak_shift(account, rules)
    if position.side != FLAT:
        last, held = bars[n_bars - 1], position.bars_held
        account, position, fill = close_position(
            account, position, last.close, END_OF_DATA, last, rules
        )
        _write_leg(legs[n_legs], n_trades - 1, EXIT, last, fill, 0.0)
        n_legs += 1
        _end_trade(trades[n_trades - 1], last, held, END_OF_DATA, account, rules)
    return Outcome(
        trades=n_trades,
        legs=n_legs,
        bars_visited=visited,
        stops=n_stops,
        end_balance=account.balance,
        refused=refused,
        lapsed=lapsed,
        liquidated=liquidated,
        ruined_index=ruined_index,
        threshold_shift=shift,
        state=state,
    )


def replay_into_ledger(
    bars: np.recarray,
    rules: Rules,
    start_balance: float,
    entry_bars: np.ndarray,
    is_focused: bool,
) -> Ledger:
    """Replay the bars into a ledger of their own; arguments as for `replay_bars`."""
    legs, trades = make_ledger(len(bars))
    stops = make_stops(len(bars))
    outcome = replay_bars(
        bars, rules, start_balance, entry_bars, is_focused, legs, trades, stops
    )
    return Ledger(
        outcome=outcome,
        legs=cast(np.recarray, legs[: outcome.legs]),
        trades=cast(np.recarray, trades[: outcome.trades]),
        stops=cast(np.recarray, stops[: outcome.stops]),
    )
