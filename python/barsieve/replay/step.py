"""One bar of the replay: the whole of the trading rules, in the order they happen.

Two kinds of orders exist. What is decided at a close fills at the next bar's open; what
rests in the market (stop, target) fills inside the bar.
"""

import math

from barsieve.core.numba_cache import compiled
from barsieve.profiles.rules import Rules
from barsieve.replay.costs import costs_of, make_fill, net_of, settle_funding
from barsieve.replay.decimals import decimal_sum
from barsieve.replay.exits import (
    close_position,
    emptied,
    exit_reason,
    fill_ordered_exit,
    fill_resting_exit,
    hold_through_close,
    is_macro_exit,
    is_worthless,
    orders_partial,
    worth_of,
)
from barsieve.replay.records import replaced
from barsieve.replay.sizing import entry_qty, risk_distance, risk_share
from barsieve.replay.state import (
    FLAT,
    LIQUIDATION,
    LONG,
    NO_FILL,
    NO_ORDERS,
    NO_REASON,
    STOP,
    Account,
    Bar,
    Fill,
    Fills,
    Orders,
    Position,
    State,
    Streak,
)


@compiled
def streak_shift(account: Streak, rules: Rules) -> float:
    """Return what a streak of losses adds to the threshold."""
    is_streak = account.loss_streak >= rules.loss_streak_trades
    return rules.loss_streak_shift if is_streak else 0.0


@compiled
def threshold_in_force(account: Streak, bar: Bar, rules: Rules) -> float:
    """Return the confidence that this close asks for, the streak of losses included."""
    return decimal_sum(bar.threshold, streak_shift(account, rules))


@compiled
def is_open(side: int, bar: Bar, rules: Rules) -> bool:
    """Tell whether a side is traded, and nothing but its confidence bars it at a close.

    No veto, macro exit or want of a sentinel does. `sides` is one, or FLAT for both.
    """
    if rules.sides == -side:
        return False
    net_veto = bar.net_veto_long if side == LONG else bar.net_veto_short
    is_vetoed = not net_veto < rules.veto_limit
    return bar.has_sentinel and not is_vetoed and not is_macro_exit(side, bar, rules)


@compiled
def signal(account: Streak, bar: Bar, rules: Rules) -> int:
    """Return the side that the entry predicate admits at this close, or FLAT.

    Eligible, a side that is traded, enough confidence, a sentinel where one is
    required, no veto, and no macro exit that would leave the position an hour later; a
    streak of losses asks for more.
    """
    if not bar.is_eligible or bar.side == FLAT:
        return FLAT
    threshold = threshold_in_force(account, bar, rules)
    if bar.confidence >= threshold and is_open(bar.side, bar, rules):
        return bar.side
    return FLAT


@compiled
def settle_and_leave(
    account: Account, position: Position, orders: Orders, bar: Bar, rules: Rules
) -> tuple[Account, Position, float, Fill]:
    """Settle funding, then fill the ordered exit or partial at the open.

    Returns the account, the position, the funding received and the fill.
    """
    account, position, funding = settle_funding(account, position, bar)
    account, position, fill = fill_ordered_exit(account, position, orders, bar, rules)
    return account, position, funding, fill


@compiled
def lapses(bar: Bar, rules: Rules) -> bool:
    """Tell whether a bar follows too late for an entry that was ordered before it.

    The stop distance of such an order is of another market.
    """
    return bar.hours_since > rules.max_gap_hours


@compiled
def fill_entry(
    account: Account,
    position: Position,
    orders: Orders,
    bar: Bar,
    margin: float,
    rules: Rules,
) -> tuple[Account, Position, Fill, bool, bool]:
    """Enter at the open, sized on the balance after any exit's result.

    An order whose bar does not follow soon enough lapses. One that is too small beside
    the `margin` that the account's other positions bind (USD), or costs all that there
    is, is refused. Returns the account, the position, the fill, whether refused,
    whether lapsed.
    """
    if orders.entry_side == FLAT:
        return account, position, NO_FILL, False, False
    if lapses(bar, rules):
        return account, position, NO_FILL, False, True
    side, distance = orders.entry_side, orders.entry_risk_distance
    share = orders.entry_risk_share
    qty = entry_qty(account.balance, share, distance, bar.open, margin, rules)
    fill = make_fill(qty, bar.open, 0.0, NO_REASON, rules)
    if not qty > 0.0 or costs_of(fill) >= account.balance:
        return account, position, NO_FILL, True, False
    account = replaced(account, balance=account.balance + net_of(fill))
    position = Position(
        side=side,
        qty=qty,
        entry_qty=qty,
        entry_price=bar.open,
        risk_distance=distance,
        stop=bar.open - side * distance,
        stop_reason=STOP,
        target=bar.open + side * rules.target_r * distance,
        has_partial=False,
        bars_held=0,
        net_pnl=net_of(fill),
    )
    return account, position, fill, False, False


