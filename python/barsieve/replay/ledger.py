"""Ledger of a replay: a record per leg and per trade, in the order of events."""

from typing import NamedTuple

import numpy as np

from barsieve.replay.state import State

ENTRY, PARTIAL, EXIT, FUNDING = 0, 1, 2, 3
KINDS = ("entry", "partial", "exit", "funding")

LEG = np.dtype(
    [
        ("trade", np.int64),
        ("kind", np.int64),
        ("index", np.int64),
        ("price", np.float64),
        ("qty", np.float64),
        ("amount", np.float64),
        ("fee", np.float64),
        ("slippage", np.float64),
        ("position", np.float64),
        ("balance", np.float64),
        ("nth", np.int64),
    ]
)
TRADE = np.dtype(
    [
        ("side", np.int64),
        ("decision_index", np.int64),
        ("entry_index", np.int64),
        ("exit_index", np.int64),
        ("confidence", np.float64),
        ("risk_distance", np.float64),
        ("bars_held", np.int64),
        ("exit_reason", np.int64),
        ("threshold", np.float64),
        ("loss_streak", np.int64),
        ("shift_after", np.float64),
        ("shortfall", np.float64),
        ("symbol", np.int64),
    ]
)
STOP_MOVE = np.dtype(
    [
        ("trade", np.int64),
        ("index", np.int64),
        ("stop", np.float64),
        ("reason", np.int64),
    ]
)

COUNT_FIELDS = ("bars_visited", "refused", "no_room", "lapsed")
COUNTS = np.dtype([(name, np.int64) for name in COUNT_FIELDS])
"""What is counted for each symbol of a replay; its `Outcome` has the sums."""


class Outcome(NamedTuple):
    """Outcome of a replay.

    Entry orders were `refused` for their size or cost, found `no_room` beside the other
    positions of a wallet, or `lapsed` for a gap; at so many closes the account was
    `liquidated`. From the close of `ruined_index` on it could enter no more; -1 when it
    always could. `threshold_shift` is what a streak of losses adds to the threshold
    after the last bar.

    `state` is that after the last bar, before an open position is closed for the end of
    the data (and after it was left as delisted): what is held, and what was ordered for
    the next open. Of a wallet it is that of its first symbol. `reached` is that before
    it was left as delisted, from which a replay of more bars goes on.
    """

    trades: int
    legs: int
    bars_visited: int
    stops: int
    end_balance: float
    refused: int
    no_room: int
    lapsed: int
    liquidated: int
    ruined_index: int
    threshold_shift: float
    state: State
    reached: State


class Ledger(NamedTuple):
    """A replay's outcome with its legs, trades and stops, trimmed to what happened.

    Legs and stops lie trade by trade, trades in the order of their entries; `nth` of a
    leg is its place among all legs of the account, from 0, and `balance` what was
    realised after it, USD (0 after one that left a shortfall). `states` and `reached`
    have one state a symbol, as `Outcome` has them; `counts` has dtype `COUNTS`, shape
    (n_symbols,).
    """

    outcome: Outcome
    legs: np.recarray
    trades: np.recarray
    stops: np.recarray
    states: tuple[State, ...]
    reached: tuple[State, ...]
    counts: np.recarray


def make_stops(n_bars: int) -> np.recarray:
    """Return room for the path of the stop over `n_bars` bars: one move a bar.

    A ledger with room for none keeps none.
    """
    return np.empty(n_bars, STOP_MOVE).view(np.recarray)


def make_ledger(n_bars: int) -> tuple[np.recarray, np.recarray]:
    """Return room for every leg (4 a bar, and the last) and trade of `n_bars` bars."""
    return (
        np.empty(4 * n_bars + 1, LEG).view(np.recarray),
        np.empty(n_bars + 1, TRADE).view(np.recarray),
    )
