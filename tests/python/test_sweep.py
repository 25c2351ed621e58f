"""The sweep: every configuration's trades are those of its own full replay."""

import copy
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from barsieve.core.arrow import rows_of
from barsieve.core.errors import InputError
from barsieve.metrics.account import marked_equity, nets_of
from barsieve.metrics.performance import daily_sharpe, max_drawdown, of_results
from barsieve.profiles.resolution import resolve
from barsieve.replay.runs import FULL, Part, replay
from barsieve.replay.state import DELISTED
from barsieve.signals import envelope
from barsieve.signals.market import Market
from barsieve.sweep.buffers import words_of
from barsieve.sweep.figures import FIGURES, hash_trades
from barsieve.sweep.grids import VARIED, expand
from barsieve.sweep.run import (
    Rooms,
    Sweep,
    measure_chunk,
    prepare,
    symbol_over,
    trades_hash,
)
from barsieve.sweep.store import chunks_left, folder_of, read_results, run_sweeps
from barsieve.sweep.tables import base_of, bases_of, tables_of
from command_line import barsieve
from compiled_project import CompiledProject
from conftest import PROJECT
from sweep_cases import (
    CONFIG,
    DOMAINS,
    HOUR_US,
    base_row,
    configured,
    figures_of,
    grid_of,
    inputs_of,
    inputs_on,
    one_config,
    random_configs,
    random_market,
    read_votes,
    standalone,
    standalone_hash,
    sweep_over,
    votes_of,
)

LIQUIDITY = DOMAINS.index("liquidity")
SYMBOLS = ("BTC", "ETH")


def sweep_of(connection, grid: str, symbol: str, profile=None, **points) -> Sweep:
    tables = tables_of(connection)
    base = base_of(tables.bases, symbol, profile)
    expanded = expand(grid, rows_of(tables.grids), base, DOMAINS, **points)
    return prepare(tables.sweep_bars, tables.regimes, base, symbol, expanded)


# Grids


@pytest.mark.parametrize(
    ("grid", "run", "refused"),
    [("quick", 12, 6), ("grid", 222, 48), ("exhaustive", 594, 126)],
)
def test_a_grid_has_the_promised_number_of_configurations(demo, grid, run, refused):
    sweep = sweep_of(demo, grid, "ETH")
    configs = sweep.grid.configs
    assert (len(configs), len(sweep.grid.refused)) == (run, refused)
    assert set(sweep.grid.violations) == {"weight_liquidity in [0.15, 0.4)"}
    assert len(set(sweep.ids)) == run + refused
    assert np.allclose(configs.weights.sum(axis=1), 1, atol=1e-12)
    assert configs.weights[:, LIQUIDITY].min() >= 0.15
    assert configs.weights[:, LIQUIDITY].max() < 0.4
    refused_liquidity = sweep.grid.refused.weights[:, LIQUIDITY]
    assert not np.any((refused_liquidity >= 0.15) & (refused_liquidity < 0.4))


def test_a_sobol_grid_is_seeded_and_a_larger_one_contains_a_smaller(demo):
    tables = tables_of(demo)
    rows, base = rows_of(tables.grids), tables.bases[0]
    small = expand("sobol", rows, base, DOMAINS, 100, 3).configs
    large = expand("sobol", rows, base, DOMAINS, 1000, 3).configs
    assert len(small) == 100
    assert len(large) == 1000
    assert large[:100].tobytes() == small.tobytes()
    other = expand("sobol", rows, base, DOMAINS, 100, 4).configs
    assert other.tobytes() != small.tobytes()
    assert np.allclose(large.weights.sum(axis=1), 1, atol=1e-12)
    for row in rows:
        if row["grid"] == "sobol" and row["setting"] in VARIED:
            column = large[row["setting"]]
            assert len(np.unique(column)) > 1
            if row["method"] == "box":
                assert row["low"] <= column.min() <= column.max() <= row["high"]


def test_a_threshold_that_no_weights_reach_is_a_violation_and_not_run(demo):
    rows = [
        {"grid": "g", "setting": "entry_threshold", "method": "values",
         "choices": "0.6 0.99"},
        {"grid": "g", "setting": "weight_wyckoff", "method": "values", "choices": "1"},
        *({"grid": "g", "setting": f"weight_{d}", "method": "values", "choices": "0"}
          for d in DOMAINS[1:]),
    ]  # fmt: skip
    base = tables_of(demo).bases[0]
    grid = expand("g", rows, base, DOMAINS)
    assert grid.configs.entry_threshold.tolist() == [0.6]
    assert grid.violations == ["entry_threshold within reach"]


