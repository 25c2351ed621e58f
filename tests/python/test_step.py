"""Each rule of the replay, one at a time, with numbers worked out by hand.

Unless a test says otherwise, a long is signalled at bar 0 with confidence 0.8 and fills
at bar 1 at 100: stop distance D = 2 · ATR = 2, so stop 98, target 104, 1R at 102; risk
1 % + 1 % · 0.8 = 1.8 % of 10,000 USD, so a quantity of 90. Costs are 0.
"""

import numpy as np
import pytest

from barsieve.replay.ledger import ENTRY, EXIT, FUNDING, PARTIAL
from barsieve.replay.state import (
    BREAK_EVEN,
    DELISTED,
    END_OF_DATA,
    FLAT,
    FLAT_POSITION,
    LIQUIDATION,
    LONG,
    MACRO,
    NO_ORDERS,
    REVERSAL,
    SHORT,
    STOP,
    TARGET,
    TIME,
    TRAIL,
    VOLUME_TRAP,
    Account,
    State,
)
from replay_cases import BALANCE, RULES, as_bars, at, quiet, run, signalled, walk

NAN = np.nan
LONG_SIGNAL = signalled(quiet(), LONG)
SHORT_SIGNAL = signalled(quiet(), SHORT)


def long_over(*bars, rules=RULES, signal=LONG_SIGNAL):
    """Walk a long through bars; the first of them is the one it fills at."""
    return walk(as_bars([signal, *bars]), rules)


def legs_over(*bars, rules=RULES):
    """Replay the bars; return (kind, index, price) of every leg."""
    legs = run(as_bars(list(bars)), rules).legs
    return list(zip(legs.kind, legs.index, legs.price, strict=True))


def last_trade_of(*bars, rules=RULES):
    return run(as_bars(list(bars)), rules).trades[-1]


# --- Entries and their size -----------------------------------------------------------


def test_an_entry_decided_at_a_close_fills_at_the_next_open():
    decided, filled = long_over(at(101, 102, 100, 100.5))
    assert decided.state.position.side == FLAT
    assert decided.state.orders.entry_side == LONG
    assert filled.fills.entry.price == 101
    position = filled.state.position
    assert (position.side, position.entry_price) == (LONG, 101)
    assert (position.stop, position.target) == (99, 105)


def test_a_short_entry_has_its_stop_above_and_its_target_below():
    _, filled = walk(as_bars([SHORT_SIGNAL, quiet()]))
    position = filled.state.position
    assert (position.side, position.qty) == (SHORT, pytest.approx(90))
    assert (position.stop, position.target) == (102, 96)


@pytest.mark.parametrize(("confidence", "qty"), [(0.6, 80), (0.8, 90), (1.0, 100)])
def test_the_risk_share_grows_with_confidence(confidence, qty):
    signal = signalled(quiet(), LONG, confidence)
    _, filled = long_over(quiet(), signal=signal)
    assert filled.fills.entry.qty == pytest.approx(qty)


@pytest.mark.parametrize(
    ("adx", "distance", "risk"),
    [
        (19.9, 1.5, 0.009),
        (20.0, 2.0, 0.018),
        (25.0, 2.0, 0.018),
        (25.1, 2.5, 0.027),
        (NAN, 2.0, 0.018),
    ],
)
def test_the_trend_sets_stop_distance_and_risk(adx, distance, risk):
    signal = {**LONG_SIGNAL, "adx_14_4h": adx}
    _, filled = long_over(quiet(adx_14_4h=50.0), signal=signal)
    assert filled.state.position.stop == 100 - distance
    assert filled.state.position.target == 100 + 2 * distance
    assert filled.fills.entry.qty == pytest.approx(BALANCE * risk / distance)


def test_the_risk_share_is_capped_after_the_factor_of_the_trend():
    signal = {**LONG_SIGNAL, "adx_14_4h": 30.0}
    _, filled = long_over(quiet(), signal=signal, rules=RULES._replace(risk_cap=0.02))
    assert filled.fills.entry.qty == pytest.approx(BALANCE * 0.02 / 2.5)


def test_the_stop_distance_is_that_of_the_decision_not_of_the_fill():
    _, filled = long_over(quiet(atr_20=7.0))
    assert filled.state.position.risk_distance == 2


def test_the_quantity_is_limited_by_margin():
    rules = RULES._replace(leverage=1.0, margin_cap=0.5)
    _, filled = long_over(at(101, 101, 101, 101), rules=rules)
    assert filled.fills.entry.qty == pytest.approx(5_000 / 101)


@pytest.mark.parametrize("leverage", [1.0, 5.0, 125.0])
def test_leverage_never_raises_the_loss_of_a_stop_out(leverage):
    rules = RULES._replace(leverage=leverage, margin_cap=1.0)
    *_, stopped = long_over(at(100, 100, 98, 99), rules=rules)
    assert stopped.state.account.balance == pytest.approx(BALANCE * (1 - 0.018))


def test_an_order_of_exactly_the_minimum_notional_is_taken():
    # A risk share of 1/64 and a D of 2 are exact: 78.125 for 100 each.
    rules = RULES._replace(risk_min=1 / 64, risk_max=1 / 64, min_notional=7_812.5)
    _, filled = long_over(quiet(), rules=rules)
    assert filled.fills.entry.qty == 78.125
    assert not filled.fills.is_refused


def test_an_order_below_the_minimum_notional_is_refused_and_remembered():
    bars = as_bars([quiet(), LONG_SIGNAL, quiet(), LONG_SIGNAL, quiet()])
    rules = RULES._replace(min_notional=9_001.0)
    ledger = run(bars, rules)
    assert (ledger.outcome.trades, ledger.outcome.refused) == (0, 2)
    assert ledger.outcome.end_balance == BALANCE
    assert [moment.fills.is_refused for moment in walk(bars, rules)] == [
        False, False, True, False, True,
    ]  # fmt: skip


