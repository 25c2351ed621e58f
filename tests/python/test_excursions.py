"""Excursions of trades: by hand, by a slow walk, by SQL over the built bars."""

import numpy as np
import pytest

from barsieve.replay.excursions import excursions
from barsieve.replay.ledger import EXIT
from barsieve.replay.runs import replay
from barsieve.replay.state import LONG, REASONS
from profile_cases import inputs_of
from replay_cases import as_bars, at, quiet, random_bars, signalled

CLOSES = ("liquidation", "end_of_data", "delisted")
ORDERED = ("macro", "time", "reversal")


def walked(run, number: int) -> tuple[float, float]:
    """Return MAE and MFE of a trade: its bars, one by one, worse side first."""
    trade, bars = run.trades[number], run.inputs.bars
    exits = run.legs[(run.legs.kind == EXIT) & (run.legs.trade == number)]
    left, reason = exits.price[0], REASONS[trade.exit_reason]
    entered = bars.open[trade.entry_index]
    seen = [entered, left]
    for index in range(trade.entry_index, trade.exit_index + 1):
        bar = bars[index]
        seen.append(bar.open)
        worse, better = bar.low, bar.high
        if trade.side != LONG:
            worse, better = better, worse
        if index < trade.exit_index or reason in CLOSES:
            seen += [worse, better]
        elif reason == "target" and left != bar.open:
            seen.append(worse)
    moves = [trade.side * (price - entered) for price in seen]
    return max(0.0, -min(moves)), max(0.0, max(moves))


@pytest.mark.parametrize("seed", range(4))
def test_excursions_are_those_of_a_walk_from_fill_to_fill(seed):
    rng = np.random.default_rng(seed)
    bars = random_bars(rng, 3_000)
    bars.is_eligible = rng.random(len(bars)) < 0.1
    run = replay(inputs_of(bars))
    found = excursions(bars, run.legs, run.trades)
    expected = [walked(run, number) for number in range(len(run.trades))]
    assert len(expected) > 50
    assert np.column_stack(found).tolist() == [list(one) for one in expected]
    reasons = {REASONS[code] for code in run.trades.exit_reason}
    assert {"stop", "target"} <= reasons


# Entered at 100 with a stop at 98 and a target at 104; a first bar up to 101.
FIRST = at(100, 101, 99, 101)
BY_HAND = {
    # Its high came after the stop, for all one knows, and is not counted.
    "stop": (at(101, 103, 94, 95), (2.0, 1.0)),
    # Its low was survived, for the stop is tested first.
    "target": (at(101, 106, 98.5, 104), (1.5, 4.0)),
    # Left at the open: what the bar did later was not held.
    "gap": (at(90, 106, 88, 104), (10.0, 1.0)),
    # Held to the last close, and all of the bar with it.
    "end of data": (at(101, 103, 98.5, 100), (1.5, 3.0)),
}


@pytest.mark.parametrize("case", BY_HAND)
def test_of_the_bar_of_the_exit_counts_what_was_tested_before_it(case):
    bar, expected = BY_HAND[case]
    run = replay(inputs_of(as_bars([signalled(quiet(), LONG), FIRST, bar])))
    found = excursions(run.inputs.bars, run.legs, run.trades)
    assert (found.adverse[0], found.favourable[0]) == expected


def test_no_trade_has_no_excursion():
    bars = random_bars(np.random.default_rng(1), 10)
    bars.is_eligible = False
    run = replay(inputs_of(bars))
    found = excursions(bars, run.legs, run.trades)
    assert [len(one) for one in found] == [0, 0]


BY_SQL = """
    with held as (
        select
            trades.profile, trades.trade_id, trades.side,
            any_value(trades.entry_price) as entered,
            any_value(trades.exit_price) as left_at,
            any_value(trades.mae_share) as mae_share,
            any_value(trades.mfe_share) as mfe_share,
            min(bars.open) as lowest_open,
            max(bars.open) as highest_open,
            min(bars.low) filter (
                bars.bar_ts < trades.exit_ts
                or trades.exit_reason in ('end_of_data', 'delisted')
                or (
                    trades.side = 'long' and trades.exit_reason = 'target'
                    and trades.exit_price != bars.open
                )
            ) as lowest,
            max(bars.high) filter (
                bars.bar_ts < trades.exit_ts
                or trades.exit_reason in ('end_of_data', 'delisted')
                or (
                    trades.side = 'short' and trades.exit_reason = 'target'
                    and trades.exit_price != bars.open
                )
            ) as highest,
        from trades inner join bars_1h as bars
            on bars.symbol = trades.symbol
            and bars.bar_ts between trades.entry_ts and trades.exit_ts
        group by trades.profile, trades.trade_id, trades.side
    ),
    moves as (
        select
            *,
            entered - least(left_at, lowest_open, coalesce(lowest, left_at)) as below,
            greatest(left_at, highest_open, coalesce(highest, left_at)) - entered
                as above,
        from held
    )
    select
        count(*) as trades,
        count_if(mae_share != if(side = 'long', below, above) / entered) as worse,
        count_if(mfe_share != if(side = 'long', above, below) / entered) as better,
    from moves
"""


def test_the_table_has_what_sql_finds_in_the_bars(demo):
    trades, worse, better = demo.execute(BY_SQL).fetchone()
    assert trades > 3_000
    assert (worse, better) == (0, 0)


def test_a_trade_that_was_stopped_went_as_far_as_its_stop(demo):
    """At the stop by a whole R, at the target by the profile's; unless at the open."""
    rows = demo.execute(
        "select exit_reason, r.mae_r, r.mfe_r, target_r from trades as r "
        "inner join config_profiles using (profile) "
        "inner join bars_1h as bars on bars.symbol = r.symbol "
        "and bars.bar_ts = r.exit_ts "
        "where exit_reason in ('stop', 'target') and exit_price != bars.open"
    ).fetchall()
    stops = [mae for reason, mae, _, _ in rows if reason == "stop"]
    targets = [(mfe, at) for reason, _, mfe, at in rows if reason == "target"]
    assert len(stops) > 100
    assert len(targets) > 100
    assert stops == pytest.approx([1.0] * len(stops), rel=1e-9)
    assert all(mfe == pytest.approx(at, rel=1e-9) for mfe, at in targets)


def test_no_excursion_is_less_than_what_the_exit_came_to(demo):
    """Adverse and favourable are 0 or more, and the exit price lies between them."""
    (outside,) = demo.execute(
        "with moves as (select *, if(side = 'long', 1, -1) "
        "* (exit_price - entry_price) / entry_price as moved from replay_trades) "
        "select count_if(mae_share < 0 or mfe_share < 0 or moved < -mae_share "
        "or moved > mfe_share) from moves"
    ).fetchone()
    assert outside == 0
