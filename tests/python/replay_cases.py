"""What the tests of the replay share: rules by name, tiny markets, a walk through them.

A quiet bar stands still at 100, knows its ATR (1) and trend (neither weak nor strong),
and says nothing. A test changes what it is about.
"""

from typing import Any, NamedTuple

import numpy as np

from barsieve.profiles.rules import BPS, DEFAULTS, NEVER, OFF, Rules
from barsieve.replay.exits import close_position, is_delisted
from barsieve.replay.kernel import replay_into_ledger
from barsieve.replay.ledger import Ledger
from barsieve.replay.resume import fresh_state
from barsieve.replay.state import (
    BAR,
    DELISTED,
    FLAT,
    LONG,
    NO_ORDERS,
    SHORT,
    Fills,
    State,
)
from barsieve.replay.step import step

BALANCE = 10_000.0

RULES = DEFAULTS._replace(
    veto_limit=0.8,
    loss_streak_trades=3,
    loss_streak_shift=0.05,
    cooldown_bars=0,
    max_gap_hours=1.0,
    stop_atr=2.0,
    target_r=2.0,
    partial_at_r=1.0,
    partial_share=0.5,
    trail_atr=1.0,
    volume_trap_z=1.3,
    volume_trap_atr=0.5,
    time_stop_bars=96,
    vix_exit=30.0,
    macro_exit_veto=0.8,
    risk_min=0.01,
    risk_max=0.02,
    risk_cap=0.05,
    leverage=5.0,
    margin_cap=0.5,
    min_notional=10.0,
    fees_bps=0.0,
    slippage_bps=0.0,
)

QUIET = {
    "hours_since": 1.0,
    "open": 100.0,
    "high": 100.0,
    "low": 100.0,
    "close": 100.0,
    "funding_settled": np.nan,
    "atr_20": 1.0,
    "adx_14_4h": 22.0,
    "volume_z_20": 0.0,
    "vix": 15.0,
    "realized_vol_168": 0.8,
    "net_veto_long": 0.0,
    "net_veto_short": 0.0,
    "confidence": np.nan,
    "threshold": 0.6,
    "kelly_share": np.nan,
    "side": 0,
    "is_eligible": False,
    "has_sentinel": True,
}


def quiet(**changes: Any) -> dict[str, Any]:
    """Return a bar on which nothing happens but the changes."""
    return {**QUIET, **changes}


def at(open_: float, high: float, low: float, close: float, **changes: Any) -> dict:
    """Return a bar of these prices."""
    return quiet(open=open_, high=high, low=low, close=close, **changes)


def signalled(bar: dict[str, Any], side: int, confidence: float = 0.8) -> dict:
    """Return the bar with an entry signal at its close."""
    return {**bar, "side": side, "confidence": confidence, "is_eligible": True}


def as_bars(rows: list[dict[str, Any]]) -> np.recarray:
    """Return rows as bar records, in order."""
    bars = np.empty(len(rows), BAR)
    bars["index"] = np.arange(len(rows))
    for name in QUIET:
        bars[name] = [row[name] for row in rows]
    return bars.view(np.recarray)


class Moment(NamedTuple):
    """The state after a bar, and what the bar filled."""

    state: State
    fills: Fills


def walk(
    bars: np.recarray, rules: Rules = RULES, balance: float = BALANCE
) -> list[Moment]:
    """Step through the bars one by one; return the moment after each."""
    state = fresh_state(balance)
    moments: list[Moment] = []
    for index, bar in enumerate(bars):
        if is_delisted(state.position, bar.hours_since, rules):
            last = bars[index - 1]
            account, position, _ = close_position(
                state.account, state.position, last.close, DELISTED, last, rules
            )
            state = State(account=account, position=position, orders=NO_ORDERS)
        state, fills = step(state, bar, rules)
        moments.append(Moment(state, fills))
    return moments


def fee_rate(rules: Rules) -> float:
    """Return the fee of a leg as a share of its notional."""
    return rules.fees_bps * BPS


def slippage_rate(rules: Rules) -> float:
    """Return the slippage of a leg as a share of its notional."""
    return rules.slippage_bps * BPS


