"""What a user meets: a build that passes, one that is refused, one that is stale."""

import hashlib
import json
import shutil

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from barsieve.database.marks import parse
from barsieve.database.provenance import CODE_FOLDERS
from compiled_project import CompiledProject
from conftest import PROJECT, run_dbt


def results_of(build) -> dict[str, str]:
    results = json.loads((build.target / "run_results.json").read_text())["results"]
    # An exposure is listed among the results, and never run.
    return {
        r["unique_id"].split(".")[2]: r["status"]
        for r in results
        if not r["unique_id"].startswith("exposure.")
    }


def test_the_demo_build_has_no_warning(demo_build):
    statuses = set(results_of(demo_build).values())
    assert statuses == {"success", "pass"}


@pytest.mark.slow
@pytest.mark.real_market
def test_the_real_build_names_what_its_market_lacks(real_build):
    assert set(results_of(real_build).values()) == {"success", "pass"}
    with real_build.connect() as connection:
        rows = connection.execute("select subject, finding from report_health")
        found = set(rows.fetchall())
    assert ("TOTAL", "late_series") in found
    assert not {kind for _, kind in found} & {"constant_column", "no_macro", "hole"}


def test_public_tables_can_be_asked_by_the_names_of_the_definition(demo):
    for query in (
        "select symbol, bar_ts, atr_rank_100, vix, vix_age_hours from features",
        "select symbol, bar_ts, sentinel, side from sentinels",
        "select symbol, bar_ts, domain, score from scores",
        "select symbol, bar_ts, signal, veto_long, veto_short, greenlight "
        "from macro_signals",
        "select profile, symbol, bar_ts, fusion_score, domains_used, macro_coverage "
        "from fusion_scores",
        "select profile, symbol, bar_ts, side, score, reason from candidates",
        "select replayed, profile, symbol, trade_id, side, entry_ts, entry_price, "
        "exit_ts, exit_price, decision_ts, qty, gross_pnl, fees, slippage, funding, "
        "net_pnl, r_multiple, bars_held, exit_reason, confidence, regime "
        "from replay_trades",
        "select replayed, profile, symbol, trade_id, leg, kind, ts, price, qty, "
        "amount, "
        "fee, slippage from replay_legs",
        "select replayed, profile, symbol, bar_ts, equity from replay_equity",
    ):
        assert demo.execute(f"select count(*) from ({query})").fetchone()[0] > 0


def test_net_is_gross_less_every_cost(demo):
    worst = demo.execute(
        "select max(abs(net_pnl - (gross_pnl - fees - slippage - funding))) from trades"
    ).fetchone()[0]
    assert worst < 1e-9


def test_buy_and_hold_pays_the_same_costs(demo):
    first, last = demo.execute(
        "select arg_min(open, bar_ts), arg_max(close, bar_ts) from bars_1h "
        "where symbol = 'ETH'"
    ).fetchone()
    shown = demo.execute(
        "select return_share from report_performance "
        "where profile = 'eth_comprehensive' and strategy = 'buy_and_hold'"
    ).fetchone()[0]
    assert shown == pytest.approx(last * (1 - 0.0015) / (first * (1 + 0.0015)) - 1)


def test_the_funnel_narrows_and_ends_in_the_trades(demo):
    rows = demo.execute(
        "select profile, list(bars order by gate_number) from report_screening "
        "group by profile"
    ).fetchall()
    traded = dict(
        demo.execute("select profile, count(*) from trades group by all").fetchall()
    )
    for profile, bars in rows:
        assert bars == sorted(bars, reverse=True)
        assert bars[-1] == traded[profile]


def hashes(folder) -> dict[str, str]:
    return {
        str(p): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in sorted(folder.rglob("*"))
        if p.is_file()
    }


@pytest.mark.slow
def test_bad_input_is_refused_before_any_model_and_the_database_survives(
    demo_build, tmp_path
):
    market = tmp_path / "market"
    shutil.copytree(PROJECT / "data/demo", market)
    path = market / "bars/ETH.parquet"
    bars = pq.read_table(path)
    highs = bars["high"].to_pylist()
    highs[100] = bars["low"][100].as_py() - 1
    index = bars.schema.get_field_index("high")
    pq.write_table(bars.set_column(index, "high", pa.array(highs)), path)
    folder = tmp_path / "run"
    folder.mkdir()
    shutil.copy(demo_build.database, folder / "barsieve.duckdb")
    database, files = hashes(folder), hashes(market)
    build = run_dbt("build", folder=folder, BARSIEVE_MARKET=market)
    assert build.exit_code != 0
    for words in ("ETH.parquet", "row 101", "high >= low", "fix:"):
        assert words in build.output
    assert "Traceback" not in build.output
    assert "START sql table model" not in build.output
    assert hashes(market) == files
    assert {k: v for k, v in hashes(folder).items() if k in database} == database