def test_a_grid_of_too_many_weights_is_refused_before_it_is_made(demo):
    base = tables_of(demo).bases[0]
    more = [f"own_{k}" for k in range(14)]
    base["weights"] = base["weights"] | dict.fromkeys(more, 0.05)
    base["box"] = base["box"] | dict.fromkeys(more, (0.01, 0.1))
    rows = [
        {
            "grid": "g",
            "setting": "entry_threshold",
            "method": "values",
            "choices": "0.6",
        },
        {"grid": "g", "setting": "weight_*", "method": "values", "choices": ""},
    ]
    with pytest.raises(InputError, match=r"at most 1,000,000 combinations"):
        expand("g", rows, base, [*DOMAINS, *more])


def test_each_set_of_domains_that_something_learns_of_is_swept(demo):
    bases = tables_of(demo).bases
    own = {row["profile"]: row for row in bases if row["symbol"] == "ETH"}
    assert [row["profile"] for row in bases_of(bases, "ETH")] == ["eth_comprehensive"]
    other = own["eth_learned"] | {"profile": "a_few", "weights": {"smc": 1.0}}
    swept = bases_of([*bases, other], "ETH")
    # It takes nothing from the one that learned before.
    assert [row["profile"] for row in swept] == ["a_few", "eth_comprehensive"]


def test_the_built_tables_hold_every_configuration_tried(demo):
    tried = demo.sql(
        "select symbol, count(*), count(violation) from sweep_configs "
        "where grid = 'exhaustive' group by all order by all"
    ).fetchall()
    assert tried == [(symbol, 720, 126) for symbol in SYMBOLS]
    run = demo.sql(
        "select count(distinct (symbol, config)) from sweep_results "
        "where grid = 'exhaustive' and fold = 'all'"
    ).fetchall()
    assert run == [(1188,)]


# Exactness


def assert_exact(connection, symbol: str, profile: str, n: int, seed: int) -> int:
    """Compare `n` random configurations with their full replays; return the trades."""
    sweep = sweep_of(connection, "sobol", symbol, profile, n=n, seed=seed)
    figures, hashes = figures_of(sweep)
    votes = read_votes(connection, symbol)
    inputs = inputs_of(connection, profile)
    votes["shift"] = inputs.bars.threshold - rows_threshold(connection, profile)
    base = base_of(rows_of(connection.table("config_symbols")), symbol, profile)
    for config, found in zip(sweep.grid.configs, hashes[:, 0], strict=True):
        assert standalone_hash(inputs, votes, configured(base, config)) == found
    return int(figures[:, 0, FIGURES.index("trades")].sum())


def rows_threshold(connection, profile: str) -> float:
    rows = rows_of(connection.table("config_symbols"))
    return next(r["entry_threshold"] for r in rows if r["profile"] == profile)


@pytest.mark.slow
@pytest.mark.real_market
@pytest.mark.parametrize(
    ("symbol", "profile"), [("BTC", "btc_live"), ("ETH", "eth_comprehensive")]
)
def test_two_hundred_configurations_trade_as_their_full_replays(
    real_build, symbol, profile
):
    with real_build.connect() as connection:
        assert assert_exact(connection, symbol, profile, 200, 11) > 10_000


@pytest.mark.parametrize(
    ("symbol", "profile"), [("BTC", "btc_live"), ("ETH", "eth_live_aggressive")]
)
def test_configurations_of_the_demo_trade_as_their_full_replays(demo, symbol, profile):
    assert assert_exact(demo, symbol, profile, 40, 5) > 500


def write_profile(base: dict, row: dict, name: str, folder) -> None:
    """Write a configuration as a profile, from the base's own file."""
    path = PROJECT / f"configs/{base['profile']}.json"
    document = copy.deepcopy(resolve(path).document)
    document["profile"] = name
    for domain in DOMAINS:
        document["weights"][domain] = row["weights"][domain]
    for section in ("entry", "exits"):
        for key in document[section].keys() & set(CONFIG.names):
            document[section][key] = row[key]
    required = bool(row["alignment_required"])
    document["entry"]["alignment_required"] = required
    (folder / f"{name}.json").write_text(json.dumps(document))


