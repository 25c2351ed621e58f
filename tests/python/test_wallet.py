"""One account over many symbols: an oracle, parity, one symbol alone, conservation."""

import math
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from barsieve.profiles.rules import NEVER
from barsieve.replay.ledger import COUNT_FIELDS, KINDS
from barsieve.replay.state import FLAT, LONG, REASONS, SHORT
from replay_cases import (
    BALANCE,
    RULES,
    as_bars,
    at,
    entries_of,
    flat,
    nets,
    quiet,
    random_bars,
    random_rules,
    run,
    same_bits,
    signalled,
)
from wallet_cases import BEGIN, focused, full, laid_out, random_case
from wallet_oracle import WalletOracle

N_MARKETS = 120


def assert_agree(oracle, ledger):
    """Assert that replay and oracle wrote the same, every float as it is."""
    assert ledger.outcome.trades == len(oracle.trades)
    for ours, theirs in zip(ledger.trades, oracle.trades, strict=True):
        order = theirs.order
        assert REASONS[ours.exit_reason] == theirs.reason
        assert ours.item()[:7] == (
            order.side, order.row, theirs.row, theirs.exit_row, order.confidence,
            order.distance, theirs.bars_held,
        )  # fmt: skip
        assert ours.item()[8:] == (
            order.threshold, order.streak, theirs.shift_after, theirs.shortfall,
            theirs.symbol,
        )  # fmt: skip
    legs = sorted(oracle.legs, key=lambda leg: leg[0])
    assert ledger.outcome.legs == len(legs)
    for ours, theirs in zip(ledger.legs, legs, strict=True):
        trade, kind, *rest = ours.item()
        assert [trade, KINDS[kind], *rest] == theirs
    stops = sorted(oracle.stops, key=lambda stop: stop[0])
    assert [(*s.item()[:3], REASONS[s.reason]) for s in ledger.stops] == stops
    assert ledger.outcome.end_balance == oracle.balance
    assert ledger.outcome.liquidated == oracle.liquidated
    assert ledger.outcome.threshold_shift == oracle.shift
    counts = [symbol.counts for symbol in oracle.symbols]
    for name in ("refused", "no_room", "lapsed"):
        assert list(ledger.counts[name]) == [one[name] for one in counts]
    for state, (trade, order, exit_order) in zip(
        ledger.states, oracle.held, strict=True
    ):
        assert (state.position.side != FLAT) == (trade is not None)
        assert REASONS[state.orders.exit_reason] == (exit_order or "none")
        assert state.orders.entry_side == (order.side if order else FLAT)


def test_the_wallet_agrees_with_an_independent_oracle():
    reasons, kinds, seen = set(), set(), dict.fromkeys(COUNT_FIELDS, 0)
    lost, together, n_tied = 0, 0, 0
    for seed in range(N_MARKETS):
        case = random_case(seed)
        oracle, ledger = WalletOracle(case).replay(), full(case)
        assert_agree(oracle, ledger)
        reasons |= {trade.reason for trade in oracle.trades}
        kinds |= {leg[1] for leg in oracle.legs}
        lost += oracle.liquidated
        for name in COUNT_FIELDS:
            seen[name] += getattr(ledger.outcome, name)
        entered = case.hours[ledger.trades.entry_index]
        pairs = list(zip(entered, ledger.trades.confidence, strict=True))
        together += len(entered) - len(set(entered))
        n_tied += len(pairs) - len(set(pairs))
    # It compared something of everything.
    assert reasons == set(REASONS) - {"none", "learned"}
    assert kinds == set(KINDS)
    assert all(seen.values()), seen
    assert min(lost, together, n_tied) > 10


# --- Full and focused -----------------------------------------------------------------


@pytest.mark.parametrize("block", range(4))
def test_the_focused_wallet_gives_the_trades_of_the_full_one(block):
    visited, n_bars = 0, 0
    for seed in range(1_000 + 50 * block, 1_050 + 50 * block):
        case = random_case(seed)
        whole, some = full(case), focused(case)
        assert same_bits(whole, some)
        assert np.array_equal(flat(whole.states), flat(some.states), equal_nan=True)
        for name in ("refused", "no_room", "lapsed"):
            assert np.array_equal(whole.counts[name], some.counts[name])
        assert np.all(some.counts.bars_visited <= whole.counts.bars_visited)
        visited += some.outcome.bars_visited
        n_bars += len(case.bars)
    assert visited < 0.8 * n_bars


