"""One account traded over many symbols: the parts of the step, hour by hour.

At each hour at which some symbol has a bar, a part of the step is done for all of them
before the next part: funding and ordered exits by symbol; ordered entries, the most
confident first; stops and targets by symbol; then the close, at which the account is
solvent as a whole before anything is decided. A symbol without a bar waits; without one
for long enough it is left at its last close, first thing in the hour.

A symbol is active while it holds a position or an order. Full and focused replay are
the same code: what else is looked at is a list of rows, all of them or the candidates.

What happens rarely (a delisting, a liquidation) is first looked for by a function that
calls none with the whole wallet: one that does counts the references of all its arrays
at every call, which took longer than all the rest.
"""

import math
from typing import cast

import numpy as np

from barsieve.core.numba_cache import compiled, compiled_apart
from barsieve.profiles.rules import Rules
from barsieve.replay.exits import (
    emptied,
    fill_resting_exit,
    is_delisted,
    is_worthless,
    worth_of,
)
from barsieve.replay.kernel import leave_at_last_close
from barsieve.replay.learned import NOTHING, Learned, begin_memory, still_to_come
from barsieve.replay.ledger import COUNT_FIELDS, Ledger, Outcome
from barsieve.replay.prefetch import prefetch
from barsieve.replay.records import overlaid, replaced, store
from barsieve.replay.resume import Resumed, beginning
from barsieve.replay.sizing import entry_qty, is_ruined, margin_of
from barsieve.replay.state import (
    DELISTED,
    END_OF_DATA,
    FLAT,
    FLAT_POSITION,
    LIQUIDATION,
    NO_ORDERS,
    Account,
    Orders,
    Position,
    State,
)
from barsieve.replay.step import (
    decide,
    fill_entry,
    hold_and_decide,
    lapses,
    settle_and_leave,
    streak_shift,
)
from barsieve.replay.wallet_records import (
    Market,
    Wallet,
    look_at,
    make_market,
    resumed_wallet,
    states_of,
)
from barsieve.replay.writing import (
    write_entry,
    write_exit,
    write_funding,
    write_ordered_exit,
    write_shortfall,
    write_stop,
)

LOOKING_AHEAD = 16
"""Entry rows before which one is fetched: about as long as memory takes to answer."""


@compiled
def _account_of(purse: np.record, slot: np.record) -> Account:
    """Return the account as a symbol sees it, whose cooldown is its own."""
    return Account(
        balance=purse.balance,
        peak=purse.peak,
        loss_streak=purse.loss_streak,
        last_exit_index=slot.last_exit_index,
    )


@compiled
def _keep(
    purse: np.record, slot: np.record, account: Account, position: Position
) -> None:
    purse.balance = account.balance
    purse.peak = account.peak
    purse.loss_streak = account.loss_streak
    slot.last_exit_index = account.last_exit_index
    store(slot, position)


@compiled
def _note_end(wallet: Wallet, purse: np.record, trade: int) -> None:
    wallet.ended[purse.n_ended] = trade
    purse.n_ended += 1


@compiled_apart
def _leave(
    wallet: Wallet, market: Market, symbol: int, reason: int, held: int, rules: Rules
) -> None:
    """Close the position of a symbol at its last close; its orders go.

    `held` is how many more closes it was held for than had been counted.
    """
    purse, slot = wallet.purse[0], wallet.slots[symbol]
    position = overlaid(FLAT_POSITION, slot)
    position = replaced(position, bars_held=position.bars_held + held)
    state = State(account=_account_of(purse, slot), position=position, orders=NO_ORDERS)
    last = market.bars[slot.row]
    state = leave_at_last_close(
        state, last, reason, wallet.legs, wallet.trades, purse.n_legs, slot.trade, rules
    )
    purse.n_legs += 1
    _keep(purse, slot, state.account, state.position)
    store(slot, NO_ORDERS)
    _note_end(wallet, purse, slot.trade)


@compiled
def _is_left_behind(wallet: Wallet, symbol: int, hour: int, rules: Rules) -> bool:
    """Tell whether a symbol's position had no bar for too long before an hour."""
    slot = wallet.slots[symbol]
    hours = float(hour - slot.hour)
    return is_delisted(overlaid(FLAT_POSITION, slot), hours, rules)


