"""What a replay writes: a record per leg and per trade, in the order of events."""

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
        ("quantity", np.float64),
        ("amount", np.float64),
        ("fee", np.float64),
        ("slippage", np.float64),
        ("position", np.float64),
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
    ]
)


class Outcome(NamedTuple):
    """How a replay went; a `first_refused_index` of -1 means that none was.

    `state` is that after the last bar, before an open position is closed for the end of
    the data: what is held, and what was ordered for the next open.
    """

    trades: int
    legs: int
    bars_visited: int
    end_balance: float
    first_refused_index: int
    state: State


class Ledger(NamedTuple):
    """A replay's outcome with its legs and trades, trimmed to what happened."""

    outcome: Outcome
    legs: np.recarray
    trades: np.recarray


def make_ledger(n_bars: int) -> tuple[np.ndarray, np.ndarray]:
    """Return room for every leg (4 a bar, and the last) and trade of `n_bars` bars."""
    return (
        np.empty(4 * n_bars + 1, LEG).view(np.recarray),
        np.empty(n_bars + 1, TRADE).view(np.recarray),
    )
