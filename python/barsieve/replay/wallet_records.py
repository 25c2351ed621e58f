"""Records of a wallet at work: what is carried of its account and of each symbol."""

from typing import Any, NamedTuple

import numpy as np

from barsieve.replay.kernel import LONG_AGO
from barsieve.replay.ledger import COUNTS, make_ledger, make_stops
from barsieve.replay.state import (
    FLAT_POSITION,
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
    `first[s + 1]`. `merged` are the hours at which some symbol has a bar, ascending. At
    the k-th of them entries may be decided at the rows `entry_rows` from
    `entry_first[k]` to `entry_first[k + 1]`, of the symbols `entry_symbols`.
    """

    bars: np.recarray
    hours: np.ndarray
    first: np.ndarray
    merged: np.ndarray
    entry_rows: np.ndarray
    entry_symbols: np.ndarray
    entry_first: np.ndarray


def make_market(
    bars: np.recarray, hours: np.ndarray, first: np.ndarray, entry_rows: np.ndarray
) -> Market:
    """Return a market with its hours merged, to be entered on rows in any order."""
    begins = hours.min(initial=0)
    merged = np.flatnonzero(np.bincount(hours - begins)) + begins
    rows = entry_rows[np.argsort(hours[entry_rows], kind="stable")]
    starts = np.searchsorted(hours[rows], merged)
    return Market(
        bars=bars,
        hours=hours,
        first=first,
        merged=merged,
        entry_rows=rows,
        entry_symbols=np.searchsorted(first, rows, "right") - 1,
        entry_first=np.append(starts, len(rows)),
    )


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