def test_fee_and_slippage_are_shares_of_each_legs_notional_at_the_raw_price():
    rules = RULES._replace(fees_bps=10.0, slippage_bps=5.0)
    _, filled, left = long_over(quiet(), at(105, 105, 105, 105), rules=rules)
    entry, out = filled.fills.entry, left.fills.resting_exit
    assert (entry.price, out.price) == (100, 105)
    assert (entry.fee, entry.slippage) == (pytest.approx(9), pytest.approx(4.5))
    assert (out.fee, out.slippage) == (pytest.approx(9.45), pytest.approx(4.725))
    assert filled.state.account.balance == pytest.approx(BALANCE - 13.5)
    assert left.state.account.balance == pytest.approx(BALANCE - 13.5 + 450 - 14.175)


# --- The entry predicate --------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        {"is_eligible": False},
        {"has_sentinel": False},
        {"side": 0},
        {"confidence": 0.599},
        {"confidence": NAN},
        {"threshold": 0.801},
        {"net_veto_long": 0.8},
        {"atr_20": NAN},
        {"atr_20": 0.0},
    ],
    ids=str,
)
def test_no_entry_is_ordered_when_one_condition_fails(change):
    (moment,) = walk(as_bars([{**LONG_SIGNAL, **change}]))
    assert moment.state.orders.entry_side == FLAT


@pytest.mark.parametrize(
    "change",
    [
        {"confidence": 0.6},
        {"net_veto_long": 0.799},
        {"net_veto_short": 1.0},
        {"vix": NAN},
        {"volume_z_20": NAN},
        {"adx_14_4h": NAN},
        {"funding_settled": NAN},
    ],
    ids=str,
)
def test_an_entry_is_ordered_at_the_edge_and_despite_the_unknown(change):
    (moment,) = walk(as_bars([{**LONG_SIGNAL, **change}]))
    assert moment.state.orders.entry_side == LONG


def test_a_short_is_vetoed_by_its_own_side_only():
    vetoed = {**SHORT_SIGNAL, "net_veto_short": 0.8}
    free = {**SHORT_SIGNAL, "net_veto_long": 0.8}
    (of_vetoed,), (of_free,) = walk(as_bars([vetoed])), walk(as_bars([free]))
    assert of_vetoed.state.orders.entry_side == FLAT
    assert of_free.state.orders.entry_side == SHORT


@pytest.mark.parametrize("side", [LONG, SHORT])
def test_nothing_is_entered_that_a_macro_exit_would_leave_an_hour_later(side):
    """The veto limit is 1 here, so that only the exits refuse."""
    rules, own = RULES._replace(veto_limit=1.01), "long" if side == LONG else "short"
    other = "short" if side == LONG else "long"
    for change, expected in [
        ({"vix": 30.0}, FLAT),
        ({"vix": 29.99}, side),
        ({f"net_veto_{own}": 0.8}, FLAT),
        ({f"net_veto_{own}": 0.79}, side),
        ({f"net_veto_{other}": 1.0}, side),
        ({"vix": NAN}, side),
    ]:
        bars = as_bars([{**signalled(quiet(), side), **change}])
        (moment,) = walk(bars, rules)
        assert moment.state.orders.entry_side == expected, change


def test_a_macro_exit_that_is_switched_off_neither_refuses_nor_leaves():
    off = RULES._replace(veto_limit=1.01, vix_exit=NAN, macro_exit_veto=NAN)
    stormy = {"vix": 80.0, "net_veto_long": 1.0}
    decided, *_, held = walk(
        as_bars([{**LONG_SIGNAL, **stormy}, quiet(**stormy), quiet(**stormy)]), off
    )
    assert decided.state.orders.entry_side == LONG
    assert held.state.position.side == LONG
    assert held.state.orders.exit_reason == 0


def test_a_threshold_raised_by_a_streak_is_a_decimal():
    """0.65 + 0.05 is 0.7000000000000001 in doubles; a confidence of 0.7 is enough."""
    rules = RULES._replace(loss_streak_trades=1, loss_streak_shift=0.05)
    lost = [LONG_SIGNAL, quiet(), at(97, 98, 96, 97)]
    for confidence, expected in ((0.7, LONG), (0.6999999999, FLAT)):
        again = {**LONG_SIGNAL, "threshold": 0.65, "confidence": confidence}
        *_, moment = walk(as_bars([*lost, again]), rules)
        assert moment.state.account.loss_streak == 1
        assert moment.state.orders.entry_side == expected


# --- Stop and target ------------------------------------------------------------------


def test_a_stop_in_the_range_of_a_bar_fills_at_the_stop():
    *_, moment = long_over(quiet(), at(100, 101, 97, 99))
    out = moment.fills.resting_exit
    assert (out.price, out.reason) == (98, STOP)
    assert out.amount == pytest.approx(-180)


def test_a_target_in_the_range_of_a_bar_fills_at_the_target():
    *_, moment = long_over(quiet(), at(100, 105, 99, 101))
    out = moment.fills.resting_exit
    assert (out.price, out.reason) == (104, TARGET)
    assert out.amount == pytest.approx(360)


@pytest.mark.parametrize(("low", "high", "reason"), [(98, 101, 1), (99, 104, 5)])
def test_touching_the_stop_or_the_target_is_enough(low, high, reason):
    *_, moment = long_over(quiet(), at(100, high, low, 100))
    assert moment.fills.resting_exit.reason == reason


def test_the_stop_comes_first_when_both_lie_in_the_bar():
    *_, moment = long_over(quiet(), at(100, 105, 97, 104))
    assert (moment.fills.resting_exit.price, moment.fills.resting_exit.reason) == (
        98,
        STOP,
    )