@compiled
def decide(
    account: Account, position: Position, bar: Bar, rules: Rules, rest_r: float
) -> Orders:
    """Decide at the close what the next open shall fill.

    `rest_r` is what a model expects the position still to bring, R; NaN without one.

    An opposite signal closes and reverses without a cooldown; a same-side signal does
    nothing. A signal whose stop distance is unknown is not taken.
    """
    side = signal(account, bar, rules)
    reason = NO_REASON
    is_partial = False
    if position.side == FLAT:
        may_enter = bar.index >= account.last_exit_index + rules.cooldown_bars
    else:
        reason = exit_reason(position, bar, rules, side, rest_r)
        is_partial = reason == NO_REASON and orders_partial(position, bar, rules)
        may_enter = side == -position.side
    distance = risk_distance(bar, rules)
    if side == FLAT or not may_enter or not distance > 0.0:
        return replaced(NO_ORDERS, exit_reason=reason, is_partial=is_partial)
    return Orders(
        exit_reason=reason,
        is_partial=is_partial,
        entry_side=side,
        entry_confidence=bar.confidence,
        entry_risk_distance=distance,
        entry_risk_share=risk_share(account, bar, distance, rules),
        entry_index=bar.index,
        entry_threshold=threshold_in_force(account, bar, rules),
        entry_streak=account.loss_streak,
    )


@compiled
def hold_and_decide(
    account: Account, position: Position, bar: Bar, rules: Rules, rest_r: float
) -> tuple[Position, Orders]:
    """Count the bar, set the stop for the next, and decide what its open shall fill."""
    if position.side != FLAT:
        position = hold_through_close(position, bar, rules)
    return position, decide(account, position, bar, rules, rest_r)


@compiled
def close(
    state: State, bar: Bar, rules: Rules, is_liquidated: bool, rest_r: float
) -> State:
    """Let a close hold and decide, unless it took all that there was."""
    if is_liquidated:
        return state
    position, orders = hold_and_decide(
        state.account, state.position, bar, rules, rest_r
    )
    return State(account=state.account, position=position, orders=orders)


@compiled
def fill(state: State, bar: Bar, rules: Rules) -> tuple[State, Fills]:
    """Fill what was ordered and what rests, up to the close of a bar.

    Of one symbol, alone in its account. What is left of it then decides nothing where
    the account was liquidated.
    """
    account, position, orders = state.account, state.position, state.orders
    # 1. Funding on the position held before the fills, then the ordered exit.
    account, position, funding, ordered_exit = settle_and_leave(
        account, position, orders, bar, rules
    )
    # 2. The ordered entry; no other position binds margin.
    account, position, entry, is_refused, is_lapsed = fill_entry(
        account, position, orders, bar, 0.0, rules
    )
    # 3. Stop and target are tested, on the entry's own bar too.
    stop, stop_reason = position.stop, position.stop_reason
    account, position, resting_exit = fill_resting_exit(account, position, bar, rules)
    # 4. At the close: an account worth nothing is liquidated and decides nothing.
    equity = account.balance + worth_of(position, bar.close, rules)
    is_liquidated = is_worthless(equity, position.side == FLAT)
    liquidation, shortfall, orders = NO_FILL, 0.0, NO_ORDERS
    if is_liquidated:
        if position.side != FLAT:
            account, position, liquidation = close_position(
                account, position, bar.close, LIQUIDATION, bar, rules
            )
        account, shortfall = emptied(account)
    fills = Fills(
        funding=funding,
        ordered_exit=ordered_exit,
        entry=entry,
        is_refused=is_refused,
        is_lapsed=is_lapsed,
        stop=stop,
        stop_reason=stop_reason,
        resting_exit=resting_exit,
        liquidation=liquidation,
        is_liquidated=is_liquidated,
        shortfall=shortfall,
    )
    return State(account=account, position=position, orders=orders), fills


@compiled
def step(
    state: State, bar: Bar, rules: Rules, rest_r: float = math.nan
) -> tuple[State, Fills]:
    """Carry the state of one symbol, alone in its account, through one bar.

    Returns it with the fills of the bar. A wallet of many symbols takes the same four
    parts for all of them, one part after the other. `rest_r`: what a model expects the
    position, as the close finds it, still to bring.
    """
    state, fills = fill(state, bar, rules)
    return close(state, bar, rules, fills.is_liquidated, rest_r), fills
