"""What a fill does to the account: result, fee and slippage, each its own number."""

from barsieve.core.numba_cache import compiled
from barsieve.replay.state import FLAT, Account, Fill, Position


@compiled
def make_fill(quantity, price, amount, reason, rules):
    """Return a fill at a raw price; fee and slippage are shares of its notional."""
    notional = quantity * price
    return Fill(
        quantity,
        price,
        amount,
        notional * rules.fee_rate,
        notional * rules.slippage_rate,
        reason,
    )


@compiled
def net_of(fill):
    """Return what a fill leaves in the account."""
    return fill.amount - fill.fee - fill.slippage


@compiled
def costs_of(fill):
    """Return what a fill costs beside its result."""
    return fill.fee + fill.slippage


@compiled
def settle_funding(account, position, bar):
    """Settle funding at the open, on the position held before any fill.

    Longs pay a positive rate; no rate settles nothing. Returns the account, the
    position and the amount received (negative when paid).
    """
    is_settled = bar.funding_rate == bar.funding_rate
    if position.side == FLAT or not is_settled:
        return account, position, 0.0
    amount = -position.side * bar.funding_rate * position.quantity * bar.open
    return (
        Account(account.balance + amount, account.loss_streak, account.last_exit_index),
        Position(
            position.side,
            position.quantity,
            position.entry_quantity,
            position.entry_price,
            position.risk_distance,
            position.stop,
            position.stop_reason,
            position.target,
            position.has_partial,
            position.bars_held,
            position.net_pnl + amount,
        ),
        amount,
    )