def test_the_stop_is_tested_on_the_bar_of_the_entry():
    _, moment = long_over(at(100, 101, 97, 100))
    assert moment.fills.entry.price == 100
    assert (moment.fills.resting_exit.price, moment.fills.resting_exit.reason) == (
        98,
        STOP,
    )
    assert moment.state.position.side == FLAT
    trade = last_trade_of(LONG_SIGNAL, at(100, 101, 97, 100))
    assert (trade.entry_index, trade.exit_index, trade.bars_held) == (1, 1, 0)


def test_a_bar_that_opens_beyond_the_stop_fills_it_at_the_open():
    *_, moment = long_over(quiet(), at(95, 105, 94, 104))
    assert (moment.fills.resting_exit.price, moment.fills.resting_exit.reason) == (
        95,
        STOP,
    )


def test_a_bar_that_opens_beyond_the_target_fills_it_at_the_open():
    *_, moment = long_over(quiet(), at(106, 107, 97, 98))
    out = moment.fills.resting_exit
    assert (out.price, out.reason) == (106, TARGET)
    assert out.amount == pytest.approx(540)


def test_a_stop_moved_at_a_close_is_tested_from_the_next_bar_on():
    # The trap moves the stop to 99.5 at the close of a bar that went down to 98.5.
    *_, moved, hit = long_over(
        quiet(), at(100, 101, 98.5, 100, volume_z_20=2.0), at(100, 100, 99.5, 100)
    )
    assert moved.state.position.stop == 99.5
    assert (hit.fills.resting_exit.price, hit.fills.resting_exit.reason) == (99.5, 4)


# --- Partial, break-even, trail, volume trap ------------------------------------------


def test_the_partial_is_ordered_at_a_close_of_1r_and_fills_half_at_the_next_open():
    *_, ordered, filled = long_over(at(100, 102, 100, 102), at(102.5, 103, 102, 102.5))
    assert ordered.state.orders.is_partial
    assert ordered.state.position.qty == pytest.approx(90)
    out = filled.fills.ordered_exit
    assert (out.price, out.qty) == (102.5, pytest.approx(45))
    assert out.amount == pytest.approx(112.5)
    assert filled.state.position.qty == pytest.approx(45)
    assert filled.state.account.balance == pytest.approx(BALANCE + 112.5)


def test_a_high_beyond_1r_orders_no_partial_without_the_close():
    *_, moment = long_over(at(100, 103.9, 100, 101.99))
    assert not moment.state.orders.is_partial
    assert moment.state.position.stop == 98


def test_the_partial_is_taken_once():
    legs = legs_over(
        LONG_SIGNAL,
        at(100, 102, 100, 102),
        at(102, 103, 102, 103),
        at(103, 103.5, 102.5, 103.5),
        at(103.5, 103.5, 102.6, 103),
    )
    assert [leg[:2] for leg in legs] == [(ENTRY, 1), (PARTIAL, 2), (EXIT, 4)]


def test_1r_is_measured_in_the_initial_distance_after_the_stop_has_moved():
    # Stop at 99.5 and an ATR of 5 since; 1R is still 2.
    *_, trapped, short_of, ordered = long_over(
        at(100, 100, 100, 100, volume_z_20=2.0),
        at(100, 102, 100, 101.5, atr_20=5.0),
        at(102, 102, 102, 102, atr_20=5.0),
    )
    assert trapped.state.position.stop == 99.5
    assert not short_of.state.orders.is_partial
    assert ordered.state.orders.is_partial
    assert ordered.state.position.risk_distance == 2


def test_the_stop_goes_to_break_even_with_the_partial():
    *_, ordered, left = long_over(at(100, 102, 99, 102), at(101, 102, 99, 101))
    assert ordered.state.position.stop == 100
    assert left.fills.ordered_exit.price == 101
    out = left.fills.resting_exit
    assert (out.price, out.reason, out.amount) == (100, BREAK_EVEN, 0)
    assert out.qty == pytest.approx(45)


def test_break_even_does_not_loosen_a_tighter_stop():
    *_, trapped, ordered = long_over(
        at(100, 101.8, 100, 101.8, volume_z_20=2.0), at(101.8, 102, 101.7, 102)
    )
    assert trapped.state.position.stop == pytest.approx(101.3)
    assert ordered.state.orders.is_partial
    assert ordered.state.position.stop == trapped.state.position.stop


def test_the_trail_waits_until_the_partial_has_filled_and_then_only_tightens():
    _, ordered, higher, lower, nearer = long_over(
        at(100, 102, 100, 102),
        at(102, 103, 102, 103),
        at(103, 103, 102.1, 102.5),
        at(102.5, 102.6, 102.1, 102.5, atr_20=0.25),
    )
    assert ordered.state.position.stop == 100
    assert higher.state.position.stop == 102
    assert higher.state.position.stop_reason == TRAIL
    assert lower.state.position.stop == 102
    assert nearer.state.position.stop == 102.25


def test_an_unknown_atr_moves_no_stop():
    *_, moment = long_over(
        at(100, 102, 100, 102), at(102, 103, 102, 103, atr_20=NAN, volume_z_20=2.0)
    )
    assert moment.state.position.stop == 100


@pytest.mark.parametrize(
    ("volume_z", "stop"), [(1.31, 99.5), (1.3, 98), (-5.0, 98), (NAN, 98)]
)
def test_the_volume_trap_pulls_the_stop_to_half_an_atr(volume_z, stop):
    *_, moment = long_over(quiet(volume_z_20=volume_z))
    assert moment.state.position.stop == stop


def test_the_volume_trap_names_the_exit_and_never_loosens():
    *_, trapped, wide, left = long_over(
        quiet(volume_z_20=2.0),
        at(100, 100, 99.6, 99.6, volume_z_20=2.0, atr_20=4.0),
        at(99.6, 99.6, 99, 99),
    )
    assert trapped.state.position.stop == wide.state.position.stop == 99.5
    out = left.fills.resting_exit
    assert (out.price, out.reason) == (99.5, VOLUME_TRAP)