def test_rows_to_look_at_may_come_in_any_order_and_be_too_many():
    rng = np.random.default_rng(3)
    for seed in range(20):
        case = random_case(seed)
        rows = np.append(
            entries_of(case.bars, case.rules), np.arange(len(case.bars))[::7]
        )
        assert same_bits(full(case), focused(case, rng.permutation(rows)))


def test_a_screen_that_misses_the_row_of_a_trade_changes_the_trades():
    n_missed = 0
    for seed in range(20):
        case = random_case(seed)
        whole = full(case)
        for missing in whole.trades.decision_index[:1]:
            rows = entries_of(case.bars, case.rules)
            narrowed = focused(case, rows[rows != missing])
            assert not same_bits(narrowed, whole)
            n_missed += 1
    assert n_missed > 10


# --- One symbol alone -----------------------------------------------------------------


def alone(bars, rules, balance=BALANCE):
    """Return a market of one symbol, at the hours that its bars say."""
    hours = BEGIN + np.cumsum(np.where(np.arange(len(bars)), bars.hours_since, 0))
    return laid_out([(bars, hours)], rules, balance)


@pytest.mark.parametrize("block", range(4))
def test_one_symbol_alone_gives_the_same_bits_in_both_kinds(block):
    n_delisted = 0
    for seed in range(60 * block, 60 * block + 60):
        rng = np.random.default_rng(seed)
        bars, rules = random_bars(rng, 300), random_rules(rng)
        if seed % 3 == 0:
            rules = rules._replace(risk_max=1.0, risk_cap=1.0, leverage=125.0)
        case = alone(bars, rules)
        entries = entries_of(bars, rules)
        for shared, separate in [
            (full(case), run(bars, rules)),
            (focused(case), run(bars, rules, BALANCE, entries)),
        ]:
            assert same_bits(shared, separate)
            assert shared.counts.tobytes() == separate.counts.tobytes()
            states = flat(shared.states), flat(separate.states)
            assert np.array_equal(*states, equal_nan=True)
        delisted = separate.trades.exit_reason == REASONS.index("delisted")
        n_delisted += np.count_nonzero(delisted)
    assert n_delisted > 0


# --- The same source, compiled and not ------------------------------------------------

PLAIN_REPLAY = """
import sys
import numpy as np
from barsieve.replay.wallet import replay_wallet
from wallet_cases import full, random_case

assert not hasattr(replay_wallet, "signatures"), "expected plain Python, was compiled"
for seed in map(int, sys.argv[2:]):
    ledger = full(random_case(seed))
    for name in ("legs", "trades", "stops", "counts"):
        np.save(f"{sys.argv[1]}/{name}_{seed}.npy", getattr(ledger, name))
"""


@pytest.mark.slow
def test_plain_python_gives_the_bits_of_the_compiled_wallet(tmp_path):
    seeds = range(4)
    subprocess.run(
        [sys.executable, "-c", PLAIN_REPLAY, str(tmp_path), *map(str, seeds)],
        env={**os.environ, "NUMBA_DISABLE_JIT": "1"},
        cwd=Path(__file__).parent,
        check=True,
    )
    for seed in seeds:
        compiled = full(random_case(seed))
        for name in ("legs", "trades", "stops", "counts"):
            plain = np.load(tmp_path / f"{name}_{seed}.npy")
            assert plain.tobytes() == getattr(compiled, name).tobytes()


# --- Conservation ---------------------------------------------------------------------


def test_the_end_balance_is_the_start_and_the_net_of_all_legs():
    n_short = 0
    for seed in range(120):
        case = random_case(seed)
        ledger = full(case)
        moved = np.abs(ledger.legs.amount).sum() + BALANCE
        total = BALANCE + math.fsum(nets(ledger)) + math.fsum(ledger.trades.shortfall)
        # A sum of a few hundred legs in another order.
        assert ledger.outcome.end_balance == pytest.approx(total, abs=1e-12 * moved)
        n_short += np.count_nonzero(ledger.trades.shortfall)
    assert n_short > 5


def test_the_balance_of_each_leg_is_the_one_before_it_and_its_net():
    for seed in range(60):
        ledger = full(random_case(seed))
        order = np.argsort(ledger.legs.nth)
        assert list(ledger.legs.nth[order]) == list(range(len(ledger.legs)))
        balances = np.append(BALANCE, ledger.legs.balance[order])
        made = balances[:-1] + nets(ledger)[order]
        is_short = np.zeros(len(made), bool)
        for number in np.flatnonzero(ledger.trades.shortfall):
            is_short[ledger.legs.nth[ledger.legs.trade == number].max()] = True
        assert np.array_equal(np.where(is_short, 0.0, made), balances[1:])


