"""What holds for every market: parity, conservation, ratchets, prefixes, an oracle.

The oracle below was written from section 7 of the domain document, in plain Python with
mutable state, and shares no code with the replay.
"""

import itertools
import json
import math
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from barsieve.profiles.rules import NEVER, OFF, Rules
from barsieve.replay.ledger import ENTRY, FUNDING, KINDS
from barsieve.replay.sizing import VOLATILITY
from barsieve.replay.state import (
    BAR,
    DELISTED,
    END_OF_DATA,
    FLAT,
    LONG,
    NO_ORDERS,
    REASONS,
)
from replay_cases import (
    BALANCE,
    RULES,
    SIZINGS,
    as_bars,
    entries_of,
    fee_rate,
    flat,
    legacy_or_sized,
    nets,
    quiet,
    random_bars,
    random_rules,
    run,
    same_bits,
    signalled,
    slippage_rate,
    walk,
)

# Sums in another order: a few hundred additions of at most 1e-16 each, with room.
RELATIVE = 1e-9

N_ORACLE_MARKETS = 200
N_ORACLE_BARS = 300

# The same examples in every run: a failure here is a failure everywhere.
settings.register_profile(
    "replay", deadline=None, database=None, derandomize=True, max_examples=200
)
PROPERTY = settings.get_profile("replay")

# --- Random markets -------------------------------------------------------------------

NAN = math.nan
TICK = 0.125

# What a byte may mean, column by column; a zero byte is a quiet bar, so that examples
# shrink towards one. Prices are in ticks, a power of 2: reflections and sums are exact.
CELLS = {
    "move": (0, 1, -1, 2, -2, 4, -4, 6, -6, 8, -8),
    "gap": (0, 0, 0, 0, 0, 2, -2, 12, -12),
    "wick_up": (0, 0, 1, 1, 3, 3, 8, 20),
    "wick_down": (0, 0, 1, 1, 3, 3, 8, 20),
    "hours_since": (1.0,) * 15 + (2.0, 480.0),
    "funding_settled": (NAN, NAN, NAN, 0.001, -0.001, 0.0),
    "atr_20": (8, 8, 4, 4, 6, 10, 16, 12, NAN),
    "adx_14_4h": (22.0, 15.0, 20.0, 25.0, 30.0, NAN),
    "volume_z_20": (0.0,) * 10 + (2.0, NAN),
    "vix": (15.0,) * 28 + (40.0, NAN),
    "net_veto_long": (0.0,) * 18 + (0.5, 1.0, NAN),
    "net_veto_short": (0.0,) * 18 + (0.5, 1.0, NAN),
    "realized_vol_168": (0.8, 0.1, 3.0, NAN),
    "kelly_share": (0.05, -0.1, 0.01, 0.4, NAN),
    "confidence": (NAN, 0.6, 0.64, 0.7, 0.9),
    "side": (0, 1, 1, 0, -1, -1),
    "is_eligible": (False, False, True),
    "has_sentinel": (True, True, False),
}


@st.composite
def markets(draw, max_bars=60):
    """Draw valid bars, shape (n_bars,): any mix of signals, vetoes and unknowns."""
    n_bars = draw(st.integers(1, max_bars))
    size = n_bars * len(CELLS)
    cells = np.frombuffer(draw(st.binary(min_size=size, max_size=size)), np.uint8)
    column = {
        name: np.array(meanings)[cells[i * n_bars : (i + 1) * n_bars] % len(meanings)]
        for i, (name, meanings) in enumerate(CELLS.items())
    }
    drift = draw(st.sampled_from((0, 3, -3)))
    close = 100.0 + np.cumsum(column.pop("move") + drift) * TICK
    open_ = np.concatenate([[100.0], close[:-1]]) + column.pop("gap") * TICK
    bars = np.empty(n_bars, BAR)
    bars["index"] = np.arange(n_bars)
    bars["open"], bars["close"], bars["threshold"] = open_, close, 0.6
    bars["high"] = np.maximum(open_, close) + column.pop("wick_up") * TICK
    bars["low"] = np.minimum(open_, close) - column.pop("wick_down") * TICK
    for name, values in column.items():
        bars[name] = values
    bars["atr_20"] *= TICK
    return bars.view(np.recarray)


# What a hole, a listing of another coin or a wrong decimal makes of prices; powers of 2
# and 10 both, for exact sums and for others.
JUMPS = (10.0, 0.1, 1_000.0, 0.001, 8.0, 0.125, 1.0)