# --- Exits ordered at a close ---------------------------------------------------------


@pytest.mark.parametrize(
    "change", [{"net_veto_long": 0.8}, {"vix": 30.0}, {"vix": 80.0}], ids=str
)
def test_a_macro_exit_is_ordered_at_the_close_and_fills_at_the_next_open(change):
    *_, ordered, left = long_over(quiet(**change), at(101, 101, 101, 101))
    assert ordered.state.position.side == LONG
    out = left.fills.ordered_exit
    assert (out.price, out.reason) == (101, MACRO)
    assert left.state.position.side == FLAT


@pytest.mark.parametrize(
    "change",
    [{"net_veto_long": 0.79}, {"net_veto_short": 1.0}, {"vix": 29.9}, {"vix": NAN}],
    ids=str,
)
def test_no_macro_exit_below_the_limits_for_the_other_side_or_in_the_dark(change):
    *_, moment = long_over(quiet(**change))
    assert moment.state.orders.exit_reason == 0


def test_a_short_leaves_on_the_veto_of_shorts():
    *_, moment = walk(as_bars([SHORT_SIGNAL, quiet(net_veto_short=0.8)]))
    assert moment.state.orders.exit_reason == MACRO
    *_, moment = walk(as_bars([SHORT_SIGNAL, quiet(net_veto_long=0.8)]))
    assert moment.state.orders.exit_reason == 0


@pytest.mark.parametrize("bars_held", [1, 3, 5])
def test_the_time_stop_leaves_at_the_open_after_so_many_closes_held(bars_held):
    rules = RULES._replace(time_stop_bars=bars_held)
    trade = last_trade_of(LONG_SIGNAL, *[quiet()] * 9, rules=rules)
    assert (trade.exit_reason, trade.bars_held) == (TIME, bars_held)
    assert (trade.entry_index, trade.exit_index) == (1, 1 + bars_held)


def test_an_opposite_signal_closes_and_reverses_at_one_open_without_cooldown():
    rules = RULES._replace(cooldown_bars=50)
    *_, moment = long_over(SHORT_SIGNAL, at(101, 101, 101, 101), rules=rules)
    out, entry = moment.fills.ordered_exit, moment.fills.entry
    assert (out.price, out.reason, entry.price) == (101, REVERSAL, 101)
    position = moment.state.position
    assert (position.side, position.stop, position.target) == (SHORT, 103, 97)


def test_a_reversal_is_sized_on_the_balance_after_the_exit():
    *_, moment = long_over(SHORT_SIGNAL, at(101, 101, 101, 101))
    assert moment.state.account.balance == pytest.approx(BALANCE + 90)
    assert moment.fills.entry.qty == pytest.approx((BALANCE + 90) * 0.018 / 2)


def test_a_reversal_whose_stop_distance_is_unknown_only_closes():
    *_, moment = long_over({**SHORT_SIGNAL, "atr_20": NAN}, quiet())
    assert moment.fills.ordered_exit.reason == REVERSAL
    assert moment.fills.entry.qty == 0


def test_a_same_side_signal_does_nothing():
    with_signal = long_over(LONG_SIGNAL, quiet(), LONG_SIGNAL, quiet())
    without = long_over(quiet(), quiet(), quiet(), quiet())
    assert [m.state for m in with_signal] == [m.state for m in without]


@pytest.mark.parametrize(
    ("change", "time_stop_bars", "reason"),
    [
        ({"net_veto_long": 0.8}, 1, MACRO),
        ({}, 1, TIME),
        ({}, 2, REVERSAL),
    ],
)
def test_the_exit_reason_is_the_first_of_macro_time_reversal(
    change, time_stop_bars, reason
):
    rules = RULES._replace(time_stop_bars=time_stop_bars)
    *_, moment = long_over({**SHORT_SIGNAL, **change}, rules=rules)
    assert moment.state.orders.exit_reason == reason
    assert moment.state.orders.entry_side == SHORT


def test_a_full_exit_cancels_a_partial():
    legs = legs_over(
        LONG_SIGNAL, at(100, 103, 100, 103, vix=30.0), at(103, 103, 103, 103)
    )
    assert legs == [(ENTRY, 1, 100), (EXIT, 2, 103)]


def test_an_ordered_exit_leaves_before_the_stop_is_tested():
    *_, moment = long_over(quiet(vix=30.0), at(97, 105, 90, 104))
    assert (moment.fills.ordered_exit.price, moment.fills.ordered_exit.reason) == (
        97,
        6,
    )
    assert moment.fills.resting_exit.qty == 0


# --- Cooldown and the streak of losses ------------------------------------------------


@pytest.mark.parametrize("cooldown_bars", [0, 1, 2, 5])
def test_the_cooldown_counts_from_the_bar_of_the_last_exit(cooldown_bars):
    # The first trade is stopped out on its entry's own bar, 1.
    rules = RULES._replace(cooldown_bars=cooldown_bars)
    stopped = signalled(at(100, 100, 97, 100), LONG)
    bars = as_bars([LONG_SIGNAL, stopped, *[LONG_SIGNAL] * 8])
    trades = run(bars, rules).trades
    assert trades[0].exit_index == 1
    assert trades[1].decision_index == 1 + cooldown_bars
    assert trades[1].entry_index == 2 + cooldown_bars


def test_without_cooldown_the_close_of_an_ordered_exits_bar_may_decide_an_entry():
    bars = as_bars([LONG_SIGNAL, quiet(vix=30.0), LONG_SIGNAL, quiet()])
    first, second = run(bars).trades
    assert (first.exit_index, first.exit_reason) == (2, MACRO)
    assert (second.decision_index, second.entry_index) == (2, 3)


