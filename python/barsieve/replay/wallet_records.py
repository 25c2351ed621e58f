"""Records of a wallet at work: what is carried of its account and of each symbol."""

from typing import Any, NamedTuple

import numpy as np

from barsieve.core.numba_cache import compiled_apart
from barsieve.replay.ledger import COUNTS, make_ledger, make_stops
from barsieve.replay.records import store
from barsieve.replay.resume import Resumed
from barsieve.replay.state import (
    FLAT,
    FLAT_POSITION,
    LONG_AGO,
    NO_ORDERS,
    Account,
    Orders,
    Position,
    State,
)

SLOT = np.dtype(
    [
        *Position.__annotations__.items(),
        *Orders.__annotations__.items(),
        ("last_exit_index", np.int64),
        ("row", np.int64),
        ("hour", np.int64),
        ("trade", np.int64),
        ("stop_row", np.int64),
    ],
    align=True,
)
"""What is carried of a symbol: its position, orders and last exit, and its last bar.

While it is active, `row` and `hour` are those of its last bar so far; `trade` is the
number of its trade, `stop_row` where the stop of that was written last, or -1.
"""

PURSE = np.dtype(
    [
        ("balance", np.float64),
        ("threshold_shift", np.float64),
        *(
            (name, np.int64)
            for name in (
                "loss_streak", "n_legs", "n_trades", "n_stops", "n_active", "n_acting",
                "n_entries", "n_ended", "liquidated", "ruined_hour",
            )
        ),
        ("is_ruined", np.bool_),
    ],
    align=True,
)  # fmt: skip
"""What is carried of the account, and how far the lists of a `Wallet` are filled."""


class Wallet(NamedTuple):
    """A wallet at work: arrays that the hours change.

    `purse` has one record, `slots` and `counts` one a symbol. The lists are of symbols,
    in their order: `active`, `acting` those of them that have a bar at this hour,
    `entries` the acting with an ordered entry, the most confident first; `ended` are
    the trades that ended at this hour.
    """

    purse: np.recarray
    slots: np.recarray
    counts: np.recarray
    active: np.ndarray
    acting: np.ndarray
    entries: np.ndarray
    ended: np.ndarray
    legs: np.recarray
    trades: np.recarray
    stops: np.recarray


class Market(NamedTuple):
    """Market of a wallet: rows of bars, symbol by symbol, and the hours they open at.

    `bars` and `hours` have shape (n_rows,); symbol s has the rows from `first[s]` to
    `first[s + 1]`. `merged` are the hours at which some symbol has a bar, ascending,
    and `nth_hours`, shape (n_rows,), the place of each row's among them. At the k-th of
    them entries may be decided at the rows `entry_rows` from `entry_first[k]` to
    `entry_first[k + 1]`, of the symbols `entry_symbols`: as `look_at` wrote last.
    """

    bars: np.recarray
    hours: np.ndarray
    first: np.ndarray
    merged: np.ndarray
    nth_hours: np.ndarray
    entry_rows: np.ndarray
    entry_symbols: np.ndarray
    entry_first: np.ndarray


def make_market(bars: np.recarray, hours: np.ndarray, first: np.ndarray) -> Market:
    """Return a market with its hours merged, to be entered on nowhere yet."""
    begins = hours.min(initial=0)
    has_bar = np.bincount(hours - begins) > 0
    merged = np.flatnonzero(has_bar) + begins
    return Market(
        bars=bars,
        hours=hours,
        first=first,
        merged=merged,
        nth_hours=(np.cumsum(has_bar) - 1)[hours - begins],
        entry_rows=np.empty(len(hours), np.int64),
        entry_symbols=np.empty(len(hours), np.int64),
        entry_first=np.zeros(len(merged) + 2, np.int64),
    )


@compiled_apart
def look_at(market: Market, rows: np.ndarray) -> None:
    """Let entries be decided at some rows, ascending, and at no others.

    They are laid out by hour, then by symbol, by counting: a sweep does it anew for
    every configuration.
    """
    starts, nth_hours, first = market.entry_first, market.nth_hours, market.first
    starts[:] = 0
    for row in rows:
        starts[nth_hours[row] + 2] += 1
    for k in range(1, len(starts)):
        starts[k] += starts[k - 1]
    # `starts[k + 1]` is where the rows of hour k begin, and where they end at the end.
    symbol = 0
    for row in rows:
        while row >= first[symbol + 1]:
            symbol += 1
        hour = nth_hours[row] + 1
        market.entry_rows[starts[hour]] = row
        market.entry_symbols[starts[hour]] = symbol
        starts[hour] += 1