@st.composite
def broken_markets(draw):
    """Draw bars whose prices jump from one bar to the next, and whose funding ruins."""
    bars = draw(markets()).copy()
    factor = np.ones(len(bars))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(bars) - 1))
        # The jump lies between two bars, or within one: its open is still the old.
        factor[at:] *= draw(st.sampled_from(JUMPS))
        if draw(st.booleans()):
            bars.open[at] /= factor[at] / (factor[at - 1] if at else 1.0)
    for name in ("open", "high", "low", "close"):
        bars[name] *= factor
    bars.high = np.maximum(bars.high, np.maximum(bars.open, bars.close))
    bars.low = np.minimum(bars.low, np.minimum(bars.open, bars.close))
    bars.funding_settled *= draw(st.sampled_from((1.0, 1.0, 300.0)))
    return bars


def one_of(*values):
    return st.sampled_from(values)


RULE_SETS = st.fixed_dictionaries(
    {
        "veto_limit": one_of(0.8, 0.5),
        "loss_streak_trades": one_of(3, 1, 2),
        "loss_streak_shift": one_of(0.05, 0.0, 0.2),
        "cooldown_bars": one_of(0, 1, 5),
        "max_gap_hours": one_of(1.0, 2.0, 1_000.0),
        "stop_atr": one_of(2.0, 1.0),
        "sides": one_of(0, 1, -1),
        "target_r": one_of(2.0, 4.0, OFF),
        "partial_at_r": one_of(1.0, 0.5, OFF),
        "partial_share": one_of(0.5, 0.25),
        "trail_atr": one_of(1.0, 2.0, OFF),
        "volume_trap_z": one_of(1.3, OFF),
        "volume_trap_atr": one_of(0.5, 1.0),
        "time_stop_bars": one_of(96, 12, 5, 1, NEVER),
        "vix_exit": one_of(30.0, OFF),
        "macro_exit_veto": one_of(0.8, 0.5, OFF),
        "leverage": one_of(5.0, 1.0),
        "min_notional": one_of(10.0, 4_700.0),
        "fees_bps": one_of(0.0, 10.0),
        "slippage_bps": one_of(0.0, 5.0),
        "delisted_after_hours": one_of(168.0, 2.0, OFF),
        **{name: one_of(*values) for name, values in SIZINGS.items()},
    }
).map(lambda changes: RULES._replace(**changes))

# Rules that can lose more than there is, and costs that reach the balance.
RECKLESS_RULES = st.builds(
    lambda rules, changes: rules._replace(**changes),
    RULE_SETS,
    st.fixed_dictionaries(
        {
            "leverage": one_of(5.0, 50.0, 125.0),
            "margin_cap": one_of(0.5, 1.0),
            "risk_min": one_of(0.01, 0.5),
            "risk_max": one_of(0.02, 1.0),
            "risk_cap": one_of(0.05, 1.0),
            "min_notional": one_of(10.0, 0.0, 4_700.0),
            "fees_bps": one_of(0.0, 10.0, 200.0),
        }
    ),
)
BALANCES = one_of(BALANCE, 50.0, 1.0, 1e-6, 1e9)


# --- The oracle -----------------------------------------------------------------------


class Holding:
    """The open trade of the oracle."""

    def __init__(self, side, index, price, qty, order):
        self.side, self.entry_index, self.entry_price = side, index, price
        self.entry_qty = self.qty = qty
        self.order, self.decision_index = order, order["index"]
        self.confidence, self.distance = order["confidence"], order["distance"]
        self.stop, self.stop_name = price - side * self.distance, "stop"
        self.target = None
        self.partial_is_done = False
        self.bars_held = 0
        self.net = 0.0
        self.stops = []

    def is_better_by(self, price, than):
        """Return by how much a price is better for the holder than another."""
        return price - than if self.side == 1 else than - price

    def tighten(self, price, name):
        if self.is_better_by(price, self.stop) > 0:
            self.stop, self.stop_name = price, name