AS_BUILT = (
    "votes", "features", "macro_vetoes", "config_models", "regimes", "fusion_learned",
    "candidates", "candidate_windows", "config_universe", "bars_1h", "sizing_learned",
    "shadow_end",
)  # fmt: skip
MADE_ANEW = (
    "config_profiles", "config_symbols", "config_weights", "config_envelopes",
    "fusion_settings", "fusion_scores", "shadow_bars", "replay_bars",
)  # fmt: skip


def test_a_configuration_written_as_a_profile_gets_the_same_trades_from_sql(
    demo_build, demo, tmp_path
):
    """The signals of `fusion_scores`, as SQL, under the regimes of the base."""
    shutil.copytree(PROJECT / "configs/shared", tmp_path / "shared")
    expected = {}
    for symbol, profile in (("ETH", "eth_regime"), ("BTC", "btc_live")):
        base = base_of(rows_of(demo.table("config_symbols")), symbol, profile)
        sweep = sweep_of(demo, "sobol", symbol, profile, n=8, seed=2)
        hashes = figures_of(sweep)[1][:, 0]
        for at, config in enumerate(sweep.grid.configs):
            name = f"swept_{symbol.lower()}_{at}"
            write_profile(base, configured(base, config), name, tmp_path)
            expected[name] = hashes[at]
    project = CompiledProject(demo_build)
    with project.connect() as connection:
        connection.execute(f"attach '{demo_build.database}' as source (read_only)")
        connection.execute(f"attach ':memory:' as {project.catalog}")
        connection.execute(f"use {project.catalog}")
        for table in AS_BUILT:
            connection.execute(f"create view {table} as from source.main.{table}")
        for name in MADE_ANEW:
            project.create(connection, name, PROJECT / "data/demo", tmp_path)
        found = {n: trades_hash(replay(inputs_of(connection, n))) for n in expected}
    assert found == expected
    assert len(set(expected.values())) > 10


@pytest.mark.slow
def test_a_lost_account_measures_as_its_full_replay():
    """Returns, drawdown and net result end where the balance does: at nothing."""
    rng, n_lost = np.random.default_rng(3), 0
    base = base_row() | {"cadence": "1h", "leverage": 125.0, "risk_cap": 1.0}
    base |= {"risk_min": 0.5, "risk_max": 1.0, "margin_cap": 1.0}
    for _ in range(20):
        market = random_market(rng, 300)
        configs = random_configs(rng, 4, base)
        figures, hashes = figures_of(sweep_over(market, configs, base))
        inputs = inputs_on(market, base)
        for config, row, found in zip(configs, figures, hashes, strict=True):
            run = standalone(inputs, votes_of(market), configured(base, config))
            assert trades_hash(run) == found[0]
            whole = dict(zip(FIGURES, row[0], strict=True))
            equity = marked_equity(run)
            start, end = base["start_balance"], run.outcome.end_balance
            assert whole["net_pnl"] == pytest.approx(end - start, rel=1e-6, abs=1e-3)
            assert whole["max_drawdown"] == pytest.approx(
                max_drawdown(equity), abs=1e-9
            )
            assert whole["max_drawdown"] <= 1 + 1e-9
            n_lost += run.outcome.liquidated
    assert n_lost > 5


def assert_exact_on(market: Market, configs: np.recarray, base: dict) -> int:
    hashes = figures_of(sweep_over(market, configs, base))[1][:, 0]
    inputs = inputs_on(market, base)
    votes = votes_of(market)
    for config, found in zip(configs, hashes, strict=True):
        assert standalone_hash(inputs, votes, configured(base, config)) == found
    return len(set(hashes.tolist()))


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32), cadence=st.sampled_from(["1h", "4h"]))
def test_on_any_market_a_configuration_trades_as_its_full_replay(seed, cadence):
    rng = np.random.default_rng(seed)
    base = base_row() | {"cadence": cadence}
    market = random_market(rng, int(rng.integers(1, 400)))
    assert_exact_on(market, random_configs(rng, 6, base), base)