def test_trades_are_numbered_by_their_entries_and_legs_lie_trade_by_trade():
    for seed in range(60):
        case = random_case(seed)
        ledger = full(case)
        entered = case.hours[ledger.trades.entry_index]
        assert np.all(np.diff(entered) >= 0)
        assert np.all(np.diff(ledger.legs.trade) >= 0)
        for number, trade in enumerate(ledger.trades):
            own = ledger.legs[ledger.legs.trade == number]
            assert np.all(np.diff(own.nth) > 0)
            assert (own.index[0], own.index[-1]) == (
                trade.entry_index,
                trade.exit_index,
            )
            begin, end = case.first[trade.symbol : trade.symbol + 2]
            assert np.all((own.index >= begin) & (own.index < end))


# --- The order of symbols -------------------------------------------------------------


def permuted(case, order):
    """Return a case with its symbols in another order, all else as it was."""
    parts = []
    for symbol in order:
        rows = slice(*case.first[symbol : symbol + 2])
        parts.append((case.bars[rows], case.hours[rows]))
    return laid_out(parts, case.rules, case.balance)


def told(case, ledger, names):
    """Return the trades, each by its symbol's name, hours and what it came to."""
    exits = ledger.legs[ledger.legs.kind == KINDS.index("exit")]
    return sorted(
        (
            names[trade.symbol], case.hours[trade.entry_index],
            case.hours[trade.exit_index], trade.exit_reason, trade.side, out.qty,
        )
        for trade, out in zip(ledger.trades, exits, strict=True)
    )  # fmt: skip


def test_symbols_that_share_no_hour_may_lie_in_any_order():
    """Nothing ties: only the order of an hour's orders is the order of symbols."""
    rng = np.random.default_rng(11)
    for seed in range(30):
        case = random_case(seed)
        spaced = []
        for symbol in range(len(case.first) - 1):
            rows = slice(*case.first[symbol : symbol + 2])
            # Symbol s has the hours that leave s when divided by the number of them.
            hours = case.hours[rows] * (len(case.first) - 1) + symbol
            spaced.append((case.bars[rows], hours))
        case = laid_out(spaced, case.rules)
        order = rng.permutation(len(spaced))
        moved = permuted(case, order)
        one, other = full(case), full(moved)
        names = list(range(len(spaced)))
        assert one.outcome.liquidated == other.outcome.liquidated
        assert one.outcome.trades == other.outcome.trades
        # Sums over open positions are in the order of symbols: to a rounding.
        for ours, theirs in zip(
            told(case, one, names), told(moved, other, list(order)), strict=True
        ):
            assert ours[:5] == theirs[:5]
            assert ours[5] == pytest.approx(theirs[5], rel=1e-9)


# --- Rules of a wallet, one at a time -------------------------------------------------

# As in test_step.py: 90 at 100 with a stop at 98 and a target at 104, a margin of 1,800
# of the 5,000 that 10,000 USD may bind.
LONG_SIGNAL, SHORT_SIGNAL = signalled(quiet(), LONG), signalled(quiet(), SHORT)


def side_by_side(*symbols, rules=RULES, balance=BALANCE):
    """Return a market of symbols with a bar each hour; None is an hour without."""
    parts = []
    for rows in symbols:
        hours = np.array([hour for hour, row in enumerate(rows) if row is not None])
        bars = as_bars([row for row in rows if row is not None])
        bars.hours_since = np.diff(hours, prepend=np.nan)
        parts.append((bars, BEGIN + hours))
    return laid_out(parts, rules, balance)


def entered(ledger):
    entries = ledger.legs[ledger.legs.kind == KINDS.index("entry")]
    return [(int(ledger.trades.symbol[leg.trade]), float(leg.qty)) for leg in entries]


def test_the_most_confident_order_fills_first_and_ties_go_by_symbol():
    less, more = signalled(quiet(), LONG, 0.7), signalled(quiet(), LONG, 0.9)
    symbols = ([signal, quiet()] for signal in (less, more, less, more))
    case = side_by_side(*symbols, rules=RULES._replace(leverage=50.0))
    assert [symbol for symbol, _ in entered(full(case))] == [1, 3, 0, 2]


