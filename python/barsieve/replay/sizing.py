"""Stop distance and size of an entry."""

from barsieve.core.numba_cache import compiled
from barsieve.profiles.rules import Rules
from barsieve.profiles.schema import settings
from barsieve.replay.state import Account, Bar, Position

WEAK_TREND_ADX = 20.0
STRONG_TREND_ADX = 25.0

SIZING = next(s.codes or {} for s in settings() if s.column == "sizing_kind")
"""Code of each kind of sizing, as `sizing.kind` names it."""
LEGACY, CONSTANT, VOLATILITY, DRAWDOWN, KELLY = (
    SIZING[name] for name in ("legacy", "constant", "volatility", "drawdown", "kelly")
)


@compiled
def risk_distance(bar: Bar, rules: Rules) -> float:
    """Return D, the initial stop distance in price units, NaN while ATR is unknown.

    A weak trend gets a nearer stop, a strong one more room. D is fixed for the trade:
    R is always measured in it.
    """
    room = 1.0
    if bar.adx_14_4h < WEAK_TREND_ADX:
        room = 0.75
    elif bar.adx_14_4h > STRONG_TREND_ADX:
        room = 1.25
    return rules.stop_atr * bar.atr_20 * room


@compiled
def within_risk(share: float, rules: Rules) -> float:
    """Return a share at risk held within `risk_min` and `risk_max`; unknown, least."""
    if not share > rules.risk_min:
        share = rules.risk_min
    return min(share, rules.risk_max)


@compiled
def legacy_share(bar: Bar, rules: Rules) -> float:
    """Return the legacy rule's share, of the confidence and the trend's strength."""
    share = rules.risk_min + (rules.risk_max - rules.risk_min) * bar.confidence
    if bar.adx_14_4h < WEAK_TREND_ADX:
        share *= 0.5
    elif bar.adx_14_4h > STRONG_TREND_ADX:
        share *= 1.5
    return min(share, rules.risk_cap)


@compiled
def volatility_share(bar: Bar, distance: float, rules: Rules) -> float:
    """Return the share at which the position's own volatility is the target.

    Notional = balance * target / volatility, a year's (Moreira and Muir, 2017).
    """
    if not bar.realized_vol_168 > 0.0:
        return within_risk(rules.risk_min, rules)
    leverage = rules.volatility_target / bar.realized_vol_168
    return within_risk(leverage * distance / bar.close, rules)


@compiled
def throttled_share(account: Account, rules: Rules) -> float:
    """Return the constant share, less the nearer the drawdown is to its limit.

    Of the realised balance from its peak (Grossman and Zhou, 1993); never below
    `risk_min`, or an account in a drawdown could not leave it.
    """
    room = 1.0 - (1.0 - account.balance / account.peak) / rules.drawdown_limit
    return min(rules.sizing_risk, within_risk(rules.sizing_risk * room, rules))


@compiled
def risk_share(account: Account, bar: Bar, distance: float, rules: Rules) -> float:
    """Return the share of the balance that a stop-out may cost before costs.

    By the kind of sizing, from the bar of the decision and the account alone;
    `distance` is that of the stop, in price units.
    """
    if rules.sizing_kind == CONSTANT:
        return rules.sizing_risk
    if rules.sizing_kind == VOLATILITY:
        return volatility_share(bar, distance, rules)
    if rules.sizing_kind == DRAWDOWN:
        return throttled_share(account, rules)
    if rules.sizing_kind == KELLY:
        return within_risk(rules.kelly_fraction * bar.kelly_share, rules)
    return legacy_share(bar, rules)


@compiled
def is_ruined(balance: float, rules: Rules) -> bool:
    """Tell whether a flat account of this balance can never enter again.

    All that its margin carries lies below the smallest order, and nothing but a trade
    would change that.
    """
    largest = rules.margin_cap * balance * rules.leverage
    return not (balance > 0.0 and largest >= rules.min_notional)


@compiled
def margin_of(position: Position, rules: Rules) -> float:
    """Return what a position binds of the account's margin, USD."""
    return position.entry_price * position.qty / rules.leverage


@compiled
def entry_qty(
    balance: float,
    share: float,
    distance: float,
    price: float,
    margin: float,
    rules: Rules,
) -> float:
    """Return the quantity to enter with, 0 when it falls below the minimum notional.

    A negative balance (funding, a gap) counts as 0, so it buys nothing.

    Leverage never raises the risk of a stop-out; it only limits the margin:
    notional / leverage <= margin_cap * balance - margin, the `margin` (USD) being what
    the other positions of the account bind.
    """
    if is_ruined(balance, rules):
        return 0.0
    by_risk = balance * share / distance
    by_margin = (rules.margin_cap * balance - margin) * rules.leverage / price
    qty = min(by_risk, by_margin)
    if qty * price < rules.min_notional:
        return 0.0
    return qty