def test_a_symbol_that_ends_before_its_market_trades_as_its_full_replay():
    n_left = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        base = base_row() | {"cadence": "1h", "veto_limit": 2.0}
        market = random_market(rng, 300)
        grid = grid_of("random", random_configs(rng, 4, base))
        hashes = figures_of(symbol_over(market, base, grid, 200.0))[1][:, 0]
        part = Part("X", 0, len(market.bars), 200.0)
        inputs = inputs_on(market, base)._replace(parts=(part,))
        for config, found in zip(grid.configs, hashes, strict=True):
            run = standalone(inputs, votes_of(market), configured(base, config))
            assert trades_hash(run) == found
            n_left += np.count_nonzero(run.trades.exit_reason == DELISTED)
    assert n_left > 3


def test_a_screen_that_is_too_narrow_is_noticed(monkeypatch):
    rng = np.random.default_rng(1)
    base = base_row()
    market, configs = random_market(rng, 400), random_configs(rng, 6, base)
    assert assert_exact_on(market, configs, base) > 3
    monkeypatch.setattr(envelope, "SLACK", -0.3)
    with pytest.raises(AssertionError):
        assert_exact_on(market, configs, base)


def test_the_hash_covers_every_field_of_every_leg_and_trade(demo):
    run = replay(inputs_of(demo, "eth_live_aggressive"), FULL)
    legs, trades = run.legs.copy(), run.trades.copy()

    def hashed() -> int:
        return int(hash_trades(words_of(legs), words_of(trades), legs, trades))

    assert hashed() == trades_hash(run)
    for words in (words_of(legs), words_of(trades)):
        for place in range(words.shape[1]):
            if words is not None and words.base is legs.base and place == 0:
                continue
            before = hashed()
            words[3, place] ^= np.uint64(1)
            assert hashed() != before
            words[3, place] ^= np.uint64(1)


# Independence of threads and chunks, resumption


@pytest.fixture(scope="module")
def small_sweep(demo_build):
    with demo_build.connect() as connection:
        return sweep_of(connection, "sobol", "ETH", n=45, seed=9)


def all_rows(folder) -> bytes:
    connection = read_results([folder])
    table = connection.sql("from results order by config, fold").to_arrow_table()
    assert table.num_rows > 0
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table.combine_chunks())
    return sink.getvalue().to_pybytes()


def test_results_do_not_depend_on_threads_or_chunks(small_sweep, tmp_path):
    results = set()
    for threads in (1, 2):
        for chunk in (1, 7, 1000):
            folder = tmp_path / f"{threads}-{chunk}"
            assert run_sweeps([(small_sweep, folder)], threads, chunk) == 45
            results.add(all_rows(folder))
    assert len(results) == 1


def test_any_cut_into_chunks_gives_the_numbers_of_one_chunk(small_sweep):
    rooms, n = Rooms(small_sweep), len(small_sweep.grid.configs)
    whole = measure_chunk(small_sweep, rooms, range(n))
    for size in (1, 7, 17):
        cuts = [range(i, min(n, i + size)) for i in range(0, n, size)]
        parts = zip(*(measure_chunk(small_sweep, rooms, c) for c in cuts), strict=True)
        for ours, one in zip(parts, whole, strict=True):
            assert np.concatenate(ours).tobytes() == one.tobytes()


def test_what_is_finished_is_not_run_again(small_sweep, tmp_path):
    whole, part = tmp_path / "whole", tmp_path / "part"
    run_sweeps([(small_sweep, whole)], 2, 10)
    run_sweeps([(small_sweep, part)], 1, 10)
    (part / "results-000010-000019.parquet").unlink()
    (part / "results-000040-000044.parquet").unlink()
    (part / ".results-000010-000019.parquet.77.partial").write_bytes(b"half a file")
    assert chunks_left(part, 45, 4) == [
        range(10, 14), range(14, 18), range(18, 20), range(40, 44), range(44, 45),
    ]  # fmt: skip
    assert run_sweeps([(small_sweep, part)], 1, 4) == 15
    assert all_rows(part) == all_rows(whole)
    assert run_sweeps([(small_sweep, part)], 1, 4) == 0