class Oracle:
    """Section 7, read literally."""

    def __init__(self, rules: Rules, balance: float = BALANCE):
        self.rules = rules
        self.balance = self.peak = balance
        self.holding = None
        self.exit_order, self.partial_order, self.entry_order = None, False, None
        self.last_exit_index, self.streak = None, 0
        self.refused, self.lapsed, self.liquidated = 0, 0, 0
        self.ruined_index = -1
        self.trades, self.legs, self.stops, self.equities = [], [], [], []

    def replay(self, bars):
        bar = None
        for record in bars:
            last, bar = bar, {name: record[name].item() for name in BAR.names}
            if bar["hours_since"] >= self.rules.delisted_after_hours:
                self.leave_delisted(last)
            self.settle_funding(bar)
            self.fill_orders(bar)
            self.test_stop_and_target(bar)
            if self.is_worthless_at(bar):
                self.liquidate(bar)
            else:
                self.close_of(bar)
            self.equities.append(self.balance + self.open_result(bar))
            can_carry = self.rules.margin_cap * self.balance * self.rules.leverage
            is_out = self.balance <= 0 or can_carry < self.rules.min_notional
            if self.holding is None and is_out and self.ruined_index < 0:
                self.ruined_index = bar["index"]
        if self.holding is not None:
            self.leave(bar, bar["close"], "end_of_data")
        return self

    # What legs do.

    def book(self, bar, kind, price, qty, amount):
        notional = qty * price if kind != "funding" else 0.0
        fee = notional * fee_rate(self.rules)
        slippage = notional * slippage_rate(self.rules)
        trade = len(self.trades)
        self.legs.append((trade, kind, bar["index"], price, qty, amount, fee, slippage))
        self.balance += amount - fee - slippage
        self.holding.net += amount - fee - slippage

    def leave(self, bar, price, reason):
        held = self.holding
        gain = held.is_better_by(price, held.entry_price) * held.qty
        self.book(bar, "exit", price, held.qty, gain)
        self.peak = max(self.peak, self.balance)
        self.streak = 0 if held.net > 0 else self.streak + 1
        self.last_exit_index = bar["index"]
        self.trades.append(
            {
                "side": held.side,
                "decision_index": held.decision_index,
                "entry_index": held.entry_index,
                "exit_index": bar["index"],
                "confidence": held.confidence,
                "risk_distance": held.distance,
                "bars_held": held.bars_held,
                "exit_reason": reason,
                "threshold": held.order["threshold"],
                "loss_streak": held.order["streak"],
                "shortfall": 0.0,
            }
        )
        self.stops += [(len(self.trades) - 1, *stop) for stop in held.stops]
        self.holding = None

    def open_result(self, bar):
        held = self.holding
        if held is None:
            return 0.0
        return held.is_better_by(bar["close"], held.entry_price) * held.qty

    def is_worthless_at(self, bar):
        """Tell whether leaving at this close would leave nothing."""
        if self.holding is None:
            return self.balance < 0
        notional = self.holding.qty * bar["close"]
        costs = notional * (fee_rate(self.rules) + slippage_rate(self.rules))
        return self.balance + self.open_result(bar) - costs <= 0

    def liquidate(self, bar):
        self.liquidated += 1
        if self.holding is not None:
            self.holding.bars_held += 1
            self.leave(bar, bar["close"], "liquidation")
        self.trades[-1]["shortfall"] = -self.balance
        self.balance = 0.0

    def leave_delisted(self, last):
        if self.holding is not None:
            self.leave(last, last["close"], "delisted")
            self.exit_order, self.partial_order, self.entry_order = None, False, None

    # The order of a bar: 1. funding.

    def settle_funding(self, bar):
        rate, held = bar["funding_settled"], self.holding
        if held is None or math.isnan(rate) or rate == 0:
            return
        paid = rate * held.qty * bar["open"] * (1 if held.side == 1 else -1)
        self.book(bar, "funding", bar["open"], held.qty, -paid)

    # 2. Pending orders at the open.

    def fill_orders(self, bar):
        if self.exit_order is not None:
            self.leave(bar, bar["open"], self.exit_order)
        elif self.partial_order:
            held = self.holding
            qty = self.rules.partial_share * held.entry_qty
            gain = held.is_better_by(bar["open"], held.entry_price) * qty
            self.book(bar, "partial", bar["open"], qty, gain)
            held.qty -= qty
            held.partial_is_done = True
        if self.entry_order is not None:
            self.enter(bar, self.entry_order)
        self.exit_order, self.partial_order, self.entry_order = None, False, None

    def enter(self, bar, order):
        rules, price = self.rules, bar["open"]
        if bar["hours_since"] > rules.max_gap_hours:
            self.lapsed += 1
            return
        qty = self.balance * order["risk"] / order["distance"]
        largest_notional = rules.margin_cap * self.balance * rules.leverage
        if qty * price > largest_notional:
            qty = largest_notional / price
        costs = qty * price * (fee_rate(rules) + slippage_rate(rules))
        is_small = self.balance <= 0 or qty * price < rules.min_notional
        if is_small or costs >= self.balance:
            self.refused += 1
            return
        held = Holding(order["side"], bar["index"], price, qty, order)
        held.target = price + order["side"] * rules.target_r * order["distance"]
        self.holding = held
        self.book(bar, "entry", price, qty, 0.0)

    # 3. What rests in the market.

    def test_stop_and_target(self, bar):
        held = self.holding
        if held is None:
            return
        if not held.stops or held.stops[-1][1] != held.stop:
            held.stops.append((bar["index"], held.stop, held.stop_name))
        if held.is_better_by(bar["open"], held.stop) < 0:
            self.leave(bar, bar["open"], held.stop_name)
        elif held.is_better_by(bar["open"], held.target) > 0:
            self.leave(bar, bar["open"], "target")
        elif bar["low"] <= held.stop <= bar["high"]:
            self.leave(bar, held.stop, held.stop_name)
        elif bar["low"] <= held.target <= bar["high"]:
            self.leave(bar, held.target, "target")

    # 4. and 5. The close.

    def close_of(self, bar):
        signal, held = self.signal_of(bar), self.holding
        if held is None:
            last = self.last_exit_index
            waited = last is None or bar["index"] - last >= self.rules.cooldown_bars
            may_enter = waited
        else:
            may_enter = signal == -held.side
            self.manage(bar, held, signal)
        if signal is not None and may_enter:
            self.order_entry(bar, signal)

    def signal_of(self, bar):
        is_asked = bar["is_eligible"] and bar["has_sentinel"]
        if not is_asked or bar["side"] == 0:
            return None
        if self.rules.sides not in (0, bar["side"]):
            return None
        threshold = self.threshold_at(bar)
        veto = bar["net_veto_long"] if bar["side"] == 1 else bar["net_veto_short"]
        is_entry = bar["confidence"] >= threshold and veto < self.rules.veto_limit
        # Nothing is entered to be left an hour later.
        is_left = (
            veto >= self.rules.macro_exit_veto or bar["vix"] >= self.rules.vix_exit
        )
        return bar["side"] if is_entry and not is_left else None

    def threshold_at(self, bar):
        is_streak = self.streak >= self.rules.loss_streak_trades
        return bar["threshold"] + is_streak * self.rules.loss_streak_shift

    def manage(self, bar, held, signal):
        rules, close, atr = self.rules, bar["close"], bar["atr_20"]
        held.bars_held += 1
        profit_in_r = held.is_better_by(close, held.entry_price) / held.distance
        is_at_partial = not held.partial_is_done and profit_in_r >= rules.partial_at_r
        if is_at_partial:
            held.tighten(held.entry_price, "break_even")
        if not math.isnan(atr):
            if held.partial_is_done:
                held.tighten(close - held.side * rules.trail_atr * atr, "trail")
            if bar["volume_z_20"] > rules.volume_trap_z:
                trap = close - held.side * rules.volume_trap_atr * atr
                held.tighten(trap, "volume_trap")
        veto = bar["net_veto_long"] if held.side == 1 else bar["net_veto_short"]
        if veto >= rules.macro_exit_veto or bar["vix"] >= rules.vix_exit:
            self.exit_order = "macro"
        elif held.bars_held >= rules.time_stop_bars:
            self.exit_order = "time"
        elif signal == -held.side:
            self.exit_order = "reversal"
        else:
            self.partial_order = is_at_partial

    def order_entry(self, bar, side):
        rules, adx, atr = self.rules, bar["adx_14_4h"], bar["atr_20"]
        if math.isnan(atr) or atr <= 0:
            return
        room, appetite = 1.0, 1.0
        if adx < 20:
            room, appetite = 0.75, 0.5
        if adx > 25:
            room, appetite = 1.25, 1.5
        risk = rules.risk_min + (rules.risk_max - rules.risk_min) * bar["confidence"]
        distance = rules.stop_atr * atr * room
        legacy = min(risk * appetite, rules.risk_cap)
        self.entry_order = {
            "side": side,
            "index": bar["index"],
            "confidence": bar["confidence"],
            "distance": distance,
            "risk": legacy_or_sized(
                rules, bar, distance, self.balance, self.peak, legacy
            ),
            "threshold": self.threshold_at(bar),
            "streak": self.streak,
        }


