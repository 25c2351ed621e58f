"""Other exits on the paths of trades: by a slow walk, and as the tables tell."""

import numpy as np
import pytest

from barsieve.learning.exits.others import NO_EXIT, exits_of, with_other_exits

pytestmark = pytest.mark.slow

PATHS = "from report_paths where profile = 'eth_comprehensive' order by trade_id"


def walked(closes) -> dict[str, float]:
    """Return what each exit gives up of a trade, close by close."""
    asks = {
        "after 12 bars": lambda c: c["bars_held"] >= 12,
        "a loss of 0.25 R": lambda c: c["profit_r"] <= -0.25,
        "a profit of 1.0 R": lambda c: c["profit_r"] >= 1.0,
        "0.5 R given back": lambda c: c["best_r"] - c["profit_r"] >= 0.5,
    }
    return {
        name: next((c["rest_r"] for c in closes if holds(c)), 0.0)
        for name, holds in asks.items()
    }


@pytest.fixture(scope="module")
def trades(demo_build):
    """The closes of each trade that has ended, by its number."""
    with demo_build.connect() as connection:
        found = connection.execute(f"{PATHS}, bars_held")
        names = [column[0] for column in found.description]
        closes = [dict(zip(names, row, strict=True)) for row in found.fetchall()]
    made: dict[int, list] = {}
    for close in closes:
        if close["is_known"]:
            made.setdefault(close["trade_id"], []).append(close)
    return made


def test_the_table_says_what_a_walk_over_the_closes_says(demo, trades):
    rows = demo.execute(
        "select exit_rule, trades, gain_r, mean_r, low, high from report_other_exits "
        "where profile = 'eth_comprehensive'"
    ).fetchall()
    table = {name: rest for name, *rest in rows}
    lost = [walked(closes) for closes in trades.values()]
    (mean,) = demo.execute(
        "select avg(r_multiple) from trades where profile = 'eth_comprehensive' "
        "and exit_reason <> 'end_of_data' and bars_held > 0"
    ).fetchone()
    assert len(table) == len(exits_of(*np.empty((3, 0))))
    for name in lost[0]:
        n, gain, mean_r, low, high = table[name]
        assert n == len(trades)
        assert gain == pytest.approx(-np.mean([one[name] for one in lost]), abs=1e-12)
        assert mean_r == pytest.approx(mean + gain, abs=1e-12)
        assert low < gain < high
    assert table[NO_EXIT][1] == 0.0


def test_leaving_earlier_is_the_result_less_what_was_still_to_come(demo, trades):
    for number in list(trades)[:40]:
        closes = trades[number]
        told = {
            one["exit_rule"]: one for one in with_other_exits(closes, r_multiple=1.25)
        }
        for name, lost in walked(closes).items():
            assert told[name]["r_multiple"] == pytest.approx(1.25 - lost, abs=1e-12)
            assert (told[name]["left_at"] is None) == (
                told[name]["r_multiple"] == 1.25 and lost == 0.0
            )


def test_best_and_worst_of_a_path_end_in_the_excursions_of_its_trade(demo):
    # Left at an open: what the last close knew, and that open.
    wrong = demo.execute(
        """
        with ends as (
            select
                profile, symbol, trade_id,
                max(best_r) as best_r, min(worst_r) as worst_r,
            from report_paths group by all
        )
        select count(*), count_if(
            abs(greatest(best_r, at_open, 0) - mfe_r) > 1e-9
            or abs(greatest(-worst_r, -at_open, 0) - mae_r) > 1e-9
        )
        from (
            select *,
                if(side = 'long', 1, -1) * (exit_price - entry_price)
                / risk_distance as at_open,
            from ends inner join trades using (profile, symbol, trade_id)
            inner join (
                select profile, symbol, trade_id, risk_distance from replay_positions
                where replayed = 'full'
            ) using (profile, symbol, trade_id)
            where exit_reason in ('time', 'macro', 'reversal', 'learned')
        )
        """
    ).fetchone()
    assert wrong[0] > 100
    assert wrong[1] == 0