def test_another_bar_shift_setting_or_seed_is_another_sweep(small_sweep, demo):
    database = PROJECT / "x.duckdb"
    market = small_sweep.market
    bars, shift = market.bars.copy(), market.shift.copy()
    bars.vix[100], shift[100] = 99.0, 0.01
    sweeps = [
        small_sweep,
        replace(small_sweep, market=market._replace(bars=bars)),
        replace(small_sweep, market=market._replace(shift=shift)),
        sweep_of(demo, "sobol", "ETH", n=45, seed=10),
        sweep_of(demo, "sobol", "ETH", "eth_live_aggressive", n=45, seed=9),
    ]
    assert len({folder_of(database, sweep) for sweep in sweeps}) == len(sweeps)
    same = sweep_of(demo, "sobol", "ETH", n=45, seed=9)
    assert folder_of(database, same) == folder_of(database, small_sweep)


@pytest.mark.slow
def test_ctrl_c_keeps_what_is_finished_and_a_rerun_goes_on(
    demo_build, tmp_path, ctrl_c_is_heard
):
    database = shutil.copy(demo_build.database, tmp_path / "barsieve.duckdb")
    command = ("sweep", "--grid", "sobol", "--n", "6000", "--symbol", "ETH",
               "--chunk", "20", "--json")  # fmt: skip
    environment = {"BARSIEVE_DATABASE": str(database)}
    process = subprocess.Popen(
        [sys.executable, "-m", "barsieve", *command],
        cwd=PROJECT,
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    folder = tmp_path / "barsieve.duckdb.sweeps"
    deadline = time.monotonic() + 120
    while not list(folder.glob("*/results-*.parquet")):
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, words = process.communicate(timeout=60)
    assert process.returncode == 130, words
    assert "goes on from there" in words
    assert "Traceback" not in words
    kept = sum(pq.read_metadata(p).num_rows for p in folder.glob("*/results-*.parquet"))
    written = duckdb.sql(f"select distinct fold from '{folder}/*/results-*.parquet'")
    n_folds = len(written.fetchall())
    assert 0 < kept < 6_000 * n_folds
    done = barsieve(*command, **environment)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["configs_resumed"] == kept / n_folds
    assert report["configs_run"] + report["configs_resumed"] == 6_000
    assert report["rows_added"] == 6_000 * n_folds
    again = json.loads(barsieve(*command, **environment).stdout)
    assert (again["configs_run"], again["rows_added"]) == (0, 0)
    assert again["summary"] == report["summary"]


# Figures


@pytest.mark.parametrize(
    "profile", ["btc_live", "eth_comprehensive", "eth_live_aggressive", "eth_regime"]
)
def test_a_profile_measures_as_its_report(demo, profile):
    rows = rows_of(demo.table("config_symbols"))
    base = next(row for row in rows if row["profile"] == profile)
    tables = tables_of(demo)
    sweep = prepare(
        tables.sweep_bars, tables.regimes, base, base["symbol"], one_config(base)
    )
    figures, hashes = figures_of(sweep)
    run = replay(inputs_of(demo, profile), FULL)
    assert trades_hash(run) == hashes[0, 0]
    whole = dict(zip(FIGURES, figures[0, 0], strict=True))
    report = next(
        row
        for row in rows_of(demo.table("report_performance"))
        if row["profile"] == profile and row["strategy"] == "strategy"
    )
    for name in ("trades", "profit_factor", "net_pnl", "gross_pnl", "fees", "slippage",
                 "funding", "return_share", "sharpe", "max_drawdown",
                 "exposure"):  # fmt: skip
        assert whole[name] == pytest.approx(report[name], rel=1e-9, abs=1e-9), name
    assert whole["wins"] == pytest.approx(report["win_rate"] * report["trades"])
    assert whole["r_sum"] == pytest.approx(report["mean_r"] * report["trades"])
    assert_months_are_those_of_the_curve(sweep, figures[0, 1:], run)


def assert_months_are_those_of_the_curve(sweep: Sweep, months: np.ndarray, run):
    """Cut the whole equity curve at calendar months and measure each piece."""
    opens = sweep.market.bar_ts.cast(pa.int64()).to_numpy()
    equity = marked_equity(run)
    days = opens // (24 * HOUR_US)
    names = np.array([str(m) for m in opens.astype("M8[us]").astype("M8[M]")])
    start, nets = float(run.inputs.profile.start_balance), nets_of(run)
    for fold, row in zip(sweep.folds[1:], months, strict=True):
        found = dict(zip(FIGURES, row, strict=True))
        inside = np.flatnonzero(names == fold)
        carried = equity[inside[0] - 1] if inside[0] else start
        piece = equity[inside]
        assert found["return_share"] == pytest.approx(piece[-1] / carried - 1, abs=1e-9)
        curve = np.concatenate([[carried], piece])
        assert found["max_drawdown"] == pytest.approx(max_drawdown(curve), abs=1e-9)
        before = inside[0] - 1 if inside[0] else inside[0]
        reach = slice(before, inside[-1] + 1)
        sharpe = daily_sharpe(equity[reach], days[reach])
        assert found["sharpe"] == pytest.approx(sharpe, nan_ok=True, rel=1e-6)
        in_month = names[run.trades.exit_index] == fold
        assert found["trades"] == np.count_nonzero(in_month)
        factor = of_results(nets[in_month])["profit_factor"]
        factor = np.nan if factor is None else factor
        assert found["profit_factor"] == pytest.approx(factor, nan_ok=True, rel=1e-9)


def test_folds_sum_to_the_whole(demo):
    summed = ["trades", "wins", "net_pnl", "gross_pnl", "fees", "slippage", "funding",
              "r_sum"]  # fmt: skip
    sums = ", ".join(
        f"sum({name}) filter (where fold != 'all') "
        f"- any_value({name}) filter (where fold = 'all') as {name}"
        for name in summed
    )
    differences = demo.sql(
        f"select {sums}, product(1 + return_share) filter (where fold != 'all') "
        "- 1 - any_value(return_share) filter (where fold = 'all') as grown, "
        "max(max_drawdown) filter (where fold != 'all') "
        "- any_value(max_drawdown) filter (where fold = 'all') as deeper, "
        "from sweep_results where grid = 'exhaustive' group by config, symbol"
    ).to_arrow_table()
    assert differences.num_rows == 1188
    for name in (*summed, "grown"):
        assert np.abs(differences[name].to_numpy().astype(float)).max() < 1e-6, name
    assert differences["deeper"].to_numpy().max() <= 1e-12


def test_a_study_limits_trades_and_what_is_judged(demo):
    tables = tables_of(demo)
    base = base_of(tables.bases, "ETH", "eth_comprehensive")
    base |= {
        "study_start": datetime(2022, 1, 10, 12, tzinfo=UTC),
        "study_end": datetime(2022, 7, 20, 3, tzinfo=UTC),
    }
    sweep = prepare(tables.sweep_bars, tables.regimes, base, "ETH", one_config(base))
    figures, _ = figures_of(sweep)
    assert sweep.folds[1] == "2022-01"
    assert sweep.folds[-1] == "2022-07"
    inputs = inputs_of(demo, "eth_comprehensive")
    bars = inputs.bars.copy()
    bars.is_eligible &= sweep.market.is_in_study
    run = replay(inputs._replace(bars=bars), FULL)
    equity = marked_equity(run)
    inside = np.flatnonzero(sweep.market.is_in_study)
    days = sweep.market.bar_ts.cast(pa.int64()).to_numpy() // (24 * HOUR_US)
    judged = slice(inside[0], inside[-1] + 1)
    whole = dict(zip(FIGURES, figures[0, 0], strict=True))
    assert whole["trades"] == len(run.trades) > 50
    sharpe = daily_sharpe(equity[judged], days[judged])
    assert whole["sharpe"] == pytest.approx(sharpe, rel=1e-9)
    assert whole["max_drawdown"] == pytest.approx(max_drawdown(equity[judged]))


# The command line


def test_bad_arguments_of_a_sweep_are_named(demo_build, tmp_path):
    place = {"BARSIEVE_DATABASE": demo_build.database}
    for arguments, words in (
        (("--grid", "nope"), "quick"),
        (("--symbol", "DOGE"), "BTC, ETH"),
        (("--profile", "nope"), "eth_comprehensive"),
        (("--threads", "0"), "--threads"),
    ):
        done = barsieve("sweep", *arguments, **place)
        assert done.returncode == 2
        assert words in done.stderr
        assert "Traceback" not in done.stderr
    done = barsieve("sweep", BARSIEVE_DATABASE=tmp_path / "none.duckdb")
    assert done.returncode == 2
    assert "none.duckdb" in done.stderr