def assert_agree(oracle, ledger):
    """Assert that replay and oracle wrote the same trades, legs and stops."""
    outcome, legs = ledger.outcome, ledger.legs
    # Money is a sum: compare it on the scale of what was ever there, or moved.
    money = RELATIVE * max(
        [1.0, *np.abs(legs.amount), *np.cumsum(np.abs(nets(ledger)))]
    )
    assert outcome.trades == len(oracle.trades)
    for ours, theirs in zip(ledger.trades, oracle.trades, strict=True):
        assert REASONS[ours.exit_reason] == theirs["exit_reason"]
        assert ours.shortfall == pytest.approx(theirs["shortfall"], abs=money)
        for name in set(theirs) - {"exit_reason", "shortfall"}:
            assert ours[name] == pytest.approx(theirs[name], rel=RELATIVE), name
    assert outcome.stops == len(oracle.stops)
    for ours, (trade, index, stop, reason) in zip(
        ledger.stops, oracle.stops, strict=True
    ):
        assert (ours.trade, ours.index, REASONS[ours.reason]) == (trade, index, reason)
        assert ours.stop == pytest.approx(stop, rel=RELATIVE)
    assert ledger.outcome.legs == len(oracle.legs)
    for ours, (trade, kind, *theirs) in zip(ledger.legs, oracle.legs, strict=True):
        assert (ours.trade, KINDS[ours.kind]) == (trade, kind)
        # Amounts are differences of prices: compare them on the scale of the notional.
        scale = RELATIVE * ours.price * ours.qty
        assert list(ours.item())[2:8] == pytest.approx(theirs, rel=RELATIVE, abs=scale)
    assert outcome.end_balance == pytest.approx(oracle.balance, rel=RELATIVE, abs=money)
    for name in ("refused", "lapsed", "liquidated", "ruined_index"):
        assert getattr(outcome, name) == getattr(oracle, name), name


