"""One bar of the replay: the whole of the trading rules, in the order they happen.

Two kinds of orders exist. What is decided at a close fills at the next bar's open; what
rests in the market (stop, target) fills inside the bar.
"""

from barsieve.compile import compiled
from barsieve.replay.costs import make_fill, net_of, settle_funding
from barsieve.replay.decimals import decimal_sum
from barsieve.replay.exits import (
    exit_reason,
    fill_ordered_exit,
    fill_resting_exit,
    hold_through_close,
    is_macro_exit,
    orders_partial,
)
from barsieve.replay.sizing import entry_quantity, risk_distance, risk_share
from barsieve.replay.state import (
    FLAT,
    LONG,
    NO_FILL,
    NO_REASON,
    STOP,
    Account,
    Fills,
    Orders,
    Position,
    State,
)


@compiled
def signal(account, bar, rules):
    """Return the side that the entry predicate admits at this close, or FLAT.

    Eligible, a side, enough confidence, no veto, and no macro exit that would leave the
    position an hour later; a streak of losses asks for more.
    """
    if not bar.is_eligible or bar.side == FLAT:
        return FLAT
    threshold = bar.threshold
    if account.loss_streak >= rules.loss_streak_trades:
        threshold = decimal_sum(threshold, rules.loss_streak_shift)
    net_veto = bar.net_veto_long if bar.side == LONG else bar.net_veto_short
    is_admitted = bar.confidence >= threshold and net_veto < rules.veto_limit
    if is_admitted and not is_macro_exit(bar.side, bar, rules):
        return bar.side
    return FLAT


@compiled
def fill_entry(account, position, orders, bar, rules):
    """Enter at the open, sized on the balance after any exit's result."""
    if orders.entry_side == FLAT:
        return account, position, NO_FILL, False
    side, distance = orders.entry_side, orders.entry_risk_distance
    quantity = entry_quantity(
        account.balance, orders.entry_risk_share, distance, bar.open, rules
    )
    if not quantity > 0.0:
        return account, position, NO_FILL, True
    fill = make_fill(quantity, bar.open, 0.0, NO_REASON, rules)
    return (
        Account(
            account.balance + net_of(fill), account.loss_streak, account.last_exit_index
        ),
        Position(
            side,
            quantity,
            quantity,
            bar.open,
            distance,
            bar.open - side * distance,
            STOP,
            bar.open + side * rules.target_r * distance,
            False,
            0,
            net_of(fill),
        ),
        fill,
        False,
    )


@compiled
def decide(account, position, bar, rules):
    """Decide at the close what the next open shall fill.

    An opposite signal closes and reverses without a cooldown; a same-side signal does
    nothing. A signal whose stop distance is unknown is not taken.
    """
    side = signal(account, bar, rules)
    reason = NO_REASON
    is_partial = False
    if position.side == FLAT:
        may_enter = bar.index >= account.last_exit_index + rules.cooldown_bars
    else:
        reason = exit_reason(position, bar, rules, side)
        is_partial = reason == NO_REASON and orders_partial(position, bar, rules)
        may_enter = side == -position.side
    distance = risk_distance(bar, rules)
    if side == FLAT or not may_enter or not distance > 0.0:
        return Orders(reason, is_partial, FLAT, 0.0, 0.0, 0.0, -1)
    return Orders(
        reason,
        is_partial,
        side,
        bar.confidence,
        distance,
        risk_share(bar, rules),
        bar.index,
    )


@compiled
def step(state, bar, rules):
    """Carry the state through one bar; return it with the fills of the bar."""
    account, position, orders = state
    # 1. Funding on the position held before the fills.
    account, position, funding = settle_funding(account, position, bar)
    # 2. Pending orders fill at the open: exits first, then the entry.
    account, position, ordered_exit = fill_ordered_exit(
        account, position, orders, bar, rules
    )
    account, position, entry, is_refused = fill_entry(
        account, position, orders, bar, rules
    )
    # 3. Stop and target are tested, on the entry's own bar too.
    account, position, resting_exit = fill_resting_exit(account, position, bar, rules)
    # 4. and 5. At the close: count the bar, set the stop for the next, then decide.
    if position.side != FLAT:
        position = hold_through_close(position, bar, rules)
    orders = decide(account, position, bar, rules)
    fills = Fills(funding, ordered_exit, entry, resting_exit, is_refused)
    return State(account, position, orders), fills