def losing(confidence):
    """Return the signal and the stop-out of one trade that loses."""
    return [signalled(quiet(), LONG, confidence), at(100, 100, 97, 100)]


def winning(confidence):
    return [signalled(quiet(), LONG, confidence), at(100, 105, 100, 100)]


def decisions(*rounds, rules=RULES):
    """Return which of the rounds of two bars were traded."""
    bars = as_bars([bar for pair in rounds for bar in pair])
    return [int(index) // 2 for index in run(bars, rules).trades.decision_index]


def test_three_losses_in_a_row_raise_the_threshold():
    losses = [losing(0.62)] * 3
    assert decisions(*losses, losing(0.62)) == [0, 1, 2]
    assert decisions(*losses[:2], losing(0.62)) == [0, 1, 2]
    assert decisions(*losses, losing(0.66)) == [0, 1, 2, 3]
    rules = RULES._replace(loss_streak_trades=2)
    assert decisions(*losses, rules=rules) == [0, 1]


def test_the_raised_threshold_stays_through_further_losses_until_a_trade_wins():
    rounds = [*[losing(0.66)] * 4, losing(0.62), winning(0.66), losing(0.62)]
    assert decisions(*rounds) == [0, 1, 2, 3, 5, 6]


def test_a_win_between_losses_starts_the_count_again():
    rounds = [*[losing(0.62)] * 2, winning(0.62), *[losing(0.62)] * 3, losing(0.62)]
    assert decisions(*rounds) == [0, 1, 2, 3, 4, 5]


def test_a_trade_that_wins_less_than_its_costs_is_a_loss():
    rules = RULES._replace(loss_streak_trades=1, fees_bps=300.0)
    assert decisions(winning(0.62), winning(0.62), rules=rules) == [0]
    rules = rules._replace(fees_bps=100.0)
    assert decisions(winning(0.62), winning(0.62), rules=rules) == [0, 1]


def test_a_partial_counts_for_whether_its_trade_won():
    # +45 · 2 at the partial, then 45 · -3 at an open beyond break-even: a loss of 45;
    # +45 · 3.5 at the partial instead: a win of 22.5.
    rules = RULES._replace(loss_streak_trades=1)
    for partial_price, streak in [(102, 1), (103.5, 0)]:
        *_, moment = long_over(
            at(100, 102, 100, 102),
            at(partial_price, 103.5, 102, 102),
            at(97, 97, 97, 97),
            rules=rules,
        )
        assert moment.fills.resting_exit.price == 97
        assert moment.state.account.loss_streak == streak


def test_a_reversal_is_judged_by_the_streak_at_its_decision():
    # The trade that the reversal closes is the losing one; 0.62 was enough before it.
    rules = RULES._replace(loss_streak_trades=1)
    bars = as_bars(
        [LONG_SIGNAL, signalled(quiet(), SHORT, 0.62), at(99, 99, 99, 99), quiet()]
    )
    trades = run(bars, rules).trades
    assert list(trades.side) == [LONG, SHORT]


# --- Funding --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("side", "rate", "received"),
    [(LONG, 0.001, -9.0), (LONG, -0.001, 9.0), (SHORT, 0.001, 9.0), (SHORT, NAN, 0)],
)
def test_longs_pay_a_positive_rate_and_shorts_receive_it(side, rate, received):
    *_, moment = walk(
        as_bars([signalled(quiet(), side), quiet(), quiet(funding_settled=rate)])
    )
    assert moment.fills.funding == pytest.approx(received)
    assert moment.state.account.balance == pytest.approx(BALANCE + received)
    assert moment.state.position.net_pnl == pytest.approx(received)


def test_funding_is_on_the_notional_at_the_open():
    *_, moment = long_over(quiet(), at(101, 103, 99, 102, funding_settled=0.001))
    assert moment.fills.funding == pytest.approx(-0.001 * 90 * 101)


def test_an_entry_pays_no_funding_that_settles_at_its_open():
    _, moment = long_over(quiet(funding_settled=0.01))
    assert moment.fills.entry.qty > 0
    assert moment.fills.funding == 0


def test_an_exit_still_pays_the_funding_that_settles_at_its_open():
    bars = as_bars([LONG_SIGNAL, quiet(vix=30.0), quiet(funding_settled=0.001)])
    legs = run(bars).legs
    assert list(legs.kind) == [ENTRY, FUNDING, EXIT]
    assert legs[1].amount == pytest.approx(-9)


def test_a_partial_pays_funding_on_all_that_was_held_before_it():
    *_, moment = long_over(
        at(100, 102, 100, 102), at(102, 102, 102, 102, funding_settled=0.001)
    )
    assert moment.fills.ordered_exit.qty == pytest.approx(45)
    assert moment.fills.funding == pytest.approx(-0.001 * 90 * 102)


# --- Orders that lapse ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("hours", "max_gap_hours", "lapses"),
    [(1, 1.0, False), (2, 1.0, True), (480, 1.0, True), (24, 24.0, False),
     (25, 24.0, True), (NAN, 1.0, False)],
)  # fmt: skip
def test_an_entry_lapses_when_the_next_bar_comes_too_late(hours, max_gap_hours, lapses):
    rules = RULES._replace(max_gap_hours=max_gap_hours)
    _, moment = long_over(quiet(hours_since=hours), rules=rules)
    assert moment.fills.is_lapsed == lapses
    assert (moment.fills.entry.qty == 0) == lapses
    assert not moment.fills.is_refused
    assert (moment.state.position.side == FLAT) == lapses


def test_lapsed_entries_are_counted_and_come_back_with_the_next_signal():
    late = signalled(quiet(hours_since=9.0), LONG)
    ledger = run(as_bars([LONG_SIGNAL, late, quiet(), quiet()]))
    assert (ledger.outcome.lapsed, ledger.outcome.refused) == (1, 0)
    assert [trade.decision_index for trade in ledger.trades] == [1]