def random_case(seed):
    """Return bars and rules of a seed; every other market moves in whole ticks."""
    rng = np.random.default_rng(seed)
    bars = random_bars(rng, N_ORACLE_BARS, tick=TICK if seed % 2 else 0.0)
    return bars, random_rules(rng)


@pytest.mark.slow
def test_the_replay_agrees_with_an_independent_oracle():
    reasons, kinds, refused, lapsed = set(), set(), 0, 0
    for seed in range(N_ORACLE_MARKETS):
        bars, rules = random_case(seed)
        oracle, ledger = Oracle(rules).replay(bars), run(bars, rules)
        assert_agree(oracle, ledger)
        reasons |= {trade["exit_reason"] for trade in oracle.trades}
        kinds |= {leg[1] for leg in oracle.legs}
        refused, lapsed = refused + oracle.refused, lapsed + oracle.lapsed
    # It compared something of everything.
    assert reasons == set(REASONS) - {"none", "liquidation", "learned"}
    assert kinds == set(KINDS)
    assert refused > 0
    assert lapsed > 0


@PROPERTY
@given(markets(), RULE_SETS)
def test_the_replay_agrees_with_the_oracle_on_odd_markets(bars, rules):
    assert_agree(Oracle(rules).replay(bars), run(bars, rules))


@PROPERTY
@given(broken_markets(), RECKLESS_RULES, BALANCES)
def test_the_replay_agrees_with_the_oracle_where_accounts_are_lost(
    bars, rules, balance
):
    assume(not is_borderline(bars, rules, balance))
    assert_agree(Oracle(rules, balance).replay(bars), run(bars, rules, balance))


def is_borderline(bars, rules, balance):
    """Tell whether rounding could decide whether an account is worth nothing.

    Two orders of the same sum may fall on both sides of 0, or of the smallest order.
    """
    for moment, bar in zip(walk(bars, rules, balance), bars, strict=True):
        account, position = moment.state[:2]
        worth = account.balance
        money = max(balance, abs(account.balance))
        for fill in (moment.fills.resting_exit, moment.fills.liquidation):
            money = max(money, abs(fill.amount), fill.qty * fill.price)
        if position.side != FLAT:
            notional = position.qty * bar.close
            gain = position.side * (bar.close - position.entry_price)
            costs = notional * (fee_rate(rules) + slippage_rate(rules))
            worth += gain * position.qty - costs
            money = max(money, notional)
        if worth != 0.0 and abs(worth) <= RELATIVE * money:
            return True
        largest = rules.margin_cap * account.balance * rules.leverage
        if abs(largest - rules.min_notional) <= RELATIVE * rules.min_notional:
            return rules.min_notional > 0
    return False


# --- Accounts that are lost ----------------------------------------------------------


def marked(ledger, bars, balance):
    """Return the equity at each close, from legs and shortfalls alone."""
    equity, money, position, entry_price, leg = [], balance, 0.0, 0.0, 0
    for index, bar in enumerate(bars):
        while leg < len(ledger.legs) and ledger.legs[leg].index == index:
            done = ledger.legs[leg]
            money += done.amount - done.fee - done.slippage
            position = done.position
            if done.kind == ENTRY:
                entry_price = done.price
            is_last = leg + 1 == len(ledger.legs)
            if is_last or ledger.legs[leg + 1].trade != done.trade:
                money += ledger.trades[done.trade].shortfall
            leg += 1
        equity.append(money + position * (bar.close - entry_price))
    return np.array(equity)


