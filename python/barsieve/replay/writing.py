"""Writing of a ledger: each leg, trade and stop where it happens, for both kernels."""

import numpy as np

from barsieve.core.numba_cache import compiled
from barsieve.replay.ledger import ENTRY, EXIT, FUNDING, PARTIAL
from barsieve.replay.records import replaced
from barsieve.replay.state import NO_FILL, NO_REASON, Bar, Fill, Orders, Position


@compiled
def write_leg(
    legs: np.recarray,
    n_legs: int,
    trade: int,
    kind: int,
    bar: Bar,
    fill: Fill,
    position: float,
    balance: float,
) -> int:
    """Write a leg of a trade; return how many legs there are.

    `position` is the signed quantity after it, `balance` the account's, USD.
    """
    leg = legs[n_legs]
    leg.trade = trade
    leg.kind = kind
    leg.index = bar.index
    leg.price = fill.price
    leg.qty = fill.qty
    leg.amount = fill.amount
    leg.fee = fill.fee
    leg.slippage = fill.slippage
    leg.position = position
    leg.balance = balance
    leg.nth = n_legs
    return n_legs + 1


@compiled
def _end_trade(
    trade: np.record, bar: Bar, bars_held: int, reason: int, shift: float
) -> None:
    trade.exit_index = bar.index
    trade.bars_held = bars_held
    trade.exit_reason = reason
    trade.shift_after = shift


@compiled
def write_funding(
    legs: np.recarray,
    n_legs: int,
    trade: int,
    bar: Bar,
    position: Position,
    funding: float,
    balance: float,
) -> int:
    """Write funding that a position received at the open, if any."""
    if funding == 0.0:
        return n_legs
    paid = replaced(NO_FILL, qty=position.qty, price=bar.open, amount=funding)
    held = position.side * position.qty
    return write_leg(legs, n_legs, trade, FUNDING, bar, paid, held, balance)


@compiled
def write_exit(
    legs: np.recarray,
    trades: np.recarray,
    n_legs: int,
    trade: int,
    bar: Bar,
    fill: Fill,
    bars_held: int,
    shift: float,
    balance: float,
) -> int:
    """Write the exit that ends a trade, if it was filled.

    `shift` is what the streak of losses adds to the threshold from this close on.
    """
    if not fill.qty > 0.0:
        return n_legs
    _end_trade(trades[trade], bar, bars_held, fill.reason, shift)
    return write_leg(legs, n_legs, trade, EXIT, bar, fill, 0.0, balance)


@compiled
def write_ordered_exit(
    legs: np.recarray,
    trades: np.recarray,
    n_legs: int,
    trade: int,
    bar: Bar,
    position: Position,
    fill: Fill,
    shift: float,
    balance: float,
) -> int:
    """Write the exit or partial that the open filled, if any; `position` before it."""
    if fill.qty > 0.0 and fill.reason == NO_REASON:
        left = position.side * (position.qty - fill.qty)
        return write_leg(legs, n_legs, trade, PARTIAL, bar, fill, left, balance)
    return write_exit(
        legs, trades, n_legs, trade, bar, fill, position.bars_held, shift, balance
    )


@compiled
def write_entry(
    legs: np.recarray,
    trades: np.recarray,
    n_legs: int,
    number: int,
    symbol: int,
    bar: Bar,
    orders: Orders,
    fill: Fill,
    balance: float,
) -> int:
    """Write an entry that was filled, which begins the trade of a number."""
    trade = trades[number]
    trade.side = orders.entry_side
    trade.decision_index = orders.entry_index
    trade.entry_index = bar.index
    trade.confidence = orders.entry_confidence
    trade.risk_distance = orders.entry_risk_distance
    trade.threshold = orders.entry_threshold
    trade.loss_streak = orders.entry_streak
    trade.shortfall = 0.0
    trade.symbol = symbol
    held = orders.entry_side * fill.qty
    return write_leg(legs, n_legs, number, ENTRY, bar, fill, held, balance)


@compiled
def write_stop(
    stops: np.recarray,
    n_stops: int,
    written: int,
    trade: int,
    bar: Bar,
    stop: float,
    reason: int,
) -> int:
    """Write the stop that a bar tested, unless the trade's last one stays in force.

    `written` is the position of that one, -1 without any; `reason` is NO_REASON where
    no stop was tested. Returns how many stops there are.
    """
    if len(stops) == 0 or reason == NO_REASON:
        return n_stops
    if written >= 0 and stops[written].stop == stop:
        return n_stops
    move = stops[n_stops]
    move.trade = trade
    move.index = bar.index
    move.stop = stop
    move.reason = reason
    return n_stops + 1


@compiled
def write_shortfall(
    legs: np.recarray, trades: np.recarray, n_legs: int, shortfall: float
) -> None:
    """Write what a liquidated account did not pay: of the trade that ended last.

    At the close before the account was worth something, and it holds nothing now; so
    the last leg is the exit of that trade.
    """
    if n_legs > 0:
        leg = legs[n_legs - 1]
        leg.balance = 0.0
        trades[leg.trade].shortfall = shortfall
