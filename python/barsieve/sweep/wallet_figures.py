"""Figures of one replay of a shared wallet, by the merged hours of its symbols.

The same figures as of one symbol alone. Legs lie in the order of events here, so what
is told trade by trade is kept for each trade until all its legs have been seen.
"""

import numpy as np

from barsieve.core.numba_cache import compiled, compiled_apart
from barsieve.replay.ledger import ENTRY, EXIT, FUNDING
from barsieve.replay.state import DELISTED, END_OF_DATA, LIQUIDATION
from barsieve.sweep.figures import (
    DRAWDOWN,
    RETURN,
    count_trade,
    digest_of,
    end_day,
    end_figures,
    end_month,
    fall_to,
    mixed,
)


@compiled
def _hour_booked(leg, trade, market, delisted_after, hours_after):
    """Return the hour at which a leg was booked, as `Run.booked` has it.

    That of its bar, but for a position that its symbol left behind.
    """
    hour = float(market.hours[leg.index])
    if leg.kind == EXIT and trade.exit_reason == DELISTED:
        return hour + delisted_after
    if leg.kind == EXIT and trade.exit_reason == END_OF_DATA:
        return hour + hours_after[trade.symbol]
    return hour


@compiled
def _place_of(hour, index, market):
    """Return the first of the merged hours from a moment on, that of a bar mostly."""
    if hour == market.hours[index]:
        return market.nth_hours[index]
    return np.searchsorted(market.merged, hour)


@compiled
def _month_of(hour, place, calendar):
    if place < len(calendar.clock) and calendar.hours[place] == hour:
        return calendar.clock[place].month
    return np.searchsorted(calendar.month_hours, hour, "right") - 1


@compiled
def _add_leg(part, leg):
    """Add a leg to what the legs of its trade come to."""
    if leg.kind == FUNDING:
        part.paid -= leg.amount
    else:
        part.gross += leg.amount
    if leg.kind == ENTRY:
        part.qty = leg.qty
    part.fees += leg.fee
    part.slippage += leg.slippage


@compiled_apart
def _book(calendar, space, legs, trades, is_liquidated, delisted_after, hours_after):
    """Write where each leg was booked, and what the legs of each trade come to.

    What a liquidation closes, it closes at its own hour, the account's last one.
    """
    parts, places, market = space.parts, space.places, space.market
    trade_words, leg_words = space.room.trade_words, space.room.leg_words
    for at in range(len(trades)):
        part = parts[at]
        part.gross = part.fees = part.slippage = part.paid = part.qty = 0.0
        part.digest = digest_of(trade_words, at)
    last, last_hour = 0, 0.0
    for at in range(len(legs)):
        leg = legs[at]
        trade, part = trades[leg.trade], parts[leg.trade]
        hour = _hour_booked(leg, trade, market, delisted_after, hours_after)
        places[at] = _place_of(hour, leg.index, market)
        _add_leg(part, leg)
        part.digest = mixed(part.digest, digest_of(leg_words, at))
        if leg.kind == EXIT:
            part.month = _month_of(hour, places[at], calendar)
        if hour > last_hour:
            last, last_hour = places[at], hour
    if is_liquidated:
        for at in range(len(legs)):
            leg = legs[at]
            if leg.kind == EXIT and trades[leg.trade].exit_reason == LIQUIDATION:
                places[at] = last
                parts[leg.trade].month = _month_of(last_hour, last, calendar)


@compiled_apart
def _count_trades(parts, trades, losses, figures, hashes):
    """Sum the trades into the whole and into the month of their exit; hash them all."""
    for at in range(len(trades)):
        part, trade = parts[at], trades[at]
        net = part.gross - part.fees - part.slippage - part.paid
        r_multiple = net / (trade.risk_distance * part.qty)
        for fold in (0, 1 + part.month):
            losses[fold] += count_trade(
                figures, fold, net, trade.shortfall, part.gross, part.fees,
                part.slippage, part.paid, r_multiple,
            )  # fmt: skip
            hashes[fold] = mixed(hashes[fold], part.digest)