def test_an_order_is_sized_on_what_the_others_leave():
    rules = RULES._replace(leverage=1.0, margin_cap=1.0, fees_bps=100.0)
    case = side_by_side(*[[LONG_SIGNAL, quiet(), quiet()]] * 3, rules=rules)
    ledger = full(case)
    # 90 at 100 by risk, then what a balance of 9,910 leaves beside 9,000.
    assert entered(ledger) == [
        (0, pytest.approx(90.0)),
        (1, pytest.approx(9.1)),
    ]
    # The fee of the second leaves less than the two have bound.
    assert ledger.counts.no_room.tolist() == [0, 0, 1]
    assert ledger.counts.refused.tolist() == [0, 0, 0]


def test_an_order_that_would_be_too_small_alone_is_refused_for_its_size():
    rules = RULES._replace(min_notional=9_500.0)
    bold = signalled(quiet(), LONG, 1.0)
    case = side_by_side([bold, quiet()], [LONG_SIGNAL, quiet()], rules=rules)
    ledger = full(case)
    assert entered(ledger) == [(0, pytest.approx(100.0))]
    assert ledger.counts.refused.tolist() == [0, 1]
    assert ledger.counts.no_room.tolist() == [0, 0]


def test_no_more_positions_are_open_than_may_be():
    rules = RULES._replace(max_positions=2)
    case = side_by_side(*[[LONG_SIGNAL, quiet(), quiet()]] * 3, rules=rules)
    ledger = full(case)
    assert [symbol for symbol, _ in entered(ledger)] == [0, 1]
    assert ledger.counts.no_room.tolist() == [0, 0, 1]
    assert ledger.outcome.no_room == 1
    unlimited = case._replace(rules=rules._replace(max_positions=NEVER))
    assert ledger.outcome.trades + 1 == full(unlimited).outcome.trades


def test_an_order_that_lapses_asks_for_no_room():
    rules = RULES._replace(max_positions=1)
    case = side_by_side(
        [LONG_SIGNAL, quiet(), quiet(), quiet()],
        [LONG_SIGNAL, None, quiet(), quiet()],
        rules=rules,
    )
    ledger = full(case)
    assert ledger.counts.lapsed.tolist() == [0, 1]
    assert ledger.counts.no_room.tolist() == [0, 0]


def test_an_order_waits_for_the_next_bar_of_its_own_symbol():
    rules = RULES._replace(max_gap_hours=24.0)
    case = side_by_side(
        [quiet()] * 5, [LONG_SIGNAL, None, None, at(101, 101, 101, 101), quiet()],
        rules=rules,
    )  # fmt: skip
    for ledger in (full(case), focused(case)):
        (trade,) = ledger.trades
        assert case.hours[trade.entry_index] == BEGIN + 3
        assert ledger.legs.price[0] == 101


def test_a_reversal_competes_for_the_room_that_its_exit_made():
    rules = RULES._replace(max_positions=1)
    eager = signalled(quiet(), LONG, 0.9)
    case = side_by_side(
        [LONG_SIGNAL, SHORT_SIGNAL, quiet()], [quiet(), eager, quiet()], rules=rules
    )
    ledger = full(case)
    assert [symbol for symbol, _ in entered(ledger)] == [0, 1]
    assert REASONS[ledger.trades.exit_reason[0]] == "reversal"
    assert ledger.counts.no_room.tolist() == [1, 0]


def test_a_streak_is_the_accounts_and_a_cooldown_the_symbols():
    rules = RULES._replace(loss_streak_trades=2, cooldown_bars=3)
    stopped = at(100, 100, 97, 100)
    weak = signalled(quiet(), LONG, 0.62)
    case = side_by_side(
        [LONG_SIGNAL, stopped, LONG_SIGNAL, quiet(), quiet()],
        [LONG_SIGNAL, stopped, quiet(), quiet(), quiet()],
        [quiet(), quiet(), weak, LONG_SIGNAL, quiet()],
        rules=rules,
    )
    trades = full(case).trades
    # Two symbols lost at one hour; the third needs 0.65 then, and has no cooldown.
    assert trades.symbol.tolist() == [0, 1, 2]
    assert trades.shift_after[:2].tolist() == [0.05, 0.05]
    assert (trades.loss_streak[2], trades.threshold[2]) == (2, 0.65)


