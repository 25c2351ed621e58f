"""What came of one replay: figures of the whole history and of each calendar month.

Only bars of open positions are visited: a flat account stays what it is.
"""

from typing import NamedTuple

import numpy as np

from barsieve.compile import compiled
from barsieve.replay.kernel import ENTRY, FUNDING, make_ledger

FIGURES = (
    "trades", "wins", "net_pnl", "gross_pnl", "fees", "slippage", "funding", "r_sum",
    "profit_factor", "return_share", "sharpe", "max_drawdown", "exposure",
)  # fmt: skip
(
    TRADES, WINS, NET, GROSS, FEES, SLIPPAGE, PAID, R_SUM,
    FACTOR, RETURN, SHARPE, DRAWDOWN, EXPOSURE,
) = range(len(FIGURES))  # fmt: skip
DAYS_A_YEAR = 365.0


class Calendar(NamedTuple):
    """The time of bars, as numbers from 0: `day` and `month`, shape (n_bars,).

    Judged are the bars [first, end), the study. `returns` and `bars`, shape (n_months,)
    count the daily returns and the judged bars of each month.
    """

    closes: np.ndarray
    day: np.ndarray
    month: np.ndarray
    first: int
    end: int
    returns: np.ndarray
    bars: np.ndarray


class Room(NamedTuple):
    """One thread's scratch space; the words are the ledger's own memory."""

    entry_bars: np.ndarray
    legs: np.recarray
    trades: np.recarray
    leg_words: np.ndarray
    trade_words: np.ndarray
    day_returns: np.ndarray
    day_months: np.ndarray
    losses: np.ndarray


def words_of(records: np.recarray) -> np.ndarray:
    """Return records of 64-bit fields as words, shape (n, n_fields), the same memory."""
    n_words = records.dtype.itemsize // 8
    return records.view(np.ndarray).view(np.uint64).reshape(-1, n_words)


def make_room(n_bars: int, n_days: int, n_months: int) -> Room:
    """Return scratch space for one thread."""
    legs, trades = make_ledger(n_bars)
    return Room(
        np.empty(n_bars, np.int64),
        legs,
        trades,
        words_of(legs),
        words_of(trades),
        np.empty(n_days),
        np.empty(n_days, np.int64),
        np.empty(1 + n_months),
    )