@compiled
def _move(held, opened, n_open, leg, symbol):
    """Let a symbol hold what a leg leaves; return how many symbols hold something."""
    slot = held[symbol]
    slot.position = leg.position
    if leg.kind == ENTRY:
        slot.entry_price, slot.row = leg.price, leg.index
        opened[n_open] = symbol
        return n_open + 1
    if leg.position != 0.0:
        return n_open
    place = 0
    while opened[place] != symbol:
        place += 1
    for at in range(place + 1, n_open):
        opened[at - 1] = opened[at]
    return n_open - 1


@compiled
def _open_result(held, opened, n_open, k, closes, market):
    """Return the open result at the close of an hour, each symbol at its last close."""
    total = 0.0
    for at in range(n_open):
        symbol = opened[at]
        slot, row = held[symbol], held[symbol].row + 1
        while row < market.first[symbol + 1] and market.nth_hours[row] <= k:
            row += 1
        slot.row = row - 1
        total += slot.position * (closes[row - 1] - slot.entry_price)
    return total


@compiled_apart
def _mark(calendar, space, legs, trades, start_balance, end_balance, figures):
    """Walk the equity over the hours with a position; return how many days moved.

    As of one symbol, but for the balance, which the legs tell. What is booked after the
    last hour is in no equity, but in the returns of the last month and of the whole.
    """
    clock, end, first_day = calendar.clock, calendar.end, calendar.first_day
    room, places, held, opened = space.room, space.places, space.held, space.opened
    returns, months = room.day_returns, room.day_months
    balance = start_balance
    equity, day_equity, month_equity = start_balance, start_balance, start_balance
    peak, trough, deepest = start_balance, start_balance, 0.0
    month_peak, month_trough, fall = start_balance, start_balance, 0.0
    day, month, leg, n_returns, n_held, is_lost = -1, -1, 0, 0, 0.0, False
    n_open = 0
    k = places[0] if len(legs) > 0 else end
    while k < end:
        hour = clock[k]
        if hour.day != day:
            if day >= 0:
                n_returns = end_day(
                    day == first_day, is_lost, equity, day_equity, month,
                    returns, months, n_returns,
                )  # fmt: skip
            day, day_equity = hour.day, equity
            if hour.month != month:
                change = equity / month_equity - 1.0
                end_month(figures, month, change, fall, n_held)
                month, month_equity, n_held = hour.month, equity, 0.0
                month_peak, month_trough, fall = equity, equity, 0.0
        while leg < len(legs) and places[leg] <= k:
            balance = legs[leg].balance
            symbol = trades[legs[leg].trade].symbol
            n_open = _move(held, opened, n_open, legs[leg], symbol)
            leg += 1
        equity = balance + _open_result(
            held, opened, n_open, k, space.closes, space.market
        )
        is_lost = is_lost or equity <= 0.0
        peak, trough, deepest = fall_to(equity, peak, trough, deepest)
        month_peak, month_trough, fall = fall_to(equity, month_peak, month_trough, fall)
        if n_open > 0:
            n_held += 1.0
            k += 1
        else:
            k = places[leg] if leg < len(legs) else end
    last = end_balance if end == len(clock) else equity
    end_month(figures, month, last / month_equity - 1.0, fall, n_held)
    figures[0, RETURN] = last / start_balance - 1.0
    figures[0, DRAWDOWN] = deepest
    if day >= 0:
        n_returns = end_day(
            day == first_day, is_lost, equity, day_equity, month,
            returns, months, n_returns,
        )  # fmt: skip
    return n_returns


@compiled_apart
def measure_wallet(
    calendar, start_balance, space, delisted_after, hours_after, figures, hashes
):
    """Measure the replay that lies in the wallet of `space`; as `measure` of a symbol.

    `hours_after`, shape (n_symbols,): from the last bar of each to the market's end.
    """
    figures[:] = 0.0
    hashes[:] = 0
    room, purse = space.room, space.wallet.purse[0]
    losses = room.losses
    losses[:] = 0.0
    legs, trades = room.legs[: purse.n_legs], room.trades[: purse.n_trades]
    is_liquidated = purse.liquidated > 0
    _book(calendar, space, legs, trades, is_liquidated, delisted_after, hours_after)
    _count_trades(space.parts, trades, losses, figures, hashes)
    n_returns = _mark(
        calendar, space, legs, trades, start_balance, purse.balance, figures
    )
    end_figures(calendar, room.day_returns, room.day_months, n_returns, losses, figures)