def test_a_symbol_without_bars_is_left_at_its_last_close_when_others_show_the_time():
    rules = RULES._replace(delisted_after_hours=3.0)
    gone = [LONG_SIGNAL, at(100, 103, 100, 101)]
    case = side_by_side([quiet()] * 8, [*gone, *[None] * 6], rules=rules)
    ledger = full(case)
    (trade,) = ledger.trades
    out = ledger.legs[-1]
    assert (REASONS[trade.exit_reason], out.index, out.price) == ("delisted", 9, 101)
    assert same_bits(focused(case), ledger)
    # The market must have come so far.
    short = side_by_side([quiet()] * 4, [*gone, None, None], rules=rules)
    assert REASONS[full(short).trades.exit_reason[0]] == "end_of_data"
    # Where only its own next bar shows it, it is left before that bar's funding.
    late = quiet(funding_settled=1.0)
    back = side_by_side([*gone, None, None, None, late], rules=rules)
    assert [KINDS[leg.kind] for leg in full(back).legs] == ["entry", "exit"]


def test_what_delisting_leaves_counts_from_its_hour_on():
    rules = RULES._replace(delisted_after_hours=3.0, risk_min=0.02, max_positions=1)
    gone = [LONG_SIGNAL, at(100, 103, 100, 103), None, None, None, None]
    other = [quiet(), quiet(), quiet(), LONG_SIGNAL, quiet(), quiet()]
    ledger = full(side_by_side(other, gone, rules=rules))
    assert ledger.trades.symbol.tolist() == [1, 0]
    # Ordered at hour 3, filled at hour 4: on 10,000 and the 300 of the one delisted.
    assert ledger.legs.qty[-1] == pytest.approx((BALANCE + 300) * 0.02 / 2)


def test_an_account_is_lost_as_a_whole_and_what_is_absent_goes_at_its_last_close():
    bold = RULES._replace(
        risk_min=0.25, risk_max=0.25, risk_cap=1.0, margin_cap=1.0, stop_atr=50.0
    )
    falls = at(100, 100, 51, 51)
    # 50 of each at 100: together worth 5,000 less at 51 each; alone neither is lost.
    case = side_by_side(
        [LONG_SIGNAL, quiet(), falls, None, quiet()],
        [LONG_SIGNAL, quiet(), quiet(), falls, quiet()],
        rules=bold, balance=BALANCE,
    )  # fmt: skip
    assert full(case).outcome.liquidated == 0
    poor = case._replace(rules=bold._replace(risk_min=0.5, risk_max=0.5, leverage=50.0))
    ledger = full(poor)
    assert entered(ledger) == [(0, 100.0), (1, 100.0)]
    assert REASONS[ledger.trades.exit_reason[0]] == "end_of_data"
    lost = poor._replace(rules=poor.rules._replace(fees_bps=100.0, slippage_bps=50.0))
    ledger = full(lost)
    assert [REASONS[code] for code in ledger.trades.exit_reason] == ["liquidation"] * 2
    exits = ledger.legs[ledger.legs.kind == KINDS.index("exit")]
    assert exits.index.tolist() == [2, 7]
    assert ledger.outcome.liquidated == 1
    assert ledger.outcome.end_balance == 0.0
    assert ledger.trades.shortfall[0] == 0.0
    assert ledger.trades.shortfall[1] > 0.0
    assert ledger.legs.balance[ledger.legs.nth.argmax()] == 0.0
    # Held over two closes of its own, and over three of the other.
    assert ledger.trades.bars_held.tolist() == [2, 3]


def test_an_order_that_waits_goes_with_the_account():
    bold = RULES._replace(risk_min=0.5, risk_max=0.5, risk_cap=1.0, max_gap_hours=24.0)
    case = side_by_side(
        [LONG_SIGNAL, quiet(), at(40, 40, 40, 40), quiet(), quiet()],
        [quiet(), LONG_SIGNAL, None, quiet(), quiet()],
        rules=bold,
    )
    for ledger in (full(case), focused(case)):
        assert ledger.trades.shortfall.tolist() == [5_000]
        # It is neither refused nor lapsed: it is no more when its bar comes.
        assert ledger.counts.refused.tolist() == [0, 0]
        assert ledger.counts.lapsed.tolist() == [0, 0]


def test_what_no_symbol_trades_leaves_the_start():
    for symbols in ([[]], [[], []], [[quiet()], []]):
        case = side_by_side(*symbols)
        assert full(case).outcome.end_balance == BALANCE
        assert focused(case).outcome.trades == 0


def test_plain_states_say_what_is_held_and_ordered():
    case = side_by_side([LONG_SIGNAL, quiet()], [quiet(), SHORT_SIGNAL])
    held, ordered = full(case).states
    assert (held.position.side, ordered.position.side) == (LONG, FLAT)
    assert (held.orders.entry_side, ordered.orders.entry_side) == (FLAT, SHORT)
    assert held.account == ordered.account._replace(
        last_exit_index=held.account.last_exit_index
    )
