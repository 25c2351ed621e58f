"""The step over many bars: every bar, or only those where something can happen."""

import math
from typing import cast

import numpy as np

from barsieve.core.numba_cache import compiled, compiled_apart
from barsieve.profiles.rules import Rules
from barsieve.replay.costs import net_of
from barsieve.replay.exits import close_position, is_delisted
from barsieve.replay.learned import (
    NOTHING,
    Learned,
    begin_memory,
    make_sight,
    still_to_come,
)
from barsieve.replay.ledger import (
    COUNT_FIELDS,
    COUNTS,
    Ledger,
    Outcome,
)
from barsieve.replay.resume import Resumed, beginning, fresh_state
from barsieve.replay.sizing import is_ruined
from barsieve.replay.state import (
    DELISTED,
    END_OF_DATA,
    FLAT,
    NO_ORDERS,
    Account,
    Bar,
    Fills,
    State,
)
from barsieve.replay.step import close, fill, streak_shift
from barsieve.replay.writing import (
    write_entry,
    write_exit,
    write_funding,
    write_ordered_exit,
    write_shortfall,
    write_stop,
)


@compiled
def _write_bar(
    legs: np.recarray,
    trades: np.recarray,
    stops: np.recarray,
    counts: tuple[int, int, int],
    bar: Bar,
    before: State,
    fills: Fills,
    account: Account,
    rules: Rules,
) -> tuple[int, int, int]:
    """Write the fills of one bar; return the numbers of legs, trades and stops so far.

    `account` is that after the bar.
    """
    n_legs, n_trades, n_stops = counts
    trade, held, bars_held = n_trades - 1, before.position, before.position.bars_held
    shift = streak_shift(account, rules)
    balance = before.account.balance + fills.funding
    n_legs = write_funding(legs, n_legs, trade, bar, held, fills.funding, balance)
    balance += net_of(fills.ordered_exit)
    n_legs = write_ordered_exit(
        legs, trades, n_legs, trade, bar, held, fills.ordered_exit, shift, balance
    )
    is_new = fills.entry.qty > 0.0
    if is_new:
        bars_held, trade = 0, n_trades
        n_trades += 1
        balance += net_of(fills.entry)
        n_legs = write_entry(
            legs, trades, n_legs, trade, 0, bar, before.orders, fills.entry, balance
        )
    written = -1 if is_new else n_stops - 1
    n_stops = write_stop(
        stops, n_stops, written, trade, bar, fills.stop, fills.stop_reason
    )
    out = fills.resting_exit
    balance += net_of(out)
    n_legs = write_exit(
        legs, trades, n_legs, trade, bar, out, bars_held, shift, balance
    )
    if fills.is_liquidated:
        out = fills.liquidation
        balance += net_of(out)
        n_legs = write_exit(
            legs, trades, n_legs, trade, bar, out, bars_held + 1, shift, balance
        )
        write_shortfall(legs, trades, n_legs, fills.shortfall)
    return n_legs, n_trades, n_stops


@compiled_apart
def leave_at_last_close(
    state: State,
    last: Bar,
    reason: int,
    legs: np.recarray,
    trades: np.recarray,
    n_legs: int,
    trade: int,
    rules: Rules,
) -> State:
    """Close a position at the last close of its symbol and write its one leg.

    For want of further bars: the orders of that close never fill, and go.
    """
    account, position, fill = close_position(
        state.account, state.position, last.close, reason, last, rules
    )
    shift, held = streak_shift(account, rules), state.position.bars_held
    write_exit(legs, trades, n_legs, trade, last, fill, held, shift, account.balance)
    return State(account=account, position=position, orders=NO_ORDERS)


@compiled
def _is_idle(state: State) -> bool:
    return state.position.side == FLAT and state.orders.entry_side == FLAT


@compiled
def _next_entry_bar(entry_bars: np.ndarray, cursor: int, index: int) -> int:
    """Move the cursor to the first bar after `index` where an entry may happen."""
    while cursor < len(entry_bars) and entry_bars[cursor] <= index:
        cursor += 1
    return cursor


@compiled
def replay_bars(
    bars: np.recarray,
    rules: Rules,
    start_balance: float,
    entry_bars: np.ndarray,
    is_focused: bool,
    hours_after: float,
    learned: Learned,
    memory: np.ndarray,
    sight: np.ndarray,
    legs: np.recarray,
    trades: np.recarray,
    stops: np.recarray,
) -> Outcome:
    """Step through the bars, from a state that has never traded; see `carry_on`."""
    n_bars = len(bars)
    ruined_index = 0 if n_bars > 0 and is_ruined(start_balance, rules) else -1
    return carry_on(
        bars,
        rules,
        fresh_state(start_balance),
        0,
        (0, 0, 0),
        ruined_index,
        entry_bars,
        is_focused,
        hours_after,
        learned,
        memory,
        sight,
        legs,
        trades,
        stops,
    )