def nets(ledger: Ledger) -> np.ndarray:
    """Return what each leg left in the account, shape (n_legs,), USD."""
    return ledger.legs.amount - ledger.legs.fee - ledger.legs.slippage


def same_bits(one: Ledger, other: Ledger) -> bool:
    """Tell whether both wrote the same trades, legs and stops, bit for bit."""
    return (
        one.legs.tobytes() == other.legs.tobytes()
        and one.trades.tobytes() == other.trades.tobytes()
        and one.stops.tobytes() == other.stops.tobytes()
        and np.array_equal(
            flat(one.outcome._replace(bars_visited=0)),
            flat(other.outcome._replace(bars_visited=0)),
            # A target that is switched off is none.
            equal_nan=True,
        )
    )


def run(
    bars: np.recarray,
    rules: Rules = RULES,
    balance: float = BALANCE,
    entry_bars: np.ndarray | None = None,
    hours_after: float = 0.0,
) -> Ledger:
    """Replay the bars: all of them, or focused on `entry_bars` when these are given."""
    is_focused = entry_bars is not None
    looked_at = entry_bars if is_focused else np.empty(0, np.int64)
    return replay_into_ledger(bars, rules, balance, looked_at, is_focused, hours_after)


def entries_of(bars: np.recarray, rules: Rules) -> np.ndarray:
    """Return where the entry predicate holds without the loss streak: exact screen."""
    veto = np.where(bars.side == LONG, bars.net_veto_long, bars.net_veto_short)
    is_entry = (
        bars.is_eligible
        & (bars.side != 0)
        & (bars.confidence >= bars.threshold)
        & (veto < rules.veto_limit)
        & ~(veto >= rules.macro_exit_veto)
        & ~(bars.vix >= rules.vix_exit)
    )
    return np.flatnonzero(is_entry).astype(np.int64)


def random_bars(rng: np.random.Generator, n_bars: int, tick: float = 0.0):
    """Return a lively random market, shape (n_bars,): signals, gaps, vetoes, unknowns.

    With a `tick` (a power of 2) prices and ATR are its multiples: sums are exact, and
    bars often touch a stop or target to the tick.
    """

    def sometimes(share, value, otherwise):
        return np.where(rng.random(n_bars) < share, value, otherwise)

    def ticked(values):
        return np.round(values / tick) * tick if tick else values

    moves = rng.normal(0, 1.0, n_bars) * sometimes(0.05, 3.0, 1.0)
    close = ticked(100.0 + np.cumsum(moves) * 0.8)
    close = np.maximum(close, 20.0)
    gaps = ticked(sometimes(0.2, rng.normal(0, 1.0, n_bars), 0.0))
    opens = np.concatenate([[100.0], close[:-1]]) + gaps
    wicks = ticked(rng.exponential(0.6, (2, n_bars)))
    bars = np.empty(n_bars, BAR)
    bars["index"] = np.arange(n_bars)
    bars["hours_since"] = sometimes(0.05, rng.integers(2, 500, n_bars), 1.0)
    bars["open"], bars["close"] = opens, close
    bars["high"] = np.maximum(opens, close) + wicks[0]
    bars["low"] = np.minimum(opens, close) - wicks[1]
    is_settled = np.arange(n_bars) % 8 == 0
    bars["funding_settled"] = np.where(is_settled, rng.normal(0, 1e-3, n_bars), np.nan)
    atr = ticked(rng.uniform(0.5, 2.5, n_bars)) + tick
    bars["atr_20"] = sometimes(0.03, np.nan, atr)
    bars["adx_14_4h"] = sometimes(0.05, np.nan, rng.integers(15, 31, n_bars))
    bars["volume_z_20"] = sometimes(0.05, np.nan, rng.normal(0, 1.0, n_bars))
    bars["vix"] = sometimes(0.1, np.nan, sometimes(0.03, 35.0, 15.0))
    vetoes = np.array([0.0, 0.3, 0.8, 1.0])
    for name in ("net_veto_long", "net_veto_short"):
        bars[name] = rng.choice(vetoes, n_bars, p=[0.6, 0.34, 0.03, 0.03])
    bars["side"] = rng.choice([-1, 0, 1], n_bars)
    confidence = rng.uniform(0.4, 1.0, n_bars)
    bars["confidence"] = np.where(bars["side"] == 0, np.nan, confidence)
    bars["threshold"] = rng.choice([0.55, 0.6, 0.7], n_bars)
    bars["has_sentinel"] = True
    bars["realized_vol_168"] = sometimes(0.05, np.nan, rng.uniform(0.1, 1.5, n_bars))
    bars["kelly_share"] = sometimes(0.1, np.nan, rng.normal(0.03, 0.05, n_bars))
    bars["is_eligible"] = rng.random(n_bars) < rng.choice([0.1, 0.3, 0.9])
    return bars.view(np.recarray)