def test_an_order_with_no_next_bar_yet_is_pending():
    outcome = run(as_bars([quiet(), LONG_SIGNAL])).outcome
    assert outcome.lapsed == 0
    assert outcome.state.orders.entry_side == LONG


def test_after_a_reversal_across_a_gap_only_the_entry_lapses():
    *_, moment = long_over(SHORT_SIGNAL, at(99, 99, 99, 99, hours_since=5.0))
    out = moment.fills.ordered_exit
    assert (out.price, out.reason) == (99, REVERSAL)
    assert moment.fills.is_lapsed
    assert moment.state.position.side == FLAT


@pytest.mark.parametrize("change", [{"vix": 30.0}, {"close": 102.0, "high": 102.0}])
def test_exits_and_partials_never_lapse(change):
    *_, moment = long_over(quiet(**change), at(101, 101, 101, 101, hours_since=100.0))
    assert moment.fills.ordered_exit.price == 101


def test_resting_orders_are_tested_across_a_gap():
    *_, moment = long_over(quiet(), at(95, 95, 95, 95, hours_since=100.0))
    assert (moment.fills.resting_exit.price, moment.fills.resting_exit.reason) == (
        95,
        STOP,
    )


# --- Symbols that are delisted --------------------------------------------------------


def ends_over(*bars, hours_after=0.0, rules=RULES):
    """Return (reason, index, price, bars held) of each trade's end."""
    ledger = run(as_bars(list(bars)), rules, hours_after=hours_after)
    exits = ledger.legs[ledger.legs.kind == EXIT]
    return [
        (trade.exit_reason, out.index, out.price, trade.bars_held)
        for trade, out in zip(ledger.trades, exits, strict=True)
    ]


@pytest.mark.parametrize(("hours", "is_left"), [(168.0, True), (167.0, False)])
def test_a_position_is_left_at_the_last_close_when_no_bar_comes_for_long(
    hours, is_left
):
    rules = RULES._replace(fees_bps=10.0)
    bars = (
        LONG_SIGNAL,
        at(100, 101, 99, 101),
        at(60, 60, 60, 60, hours_since=hours, funding_settled=0.01),
    )
    (end,) = ends_over(*bars, rules=rules)
    if not is_left:
        assert end == (STOP, 2, 60, 1)
        return
    # At the close before the gap, before the funding of the bar after it.
    assert end == (DELISTED, 1, 101, 1)
    ledger = run(as_bars(list(bars)), rules)
    assert [leg.kind for leg in ledger.legs] == [ENTRY, EXIT]
    assert ledger.legs[-1].fee == pytest.approx(90 * 101 * 0.001)
    assert (ledger.legs[-1].balance, ledger.outcome.state.account.last_exit_index) == (
        ledger.outcome.end_balance, 1,
    )  # fmt: skip


@pytest.mark.parametrize(
    "change", [{"vix": 30.0}, {"close": 102.0, "high": 102.0}, SHORT_SIGNAL]
)
def test_what_a_delisted_position_had_ordered_goes(change):
    bar = {**quiet(), **change}
    late = quiet(hours_since=200.0)
    patient = RULES._replace(max_gap_hours=1_000.0)
    (end,) = ends_over(LONG_SIGNAL, bar, late, quiet(), rules=patient)
    assert end == (DELISTED, 1, bar["close"], 1)
    outcome = run(as_bars([LONG_SIGNAL, bar, late, quiet()]), patient).outcome
    assert (outcome.lapsed, outcome.refused) == (0, 0)


def test_an_entry_that_waits_for_its_bar_is_no_position_to_leave():
    patient = RULES._replace(max_gap_hours=1_000.0)
    (end,) = ends_over(LONG_SIGNAL, quiet(hours_since=200.0), rules=patient)
    assert end == (END_OF_DATA, 1, 100, 1)


def test_the_bar_after_the_gap_may_order_anew():
    late = signalled(quiet(hours_since=200.0), SHORT)
    assert ends_over(LONG_SIGNAL, quiet(), late, quiet()) == [
        (DELISTED, 1, 100, 1), (END_OF_DATA, 3, 100, 1),
    ]  # fmt: skip
    # The bar of the exit was the last before the gap.
    cooled = RULES._replace(cooldown_bars=2)
    assert len(ends_over(LONG_SIGNAL, quiet(), late, quiet(), rules=cooled)) == 1


@pytest.mark.parametrize(
    ("hours_after", "reason"), [(0.0, END_OF_DATA), (167.0, END_OF_DATA),
                                (168.0, DELISTED), (NAN, END_OF_DATA)],
)  # fmt: skip
def test_a_position_is_delisted_at_the_end_when_the_market_goes_on(hours_after, reason):
    bars = LONG_SIGNAL, quiet(), at(100, 103, 100, 101)
    assert ends_over(*bars, hours_after=hours_after) == [(reason, 2, 101, 2)]
    state = run(as_bars(list(bars)), hours_after=hours_after).outcome.state
    assert state.position.side == (FLAT if reason == DELISTED else LONG)


def test_a_position_is_never_delisted_when_that_is_switched_off():
    never = RULES._replace(delisted_after_hours=NAN)
    bars = LONG_SIGNAL, quiet(), quiet(hours_since=9_999.0)
    assert ends_over(*bars, rules=never) == [(END_OF_DATA, 2, 100, 2)]


# --- Accounts that are lost -----------------------------------------------------------

# 10,000 USD at 1 % of 100 are 25,000 of notional: a fall by 40 loses the account.
BOLD = RULES._replace(risk_min=0.5, risk_max=0.5, risk_cap=1.0)


