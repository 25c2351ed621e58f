"""Exits of a position: ordered ones, resting orders, and the moves of its stop."""

from barsieve.core.numba_cache import compiled
from barsieve.profiles.rules import Rules
from barsieve.replay.costs import make_fill, net_of
from barsieve.replay.records import replaced
from barsieve.replay.state import (
    BREAK_EVEN,
    FLAT,
    FLAT_POSITION,
    LEARNED,
    LIQUIDATION,
    LONG,
    MACRO,
    NO_FILL,
    NO_REASON,
    REVERSAL,
    TARGET,
    TIME,
    TRAIL,
    VOLUME_TRAP,
    Account,
    Bar,
    Fill,
    Orders,
    Position,
)


@compiled
def close_position(
    account: Account,
    position: Position,
    price: float,
    reason: int,
    bar: Bar,
    rules: Rules,
) -> tuple[Account, Position, Fill]:
    """Close all that is left at a price. A trade is all its legs: so is its result."""
    amount = position.side * (price - position.entry_price) * position.qty
    fill = make_fill(position.qty, price, amount, reason, rules)
    is_win = position.net_pnl + net_of(fill) > 0.0
    loss_streak = 0 if is_win else account.loss_streak + 1
    balance = account.balance + net_of(fill)
    after = Account(
        balance=balance,
        peak=max(account.peak, balance),
        loss_streak=loss_streak,
        last_exit_index=bar.index,
    )
    return after, FLAT_POSITION, fill


@compiled
def take_partial(
    account: Account, position: Position, price: float, rules: Rules
) -> tuple[Account, Position, Fill]:
    """Close `partial_share` of the entry quantity and mark the partial as done."""
    qty = rules.partial_share * position.entry_qty
    amount = position.side * (price - position.entry_price) * qty
    fill = make_fill(qty, price, amount, NO_REASON, rules)
    account = replaced(account, balance=account.balance + net_of(fill))
    position = replaced(
        position,
        qty=position.qty - qty,
        has_partial=True,
        net_pnl=position.net_pnl + net_of(fill),
    )
    return account, position, fill


@compiled
def fill_ordered_exit(
    account: Account, position: Position, orders: Orders, bar: Bar, rules: Rules
) -> tuple[Account, Position, Fill]:
    """Fill what the last close decided, at the open; a full exit cancels a partial."""
    if position.side == FLAT:
        return account, position, NO_FILL
    if orders.exit_reason != NO_REASON:
        return close_position(
            account, position, bar.open, orders.exit_reason, bar, rules
        )
    if orders.is_partial:
        return take_partial(account, position, bar.open, rules)
    return account, position, NO_FILL


@compiled
def fill_resting_exit(
    account: Account, position: Position, bar: Bar, rules: Rules
) -> tuple[Account, Position, Fill]:
    """Test stop and target against the bar: the open first, then the range, stop first.

    A bar that opens beyond the stop or the target fills it at the open.
    """
    side = position.side
    if side == FLAT:
        return account, position, NO_FILL
    worst = bar.low if side == LONG else bar.high
    best = bar.high if side == LONG else bar.low
    price = 0.0
    reason = NO_REASON
    if side * (bar.open - position.stop) <= 0.0:
        price, reason = bar.open, position.stop_reason
    elif side * (bar.open - position.target) >= 0.0:
        price, reason = bar.open, TARGET
    elif side * (worst - position.stop) <= 0.0:
        price, reason = position.stop, position.stop_reason
    elif side * (best - position.target) >= 0.0:
        price, reason = position.target, TARGET
    if reason == NO_REASON:
        return account, position, NO_FILL
    return close_position(account, position, price, reason, bar, rules)


@compiled
def is_delisted(position: Position, hours: float, rules: Rules) -> bool:
    """Tell whether no bar came for so long that a position is left at the last close.

    `hours` are those since its symbol's last bar.
    """
    return position.side != FLAT and hours >= rules.delisted_after_hours


@compiled
def worth_of(position: Position, price: float, rules: Rules) -> float:
    """Return what closing a position at a price would leave, USD; 0 while flat."""
    amount = position.side * (price - position.entry_price) * position.qty
    return net_of(make_fill(position.qty, price, amount, LIQUIDATION, rules))


@compiled
def is_worthless(equity: float, is_flat: bool) -> bool:
    """Tell whether an account would have nothing left if all closed at this close.

    `equity` is its balance and what its positions are worth, USD.
    """
    return equity < 0.0 if is_flat else not equity > 0.0


@compiled
def emptied(account: Account) -> tuple[Account, float]:
    """Return a liquidated account with a balance of exactly 0, and what is not paid."""
    return replaced(account, balance=0.0), 0.0 - account.balance


@compiled
def orders_partial(position: Position, bar: Bar, rules: Rules) -> bool:
    """Tell whether this close orders the partial: once, at a profit of so many R."""
    profit = position.side * (bar.close - position.entry_price)
    needed = rules.partial_at_r * position.risk_distance
    return not position.has_partial and profit >= needed


@compiled
def _ratcheted(
    side: int, stop: float, reason: int, new_stop: float, new_reason: int
) -> tuple[float, int]:
    if side * (new_stop - stop) > 0.0:
        return new_stop, new_reason
    return stop, reason


@compiled
def hold_through_close(position: Position, bar: Bar, rules: Rules) -> Position:
    """Count the bar and move the stop, which is tested from the next bar on.

    Break-even when the partial is ordered, a trail after it has filled, the volume trap
    at any time. A stop never loosens; an unknown ATR or volume moves nothing.
    """
    side = position.side
    stop, reason = position.stop, position.stop_reason
    if orders_partial(position, bar, rules):
        stop, reason = _ratcheted(side, stop, reason, position.entry_price, BREAK_EVEN)
    if position.has_partial:
        trail = bar.close - side * rules.trail_atr * bar.atr_20
        stop, reason = _ratcheted(side, stop, reason, trail, TRAIL)
    if bar.volume_z_20 > rules.volume_trap_z:
        trap = bar.close - side * rules.volume_trap_atr * bar.atr_20
        stop, reason = _ratcheted(side, stop, reason, trap, VOLUME_TRAP)
    return replaced(
        position, stop=stop, stop_reason=reason, bars_held=position.bars_held + 1
    )


@compiled
def is_macro_exit(side: int, bar: Bar, rules: Rules) -> bool:
    """Tell whether a position of a side would be left at this close for macro reasons.

    What is unknown, or switched off in the rules, is NaN and holds nothing.
    """
    net_veto = bar.net_veto_long if side == LONG else bar.net_veto_short
    return net_veto >= rules.macro_exit_veto or bar.vix >= rules.vix_exit


@compiled
def exit_reason(
    position: Position, bar: Bar, rules: Rules, signal_side: int, rest_r: float
) -> int:
    """Return why this close orders a full exit, or no reason.

    Macro, time, reversal, or learned: where a model expects less still to come than
    the rules ask for. `rest_r` is NaN without one.
    """
    if is_macro_exit(position.side, bar, rules):
        return MACRO
    if position.bars_held >= rules.time_stop_bars:
        return TIME
    if signal_side == -position.side:
        return REVERSAL
    if rest_r < rules.learned_below_r:
        return LEARNED
    return NO_REASON
