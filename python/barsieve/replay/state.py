"""State that a replay carries from bar to bar: scalars in tuples, never arrays."""

from typing import Annotated, Any, NamedTuple, Protocol, get_origin

import numpy as np

LONG, SHORT, FLAT = 1, -1, 0

LONG_AGO = -(2**40)
"""Index of a last exit that never was."""

# Why a position was left: the names of the codes, which count from 0. A reason of a new
# rule comes last, so that the others keep theirs.
REASONS = (
    "none", "stop", "break_even", "trail", "volume_trap", "target", "macro", "time",
    "reversal", "end_of_data", "liquidation", "delisted",
)  # fmt: skip
(
    NO_REASON, STOP, BREAK_EVEN, TRAIL, VOLUME_TRAP, TARGET, MACRO, TIME,
    REVERSAL, END_OF_DATA, LIQUIDATION, DELISTED,
) = range(len(REASONS))  # fmt: skip


class Bar(Protocol):
    """One bar as the replay sees it: prices, and what was known at its close.

    `index` is its position among the bars of the replay, which lie symbol by symbol;
    `bar_index` is its number.
    Prices are in quote currency, rates and confidences are fractions, NaN is unknown.
    `side` is 1, -1 or 0; `threshold` is the profile's, without the loss streak;
    `has_sentinel` is whether a sentinel fired that the profile requires, if it does;
    `hours_since` is the time since the open of the bar before, 1 where none is missing,
    NaN at the first.
    """

    index: int
    hours_since: float
    open: float
    high: float
    low: float
    close: float
    funding_settled: float
    atr_20: float
    adx_14_4h: float
    volume_z_20: float
    vix: float
    net_veto_long: float
    net_veto_short: float
    confidence: float
    threshold: float
    side: Annotated[int, np.int8]
    is_eligible: bool
    has_sentinel: bool


def _stored_as(kind: Any) -> Any:
    """Return the type that an array stores: the one annotated, or 64 bits."""
    return kind.__metadata__[0] if get_origin(kind) is Annotated else kind


BAR = np.dtype(
    [(name, _stored_as(kind)) for name, kind in Bar.__annotations__.items()],
    align=True,
)
"""What an array of bars is made of: the fields of a `Bar`, in their order."""
BAR_FIELDS = tuple(Bar.__annotations__)


class Streak(Protocol):
    """Losing streak of an account, which the entry predicate asks for."""

    @property
    def loss_streak(self) -> int:
        """The losses since the last win."""


class Account(NamedTuple):
    """Realised money and the memory of past trades."""

    balance: float
    loss_streak: int
    last_exit_index: int


class Position(NamedTuple):
    """An open position, or none when `side` is FLAT. `risk_distance` never moves."""

    side: int
    qty: float
    entry_qty: float
    entry_price: float
    risk_distance: float
    stop: float
    stop_reason: int
    target: float
    has_partial: bool
    bars_held: int
    net_pnl: float


class Orders(NamedTuple):
    """Orders decided at the last close, to be filled at the next open."""

    exit_reason: int
    is_partial: bool
    entry_side: int
    entry_confidence: float
    entry_risk_distance: float
    entry_risk_share: float
    entry_index: int
    entry_threshold: float
    entry_streak: int


class State(NamedTuple):
    """Everything that a step may remember."""

    account: Account
    position: Position
    orders: Orders


class Fill(NamedTuple):
    """One leg's effect: nothing happened when `qty` is 0."""

    qty: float
    price: float
    amount: float
    fee: float
    slippage: float
    reason: int


class Fills(NamedTuple):
    """Fills of one bar, in the order in which it did them.

    `stop` is the one that was tested, of the kind `stop_reason` (NO_REASON while flat).
    `shortfall` is what an account could not pay when it was liquidated at the close.
    """

    funding: float
    ordered_exit: Fill
    entry: Fill
    is_refused: bool
    is_lapsed: bool
    stop: float
    stop_reason: int
    resting_exit: Fill
    liquidation: Fill
    is_liquidated: bool
    shortfall: float


FLAT_POSITION = Position(
    side=FLAT,
    qty=0.0,
    entry_qty=0.0,
    entry_price=0.0,
    risk_distance=0.0,
    stop=0.0,
    stop_reason=NO_REASON,
    target=0.0,
    has_partial=False,
    bars_held=0,
    net_pnl=0.0,
)
NO_ORDERS = Orders(
    exit_reason=NO_REASON,
    is_partial=False,
    entry_side=FLAT,
    entry_confidence=0.0,
    entry_risk_distance=0.0,
    entry_risk_share=0.0,
    entry_index=-1,
    entry_threshold=0.0,
    entry_streak=0,
)
NO_FILL = Fill(qty=0.0, price=0.0, amount=0.0, fee=0.0, slippage=0.0, reason=NO_REASON)