@PROPERTY
@given(broken_markets(), RECKLESS_RULES, BALANCES)
def test_equity_is_never_below_zero_at_a_close_and_money_is_conserved(
    bars, rules, balance
):
    ledger = run(bars, rules, balance)
    moved = [balance, *np.abs(ledger.legs.amount), *np.abs(ledger.legs.fee)]
    rounding = 1e-12 * max(moved) * (1 + len(ledger.legs))
    equity = marked(ledger, bars, balance)
    assert equity.min() >= -rounding
    assert equity[-1] == pytest.approx(ledger.outcome.end_balance, abs=rounding)
    assert ledger.outcome.end_balance >= 0.0
    assert np.all(ledger.trades.shortfall >= 0.0)
    fall = 1 - equity / np.maximum.accumulate(np.maximum(equity, balance))
    assert fall.max() <= 1 + rounding / balance


@PROPERTY
@given(broken_markets(), RECKLESS_RULES, BALANCES)
def test_a_liquidated_account_has_nothing_and_decides_nothing(bars, rules, balance):
    n_liquidated = 0
    for moment in walk(bars, rules, balance):
        if moment.fills.is_liquidated:
            n_liquidated += 1
            assert moment.state.account.balance == 0.0
            assert moment.state.position.side == FLAT
            assert moment.state.orders == NO_ORDERS
    assert n_liquidated == run(bars, rules, balance).outcome.liquidated <= 1


@PROPERTY
@given(broken_markets(), RECKLESS_RULES, BALANCES)
def test_a_ruined_account_enters_nothing_more(bars, rules, balance):
    ledger = run(bars, rules, balance)
    ruined = ledger.outcome.ruined_index
    if ruined >= 0:
        assert not np.any(ledger.trades.entry_index > ruined)
        assert not np.any(ledger.legs.index > ruined)


@PROPERTY
@given(broken_markets(), RECKLESS_RULES, BALANCES)
def test_full_and_focused_agree_on_markets_with_holes_and_jumps(bars, rules, balance):
    full = run(bars, rules, balance)
    assert same_bits(run(bars, rules, balance, entries_of(bars, rules)), full)


@PROPERTY
@given(broken_markets(), RECKLESS_RULES)
def test_no_entry_follows_its_decision_later_than_allowed(bars, rules):
    ledger = run(bars, rules)
    waited = bars.hours_since[ledger.trades.entry_index]
    assert np.all(waited <= rules.max_gap_hours)
    assert run(bars, rules._replace(max_gap_hours=1e9)).outcome.lapsed == 0


def test_every_way_to_lose_an_account_was_met():
    """The strategies above reach what they are about."""
    rng = np.random.default_rng(5)
    rules = RULES._replace(
        risk_min=0.5, risk_max=1.0, risk_cap=1.0, leverage=125.0, margin_cap=1.0
    )
    reasons, refused = set(), 0
    for _ in range(60):
        bars = random_bars(rng, 120)
        at, factor = rng.integers(40, 80), rng.choice([0.1, 10.0])
        for name in ("open", "high", "low", "close"):
            bars[name][at:] *= factor
        bars.funding_settled *= rng.choice([1.0, 100.0])
        ledger = run(bars, rules)
        assert_agree(Oracle(rules).replay(bars), ledger)
        short = ledger.trades[ledger.trades.shortfall > 0]
        reasons |= {REASONS[code] for code in short.exit_reason}
        refused += ledger.outcome.refused
    assert {"stop", "liquidation"} <= reasons
    assert refused > 0


# --- Full and focused -----------------------------------------------------------------


@PROPERTY
@given(markets(), RULE_SETS)
def test_the_focused_replay_gives_the_trades_of_the_full_one(bars, rules):
    full, focused = run(bars, rules), run(bars, rules, BALANCE, entries_of(bars, rules))
    assert same_bits(focused, full)
    assert focused.outcome.bars_visited <= full.outcome.bars_visited


@PROPERTY
@given(markets(), RULE_SETS, st.sets(st.integers(0, 59)))
def test_a_wider_screen_changes_nothing(bars, rules, further):
    extra = np.array(sorted(i for i in further if i < len(bars)), np.int64)
    wider = np.union1d(entries_of(bars, rules), extra)
    assert same_bits(run(bars, rules, BALANCE, wider), run(bars, rules))


def test_the_focused_replay_gives_the_trades_of_the_full_one_on_long_markets():
    visited, n_bars = 0, 0
    for seed in range(N_ORACLE_MARKETS):
        bars, rules = random_case(seed)
        full = run(bars, rules)
        focused = run(bars, rules, BALANCE, entries_of(bars, rules))
        assert same_bits(focused, full)
        visited += focused.outcome.bars_visited
        n_bars += len(bars)
    assert visited < n_bars