@compiled_apart
def _has_delisted(wallet: Wallet, hour: int, rules: Rules) -> bool:
    """Tell whether some position had no bar for too long before this hour."""
    for at in range(wallet.purse[0].n_active):
        if _is_left_behind(wallet, wallet.active[at], hour, rules):
            return True
    return False


@compiled_apart
def _leave_delisted(wallet: Wallet, market: Market, hour: int, rules: Rules) -> None:
    """Leave what had no bar for too long before this hour."""
    for at in range(wallet.purse[0].n_active):
        symbol = wallet.active[at]
        if _is_left_behind(wallet, symbol, hour, rules):
            _leave(wallet, market, symbol, DELISTED, 0, rules)


@compiled
def _find_acting(wallet: Wallet, market: Market, hour: int) -> None:
    """List the active symbols that have a bar at this hour, and move to it."""
    purse = wallet.purse[0]
    n_acting = 0
    for at in range(purse.n_active):
        symbol = wallet.active[at]
        slot = wallet.slots[symbol]
        row = slot.row + 1
        if row < market.first[symbol + 1] and market.hours[row] == hour:
            slot.row = row
            slot.hour = hour
            prefetch(market.bars, row + 1)
            wallet.counts[symbol].bars_visited += 1
            wallet.acting[n_acting] = symbol
            n_acting += 1
    purse.n_acting = n_acting


@compiled_apart
def _settle_and_leave(wallet: Wallet, market: Market, rules: Rules) -> None:
    """Settle funding and fill ordered exits, by symbol."""
    purse = wallet.purse[0]
    for at in range(purse.n_acting):
        slot = wallet.slots[wallet.acting[at]]
        if slot.side == FLAT:
            continue
        bar, trade = market.bars[slot.row], slot.trade
        account = _account_of(purse, slot)
        before = overlaid(FLAT_POSITION, slot)
        orders = overlaid(NO_ORDERS, slot)
        balance = account.balance
        account, position, funding, fill = settle_and_leave(
            account, before, orders, bar, rules
        )
        purse.n_legs = write_funding(
            wallet.legs, purse.n_legs, trade, bar, before, funding, balance + funding
        )
        purse.n_legs = write_ordered_exit(
            wallet.legs,
            wallet.trades,
            purse.n_legs,
            trade,
            bar,
            before,
            fill,
            0.0,
            account.balance,
        )
        _keep(purse, slot, account, position)
        if position.side == FLAT:
            _note_end(wallet, purse, trade)


@compiled
def _rank_entries(wallet: Wallet) -> None:
    """List the acting symbols with an ordered entry, the most confident first.

    Of equally confident ones the first symbol comes first.
    """
    purse, slots, entries = wallet.purse[0], wallet.slots, wallet.entries
    n_entries = 0
    for at in range(purse.n_acting):
        symbol = wallet.acting[at]
        if slots[symbol].entry_side == FLAT:
            continue
        place = n_entries
        confidence = slots[symbol].entry_confidence
        while place > 0 and slots[entries[place - 1]].entry_confidence < confidence:
            entries[place] = entries[place - 1]
            place -= 1
        entries[place] = symbol
        n_entries += 1
    purse.n_entries = n_entries


@compiled
def _bound(wallet: Wallet, rules: Rules) -> tuple[float, int]:
    """Return the margin that the open positions bind, USD, and how many are open."""
    margin, n_open = 0.0, 0
    for at in range(wallet.purse[0].n_active):
        position = overlaid(FLAT_POSITION, wallet.slots[wallet.active[at]])
        if position.side != FLAT:
            margin += margin_of(position, rules)
            n_open += 1
    return margin, n_open


@compiled
def _is_crowded_out(
    account: Account, orders: Orders, price: float, margin: float, rules: Rules
) -> bool:
    """Tell whether only the margin of other positions leaves an order too small."""
    share, distance = orders.entry_risk_share, orders.entry_risk_distance
    balance = account.balance
    beside = entry_qty(balance, share, distance, price, margin, rules)
    alone = entry_qty(balance, share, distance, price, 0.0, rules)
    return alone > 0.0 and not beside > 0.0