@compiled
def carry_on(
    bars: np.recarray,
    rules: Rules,
    before: State,
    begin: int,
    written: tuple[int, int, int],
    ruined_index: int,
    entry_bars: np.ndarray,
    is_focused: bool,
    hours_after: float,
    learned: Learned,
    memory: np.ndarray,
    sight: np.ndarray,
    legs: np.recarray,
    trades: np.recarray,
    stops: np.recarray,
) -> Outcome:
    """Step through the bars from `begin` on and write what happens into the ledger.

    `before` is the state before the bar `begin`, of which so many legs, trades and
    stops are `written`: those of a trade that is open. `ruined_index` is -1 while the
    account may enter.

    The full replay visits every bar. The focused one, while flat with nothing ordered,
    jumps to the next of `entry_bars` (ascending). That skips only bars on which the
    step would change nothing: no position to fund, fill, stop or hold, no order to
    fill, and (where the screen is admissible) no signal to take. `stops` without room
    keeps no path of the stop.

    A position across a gap of `delisted_after_hours` is left at the close before it,
    when the next bar comes. `hours_after` are those from the last bar's open to the
    market's last; 0 where both end together.

    `memory` and `sight` are what `learned` works in; without a model they have no
    length, and nothing is asked of it.
    """
    # What it remembers is in `memory` while the bars go by.
    state = State(
        account=before.account, position=before.position, orders=before.orders
    )
    n_bars, is_learned = len(bars), len(memory) > 0
    counts, visited, cursor, index = written, 0, 0, begin
    refused, lapsed, liquidated = 0, 0, 0
    if is_focused and _is_idle(state):
        cursor = _next_entry_bar(entry_bars, cursor, begin - 1)
        index = entry_bars[cursor] if cursor < len(entry_bars) else n_bars
    while index < n_bars:
        bar, was_idle = bars[index], _is_idle(state)
        if is_delisted(state.position, bar.hours_since, rules):
            n_legs, n_trades, n_stops = counts
            state = leave_at_last_close(
                state,
                bars[index - 1],
                DELISTED,
                legs,
                trades,
                n_legs,
                n_trades - 1,
                rules,
            )
            counts = n_legs + 1, n_trades, n_stops
        before = state
        state, fills = fill(before, bar, rules)
        rest_r = math.nan
        if is_learned and state.position.side != FLAT:
            if fills.entry.qty > 0.0:
                begin_memory(memory, learned.in_force[before.orders.entry_index])
            rest_r = still_to_come(learned, memory, sight, state.position, bar)
        state = close(state, bar, rules, fills.is_liquidated, rest_r)
        visited += 1
        # Nothing can have happened to a flat account without an order.
        if not was_idle:
            counts = _write_bar(
                legs, trades, stops, counts, bar, before, fills, state.account, rules
            )
            if before.orders.entry_side != FLAT:
                refused += fills.is_refused
                lapsed += fills.is_lapsed
            if state.position.side == FLAT:
                liquidated += fills.is_liquidated
                if ruined_index < 0 and is_ruined(state.account.balance, rules):
                    ruined_index = index
        if is_focused and _is_idle(state):
            cursor = _next_entry_bar(entry_bars, cursor, index)
            index = entry_bars[cursor] if cursor < len(entry_bars) else n_bars
        else:
            index += 1
    n_legs, n_trades, n_stops = counts
    reached = state
    if is_delisted(state.position, hours_after, rules):
        state = leave_at_last_close(
            state, bars[n_bars - 1], DELISTED, legs, trades, n_legs, n_trades - 1, rules
        )
        n_legs += 1
    ended = state
    if state.position.side != FLAT:
        ended = leave_at_last_close(
            state,
            bars[n_bars - 1],
            END_OF_DATA,
            legs,
            trades,
            n_legs,
            n_trades - 1,
            rules,
        )
        n_legs += 1
    return Outcome(
        trades=n_trades,
        legs=n_legs,
        bars_visited=visited,
        stops=n_stops,
        end_balance=ended.account.balance,
        refused=refused,
        no_room=0,
        lapsed=lapsed,
        liquidated=liquidated,
        ruined_index=ruined_index,
        threshold_shift=streak_shift(state.account, rules),
        state=state,
        reached=reached,
    )


def replay_into_ledger(
    bars: np.recarray,
    rules: Rules,
    start_balance: float,
    entry_bars: np.ndarray,
    is_focused: bool,
    hours_after: float,
    learned: Learned = NOTHING,
    resumed: Resumed | None = None,
) -> Ledger:
    """Replay the bars into a ledger of their own; arguments as for `replay_bars`.

    `resumed` is where an earlier replay had come to, of bars up to one of these.
    """
    begin = resumed or beginning(1, start_balance)
    legs, trades, stops = begin.ledger(len(bars))
    ruined_index = 0 if begin.is_ruined else -1
    if resumed is None and len(bars) > 0 and is_ruined(start_balance, rules):
        ruined_index = 0
    memory = begin.memory(learned)[0]
    done = carry_on(
        bars,
        rules,
        begin.states[0]._replace(memory=()),
        begin.next_index,
        begin.written,
        ruined_index,
        entry_bars,
        is_focused,
        hours_after,
        learned,
        memory,
        make_sight(learned),
        legs,
        trades,
        stops,
    )
    remembered = tuple(memory.tolist())
    state = done.state._replace(memory=remembered)
    reached = done.reached._replace(memory=remembered)
    counts = np.zeros(1, COUNTS).view(np.recarray)
    for name in COUNT_FIELDS:
        counts[name] = getattr(done, name)
    return Ledger(
        outcome=done._replace(state=state),
        legs=begin.placed(legs[: done.legs]),
        trades=cast(np.recarray, trades[: done.trades]),
        stops=cast(np.recarray, stops[: done.stops]),
        states=(state,),
        reached=(reached,),
        counts=counts,
    )