@PROPERTY
@given(markets(), RULE_SETS)
def test_a_screen_that_misses_the_bar_of_a_trade_changes_the_trades(bars, rules):
    full = run(bars, rules)
    assume(full.outcome.trades > 0 and full.outcome.refused + full.outcome.lapsed == 0)
    entries = entries_of(bars, rules)
    missing = full.trades[0].decision_index
    assert missing in entries
    narrowed = run(bars, rules, BALANCE, entries[entries != missing])
    assert not same_bits(narrowed, full)
    assert missing not in narrowed.trades.decision_index


# --- Conservation ---------------------------------------------------------------------


@PROPERTY
@given(markets(), RULE_SETS)
def test_the_end_balance_is_the_start_and_the_net_of_all_legs(bars, rules):
    ledger = run(bars, rules)
    total = BALANCE + math.fsum(nets(ledger)) + math.fsum(ledger.trades.shortfall)
    assert ledger.outcome.end_balance == pytest.approx(total, rel=RELATIVE)


@PROPERTY
@given(markets(), RULE_SETS)
def test_what_a_trade_entered_it_leaves(bars, rules):
    ledger = run(bars, rules)
    legs = ledger.legs
    for number, trade in enumerate(ledger.trades):
        own = legs[legs.trade == number]
        sizes = own[own.kind != FUNDING]
        assert sizes.kind[0] == ENTRY
        assert math.fsum(sizes.qty[1:]) == pytest.approx(sizes.qty[0], rel=RELATIVE)
        assert KINDS[own.kind[-1]] == "exit"
        assert own.position[-1] == 0
        assert np.all(np.sign(own.position[:-1]) == trade.side)
        assert (own.index[0], own.index[-1]) == (trade.entry_index, trade.exit_index)


@PROPERTY
@given(markets(), RULE_SETS)
def test_trades_and_legs_follow_each_other_in_time(bars, rules):
    ledger = run(bars, rules)
    trades = ledger.trades
    assert np.all(np.diff(ledger.legs.index) >= 0)
    assert np.all(np.diff(ledger.legs.trade) >= 0)
    assert np.all(trades.entry_index == trades.decision_index + 1)
    assert np.all(trades.entry_index <= trades.exit_index)
    assert np.all(trades.exit_index[:-1] <= trades.entry_index[1:])
    assert np.all(trades.bars_held <= rules.time_stop_bars)


# --- The stop -------------------------------------------------------------------------


@PROPERTY
@given(markets(), RULE_SETS)
def test_the_stop_never_loosens_and_the_risk_never_moves(bars, rules):
    moments = walk(bars, rules)
    for before, after in itertools.pairwise(moments):
        was, now = before.state.position, after.state.position
        if FLAT in (was.side, now.side) or was.side != now.side:
            continue
        assert now.side * (now.stop - was.stop) >= 0
        fixed = ("entry_price", "entry_qty", "risk_distance", "target")
        # A target that is switched off is not a number, before as after.
        values = [[getattr(p, name) for name in fixed] for p in (was, now)]
        assert np.array_equal(*values, equal_nan=True)


# --- Prefixes -------------------------------------------------------------------------


@PROPERTY
@given(markets(), RULE_SETS, st.integers(0, 59))
def test_later_bars_change_nothing_that_has_happened(bars, rules, cut):
    cut = min(cut, len(bars) - 1)
    full, prefix = run(bars, rules), run(bars[:cut], rules)

    def closed(ledger):
        """Trades that are over; that one was delisted shows with the next bar."""
        trades = ledger.trades
        known = trades.exit_index + (trades.exit_reason == DELISTED)
        return trades[(trades.exit_reason != END_OF_DATA) & (known < cut)]

    def booked(ledger):
        reason = ledger.trades.exit_reason[ledger.legs.trade]
        is_exit = KINDS.index("exit") == ledger.legs.kind
        known = ledger.legs.index + (is_exit & (reason == DELISTED))
        return ledger.legs[~(is_exit & (reason == END_OF_DATA)) & (known < cut)]

    assert closed(prefix).tobytes() == closed(full).tobytes()
    assert booked(prefix).tobytes() == booked(full).tobytes()


# --- Costs ----------------------------------------------------------------------------


def with_one_signal(bars):
    """Return the bars with no entry signal but the first."""
    signals = np.flatnonzero(bars.is_eligible & (bars.side != 0))
    single = bars.copy()
    single.is_eligible[signals[1:]] = False
    return single


@PROPERTY
@given(markets(), RULE_SETS, st.floats(0, 100), st.floats(0, 100))
def test_costs_never_raise_what_a_trade_leaves(bars, rules, fees, slippage):
    bars = with_one_signal(bars)
    free = run(bars, rules._replace(fees_bps=0.0, slippage_bps=0.0))
    dear = run(bars, rules._replace(fees_bps=fees, slippage_bps=slippage))
    assert len(free.trades) == len(dear.trades) <= 1
    assert free.outcome.end_balance >= dear.outcome.end_balance