@compiled_apart
def _enter(wallet: Wallet, market: Market, rules: Rules) -> None:
    """Fill the ordered entries, the most confident first, while there is room."""
    purse = wallet.purse[0]
    _rank_entries(wallet)
    for at in range(purse.n_entries):
        symbol = wallet.entries[at]
        slot, counts = wallet.slots[symbol], wallet.counts[symbol]
        bar, account = market.bars[slot.row], _account_of(purse, slot)
        orders = overlaid(NO_ORDERS, slot)
        margin, n_open = _bound(wallet, rules)
        if n_open >= rules.max_positions and not lapses(bar, rules):
            counts.no_room += 1
            continue
        entered, position, fill, is_refused, is_lapsed = fill_entry(
            account, FLAT_POSITION, orders, bar, margin, rules
        )
        if is_lapsed:
            counts.lapsed += 1
        elif is_refused and _is_crowded_out(account, orders, bar.open, margin, rules):
            counts.no_room += 1
        elif is_refused:
            counts.refused += 1
        else:
            slot.trade = purse.n_trades
            slot.stop_row = -1
            purse.n_trades += 1
            purse.n_legs = write_entry(
                wallet.legs,
                wallet.trades,
                purse.n_legs,
                slot.trade,
                symbol,
                bar,
                orders,
                fill,
                entered.balance,
            )
            _keep(purse, slot, entered, position)
            if wallet.memory.shape[1] > 0:
                model = market.learned.in_force[orders.entry_index]
                begin_memory(wallet.memory[symbol], model)


@compiled_apart
def _fill_resting(wallet: Wallet, market: Market, rules: Rules) -> None:
    """Test stops and targets, by symbol; those of new positions too."""
    purse = wallet.purse[0]
    for at in range(purse.n_acting):
        slot = wallet.slots[wallet.acting[at]]
        if slot.side == FLAT:
            continue
        bar, trade = market.bars[slot.row], slot.trade
        before = overlaid(FLAT_POSITION, slot)
        n_stops = write_stop(
            wallet.stops,
            purse.n_stops,
            slot.stop_row,
            trade,
            bar,
            before.stop,
            before.stop_reason,
        )
        if n_stops > purse.n_stops:
            slot.stop_row = purse.n_stops
            purse.n_stops = n_stops
        account, position, fill = fill_resting_exit(
            _account_of(purse, slot), before, bar, rules
        )
        if position.side == FLAT:
            purse.n_legs = write_exit(
                wallet.legs,
                wallet.trades,
                purse.n_legs,
                trade,
                bar,
                fill,
                before.bars_held,
                0.0,
                account.balance,
            )
            _keep(purse, slot, account, position)
            _note_end(wallet, purse, trade)


@compiled_apart
def _is_lost(wallet: Wallet, market: Market, rules: Rules) -> bool:
    """Tell whether all that is open and the balance are worth nothing together.

    A symbol without a bar at this hour is marked at its last close.
    """
    purse, equity, n_open = wallet.purse[0], wallet.purse[0].balance, 0
    for at in range(purse.n_active):
        slot = wallet.slots[wallet.active[at]]
        position = overlaid(FLAT_POSITION, slot)
        if position.side != FLAT:
            equity += worth_of(position, market.bars[slot.row].close, rules)
            n_open += 1
    return is_worthless(equity, n_open == 0)


@compiled_apart
def _liquidate(wallet: Wallet, market: Market, hour: int, rules: Rules) -> None:
    """Close all that is open, each symbol at its last close.

    The account then has no order left and decides nothing.
    """
    purse = wallet.purse[0]
    for at in range(purse.n_active):
        symbol = wallet.active[at]
        slot = wallet.slots[symbol]
        if slot.side != FLAT:
            held = 1 if slot.hour == hour else 0
            _leave(wallet, market, symbol, LIQUIDATION, held, rules)
        store(slot, NO_ORDERS)
    account, shortfall = emptied(_account_of(purse, wallet.slots[0]))
    purse.balance = account.balance
    purse.liquidated += 1
    write_shortfall(wallet.legs, wallet.trades, purse.n_legs, shortfall)


@compiled_apart
def _decide_held(wallet: Wallet, market: Market, rules: Rules) -> None:
    """Count the bar of the acting symbols, move their stops, and decide."""
    purse = wallet.purse[0]
    for at in range(purse.n_acting):
        symbol = wallet.acting[at]
        slot = wallet.slots[symbol]
        rest_r = math.nan
        if wallet.memory.shape[1] > 0 and slot.side != FLAT:
            rest_r = still_to_come(
                market.learned,
                wallet.memory[symbol],
                wallet.sight,
                overlaid(FLAT_POSITION, slot),
                market.bars[slot.row],
            )
        position, orders = hold_and_decide(
            _account_of(purse, slot),
            overlaid(FLAT_POSITION, slot),
            market.bars[slot.row],
            rules,
            rest_r,
        )
        store(slot, position)
        store(slot, orders)


