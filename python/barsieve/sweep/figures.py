"""Figures of one replay: of the whole history and of each calendar month.

Only bars of open positions are visited: a flat account stays what it is.
"""

import numpy as np

from barsieve.core.numba_cache import compiled, compiled_apart
from barsieve.replay.ledger import ENTRY, FUNDING

FIGURES = (
    "trades", "wins", "net_pnl", "gross_pnl", "fees", "slippage", "funding", "r_sum",
    "profit_factor", "return_share", "sharpe", "max_drawdown", "exposure",
)  # fmt: skip
(
    TRADES, WINS, NET, GROSS, FEES, SLIPPAGE, PAID, R_SUM,
    FACTOR, RETURN, SHARPE, DRAWDOWN, EXPOSURE,
) = range(len(FIGURES))  # fmt: skip
DAYS_A_YEAR = 365.0
GOLDEN = np.uint64(0x9E3779B97F4A7C15)


@compiled
def mixed(digest, word):
    """Return a 64-bit digest with one more word in it (the mixer of SplitMix64)."""
    digest = (digest ^ word) * np.uint64(0xBF58476D1CE4E5B9)
    digest = (digest ^ (digest >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return digest ^ (digest >> np.uint64(31))


@compiled
def digest_of(words, at):
    """Return a digest of one record; its words are mixed side by side, then added."""
    total = np.uint64(0)
    for place in range(words.shape[1]):
        total += mixed(np.uint64(place + 1) * GOLDEN, words[at, place])
    return total


@compiled
def count_trade(figures, fold, net, shortfall, gross, fees, slippage, paid, r_multiple):
    """Add a trade to the sums of a fold; return its loss.

    The net result of a fold is what its trades left in the account, which cannot lose
    what it never had.
    """
    figures[fold, TRADES] += 1.0
    figures[fold, NET] += net + shortfall
    figures[fold, GROSS] += gross
    figures[fold, FEES] += fees
    figures[fold, SLIPPAGE] += slippage
    figures[fold, PAID] += paid
    figures[fold, R_SUM] += r_multiple
    if net > 0.0:
        figures[fold, WINS] += 1.0
        figures[fold, FACTOR] += net
        return 0.0
    return -net


@compiled
def _measure_trades(
    clock, legs, trades, leg_words, trade_words, losses, figures, hashes
):
    """Sum the trades into the whole and into the month of their exit; hash them all."""
    leg = 0
    for at in range(len(trades)):
        gross, fees, slippage, paid, qty = 0.0, 0.0, 0.0, 0.0, 0.0
        digest = digest_of(trade_words, at)
        while leg < len(legs) and legs[leg].trade == at:
            if legs[leg].kind == FUNDING:
                paid -= legs[leg].amount
            else:
                gross += legs[leg].amount
            if legs[leg].kind == ENTRY:
                qty = legs[leg].qty
            fees += legs[leg].fee
            slippage += legs[leg].slippage
            digest = mixed(digest, digest_of(leg_words, leg))
            leg += 1
        net = gross - fees - slippage - paid
        r_multiple = net / (trades[at].risk_distance * qty)
        for fold in (0, 1 + clock[trades[at].exit_index].month):
            losses[fold] += count_trade(
                figures, fold, net, trades[at].shortfall, gross, fees, slippage, paid,
                r_multiple,
            )  # fmt: skip
            hashes[fold] = mixed(hashes[fold], digest)


@compiled
def end_day(is_first, is_lost, equity, day_equity, month, returns, months, n_returns):
    """Write a day's return; NaN once the account is lost: nothing has no return.

    Returns how many there are. The first day has none.
    """
    if is_first:
        return n_returns
    returns[n_returns] = np.nan if is_lost else equity / day_equity - 1.0
    months[n_returns] = month
    return n_returns + 1


@compiled
def end_month(figures, month, change, fall, bars_held):
    """Write what a month came to, if one had begun."""
    if month >= 0:
        figures[1 + month, RETURN] = change
        figures[1 + month, DRAWDOWN] = fall
        figures[1 + month, EXPOSURE] = bars_held


@compiled
def fall_to(equity, peak, trough, deepest):
    """Return peak, trough and deepest fall with one more equity.

    A fall is measured where it is deepest: at a new trough since its peak.
    """
    if equity > peak:
        return equity, equity, deepest
    if equity < trough:
        return peak, equity, max(deepest, 1.0 - equity / peak)
    return peak, trough, deepest


@compiled
def _mark(clock, end, first_day, legs, trades, start_balance, returns, months, figures):
    """Walk the marked-to-market equity of open positions; return how many days moved.

    A month begins with the equity that the one before left.
    """
    balance, position, entry_price = start_balance, 0.0, 0.0
    equity, day_equity, month_equity = start_balance, start_balance, start_balance
    peak, trough, deepest = start_balance, start_balance, 0.0
    month_peak, month_trough, fall = start_balance, start_balance, 0.0
    day, month, leg, n_returns, held, is_lost = -1, -1, 0, 0, 0.0, False
    index = legs[0].index if len(legs) > 0 else end
    while index < end:
        bar = clock[index]
        if bar.day != day:
            if day >= 0:
                n_returns = end_day(
                    day == first_day, is_lost, equity, day_equity, month,
                    returns, months, n_returns,
                )  # fmt: skip
            day, day_equity = bar.day, equity
            if bar.month != month:
                change = equity / month_equity - 1.0
                end_month(figures, month, change, fall, held)
                month, month_equity, held = bar.month, equity, 0.0
                month_peak, month_trough, fall = equity, equity, 0.0
        while leg < len(legs) and legs[leg].index == index:
            balance += legs[leg].amount - legs[leg].fee - legs[leg].slippage
            position = legs[leg].position
            if legs[leg].kind == ENTRY:
                entry_price = legs[leg].price
            elif position == 0.0:
                balance += trades[legs[leg].trade].shortfall
            leg += 1
        equity = balance + position * (bar.close - entry_price)
        is_lost = is_lost or equity <= 0.0
        peak, trough, deepest = fall_to(equity, peak, trough, deepest)
        month_peak, month_trough, fall = fall_to(equity, month_peak, month_trough, fall)
        if position != 0.0:
            held += 1.0
            index += 1
        else:
            index = legs[leg].index if leg < len(legs) else end
    end_month(figures, month, equity / month_equity - 1.0, fall, held)
    figures[0, RETURN] = equity / start_balance - 1.0
    figures[0, DRAWDOWN] = deepest
    if day >= 0:
        n_returns = end_day(
            day == first_day, is_lost, equity, day_equity, month,
            returns, months, n_returns,
        )  # fmt: skip
    return n_returns


@compiled
def _sharpe(returns, start, stop, n):
    """Return the annualised Sharpe ratio of `n` daily returns, all 0 but [start, stop).

    NaN when they never vary.
    """
    total, squares = 0.0, 0.0
    for at in range(start, stop):
        total += returns[at]
    mean = total / n
    for at in range(start, stop):
        squares += (returns[at] - mean) * (returns[at] - mean)
    variance = (squares + (n - (stop - start)) * mean * mean) / (n - 1)
    if n < 2 or not variance > 0.0:
        return np.nan
    return mean / np.sqrt(variance) * np.sqrt(DAYS_A_YEAR)


@compiled
def end_figures(calendar, returns, months, n_returns, losses, figures):
    """Write profit factors, Sharpe ratios and exposures.

    Months lie one after the other in time.
    """
    for fold in range(len(losses)):
        is_loser = losses[fold] > 0.0
        gains = figures[fold, FACTOR]
        figures[fold, FACTOR] = gains / losses[fold] if is_loser else np.nan
    n_days, n_bars = calendar.n_days, calendar.n_bars
    start, all_days, all_bars = 0, 0, 0
    for month in range(len(n_days)):
        stop = start
        while stop < n_returns and months[stop] == month:
            stop += 1
        fold = 1 + month
        figures[fold, SHARPE] = _sharpe(returns, start, stop, n_days[month])
        figures[0, EXPOSURE] += figures[fold, EXPOSURE]
        figures[fold, EXPOSURE] /= n_bars[month]
        all_days += n_days[month]
        all_bars += n_bars[month]
        start = stop
    figures[0, EXPOSURE] /= all_bars
    figures[0, SHARPE] = _sharpe(returns, 0, n_returns, all_days)


@compiled_apart
def measure(calendar, start_balance, room, legs, trades, figures, hashes):
    """Measure one replay from its legs and trades, which lie in the ledger of `room`.

    `figures` has shape (1 + n_months, n_figures) in the order of `FIGURES`, row 0 the
    whole history; NaN is a figure that does not exist. `hashes` has one digest a row.
    """
    figures[:] = 0.0
    hashes[:] = 0
    losses = room.losses
    losses[:] = 0.0
    clock, returns, months = calendar.clock, room.day_returns, room.day_months
    _measure_trades(
        clock, legs, trades, room.leg_words, room.trade_words, losses, figures, hashes
    )
    n_returns = _mark(
        clock, calendar.end, calendar.first_day, legs, trades, start_balance, returns,
        months, figures,
    )  # fmt: skip
    end_figures(calendar, returns, months, n_returns, losses, figures)


@compiled_apart
def hash_trades(leg_words, trade_words, legs, trades):
    """Return the hash of all trades of a replay: every field of every leg and trade."""
    whole, leg = np.uint64(0), 0
    for at in range(len(trades)):
        digest = digest_of(trade_words, at)
        while leg < len(legs) and legs[leg].trade == at:
            digest = mixed(digest, digest_of(leg_words, leg))
            leg += 1
        whole = mixed(whole, digest)
    return whole
