"""Costs of a fill: result, fee and slippage, each its own number."""

from barsieve.core.numba_cache import compiled
from barsieve.profiles.rules import BPS, Rules
from barsieve.replay.records import replaced
from barsieve.replay.state import FLAT, Account, Bar, Fill, Position


@compiled
def make_fill(
    qty: float, price: float, amount: float, reason: int, rules: Rules
) -> Fill:
    """Return a fill at a raw price; fee and slippage are shares of its notional."""
    notional = qty * price
    return Fill(
        qty=qty,
        price=price,
        amount=amount,
        fee=notional * (rules.fees_bps * BPS),
        slippage=notional * (rules.slippage_bps * BPS),
        reason=reason,
    )


@compiled
def net_of(fill: Fill) -> float:
    """Return what a fill leaves in the account."""
    return fill.amount - fill.fee - fill.slippage


@compiled
def costs_of(fill: Fill) -> float:
    """Return what a fill costs beside its result."""
    return fill.fee + fill.slippage


@compiled
def settle_funding(
    account: Account, position: Position, bar: Bar
) -> tuple[Account, Position, float]:
    """Settle funding at the open, on the position held before any fill.

    Longs pay a positive rate; no rate settles nothing. Returns the account, the
    position and the amount received (negative when paid).
    """
    is_settled = bar.funding_settled == bar.funding_settled
    if position.side == FLAT or not is_settled:
        return account, position, 0.0
    amount = -position.side * bar.funding_settled * position.qty * bar.open
    account = replaced(account, balance=account.balance + amount)
    return account, replaced(position, net_pnl=position.net_pnl + amount), amount