@compiled
def _settle_hour(wallet: Wallet, hour: int, rules: Rules) -> None:
    """Write what the hour's ends came to, and keep of the active those that still are.

    What a streak adds to the threshold is known once all ends of the hour are.
    """
    purse = wallet.purse[0]
    shift = streak_shift(purse, rules)
    for at in range(purse.n_ended):
        wallet.trades[wallet.ended[at]].shift_after = shift
    purse.n_ended = 0
    n_active, n_open = 0, 0
    for at in range(purse.n_active):
        symbol = wallet.active[at]
        slot = wallet.slots[symbol]
        n_open += slot.side != FLAT
        if slot.side != FLAT or slot.entry_side != FLAT:
            wallet.active[n_active] = symbol
            n_active += 1
    purse.n_active = n_active
    if n_open == 0 and not purse.is_ruined and is_ruined(purse.balance, rules):
        purse.is_ruined = True
        purse.ruined_hour = hour


@compiled
def _activate(wallet: Wallet, symbol: int) -> None:
    """Add a symbol to the active ones, in the order of symbols."""
    purse, active = wallet.purse[0], wallet.active
    place = purse.n_active
    while place > 0 and active[place - 1] > symbol:
        active[place] = active[place - 1]
        place -= 1
    active[place] = symbol
    purse.n_active += 1


@compiled_apart
def _decide_flat(
    wallet: Wallet, market: Market, k: int, is_lost: bool, rules: Rules
) -> None:
    """Decide at the entry rows of an hour, of symbols that were not active."""
    purse, hour = wallet.purse[0], market.merged[k]
    for at in range(market.entry_first[k], market.entry_first[k + 1]):
        symbol, row = market.entry_symbols[at], market.entry_rows[at]
        slot = wallet.slots[symbol]
        if at + LOOKING_AHEAD < len(market.entry_rows):
            prefetch(market.bars, market.entry_rows[at + LOOKING_AHEAD])
        if slot.row == row:
            continue
        wallet.counts[symbol].bars_visited += 1
        if is_lost:
            continue
        account = _account_of(purse, slot)
        orders = decide(account, FLAT_POSITION, market.bars[row], rules, math.nan)
        if orders.entry_side != FLAT:
            store(slot, orders)
            slot.row = row
            slot.hour = hour
            _activate(wallet, symbol)


@compiled
def _next_entry_hour(market: Market, k: int) -> int:
    """Return the first hour from the k-th on with a row to enter on, or the end."""
    n_hours, at = len(market.merged), market.entry_first[k]
    if at == market.entry_first[n_hours]:
        return n_hours
    hour: int = market.nth_hours[market.entry_rows[at]]
    return hour


@compiled_apart
def replay_wallet(wallet: Wallet, market: Market, rules: Rules, begin: int = 0) -> None:
    """Carry a wallet through the hours of its market, to the close of the last.

    `begin`: which of its hours is the first.

    While something is active every hour is stepped through, of the active symbols and
    the entry rows; while nothing is, the next hour is that of the next entry row. That
    skips only what would change nothing, as in `kernel.replay_bars`.
    """
    purse, k = wallet.purse[0], begin
    while k < len(market.merged):
        if purse.n_active == 0:
            k = _next_entry_hour(market, k)
            if k == len(market.merged):
                break
        hour, is_lost = market.merged[k], False
        if purse.n_active > 0:
            if _has_delisted(wallet, hour, rules):
                _leave_delisted(wallet, market, hour, rules)
            _find_acting(wallet, market, hour)
            _settle_and_leave(wallet, market, rules)
            _enter(wallet, market, rules)
            _fill_resting(wallet, market, rules)
            is_lost = _is_lost(wallet, market, rules)
            if is_lost:
                _liquidate(wallet, market, hour, rules)
            else:
                _decide_held(wallet, market, rules)
            _settle_hour(wallet, hour, rules)
        _decide_flat(wallet, market, k, is_lost, rules)
        k += 1
    purse.threshold_shift = streak_shift(purse, rules)