def test_a_gap_beyond_the_stop_may_lose_more_than_there_is():
    bars = as_bars([LONG_SIGNAL, quiet(), at(40, 40, 40, 40), LONG_SIGNAL, quiet()])
    moments, ledger = walk(bars, BOLD), run(bars, BOLD)
    fills, state = moments[2].fills, moments[2].state
    # 250 for 100 each, left at 40: 15,000 lost of 10,000.
    assert (fills.resting_exit.price, fills.resting_exit.reason) == (40, STOP)
    assert (fills.is_liquidated, fills.shortfall) == (True, 5_000)
    assert state.account.balance == 0.0
    (trade,) = ledger.trades
    assert (trade.exit_reason, trade.shortfall) == (STOP, 5_000)
    assert (ledger.outcome.liquidated, ledger.outcome.refused) == (1, 1)
    assert (ledger.outcome.end_balance, ledger.outcome.ruined_index) == (0.0, 2)


def test_a_position_worth_less_than_nothing_at_a_close_is_liquidated_there():
    # 50 short at 100 with a stop at 300, out of reach.
    rules = BOLD._replace(stop_atr=200.0, risk_min=1.0, risk_max=1.0)
    bars = as_bars(
        [SHORT_SIGNAL, quiet(), signalled(at(100, 299, 100, 299), LONG), quiet()]
    )
    costly = rules._replace(fees_bps=100.0)
    moments, ledger = walk(bars, costly), run(bars, costly)
    # 50 short from 100 to 299 lose 9,950; the entry cost 50, leaving costs 149.50.
    fill = moments[2].fills.liquidation
    assert (fill.price, fill.reason) == (299, LIQUIDATION)
    assert moments[2].fills.shortfall == pytest.approx(149.5)
    assert moments[2].state == State(
        account=Account(balance=0.0, peak=BALANCE, loss_streak=1, last_exit_index=2),
        position=FLAT_POSITION,
        orders=NO_ORDERS,
    )
    (trade,) = ledger.trades
    assert (trade.exit_reason, trade.exit_index, trade.bars_held) == (LIQUIDATION, 2, 2)
    assert trade.shortfall == pytest.approx(149.5)
    assert [leg.kind for leg in ledger.legs] == [ENTRY, EXIT]


def test_the_same_position_without_exit_costs_is_worth_something():
    rules = BOLD._replace(stop_atr=200.0, risk_min=1.0, risk_max=1.0)
    bars = as_bars([SHORT_SIGNAL, quiet(), at(100, 299, 100, 299), quiet()])
    *_, moment, _ = walk(bars, rules)
    assert not moment.fills.is_liquidated
    assert moment.state.account.balance == BALANCE


def test_funding_may_take_all_and_the_balance_is_negative_only_until_the_close():
    bars = as_bars([LONG_SIGNAL, quiet(), quiet(funding_settled=0.5), quiet()])
    *_, moment, after = walk(bars, BOLD)
    assert moment.fills.funding == -12_500
    assert moment.fills.liquidation.price == 100
    assert (moment.fills.shortfall, moment.state.account.balance) == (2_500, 0.0)
    assert after.state.account.balance == 0.0
    (trade,) = run(bars, BOLD).trades
    assert (trade.exit_reason, trade.shortfall) == (LIQUIDATION, 2_500)


def test_a_position_whose_profit_outweighs_a_negative_balance_lives_on():
    # 100 for 100 each; funding of 30,000 is paid in the bar that gains 29,900.
    bars = as_bars([
        LONG_SIGNAL, quiet(), at(100, 399, 100, 399, funding_settled=3.0), quiet(),
    ])  # fmt: skip
    rules = BOLD._replace(stop_atr=49.0, target_r=9.0, risk_max=0.49, risk_min=0.49)
    *_, moment, _ = walk(bars, rules)
    assert moment.state.account.balance == pytest.approx(-20_000)
    assert moment.state.position.side == LONG
    assert not moment.fills.is_liquidated


def test_an_entry_while_the_balance_is_negative_is_refused():
    # A reversal at an open that lost the account: it closes, and buys nothing.
    bars = as_bars([LONG_SIGNAL, SHORT_SIGNAL, at(40, 40, 40, 40)])
    *_, moment = walk(bars, BOLD)
    assert moment.fills.ordered_exit.reason == REVERSAL
    assert moment.fills.is_refused
    assert (moment.state.account.balance, moment.fills.shortfall) == (0.0, 5_000)


@pytest.mark.parametrize(
    ("fees_bps", "is_refused"), [(3_900.0, False), (4_100.0, True)]
)
def test_an_entry_whose_costs_reach_the_balance_is_refused(fees_bps, is_refused):
    # 250 for 100 each: a fee of 0.4 would be all of the 10,000.
    _, moment = long_over(quiet(), rules=BOLD._replace(fees_bps=fees_bps))
    assert moment.fills.is_refused == is_refused


def test_an_account_is_ruined_when_its_margin_carries_no_smallest_order():
    # 9,001 of margin x leverage are needed; the first stop-out leaves 8,990 of 10,000.
    rules = RULES._replace(margin_cap=1.0, leverage=1.0, min_notional=8_990.0)
    stopped = at(100, 100, 97, 100)
    bars = as_bars([LONG_SIGNAL, stopped, *[LONG_SIGNAL] * 8])
    ledger = run(bars, rules)
    assert ledger.outcome.ruined_index == -1
    lower = rules._replace(min_notional=9_000.0)
    steeper = as_bars([LONG_SIGNAL, at(88, 88, 88, 88), *[LONG_SIGNAL] * 8])
    assert run(steeper, lower).outcome.ruined_index == -1
    lost = as_bars([LONG_SIGNAL, quiet(), at(88, 88, 88, 88), *[LONG_SIGNAL] * 7])
    ledger = run(lost, lower)
    assert (ledger.outcome.ruined_index, ledger.outcome.trades) == (2, 1)
    # The signal of the last close is pending.
    assert ledger.outcome.refused == 6