@pytest.mark.slow
def test_a_changed_config_makes_the_database_stale(demo_build, tmp_path):
    configs = tmp_path / "configs"
    shutil.copytree(PROJECT / "configs", configs)
    path = configs / "btc_live.json"
    profile = json.loads(path.read_text())
    profile["costs"]["fees_bps"] = 11.0
    path.write_text(json.dumps(profile))
    folder = tmp_path / "run"
    folder.mkdir()
    shutil.copy(demo_build.database, folder / "barsieve.duckdb")
    # Under the configs that it was built from, the build itself ran the test.
    results = results_of(demo_build)
    assert results["database_is_current"] == "pass"
    stale = run_dbt(
        "test", "-s", "database_is_current", folder=folder, BARSIEVE_CONFIGS=configs
    )
    assert stale.exit_code == 1
    assert "database_is_current" in stale.output


@pytest.mark.slow
def test_a_build_that_stops_half_way_leaves_no_build_info(demo_build, tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    shutil.copy(demo_build.database, folder / "barsieve.duckdb")
    part = run_dbt("build", "-s", "config_profiles", folder=folder)
    assert part.exit_code == 0, part.output[-3000:]
    with duckdb.connect(str(folder / "barsieve.duckdb"), read_only=True) as connection:
        assert connection.execute("select count(*) from build_info").fetchone() == (0,)


TABLES = (
    "features", "scores", "fusion_scores", "candidates", "replay_trades",
    "replay_equity",
)  # fmt: skip
COMPARED = (*TABLES, "report_performance", "report_random_entries")


@pytest.mark.slow
def test_two_builds_and_other_threads_give_the_same_tables(demo_build, spine_build):
    """What is learned has tests of its own: of fits, sweeps and walks run twice."""
    with duckdb.connect() as connection:
        connection.execute(f"attach '{demo_build.database}' as a (read_only)")
        connection.execute(f"attach '{spine_build.database}' as b (read_only)")
        common = connection.execute(
            "select list(profile) from (select profile from a.config_profiles where "
            "classifier = 'off' and not learned and learned_model is null "
            "and sizing_kind != 'kelly' intersect "
            "select profile from b.config_profiles)"
        ).fetchone()[0]
        assert len(common) == 6
        for table in COMPARED:
            has_profile = table not in ("features", "scores")
            of_common = f"where list_contains({common}, profile)" * has_profile
            for one, other in (("a", "b"), ("b", "a")):
                n_rows, n_differ = connection.execute(
                    f"select (select count(*) from {one}.{table} {of_common}), "
                    f"count(*) from ((from {one}.{table} {of_common}) except all "
                    f"(from {other}.{table} {of_common}))"
                ).fetchone()
                assert n_rows > 0
                assert n_differ == 0, table


LEARNED = ("regime_days", "regime_fits", "sweep_results", "fusion_learned")


@pytest.mark.slow
def test_what_is_learned_again_is_the_same(demo_build):
    project = CompiledProject(demo_build)
    connection = project.connect()
    connection.execute("set threads = 1")
    project.run_again(connection, "regime_runs", without=("evaluation", "reports"))
    for table in LEARNED:
        both = (table, f"built.main.{table}")
        for one, other in (both, both[::-1]):
            n_rows, n_differ = connection.execute(
                f"select (select count(*) from {one}), "
                f"count(*) from ((from {one}) except all (from {other}))"
            ).fetchone()
            assert n_rows > 0
            assert n_differ == 0, table


def test_the_code_hash_covers_what_computes():
    for folder in CODE_FOLDERS:
        assert (PROJECT / folder).is_dir()


def test_every_public_column_is_described_in_the_database(demo):
    """Tables with a key are public; their comments say what rows and columns are."""
    rows = demo.execute(
        "select table_name, column_name, comment from duckdb_columns() "
        "where table_name in (select table_name from duckdb_constraints() "
        "where constraint_type in ('PRIMARY KEY', 'NOT NULL'))"
    ).fetchall()
    assert len({table for table, _, _ in rows}) > 25
    assert [(table, name) for table, name, said in rows if not said] == []
    tables = demo.execute(
        "select table_name, comment from duckdb_tables() "
        "where table_name in (select model from build_models)"
    ).fetchall()
    assert len(tables) > 80
    for name, comment in tables:
        assert comment.rpartition("\n")[0], name
        assert parse(comment), name