@compiled_apart
def end_wallet(
    wallet: Wallet, market: Market, hours_after: float, rules: Rules
) -> None:
    """Close what is still open at the market's end, by symbol at its last close.

    The market goes on for `hours_after` when none of the symbols has a bar any more.
    """
    purse = wallet.purse[0]
    for at in range(purse.n_active):
        symbol = wallet.active[at]
        slot = wallet.slots[symbol]
        since = market.merged[-1] + hours_after - slot.hour
        position = overlaid(FLAT_POSITION, slot)
        if is_delisted(position, since, rules):
            _leave(wallet, market, symbol, DELISTED, 0, rules)
        elif slot.side != FLAT:
            _leave(wallet, market, symbol, END_OF_DATA, 0, rules)
    shift = streak_shift(purse, rules)
    for at in range(purse.n_ended):
        wallet.trades[wallet.ended[at]].shift_after = shift


def _by_trade(records: np.ndarray) -> np.recarray:
    """Return legs or stops trade by trade, those of a trade in their order."""
    order = np.argsort(records["trade"], kind="stable")
    return cast(np.recarray, records[order])


def replay_wallet_into_ledger(
    bars: np.recarray,
    rules: Rules,
    start_balance: float,
    hours: np.ndarray,
    first: np.ndarray,
    entry_rows: np.ndarray,
    is_focused: bool,
    hours_after: float = 0.0,
    learned: Learned = NOTHING,
    resumed: Resumed | None = None,
) -> Ledger:
    """Replay one account over the bars of many symbols into a ledger of its own.

    `bars`, shape (n_rows,), dtype `BAR`: symbol by symbol, each in time order, `index`
    the row. `hours`, shape (n_rows,), int64: the hour that each opens at. `first`,
    shape (n_symbols + 1,), int64: where each symbol begins, then the end. `entry_rows`,
    int64: where the screen says that an entry may be decided; the full replay ignores
    it and looks at all rows. `hours_after`: from the last of them to the market's end.
    `resumed`: where an earlier replay had come to, of rows up to one of each symbol's.
    """
    market = make_market(bars, hours, first, learned)
    rows = np.unique(entry_rows) if is_focused else None
    return replay_market_into_ledger(
        market, rules, start_balance, rows, hours_after, resumed
    )


def replay_market_into_ledger(
    market: Market,
    rules: Rules,
    start_balance: float,
    entry_rows: np.ndarray | None,
    hours_after: float = 0.0,
    resumed: Resumed | None = None,
) -> Ledger:
    """Replay one account over a market that was made before, into a ledger of its own.

    As `replay_wallet_into_ledger`, but for `entry_rows`: they ascend, none twice, and
    without them all rows are looked at. What may be entered on in the market is written
    anew, its bars are read as they are.
    """
    n_rows, n_symbols = len(market.bars), len(market.first) - 1
    look_at(market, np.arange(n_rows) if entry_rows is None else entry_rows)
    before = resumed or beginning(n_symbols, start_balance)
    wallet = resumed_wallet(before, market)
    purse = wallet.purse[0]
    if resumed is None and n_rows > 0 and is_ruined(start_balance, rules):
        purse.is_ruined, purse.ruined_hour = True, market.merged[0]
    begin = int(np.searchsorted(market.merged, before.moment, "right"))
    replay_wallet(wallet, market, rules, begin)
    states = states_of(wallet)
    end_wallet(wallet, market, hours_after, rules)
    at_ruin = np.array([-1])
    if purse.is_ruined:
        at_ruin = np.flatnonzero(market.hours == purse.ruined_hour)
    if before.is_ruined:
        at_ruin = np.zeros(1, np.int64)
    sums = {name: int(wallet.counts[name].sum()) for name in COUNT_FIELDS}
    outcome = Outcome(
        trades=int(purse.n_trades),
        legs=int(purse.n_legs),
        stops=int(purse.n_stops),
        end_balance=float(purse.balance),
        liquidated=int(purse.liquidated),
        ruined_index=int(at_ruin[0]),
        threshold_shift=float(purse.threshold_shift),
        state=states[0],
        reached=states[0],
        **sums,
    )
    return Ledger(
        outcome=outcome,
        legs=_by_trade(before.placed(wallet.legs[: purse.n_legs])),
        trades=cast(np.recarray, wallet.trades[: purse.n_trades]),
        stops=_by_trade(wallet.stops[: purse.n_stops]),
        states=states,
        reached=states,
        counts=wallet.counts,
    )
