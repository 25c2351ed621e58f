"""Buffers of a thread: the calendar of the bars, and scratch space of its own."""

from typing import NamedTuple

import numpy as np

from barsieve.replay.learned import NOTHING, Learned, make_memory, make_sight
from barsieve.replay.ledger import make_ledger, make_stops
from barsieve.replay.wallet_records import Market, Wallet, make_market, make_wallet

# The time of a bar, as numbers from 0: its day, and its month in the study.
CLOCK = np.dtype([("close", np.float64), ("day", np.int64), ("month", np.int64)])


class Calendar(NamedTuple):
    """The time of bars: `clock` of dtype `CLOCK` and `hours`, shape (n_bars,).

    Of a wallet, that of the hours at which some symbol has a bar. Bars before `end`,
    the end of the study, are judged. `month_hours`, shape (n_months,): the hours that
    months begin with. `n_days` and `n_bars`, of the same shape, count the daily returns
    and the judged bars of each.
    """

    clock: np.recarray
    hours: np.ndarray
    month_hours: np.ndarray
    end: int
    first_day: int
    n_days: np.ndarray
    n_bars: np.ndarray


# So many configurations look for signals together, in so many rows of the screen.
TOGETHER, TILE_ROWS = 16, 2048

# What a configuration says at a bar; one more room than blocks, for the one not kept.
SIGNAL = np.dtype(
    [
        ("index", np.int64),
        ("side", np.int64),
        ("confidence", np.float64),
        ("threshold", np.float64),
    ]
)


class Room(NamedTuple):
    """One thread's scratch space; the words are the ledger's own memory.

    `stops` has no room: a sweep keeps no path of the stop. `learned` is no model: a
    sweep tries the rules alone.
    """

    signals: np.recarray
    counts: np.ndarray
    passes: np.ndarray
    pass_words: np.ndarray
    guessed: np.ndarray
    may_be: np.ndarray
    may_words: np.ndarray
    candidates: np.ndarray
    entry_bars: np.ndarray
    legs: np.recarray
    trades: np.recarray
    stops: np.recarray
    leg_words: np.ndarray
    trade_words: np.ndarray
    day_returns: np.ndarray
    day_months: np.ndarray
    losses: np.ndarray
    learned: Learned
    memory: np.ndarray
    sight: np.ndarray


def words_of(records: np.recarray) -> np.ndarray:
    """Return records as 64-bit words, shape (n, n_fields), in the same memory."""
    n_words = records.dtype.itemsize // 8
    return records.view(np.ndarray).view(np.uint64).reshape(-1, n_words)


def make_room(n_bars: int, n_blocks: int, n_days: int, n_months: int) -> Room:
    """Return scratch space for one thread."""
    legs, trades = make_ledger(n_bars)
    passes, may_be = np.empty((2, TILE_ROWS), np.uint8)
    return Room(
        signals=np.empty((TOGETHER, n_blocks + 1), SIGNAL).view(np.recarray),
        counts=np.empty(TOGETHER, np.int64),
        passes=passes,
        pass_words=passes.view(np.uint32),
        guessed=np.empty(TILE_ROWS, np.float32),
        may_be=may_be,
        may_words=may_be.view(np.uint32),
        candidates=np.empty(TILE_ROWS + 1, np.int64),
        entry_bars=np.empty(n_bars, np.int64),
        legs=legs,
        trades=trades,
        stops=make_stops(0),
        leg_words=words_of(legs),
        trade_words=words_of(trades),
        day_returns=np.empty(n_days),
        day_months=np.empty(n_days, np.int64),
        losses=np.empty(1 + n_months),
        learned=NOTHING,
        memory=make_memory(NOTHING, 1)[0],
        sight=make_sight(NOTHING),
    )


# What the legs of a trade come to, USD; the quantity of its entry, the month of its
# exit, and the digest of all its fields.
PART = np.dtype(
    [
        *((name, np.float64) for name in ("gross", "fees", "slippage", "paid", "qty")),
        ("month", np.int64),
        ("digest", np.uint64),
    ]
)
# What a symbol holds while its wallet's equity is walked, and the row of its last bar.
HELD = np.dtype(
    [("position", np.float64), ("entry_price", np.float64), ("row", np.int64)]
)


class Space(NamedTuple):
    """One thread's scratch space for a shared wallet.

    `market` has bars of its own, to write signals into: of 20 symbols over five years
    that is 120 MB a thread. What has room for all that could happen is touched only as
    far as something does. `fresh` is a wallet that has never traded, for `renew`.
    `closes`, shape (n_rows,), are those of the bars. `places` are those of the merged
    hours at which legs were booked; `parts` are of dtype `PART`, `held` of `HELD`, the
    symbols that hold something are listed in `opened`.
    """

    room: Room
    market: Market
    wallet: Wallet
    fresh: Wallet
    closes: np.ndarray
    places: np.ndarray
    parts: np.recarray
    held: np.recarray
    opened: np.ndarray


def make_space(
    room: Room,
    bars: np.recarray,
    hours: np.ndarray,
    first: np.ndarray,
    start_balance: float,
) -> Space:
    """Return scratch space for one thread; the bars are its own from now on.

    `hours` and `first` as in a `Market`.
    """
    n_symbols = len(first) - 1
    fresh = make_wallet(0, n_symbols, start_balance)
    wallet = make_wallet(0, n_symbols, start_balance)
    return Space(
        room=room,
        market=make_market(bars, hours, first),
        wallet=wallet._replace(legs=room.legs, trades=room.trades),
        fresh=fresh,
        closes=np.ascontiguousarray(bars.close),
        places=np.empty(len(room.legs), np.int64),
        parts=np.empty(len(room.trades), PART).view(np.recarray),
        held=np.empty(n_symbols, HELD).view(np.recarray),
        opened=np.empty(n_symbols, np.int64),
    )