@PROPERTY
@given(markets(), RULE_SETS, st.floats(0.01, 100))
def test_twice_the_fees_are_twice_the_fee_of_each_leg(bars, rules, fees):
    once = run(bars, rules._replace(fees_bps=fees))
    twice = run(bars, rules._replace(fees_bps=2 * fees))
    assume(once.outcome.trades > 0)
    # Of the first trade: the size of the next depends on what is left.
    once_legs = once.legs[once.legs.trade == 0]
    twice_legs = twice.legs[twice.legs.trade == 0]
    assert np.array_equal(2 * once_legs.fee, twice_legs.fee)
    assert np.array_equal(once_legs.amount, twice_legs.amount)


# --- Longs and shorts -----------------------------------------------------------------


def reflected(bars):
    """Return the bars with prices reflected at 100 and sides exchanged."""
    mirror = bars.copy()
    for name, of in [("open",) * 2, ("close",) * 2, ("high", "low"), ("low", "high")]:
        mirror[name] = 200 - bars[of]
    mirror.side = -bars.side
    mirror.net_veto_long, mirror.net_veto_short = (
        bars.net_veto_short,
        bars.net_veto_long,
    )
    return mirror


@PROPERTY
@given(markets(), RULE_SETS)
def test_a_reflected_market_gives_the_reflected_trades(bars, rules):
    # Costs, funding, margin and the least notional scale with the price: without them.
    bars = bars.copy()
    bars.funding_settled = NAN
    rules = rules._replace(
        fees_bps=0.0,
        slippage_bps=0.0,
        min_notional=0.0,
        leverage=125.0,
        margin_cap=1.0,
        # A volatility is relative to the price, which a reflection changes.
        sizing_kind=rules.sizing_kind if rules.sizing_kind != VOLATILITY else 0,
    )
    ours = run(bars, rules)
    theirs = run(reflected(bars), rules._replace(sides=-rules.sides))
    theirs.trades.side *= -1
    assert ours.trades.tobytes() == theirs.trades.tobytes()
    for name in ("trade", "kind", "index", "qty", "amount"):
        assert np.array_equal(ours.legs[name], theirs.legs[name])
    assert np.array_equal(ours.legs.price, 200 - theirs.legs.price)
    assert np.array_equal(ours.legs.position, -theirs.legs.position)


# --- The same source, compiled and not ------------------------------------------------

PLAIN_REPLAY = """
import json, sys
import numpy as np
from barsieve.replay.kernel import replay_bars
from replay_cases import Rules, flat, run

assert not hasattr(replay_bars, "signatures"), "expected plain Python, was compiled"
folder = sys.argv[1]
bars = np.load(folder + "/bars.npy").view(np.recarray)
ledger = run(bars, Rules(**json.load(open(folder + "/rules.json"))))
np.save(folder + "/legs.npy", ledger.legs)
np.save(folder + "/trades.npy", ledger.trades)
json.dump(flat(ledger.outcome), open(folder + "/outcome.json", "w"))
"""


@pytest.mark.slow
def test_plain_python_gives_the_bits_of_the_compiled_replay(tmp_path):
    rng = np.random.default_rng(7)
    bars = random_bars(rng, 3_000)
    rules = random_rules(rng)._replace(time_stop_bars=24, min_notional=10.0, sides=0)
    np.save(tmp_path / "bars.npy", bars)
    (tmp_path / "rules.json").write_text(json.dumps(rules._asdict()))
    subprocess.run(
        [sys.executable, "-c", PLAIN_REPLAY, str(tmp_path)],
        env={**os.environ, "NUMBA_DISABLE_JIT": "1"},
        cwd=Path(__file__).parent,
        check=True,
    )
    compiled = run(bars, rules)
    assert compiled.outcome.trades > 50
    assert np.load(tmp_path / "legs.npy").tobytes() == compiled.legs.tobytes()
    assert np.load(tmp_path / "trades.npy").tobytes() == compiled.trades.tobytes()
    outcome = json.loads((tmp_path / "outcome.json").read_text())
    assert outcome == flat(compiled.outcome)


def test_the_oracle_would_notice_a_stop_that_is_missed():
    # The guard bites: the same market with one low raised above the stop.
    bars = as_bars([signalled(quiet(), LONG), quiet(), quiet(low=97.0), quiet()])
    raised = bars.copy()
    raised.low[2] = 98.5
    assert_agree(Oracle(RULES).replay(bars), run(bars))
    with pytest.raises(AssertionError):
        assert_agree(Oracle(RULES).replay(raised), run(bars))