@compiled
def mixed(digest, word):
    """Return a 64-bit digest with one more word in it (the mixer of SplitMix64)."""
    digest = (digest ^ word) * np.uint64(0xBF58476D1CE4E5B9)
    digest = (digest ^ (digest >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return digest ^ (digest >> np.uint64(31))


@compiled
def _trade_digest(trade_words, leg_words):
    digest = np.uint64(0x9E3779B97F4A7C15)
    for word in trade_words:
        digest = mixed(digest, word)
    for leg in range(len(leg_words)):
        for word in leg_words[leg]:
            digest = mixed(digest, word)
    return digest


@compiled
def _count(figures, losses, net, gross, fees, slippage, paid, r_multiple):
    figures[TRADES] += 1.0
    figures[NET] += net
    figures[GROSS] += gross
    figures[FEES] += fees
    figures[SLIPPAGE] += slippage
    figures[PAID] += paid
    figures[R_SUM] += r_multiple
    if net > 0.0:
        figures[WINS] += 1.0
        figures[FACTOR] += net
        return losses
    return losses - net


@compiled
def _measure_trades(calendar, room, n_legs, n_trades, figures, hashes):
    """Sum the trades into the whole and into the month of their exit; hash them all."""
    leg = 0
    for at in range(n_trades):
        first, gross, fees, slippage, paid, quantity = leg, 0.0, 0.0, 0.0, 0.0, 0.0
        while leg < n_legs and room.legs[leg].trade == at:
            amount = room.legs[leg].amount
            if room.legs[leg].kind == FUNDING:
                paid -= amount
            else:
                gross += amount
            if room.legs[leg].kind == ENTRY:
                quantity = room.legs[leg].quantity
            fees += room.legs[leg].fee
            slippage += room.legs[leg].slippage
            leg += 1
        net = gross - fees - slippage - paid
        r_multiple = net / (room.trades[at].risk_distance * quantity)
        digest = _trade_digest(room.trade_words[at], room.leg_words[first:leg])
        for fold in (0, 1 + calendar.month[room.trades[at].exit_index]):
            room.losses[fold] = _count(
                figures[fold], room.losses[fold],
                net, gross, fees, slippage, paid, r_multiple,
            )  # fmt: skip
            hashes[fold] = mixed(hashes[fold], digest)


@compiled
def _mark(calendar, room, n_legs, start_balance, figures):
    """Walk the marked-to-market equity of open positions; return how many days moved.

    A month begins with the equity that the one before left. A day's return is NaN once
    the account is lost: nothing has no return.
    """
    balance, position, entry_price = start_balance, 0.0, 0.0
    equity, day_equity = start_balance, start_balance
    peak, month_peak, month_equity = start_balance, start_balance, start_balance
    day, month, leg, n_returns, is_lost = -1, -1, 0, 0, False
    while leg < n_legs:
        index = room.legs[leg].index
        while True:
            if index >= calendar.end:
                leg = n_legs
                break
            if calendar.day[index] != day:
                if day > calendar.day[calendar.first]:
                    change = np.nan if is_lost else equity / day_equity - 1.0
                    room.day_returns[n_returns] = change
                    room.day_months[n_returns] = month
                    n_returns += 1
                day, day_equity = calendar.day[index], equity
            if calendar.month[index] != month:
                if month >= 0:
                    figures[1 + month, RETURN] = equity / month_equity - 1.0
                month, month_equity = calendar.month[index], equity
                month_peak = equity
            while leg < n_legs and room.legs[leg].index == index:
                net = room.legs[leg].amount - room.legs[leg].fee
                balance += net - room.legs[leg].slippage
                position = room.legs[leg].position
                if room.legs[leg].kind == ENTRY:
                    entry_price = room.legs[leg].price
                leg += 1
            equity = balance + position * (calendar.closes[index] - entry_price)
            peak, month_peak = max(peak, equity), max(month_peak, equity)
            figures[0, DRAWDOWN] = max(figures[0, DRAWDOWN], 1.0 - equity / peak)
            fall = 1.0 - equity / month_peak
            figures[1 + month, DRAWDOWN] = max(figures[1 + month, DRAWDOWN], fall)
            is_lost = is_lost or equity <= 0.0
            if position == 0.0:
                break
            figures[1 + month, EXPOSURE] += 1.0
            index += 1
    if month >= 0:
        figures[1 + month, RETURN] = equity / month_equity - 1.0
    figures[0, RETURN] = equity / start_balance - 1.0
    if day > calendar.day[calendar.first]:
        room.day_returns[n_returns] = np.nan if is_lost else equity / day_equity - 1.0
        room.day_months[n_returns] = month
        n_returns += 1
    return n_returns


@compiled
def _sharpe(total, squares, n_moved, n):
    """Return the annualised Sharpe ratio of `n` returns, of which `n_moved` are not 0.

    `squares` are the squared deviations of those from the mean.
    """
    mean = total / n
    variance = (squares + (n - n_moved) * mean * mean) / (n - 1)
    return mean / np.sqrt(variance) * np.sqrt(DAYS_A_YEAR)


@compiled
def _sharpe_of_span(returns, n):
    total, squares = 0.0, 0.0
    for change in returns:
        total += change
    mean = total / n
    for change in returns:
        squares += (change - mean) * (change - mean)
    if n < 2 or not squares > 0.0:
        return np.nan
    return _sharpe(total, squares, len(returns), n)


@compiled
def _measure_risk(calendar, room, n_returns, figures):
    """Write Sharpe ratios and exposures; months lie one after the other in time."""
    figures[0, SHARPE] = _sharpe_of_span(
        room.day_returns[:n_returns], calendar.returns.sum()
    )
    start = 0
    for month in range(len(calendar.bars)):
        end = start
        while end < n_returns and room.day_months[end] == month:
            end += 1
        figures[1 + month, SHARPE] = _sharpe_of_span(
            room.day_returns[start:end], calendar.returns[month]
        )
        start = end
        figures[0, EXPOSURE] += figures[1 + month, EXPOSURE]
        figures[1 + month, EXPOSURE] /= calendar.bars[month]
    figures[0, EXPOSURE] /= calendar.bars.sum()


@compiled
def measure(calendar, start_balance, room, n_legs, n_trades, figures, hashes):
    """Measure what a replay wrote into the ledger of `room`.

    `figures` has shape (1 + n_months, n_figures) in the order of `FIGURES`, row 0 the
    whole history; NaN is a figure that does not exist. `hashes` has one digest a row.
    """
    figures[:] = 0.0
    hashes[:] = 0
    room.losses[:] = 0.0
    _measure_trades(calendar, room, n_legs, n_trades, figures, hashes)
    for fold in range(len(figures)):
        is_loser = room.losses[fold] > 0.0
        gains = figures[fold, FACTOR]
        figures[fold, FACTOR] = gains / room.losses[fold] if is_loser else np.nan
    n_returns = _mark(calendar, room, n_legs, start_balance, figures)
    _measure_risk(calendar, room, n_returns, figures)


@compiled
def hash_trades(leg_words, trade_words, legs, trades):
    """Return the hash of all trades of a replay: every field of every leg and trade."""
    digest, leg = np.uint64(0), 0
    for at in range(len(trades)):
        first = leg
        while leg < len(legs) and legs[leg].trade == at:
            leg += 1
        trade = _trade_digest(trade_words[at], leg_words[first:leg])
        digest = mixed(digest, trade)
    return digest