def test_an_account_may_be_ruined_before_it_begins():
    outcome = run(as_bars([LONG_SIGNAL, quiet()]), balance=1.0).outcome
    assert (outcome.ruined_index, outcome.trades, outcome.refused) == (0, 0, 1)


def test_a_refused_order_alone_is_no_ruin():
    # Too small at this stop distance, large enough at a nearer one.
    far = {**LONG_SIGNAL, "atr_20": 500.0}
    bars = as_bars([far, quiet(), LONG_SIGNAL, quiet()])
    outcome = run(bars, RULES._replace(min_notional=100.0)).outcome
    assert (outcome.refused, outcome.trades, outcome.ruined_index) == (1, 1, -1)


# --- What was in force ----------------------------------------------------------------


def test_a_trade_keeps_the_threshold_and_the_streak_of_its_decision():
    rounds = [*[losing(0.66)] * 4, winning(0.66), losing(0.66)]
    trades = run(as_bars([bar for pair in rounds for bar in pair])).trades
    assert list(trades.loss_streak) == [0, 1, 2, 3, 4, 0]
    raised = 0.6 + 0.05
    assert list(trades.threshold) == [0.6, 0.6, 0.6, raised, raised, 0.6]
    assert list(trades.shift_after) == [0.0, 0.0, 0.05, 0.05, 0.0, 0.0]


def stops_over(*bars, rules=RULES):
    stops = run(as_bars(list(bars)), rules).stops
    return [(s.trade, s.index, s.stop, s.reason) for s in stops]


def test_the_path_of_the_stop_says_from_which_bar_each_was_tested():
    stops = stops_over(
        LONG_SIGNAL,
        at(100, 102, 100, 102),  # the partial is ordered, break-even is set
        at(102, 103, 102, 103),  # break-even is in force; the trail is set
        at(103, 103, 102.5, 102.5),  # the trail is in force, and stays
        at(102.5, 102.5, 101, 101),  # hit
    )
    assert stops == [(0, 1, 98, STOP), (0, 2, 100, BREAK_EVEN), (0, 3, 102, TRAIL)]


def test_a_stop_that_was_moved_and_never_tested_is_not_in_the_path():
    trapped = quiet(volume_z_20=2.0)
    left = {**trapped, "vix": 30.0}
    assert stops_over(LONG_SIGNAL, left, quiet()) == [(0, 1, 98, STOP)]
    assert stops_over(LONG_SIGNAL, trapped) == [(0, 1, 98, STOP)]
    assert stops_over(LONG_SIGNAL, trapped, quiet()) == [
        (0, 1, 98, STOP), (0, 2, 99.5, VOLUME_TRAP),
    ]  # fmt: skip


def test_a_reversal_begins_a_path_of_its_own():
    assert stops_over(LONG_SIGNAL, SHORT_SIGNAL, at(101, 101, 101, 101)) == [
        (0, 1, 98, STOP), (1, 2, 103, STOP),
    ]  # fmt: skip


# --- The end of the data --------------------------------------------------------------


def test_a_position_open_at_the_last_bar_is_closed_at_the_last_close():
    ledger = run(as_bars([LONG_SIGNAL, quiet(), at(100, 103, 100, 101)]))
    (trade,) = ledger.trades
    assert (trade.exit_reason, trade.exit_index, trade.bars_held) == (END_OF_DATA, 2, 2)
    assert (ledger.legs[-1].kind, ledger.legs[-1].price) == (EXIT, 101)
    assert ledger.outcome.end_balance == pytest.approx(BALANCE + 90)


def test_an_entry_ordered_at_the_last_close_never_fills():
    outcome = run(as_bars([quiet(), LONG_SIGNAL])).outcome
    assert (outcome.trades, outcome.legs, outcome.end_balance) == (0, 0, BALANCE)


def test_an_exit_ordered_at_the_last_close_gives_way_to_the_end_of_data():
    trade = last_trade_of(LONG_SIGNAL, quiet(vix=30.0))
    assert (trade.exit_reason, trade.exit_index) == (END_OF_DATA, 1)


def test_a_replay_of_no_bars_trades_nothing():
    assert run(as_bars([])).outcome.end_balance == BALANCE


# --- Shorts ---------------------------------------------------------------------------


def test_a_short_runs_through_partial_break_even_and_trail_like_a_long():
    bars = as_bars(
        [
            SHORT_SIGNAL,
            at(100, 101, 98, 98),  # 1R: the partial is ordered, the stop goes to 100
            at(97.5, 98, 97, 97),  # 45 at 97.5: +112.5; the trail goes to 98
            at(97, 97.5, 96.5, 96.5, volume_z_20=2.0),  # the trap goes to 97
            at(96.6, 98, 96.4, 97),  # 45 at 97: +135
        ]
    )
    moments, ledger = walk(bars), run(bars)
    stops = [moment.state.position.stop for moment in moments[1:4]]
    assert stops == [100, 98, 97]
    assert list(ledger.legs.kind) == [ENTRY, PARTIAL, EXIT]
    assert list(ledger.legs.price) == [100, 97.5, 97]
    assert list(ledger.legs.position) == pytest.approx([-90, -45, 0])
    assert list(ledger.legs.amount) == pytest.approx([0, 112.5, 135])
    assert ledger.trades[0].exit_reason == VOLUME_TRAP


@pytest.mark.parametrize(
    ("bar", "price", "reason"),
    [
        (at(100, 103, 95, 100), 102, STOP),
        (at(100, 101, 95, 100), 96, TARGET),
        (at(103, 104, 95, 100), 103, STOP),
        (at(95, 103, 94, 100), 95, TARGET),
    ],
)
def test_a_short_meets_stop_and_target_like_a_long(bar, price, reason):
    *_, moment = walk(as_bars([SHORT_SIGNAL, quiet(), bar]))
    out = moment.fills.resting_exit
    assert (out.price, out.reason) == (price, reason)