def make_wallet(n_rows: int, n_symbols: int, balance: float) -> Wallet:
    """Return a wallet that has never traded, with room for all that rows can bring."""
    purse = np.zeros(1, PURSE).view(np.recarray)
    purse.balance, purse.ruined_hour = balance, -1
    slots = np.zeros(n_symbols, SLOT).view(np.recarray)
    for fields in (FLAT_POSITION, NO_ORDERS):
        for name, value in fields._asdict().items():
            slots[name] = value
    slots.last_exit_index, slots.row, slots.trade, slots.stop_row = LONG_AGO, -1, -1, -1
    legs, trades = make_ledger(n_rows)
    return Wallet(
        purse=purse,
        slots=slots,
        counts=np.zeros(n_symbols, COUNTS).view(np.recarray),
        active=np.empty(n_symbols, np.int64),
        acting=np.empty(n_symbols, np.int64),
        entries=np.empty(n_symbols, np.int64),
        # A symbol's trade may end at an hour's open, and its next within the hour.
        ended=np.empty(2 * n_symbols, np.int64),
        legs=legs,
        trades=trades,
        stops=make_stops(n_rows),
    )


def resumed_wallet(resumed: Resumed, market: Market) -> Wallet:
    """Return a wallet as it stood where an earlier replay had come to.

    The market has, of every symbol, the last bar that the earlier one saw.
    """
    n_rows, n_symbols = len(market.bars), len(market.first) - 1
    states, account = resumed.states, resumed.states[0].account
    wallet = make_wallet(n_rows, n_symbols, account.balance)
    legs, trades, stops = resumed.ledger(n_rows)
    purse, slots = wallet.purse[0], wallet.slots
    purse.n_legs, purse.n_trades, purse.n_stops = resumed.written
    purse.loss_streak = account.loss_streak
    purse.is_ruined = resumed.is_ruined
    for symbol, state in enumerate(states):
        slot = slots[symbol]
        slot.last_exit_index = state.account.last_exit_index
        store(slot, state.position)
        store(slot, state.orders)
        held = np.flatnonzero(resumed.trades.symbol == symbol)
        if len(held):
            slot.trade = held[0]
            moves = np.flatnonzero(resumed.stops.trade == held[0])
            slot.stop_row = moves[-1] if len(moves) else -1
        if state.position.side != FLAT or state.orders.entry_side != FLAT:
            own = market.hours[market.first[symbol] : market.first[symbol + 1]]
            n_before = int(np.searchsorted(own, resumed.moment, "right"))
            slot.row = market.first[symbol] + n_before - 1
            slot.hour = own[n_before - 1]
            wallet.active[purse.n_active] = symbol
            purse.n_active += 1
    return wallet._replace(legs=legs, trades=trades, stops=stops)


@compiled_apart
def renew(wallet: Wallet, fresh: Wallet) -> None:
    """Let a wallet have what one has that has never traded, of the same symbols."""
    wallet.purse[0] = fresh.purse[0]
    for symbol in range(len(wallet.slots)):
        wallet.slots[symbol] = fresh.slots[symbol]
        wallet.counts[symbol] = fresh.counts[symbol]


def states_of(wallet: Wallet) -> tuple[State, ...]:
    """Return what is carried of each symbol as a state of its own."""
    purse = wallet.purse[0]

    def values(slot: np.record, fields: tuple[str, ...]) -> dict[str, Any]:
        return {name: slot[name].item() for name in fields}

    return tuple(
        State(
            account=Account(
                balance=float(purse.balance),
                loss_streak=int(purse.loss_streak),
                last_exit_index=int(slot.last_exit_index),
            ),
            position=Position(**values(slot, Position._fields)),
            orders=Orders(**values(slot, Orders._fields)),
        )
        for slot in wallet.slots
    )
