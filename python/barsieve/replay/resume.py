"""Resumption of a replay: where it had come to, and what of it is still open."""

from typing import NamedTuple, cast

import numpy as np

from barsieve.core.numba_cache import compiled
from barsieve.replay.learned import Learned, make_memory
from barsieve.replay.ledger import LEG, STOP_MOVE, TRADE, make_ledger, make_stops
from barsieve.replay.state import (
    FLAT,
    FLAT_POSITION,
    LONG_AGO,
    NO_ORDERS,
    Account,
    State,
)


class Resumed(NamedTuple):
    """State of an earlier replay, of bars that ended before those of the next do.

    `states`: one a symbol, as `Ledger.reached`; every index in it (`last_exit_index`,
    `entry_index`) is one among the bars of the new replay, less than that of the first
    for one before them.
    `moment`: open of the last bar that the earlier replay saw, in hours since 1970;
    `next_index`: position after it, where the account has one symbol. `legs`, `trades`
    and `stops` are those of the trades that are open, in the order of the trades, which
    are numbered anew from 0; `trade_ids`: their numbers in the account, from 1.
    `n_legs`, `n_trades`: how many there are of the account in all, `is_ruined` whether
    it had lost what it needs to enter. `last_exits`: when each symbol was left last, in
    µs, -1 for never.
    """

    states: tuple[State, ...]
    moment: int
    next_index: int
    legs: np.recarray
    trades: np.recarray
    stops: np.recarray
    trade_ids: np.ndarray
    n_legs: int
    n_trades: int
    is_ruined: bool
    last_exits: tuple[int, ...]

    @property
    def written(self) -> tuple[int, int, int]:
        """Return the numbers of open legs, trades and stops."""
        return len(self.legs), len(self.trades), len(self.stops)

    def ledger(self, n_bars: int) -> tuple[np.recarray, np.recarray, np.recarray]:
        """Return room for `n_bars` more, with what is open at its beginning."""
        rooms = (*make_ledger(n_bars + len(self.legs)), make_stops(n_bars))
        filled = []
        for room, opened in zip(rooms, self[3:6], strict=True):
            kept = np.empty(len(room) + len(opened), room.dtype).view(np.recarray)
            kept[: len(opened)] = opened
            filled.append(kept)
        legs, trades, stops = filled
        return legs, trades, stops

    def memory(self, learned: Learned) -> np.ndarray:
        """Return what exit models remember of the positions, a row a symbol."""
        memory = make_memory(learned, len(self.states))
        for row, state in zip(memory, self.states, strict=True):
            if state.position.side != FLAT:
                row[:] = state.memory
        return memory

    def placed(self, legs: np.ndarray) -> np.recarray:
        """Return legs of the new replay with their places among all of the account."""
        n_open = len(self.legs)
        legs["nth"][:n_open] = self.legs.nth
        legs["nth"][n_open:] += self.n_legs - n_open
        return cast(np.recarray, legs)

    def ids(self, n_trades: int) -> np.ndarray:
        """Return the numbers in the account of the trades of the new replay, from 1."""
        added = np.arange(n_trades - len(self.trade_ids)) + self.n_trades + 1
        return np.concatenate([self.trade_ids, added])


@compiled
def fresh_state(balance: float) -> State:
    """Return the state of an account that has never traded."""
    account = Account(
        balance=balance, peak=balance, loss_streak=0, last_exit_index=LONG_AGO
    )
    return State(account=account, position=FLAT_POSITION, orders=NO_ORDERS)


def beginning(n_symbols: int, balance: float) -> Resumed:
    """Return what a replay resumes that has nothing before it."""
    legs, trades, stops = (
        np.empty(0, kind).view(np.recarray) for kind in (LEG, TRADE, STOP_MOVE)
    )
    return Resumed(
        states=(fresh_state(balance),) * n_symbols,
        moment=LONG_AGO,
        next_index=0,
        legs=legs,
        trades=trades,
        stops=stops,
        trade_ids=np.empty(0, np.int64),
        n_legs=0,
        n_trades=0,
        is_ruined=False,
        last_exits=(-1,) * n_symbols,
    )