def legacy_or_sized(rules, bar, distance, balance, peak, legacy):
    """Return the share at risk, as domain.md has each kind of sizing, literally."""
    most = rules.risk_max
    least = min(rules.risk_min, most)
    vol, kelly = bar["realized_vol_168"], bar["kelly_share"]
    if rules.sizing_kind == 1:
        return rules.sizing_risk
    if rules.sizing_kind == 2:
        if np.isnan(vol) or vol <= 0:
            return least
        wanted = rules.volatility_target / vol * distance / bar["close"]
        return min(max(wanted, least), most)
    if rules.sizing_kind == 3:
        fallen = 1.0 - balance / peak
        wanted = rules.sizing_risk * (1.0 - fallen / rules.drawdown_limit)
        return min(max(wanted, least), most, rules.sizing_risk)
    if rules.sizing_kind == 4:
        wanted = least if np.isnan(kelly) else rules.kelly_fraction * kelly
        return min(max(wanted, least), most)
    return legacy


SIZINGS = {
    "sizing_kind": (0, 0, 1, 2, 3, 4),
    "sizing_risk": (0.02, 0.005, 0.015),
    "volatility_target": (0.2, 1.0, 5.0),
    "drawdown_limit": (0.2, 0.01, 0.5),
    "kelly_fraction": (0.25, 1.0),
}
"""Values of the section sizing for random rules."""


def random_rules(rng: np.random.Generator) -> Rules:
    """Return random rules under which every kind of exit happens now and then."""

    def one_of(*values):
        return values[rng.integers(len(values))]

    return RULES._replace(
        loss_streak_trades=one_of(1, 2, 3),
        loss_streak_shift=one_of(0.0, 0.05, 0.2),
        cooldown_bars=one_of(0, 0, 1, 3, 12),
        max_gap_hours=one_of(1.0, 1.0, 24.0, 1_000.0),
        stop_atr=one_of(1.0, 2.0, 3.0),
        target_r=one_of(1.5, 2.0, 4.0, OFF),
        partial_at_r=one_of(0.5, 0.5, 1.0, 1.0, OFF),
        partial_share=one_of(0.25, 0.5, 0.9),
        trail_atr=one_of(0.5, 1.0, 2.0, OFF),
        volume_trap_z=one_of(1.3, 1.3, 3.0, OFF),
        volume_trap_atr=one_of(0.5, 1.0),
        time_stop_bars=one_of(1, 5, 24, 96, NEVER),
        vix_exit=one_of(30.0, 50.0, np.nan),
        macro_exit_veto=one_of(0.3, 0.8, 1.0, np.nan),
        veto_limit=one_of(0.3, 0.8),
        sides=one_of(FLAT, FLAT, FLAT, FLAT, LONG, SHORT),
        risk_cap=one_of(0.02, 0.05),
        leverage=one_of(1.0, 5.0),
        min_notional=one_of(10.0, 4_500.0),
        fees_bps=one_of(0.0, 10.0),
        slippage_bps=one_of(0.0, 5.0),
        delisted_after_hours=one_of(168.0, 168.0, 24.0, OFF),
        **{name: one_of(*values) for name, values in SIZINGS.items()},
    )


def flat(outcome) -> list[float]:
    """Return every number of an outcome, those of its last state included."""
    if isinstance(outcome, tuple):
        return [number for part in outcome for number in flat(part)]
    return [float(outcome)]
