"""What a failed test or a broken constraint prints: what failed, with its figures."""

import shutil

import duckdb
import pytest

from conftest import run_dbt

SCORES = "path:models/scores/scores.sql"
SENTINELS = "path:models/sentinels/sentinels.sql"

# Each fault, and what the build must say of it.
FAULTS = {
    "update parity_trades set verdict = 'differs', fields_that_differ = 'net_pnl' "
    "where profile = 'btc_live' and full_trade_id = 3": (
        "exact_profiles_replay_identically, 1 row:",
        '"profile":"btc_live"',
        '"fields_that_differ":"net_pnl"',
    ),
    "delete from parity_equity": (
        "money_is_conserved, 1 row:",
        "at least one row is compared",
    ),
    "update parity_features set verdict = 'differs', worst_difference = 0.25 "
    "where symbol = 'ETH' and feature = 'sma_20'": (
        "features_equal_the_oracle, 1 row:",
        '"feature":"sma_20"',
        '"worst_difference":0.25',
    ),
    "update sweep_results set net_pnl = net_pnl + 1 "
    "where config in (select min(config) from sweep_results)": (
        "net_is_gross_less_costs,",
        "must_hold",
        "and ",
    ),
    "update replay_trades set side = if(side = 'long', 'short', 'long') "
    "where profile = 'btc_live' and trade_id = 2": (
        "the_step_takes_the_entries_of_fusion, 2 rows:",
        '"profile":"btc_live"',
    ),
    "insert into sentinel_volume_spike from sentinel_volume_spike "
    "where symbol = 'ETH' order by bar_ts limit 2": (
        "sentinels: one row for each symbol, bar_ts, sentinel, 2 rows:",
        '"n_rows":2',
        "2 keys (symbol, bar_ts, sentinel) of sentinels have more than one row",
    ),
    "update score_momentum set score = 1.5 where symbol = 'ETH' and bar_ts = "
    "(select max(bar_ts) from score_momentum where symbol = 'ETH')": (
        "scores: score between 0 and 1, 1 row:",
        '"score":1.5',
    ),
}


@pytest.mark.slow
def test_a_failure_prints_its_rows_in_the_build_itself(demo_build, tmp_path):
    database = tmp_path / "barsieve.duckdb"
    shutil.copy(demo_build.database, database)
    with duckdb.connect(str(database)) as connection:
        for fault in FAULTS:
            connection.execute(fault).fetchall()
    tests = [
        "exact_profiles_replay_identically", "money_is_conserved",
        "features_equal_the_oracle", "net_is_gross_less_costs",
        "the_step_takes_the_entries_of_fusion", "a_month_knows_nothing_of_itself",
    ]  # fmt: skip
    tested = run_dbt("test", "-s", *tests, folder=tmp_path)
    built = run_dbt("build", "--quiet", "-s", SCORES, SENTINELS, folder=tmp_path)
    assert (tested.exit_code, built.exit_code) == (1, 1)
    output = tested.output + built.output
    for words in FAULTS.values():
        for word in words:
            assert word in output, (word, output[-6000:])
    assert "a_month_knows_nothing_of_itself, " not in output
    with duckdb.connect(str(database), read_only=True) as connection:
        n_rows, n_keys = connection.execute(
            "select count(*), count(distinct (symbol, bar_ts, sentinel)) from sentinels"
        ).fetchone()
    assert n_rows == n_keys > 0, "the table that was there stays"
