"""The store gives the tables of the database, as ibis tables, and cannot be misread."""

import os
import shutil
import subprocess
import sys
from datetime import UTC, date, datetime
from itertools import pairwise

import duckdb
import pytest

import barsieve
from barsieve.core.errors import InputError
from barsieve.database.store import TYPES, Store
from conftest import PROJECT

pytestmark = pytest.mark.slow

ibis = pytest.importorskip("ibis")


@pytest.fixture
def store(demo_build):
    with barsieve.database.store.open(demo_build.database) as opened:
        yield opened


def test_every_table_is_the_one_of_the_database(store, demo):
    names = [name for (name,) in demo.execute("show tables").fetchall()]
    assert store.tables == sorted(names)
    for name in names:
        expected = demo.execute(f'select count(*) from "{name}"').fetchall()[0][0]
        assert getattr(store, name).count().execute() == expected
        assert store.table(name).columns == tuple(demo.table(name).columns)


def test_typed_accessors_exist_for_every_type_that_the_class_declares(store):
    assert set(Store.__annotations__) == set(TYPES)
    for name, kind in TYPES.items():
        assert type(getattr(store, name)) is kind
        assert Store.__annotations__[name] is kind


def test_trades_of_a_profile_are_those_of_one_replay(store, demo):
    rows = demo.sql(
        "from trades where profile = 'btc_live' order by trade_id"
    ).to_arrow_table()
    trades = store.trades(profile="btc_live").order_by("trade_id")
    assert trades.to_pyarrow().equals(rows.cast(trades.schema().to_pyarrow()))
    both = store.replay_trades(profile="btc_live")
    assert both.count().execute() == 2 * rows.num_rows
    full = store.replay_trades(profile="btc_live", replayed="full")
    assert full.count().execute() == rows.num_rows


def test_spans_are_half_open_and_in_utc(store):
    day = store.features("ETH", "2022-01-01", "2022-01-02")
    moments = day.order_by("bar_ts").bar_ts.to_pyarrow().to_pylist()
    assert len(moments) > 20
    assert moments[0] >= datetime(2022, 1, 1, tzinfo=UTC)
    assert moments[-1] < datetime(2022, 1, 2, tzinfo=UTC)
    same = [
        (date(2022, 1, 1), date(2022, 1, 2)),
        (datetime(2022, 1, 1), datetime(2022, 1, 2)),
        ("2022-01-01T02:00+02:00", "2022-01-01T19:00-05:00"),
    ]
    for start, end in same:
        other = store.features("ETH", start, end).order_by("bar_ts")
        assert other.bar_ts.to_pyarrow().to_pylist() == moments


def test_parts_of_a_span_add_up_to_the_whole(store):
    edges = [None, "2021-08-01", "2022-02-03T04:00Z", "2023-01-01", None]
    for table in (store.trades, store.trade_legs, store.equity, store.candidates):
        parts = [
            table(start=start, end=end).count().execute()
            for start, end in pairwise(edges)
        ]
        assert min(parts) > 0
        assert sum(parts) == table().count().execute()


def test_results_come_as_pandas_arrow_batches_and_polars(store):
    trades = store.trades(profile=["btc_live", "eth_live_aggressive"])
    n_rows = trades.count().execute()
    assert len(trades.to_pandas()) == n_rows
    assert trades.to_pyarrow().num_rows == n_rows
    assert sum(batch.num_rows for batch in trades.to_pyarrow_batches()) == n_rows
    try:
        import polars as pl
    except ModuleNotFoundError:
        return
    assert isinstance(trades.to_polars(), pl.DataFrame)


def test_tables_join_and_queries_in_sql_mix_with_them(store):
    joined = store.trades().join(store.config_profiles, "profile")
    assert joined.count().execute() == store.trades().count().execute()
    counted = store.sql("select profile, count(*) as n from trades group by profile")
    assert counted.n.sum().execute() == store.trades.count().execute()


def test_a_name_that_is_none_is_no_empty_result(store):
    for ask, words in (
        (lambda: store.trades(profile="btc_life"), "btc_live"),
        (lambda: store.features("DOGE"), "BTC, ETH"),
        (lambda: store.replay_trades(replayed="half"), "focused"),
        (lambda: store.table("tradse"), "did you mean 'trades'"),
        (lambda: store.table("trades; drop table trades"), "trades"),
        (lambda: store.features("ETH", "yesterday"), "ISO 8601"),
    ):
        with pytest.raises(InputError, match=words):
            ask()
    with pytest.raises(AttributeError, match="trades"):
        store.tradse  # noqa: B018
    assert not hasattr(store, "_repr_html_")
    assert "trades" in dir(store)


def test_the_store_cannot_be_written_to(store):
    with pytest.raises(duckdb.Error, match="read-only"):
        store.connection.execute("delete from replay_trades")
    assert store.build["is_simulated"]


def test_a_reader_keeps_its_build_and_the_next_store_sees_the_new_one(
    demo_build, tmp_path
):
    path, new = tmp_path / "barsieve.duckdb", tmp_path / "new.duckdb"
    for made in (path, new):
        shutil.copy(demo_build.database, made)
    with duckdb.connect(str(new)) as connection:
        connection.execute("delete from replay_legs")
    with barsieve.database.store.open(path) as old:
        n_before = old.trade_legs.count().execute()
        os.replace(new, path)
        with barsieve.database.store.open(path) as fresh:
            assert fresh.trade_legs.count().execute() == 0
        assert old.trade_legs.count().execute() == n_before > 0


def test_a_database_that_cannot_be_read_is_named(tmp_path):
    missing, text, half = (
        tmp_path / name for name in ("none.db", "text.db", "half.db")
    )
    text.write_text("not a database at all" * 1000)
    duckdb.connect(str(half)).close()
    for path, words in (
        (missing, "no such file"), (text, "DuckDB file"), (half, "ran to its end"),
        (tmp_path, "DuckDB file"),
    ):  # fmt: skip
        with pytest.raises(InputError, match=words):
            barsieve.database.store.open(path)


def test_a_locked_database_names_who_holds_it(demo_build, tmp_path):
    path = tmp_path / "barsieve.duckdb"
    shutil.copy(demo_build.database, path)
    code = f"import duckdb, sys; c = duckdb.connect({str(path)!r}); print(1, flush=True); sys.stdin.read()"  # noqa: E501
    holder = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        holder.stdout.readline()
        with pytest.raises(InputError, match=f"pid {holder.pid} .*import duckdb"):
            barsieve.database.store.open(path)
    finally:
        holder.communicate()
    barsieve.database.store.open(path).close()


def test_the_default_is_the_database_of_the_project(demo_build, monkeypatch):
    monkeypatch.setenv("BARSIEVE_DATABASE", str(demo_build.database))
    with barsieve.store.open() as store:
        assert store.path == demo_build.database.resolve()


def test_without_ibis_one_line_names_the_extra():
    code = "import sys; sys.modules['ibis'] = None; import barsieve; barsieve.store"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.stderr.splitlines()[-1].endswith("pip install 'barsieve[read]'")
