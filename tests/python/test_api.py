"""The Python API: what a person asks of a built database, in a notebook or a script."""

import gc
import json
import os
import shutil
import subprocess
import sys
import threading
import weakref
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pytest

import barsieve as bs
from barsieve.analysis.session import prepare, put_runs
from barsieve.core.arrow import rows_of
from barsieve.replay.runs import FULL
from builds import without_locations
from conftest import PROJECT

pytestmark = pytest.mark.slow

pd = pytest.importorskip("pandas")


@pytest.fixture(scope="module")
def db(demo_build):
    with bs.open(demo_build.database) as opened:
        yield opened


@pytest.fixture(scope="module")
def run(db):
    return db.replay("btc_live")


def built(demo, table: str, profile: str = "btc_live") -> pa.Table:
    order = {"trades": "trade_id", "trade_legs": "trade_id, leg"}
    order |= {"equity": "bar_ts", "profile_equity": "bar_ts"}
    rows = demo.sql(f"from {table} where profile = '{profile}' order by {order[table]}")
    return rows.to_arrow_table()


@pytest.mark.parametrize(
    ("name", "table"),
    [
        ("trades", "trades"),
        ("legs", "trade_legs"),
        ("equity", "profile_equity"),
        ("equity_by_symbol", "equity"),
    ],
)
def test_a_run_has_the_rows_of_the_build_to_the_last_bit(run, demo, name, table):
    expected = built(demo, table)
    assert run.table(name).cast(expected.schema).equals(expected)
    assert expected.num_rows > 100


def test_a_setting_gives_other_trades_and_a_span_bounds_them(db, run):
    wide = db.replay("btc_live", set={"exits.stop_atr": np.float64(2.5)})
    assert not wide.table("trades").equals(run.table("trades"))
    assert dict(wide.settings) == {"exits.stop_atr": 2.5}
    start = datetime(2022, 1, 1, tzinfo=UTC)
    for given in ("2022-01-01", date(2022, 1, 1), start, pd.Timestamp(start)):
        late = db.replay("btc_live", start=given, end="2023-01-01").trades
        assert late.entry_ts.min() >= start
        assert 0 < len(late) < len(run.trades)


def test_a_profile_in_a_file_need_not_be_built(db, run, tmp_path):
    mine = json.loads((PROJECT / "configs/btc_live.json").read_text())
    mine["profile"] = "btc_mine"
    (tmp_path / "btc_mine.json").write_text(json.dumps(mine))
    for given in (tmp_path / "btc_mine.json", str(tmp_path / "btc_mine.json")):
        own = db.replay(given)
        assert own.profile == "btc_mine"
        assert own.trades.net_pnl.equals(run.trades.net_pnl)
    assert len(db.candidates(str(tmp_path / "btc_mine.json"))) > 0
    with pytest.raises(bs.InputError, match=r"none.json"):
        db.replay("none.json")


def test_a_focused_run_keeps_its_promise(db, run):
    focused = db.replay("btc_live", mode="focused")
    assert focused.visited["bars_skipped"] > 0
    compared = db.compare(run, focused)
    assert compared.verdict == "identical"
    assert compared.counts["identical"] == len(run.trades)


def test_metrics_have_the_names_and_values_of_report_performance(run, demo):
    own = "profile = 'btc_live' and strategy = 'strategy'"
    [row] = rows_of(demo.table("report_performance").filter(own))
    names = set(row) & set(run.metrics)
    assert names >= {"trades", "win_rate", "profit_factor", "sharpe", "max_drawdown"}
    for name in names:
        assert run.metrics[name] == pytest.approx(row[name], rel=1e-12), name
    assert {"cagr", "sortino", "calmar", "exposure", "turnover"} <= names
    assert run.metrics["long"]["trades"] == (run.trades.side == "long").sum()
    for part in (run.metrics, run.metrics["long"], run.metrics["drawdowns"][0]):
        with pytest.raises(TypeError):
            part["sharpe"] = 9


def test_a_run_cannot_be_changed_through_what_it_gives(run):
    trades = run.trades
    trades["net_pnl"] = 1.0
    trades.loc[0, "side"] = "up"
    assert (run.trades.net_pnl != 1.0).all()
    assert set(run.trades.side) == {"long", "short"}
    with pytest.raises(AttributeError):
        run.profile = "other"


def test_frames_are_of_pandas_and_give_themselves_to_arrow_and_polars(run):
    polars = pytest.importorskip("polars")
    table, frame = run.table("trades"), run.trades
    assert isinstance(frame, pd.DataFrame)
    assert frame.arrow().equals(table)
    assert str(frame.entry_ts.dt.tz) == "UTC"
    assert frame.weights[0].keys() >= {"wyckoff", "smc"}
    longs = frame[frame.side == "long"]
    assert longs.arrow().schema.equals(table.schema)
    assert isinstance(longs.polars(), polars.DataFrame)
    changed = frame.assign(qty="much", more=1).arrow()
    assert changed["qty"].to_pylist()[0] == "much"
    assert changed.schema.field("entry_ts").type == table.schema.field("entry_ts").type


def test_a_table_of_another_name_is_refused(run):
    with pytest.raises(bs.InputError, match="one of trades, legs"):
        run.table("trade")


def test_a_run_shows_itself_in_a_terminal_and_in_a_notebook(run, db):
    for thing in (run, db, db.compare(run, run), db.signal("btc_live")):
        text, html = repr(thing), thing._repr_html_()
        assert len(text.splitlines()) < 30
        assert max(map(len, text.splitlines())) < 150
        assert html.startswith("<table>")
        assert "\x1b" not in text
    assert "Sharpe" in repr(run)
    assert "<td>win rate</td>" in run._repr_html_()


def test_a_plot_has_the_price_the_trades_the_account_and_its_falls(run, db):
    pytest.importorskip("plotly")
    figure = run.plot()
    by_name = {trace.name: trace for trace in figure.data}
    entries = sum(len(by_name[f"{side} entries"].x) for side in ("long", "short"))
    assert entries == len(by_name["exits"].x) == len(run.trades)
    deepest = -min(by_name["drawdown"].y)
    assert deepest == pytest.approx(run.metrics["max_drawdown"], rel=1e-12)
    assert by_name["equity"].y[-1] == run.equity.equity.iloc[-1]
    assert "btc_live" in figure.layout.title.text
    short = db.replay("btc_live", start="2023-06-03T22:00")
    assert not len(short.trades)
    assert len(short.plot().data) == len(figure.data)
    assert short.metrics["win_rate"] is None
    assert repr(short)


def test_without_a_library_one_line_names_the_extra(demo_build):
    code = """
import sys
for name in ("pandas", "plotly"):
    sys.modules[name] = None
import barsieve as bs
run = bs.open(sys.argv[1]).replay("btc_live")
print(run.table("trades").num_rows, len(repr(run)) > 100)
for ask in (lambda: run.trades, run.plot):
    try:
        ask()
    except bs.MissingExtraError as error:
        print(error)
"""
    done = python(code, demo_build.database)
    first, *others = done.stdout.splitlines()
    assert first.endswith("True"), done.stderr
    assert len(others) == 2
    assert all(line.endswith("pip install 'barsieve[notebook]'") for line in others)


def python(code: str, *arguments: object, folder: Path = PROJECT):
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        cwd=folder,
        env=without_locations() | {"PYTHONPATH": str(PROJECT / "python")},
        capture_output=True,
        text=True,
        check=False,
    )


# What `import barsieve` may not bring along: each takes longer than the whole of it.
HEAVY = (
    "duckdb",
    "numpy",
    "pyarrow",
    "pandas",
    "numba",
    "typer",
    "rich",
    "dbt",
    "ibis",
)


def test_the_import_brings_nothing_heavy_along():
    code = """
import sys
before = set(sys.modules)
import barsieve
print([m for m in sys.argv[1:] if m in set(sys.modules) - before])
"""
    assert python(code, *HEAVY).stdout == "[]\n"


def test_public_names_are_there_and_described():
    assert set(bs.__all__) <= set(dir(bs))
    for name in bs.__all__:
        assert name == "__version__" or getattr(bs, name).__doc__, name
    with pytest.raises(AttributeError, match="nothing_like_it"):
        bs.nothing_like_it  # noqa: B018
    methods = [n for n in vars(bs.Database) if not n.startswith("_")]
    assert all(getattr(bs.Database, name).__doc__ for name in methods)
    assert (PROJECT / "python/barsieve/py.typed").exists()


def test_it_works_from_any_folder_and_with_text_and_home(
    demo_build, tmp_path, monkeypatch
):
    monkeypatch.setenv("HOME", str(demo_build.database.parent))
    monkeypatch.chdir(demo_build.database.parent)
    with bs.open("barsieve.duckdb") as near, bs.open("~/barsieve.duckdb") as at_home:
        monkeypatch.chdir(tmp_path)
        assert near.path == at_home.path == demo_build.database.resolve()
        assert len(near.replay("btc_live", set={"exits.target_r": 3}).trades) > 0
    with pytest.raises(bs.NoProjectError, match=r"no dbt_project.yml"):
        bs.open()
    monkeypatch.setenv("BARSIEVE_DATABASE", str(demo_build.database))
    bs.open().close()


REFUSALS = {
    "profile": lambda db: db.replay("btc_life"),
    "key": lambda db: db.replay("btc_live", set={"stop_atr": 2}),
    "value": lambda db: db.replay("btc_live", set={"exits.stop_atr": -1}),
    "moment": lambda db: db.replay("btc_live", start="yesterday"),
    "span": lambda db: db.replay("btc_live", start="2023-01-01", end="2022-01-01"),
    "mode": lambda db: db.replay("btc_live", mode="half"),
    "candidates": lambda db: db.replay("btc_live", candidates="none.jsonl"),
    "screened": lambda db: db.replay("btc_live", candidates="c.jsonl", mode="full"),
    "grid": lambda db: db.sweep("btc_live", grid="exhausting"),
    "setting": lambda db: db.sweep("btc_live", grid={"risk.leverage": [2, 3]}),
    "no list": lambda db: db.sweep("btc_live", grid={"entry_threshold": 0.6}),
    "no values": lambda db: db.sweep("btc_live", grid={"entry_threshold": []}),
    "no grid": lambda db: db.sweep("btc_live", grid={}),
    "base": lambda db: db.sweep("btc_life", grid={"entry_threshold": [0.6]}),
    "run": lambda db: db.compare("btc_live", "btc_life"),
    "log": lambda db: db.compare("btc_live", "none.jsonl"),
    "trade": lambda db: db.explain("btc_live", 100_000),
    "threshold": lambda db: db.thresholds("btc_live", [65]),
    "report": lambda db: db.report(db.path),
    "export": lambda db: db.export("tradse", "x.csv"),
}


@pytest.mark.parametrize("ask", REFUSALS.values(), ids=REFUSALS)
def test_what_is_refused_says_what_was_expected_found_and_helps(db, ask, capsys):
    with pytest.raises(bs.InputError) as caught:
        ask(db)
    text = str(caught.value)
    assert "expected" in text
    assert "fix:" in text
    assert "--" not in text.split("fix:")[0]
    assert capsys.readouterr() == ("", "")


def test_refusals_are_the_sentences_of_the_commands(demo_build, db):
    done = subprocess.run(
        [sys.executable, "-m", "barsieve", "replay", "--profile", "btc_life"],
        cwd=PROJECT,
        env=without_locations() | {"BARSIEVE_DATABASE": str(demo_build.database)},
        capture_output=True,
        text=True,
        check=False,
    )
    with pytest.raises(bs.InputError) as caught:
        db.replay("btc_life")
    assert done.stderr.strip() == str(caught.value)


def test_a_query_that_duckdb_refuses_is_told_in_words(db):
    assert db.sql("select ? as n", 7).n[0] == 7
    for query in ("from tradse", "delete from trades", "select"):
        with pytest.raises(bs.DatabaseError):
            db.sql(query)
    assert "trades" in db.tables
    for query in ("select nope from trades", "", "-- nothing"):
        with pytest.raises(bs.DatabaseError, match=r"the query: .*\n.*correct it"):
            db.sql(query)


def test_a_sweep_has_the_trades_of_each_replay(db):
    grid = {"entry_threshold": [0.6, 0.65, 0.7], "exits.stop_atr": np.array([2, 3])}
    sweep = db.sweep("btc_live", grid=grid, threads=2)
    assert sweep.settings == ("entry_threshold", "stop_atr")
    assert len(sweep.results) == 6
    for row in sweep.results.itertuples():
        changes = {
            "entry.entry_threshold": row.entry_threshold,
            "exits.stop_atr": row.stop_atr,
        }
        metrics = db.replay("btc_live", set=changes).metrics
        assert row.trades == metrics["trades"] > 0
        assert row.net_pnl == pytest.approx(metrics["net_pnl"], rel=1e-9)
        assert row.sharpe == pytest.approx(metrics["sharpe"], rel=1e-9)
    by_month = sweep.months.groupby("config", sort=False).net_pnl.sum()
    whole = sweep.results.set_index("config").net_pnl
    assert np.allclose(by_month.loc[whole.index], whole)
    assert "no forecast" in repr(sweep)
    one = db.sweep("btc_live", grid=grid, threads=1)
    assert one.results.equals(sweep.results)


def test_a_sweep_names_what_it_did_not_run(db):
    sweep = db.sweep("btc_live", grid={"weights.smc": [0.15, 0.5], "stop_atr": [2, 3]})
    refused = sweep.results[sweep.results.violation.notna()]
    assert set(refused.violation) == {"weights sum to 1"}
    assert len(refused) == 2
    assert refused.trades.isna().all()
    assert "2 more break a constraint" in repr(sweep)
    with pytest.raises(bs.InputError, match=r"weights sum to 1.*every configuration"):
        db.sweep("btc_live", grid={"weights.smc": [0.5]})


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("exits.partial_share", 5), ("exits.stop_atr", -1), ("exits.stop_atr", 0),
        ("exits.time_stop_bars", 24.5), ("exits.time_stop_bars", 1e12),
        ("entry.entry_threshold", 1.5), ("entry.alignment_required", 7),
        ("entry.veto_limit", 9), ("weights.smc", -0.1),
    ],
)  # fmt: skip
def test_a_sweep_refuses_what_a_build_would(db, setting, value):
    with pytest.raises(bs.InputError, match=rf"key '{setting}': expected"):
        db.sweep("btc_live", grid={setting: [value]})


def test_a_value_given_twice_is_tried_once(db):
    sweep = db.sweep("btc_live", grid={"entry_threshold": [0.6, 0.65, 0.65]})
    assert len(sweep.results) == 2
    assert "more break" not in repr(sweep)
    both = {"entry_threshold": [0.6], "entry.entry_threshold": [0.7]}
    with pytest.raises(bs.InputError, match="each setting once"):
        db.sweep("btc_live", grid=both)


def test_an_exit_that_is_switched_off_is_shown_as_none(db):
    assert "-" in repr(db.sweep("btc_live", grid={"exits.target_r": [None, 2]}))


@pytest.mark.parametrize(
    "ask",
    [
        lambda db: db.replay(None),
        lambda db: db.replay("btc_live", start=""),
        lambda db: db.replay("btc_live", set="exits.stop_atr=2"),
        lambda db: db.replay("btc_live", set={5: 2}),
        lambda db: db.replay("btc_live", signals=pd.DataFrame()),
        lambda db: db.thresholds("btc_live", []),
        lambda db: db.thresholds("btc_live", "0.6"),
        lambda db: db.thresholds("btc_live", ["0.6"]),
        lambda db: db.explain("btc_live", "x"),
        lambda db: db.explain("btc_live", 1.5),
        lambda db: db.explain("mine.json", 1),
        lambda db: db.score(None),
        lambda db: db.sweep("btc_live", grid=["entry_threshold"]),
        lambda db: db.sweep("btc_live", grid="sobol", n=0),
        lambda db: db.sweep("btc_live", grid="sobol", seed=-1),
        lambda db: db.sweep("btc_live", grid="quick", threads="2"),
        lambda db: bs.open(5),
    ],
)
def test_arguments_of_another_kind_are_refused_in_words(db, ask):
    with pytest.raises(bs.BarsieveError, match=r"expected .*, found .*\n *fix: "):
        ask(db)


def test_numbers_and_days_of_numpy_are_taken(db):
    day = np.datetime64("2022-01-01")
    assert db.replay("btc_live", start=day).metrics["trades"] > 0
    first = db.replay("btc_live").trades.trade_id[0]
    assert db.explain("btc_live", first)["trade"]["trade_id"] == first


def test_figures_of_a_study_that_ends_early_speak_of_one_span(db):
    """Trades that are open at its end go on; the account is marked there."""
    run = db.replay("demo_edge", start="2023-01-20", end="2023-02-01")
    equity = run.equity.set_index("bar_ts").equity
    judged = equity[equity.index + pd.Timedelta(hours=1) <= "2023-02-01T00:00Z"]
    start = 10_000.0
    assert run.metrics["return_share"] == pytest.approx(judged.iloc[-1] / start - 1)
    assert run.metrics["net_pnl"] == pytest.approx(run.trades.net_pnl.sum())
    assert run.metrics["net_pnl"] != pytest.approx(judged.iloc[-1] - start)


def test_a_sweep_of_a_grid_by_name_is_that_of_the_command(db, demo):
    sweep = db.sweep("btc_live", grid="quick")
    known = demo.sql("select count(*) from sweep_grids where grid = 'quick'").fetchall()
    assert known[0][0] > 0
    assert "weight_wyckoff" in sweep.settings
    assert sweep.grid == "quick"


def test_a_comparison_finds_what_a_setting_changed(db, run):
    wide = db.replay("btc_live", set={"exits.stop_atr": 3}, start="2022-01-01")
    found = db.compare("btc_live", wide)
    assert found.verdict == "differs"
    assert found.counts["missing"] > 0
    assert found.counts == found.trades.verdict.value_counts().to_dict() | {
        name: 0 for name, n in found.counts.items() if not n
    }
    net = found.metrics.loc["net_pnl"]
    assert net.b - net.a == pytest.approx(net.difference)
    late = db.compare("btc_live", wide, start="2022-06-01")
    assert sum(late.counts.values()) < sum(found.counts.values())
    assert db.compare(run, "btc_live").verdict == "identical"
    lossy = db.compare("eth_sentinel", "eth_sentinel:focused")
    assert lossy.is_within()
    assert not lossy.is_within(trades_tolerance=0.0)


def test_an_answer_is_the_document_of_the_command(demo_build, db):
    for words, ask in (
        (("signal",), lambda: db.signal("btc_live", at="2023-05-31T05:00")),
        (("explain", "12"), lambda: db.explain("btc_live", 12)),
    ):
        at = ("--at", "2023-05-31T05:00") if words == ("signal",) else ()
        done = subprocess.run(
            [sys.executable, "-m", "barsieve", *words, "--profile", "btc_live", *at,
             "--json"],
            cwd=PROJECT,
            env=without_locations() | {"BARSIEVE_DATABASE": str(demo_build.database)},
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        printed = json.loads(done.stdout)
        printed.pop("bar_age_hours", None)
        assert json.loads(json.dumps(dict(ask()), default=str)) == printed


def test_variations_and_candidates_come_as_frames(db, demo):
    rows = db.thresholds("btc_live", [0.65, 0.7, 0.65])
    assert rows.threshold.tolist() == [0.65, 0.7]
    assert "as it is" in db.stress("btc_live").scenario.tolist()
    found = db.candidates("btc_live")
    n = demo.sql("select count(*) from candidates where profile = 'btc_live'")
    assert len(found) == n.fetchall()[0][0]
    assert str(found.timestamp.dtype).endswith("UTC]")


def test_report_and_export_write_files(db, tmp_path):
    assert db.report(str(tmp_path / "r.html"), ["btc_live"]).stat().st_size > 100_000
    n = db.export("trades", tmp_path / "t.parquet", where="profile = 'btc_live'")
    assert n == len(pd.read_parquet(tmp_path / "t.parquet"))


@pytest.fixture
def copy(demo_build, tmp_path) -> Path:
    path = tmp_path / "barsieve.duckdb"
    shutil.copy(demo_build.database, path)
    return path


def test_a_database_is_closed_by_with_and_says_so(copy):
    with bs.open(copy) as db:
        run = db.replay("btc_live")
    with pytest.raises(bs.InputError, match=r"closed\n.*fix: open it again"):
        db.replay("btc_live")
    assert "open it again" in repr(db)
    copy.unlink()
    assert len(run.trades) > 0
    assert len(run.equity) > 0


def test_a_database_that_nobody_holds_lets_go_of_the_file(copy):
    db = bs.open(copy)
    db.replay("btc_live", mode="focused")
    gone = weakref.ref(db)
    del db
    gc.collect()
    assert gone() is None
    with duckdb.connect(str(copy)) as connection:
        connection.execute("create table of_mine (n integer)")


def test_a_new_build_in_its_place_is_noticed(copy, demo_build):
    db, new = bs.open(copy), copy.with_name("new.duckdb")
    shutil.copy(demo_build.database, new)
    os.replace(new, copy)
    with pytest.raises(bs.InputError, match=r"another one, built since"):
        db.replay("btc_live")
    with pytest.raises(bs.InputError, match=r"another one, built since"):
        db.sql("from trades")
    with bs.open(copy) as again:
        assert len(again.replay("btc_live").trades) > 0


def test_a_database_cannot_be_written_to(db):
    before = db.path.stat().st_mtime_ns
    with pytest.raises(bs.DatabaseError, match="read-only"):
        db.table("create table of_mine (n integer)")
    assert db.path.stat().st_mtime_ns == before


def test_many_threads_may_ask_at_once(db, run):
    found: list[int] = []

    def ask() -> None:
        trades = db.replay("btc_live", set={"exits.target_r": 2.0}).table("trades")
        found.append(trades.num_rows + len(db.profiles) * 0)

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [run.table("trades").num_rows] * 3


def test_a_run_is_what_the_replay_wrote(demo_build, run):
    study = prepare(demo_build.database, "btc_live")
    put_runs(study.scratch, study.replay(FULL))
    study.scratch.make("replay_equity")
    rows = study.scratch.connection.sql("from replay_equity order by bar_ts")
    assert rows.to_arrow_table()["equity"].equals(run.table("equity")["equity"])


def test_a_build_that_fails_says_what_failed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DBT_TARGET_PATH", str(tmp_path / "target"))
    monkeypatch.setenv("DBT_LOG_PATH", str(tmp_path / "logs"))
    with pytest.raises(bs.NoProjectError):
        bs.build()
    with pytest.raises(bs.BuildFailedError, match="refuses this input") as caught:
        bs.build(project=PROJECT, market="nowhere", database=tmp_path / "new.duckdb")
    assert "as it was" in str(caught.value)
    assert not (tmp_path / "new.duckdb").exists()
    assert "BARSIEVE_MARKET" not in os.environ


def test_signals_of_a_frame_take_the_place_of_the_profiles_own(db, run, tmp_path):
    own = run.trades
    frame = pd.DataFrame(
        {
            "symbol": "BTC",
            "ts": own.decision_ts,
            "side": own.side,
            "confidence": own.confidence,
        }
    )
    again = db.replay("btc_live", signals=frame)
    assert again.fate_of_signals["signals"] == len(own)
    assert again.fate_of_signals["entered"] == len(again.trades) > 0.9 * len(own)
    # Below the profile's own threshold nothing was asked of them; sizes are theirs.
    same = again.trades.merge(own, on="decision_ts", suffixes=("", "_own"))
    assert (same.entry_price == same.entry_price_own).all()
    assert again.trades.weights.isna().all()
    frame.to_parquet(tmp_path / "mine.parquet")
    for given in (str(tmp_path / "mine.parquet"), pa.Table.from_pandas(frame)):
        assert db.replay("btc_live", signals=given).trades.equals(again.trades)
    polars = pytest.importorskip("polars")
    given = polars.from_pandas(frame)
    assert db.replay("btc_live", signals=given).trades.equals(again.trades)


@pytest.mark.parametrize(
    "given",
    [
        42,
        pd.DataFrame({"symbol": ["BTC"]}),
        pd.DataFrame({"symbol": [{1}], "ts": [object()]}),
        "none.parquet",
    ],
    ids=["number", "columns", "objects", "file"],
)
def test_signals_that_are_none_are_refused(db, given):
    with pytest.raises(bs.InputError, match="expected"):
        db.replay("btc_live", signals=given)


def test_a_score_has_its_horizons_and_a_verdict(db, demo):
    worth = db.score("momentum")
    n = demo.sql("select count(*) from report_scores where name = 'momentum'")
    assert len(worth.horizons) == n.fetchall()[0][0]
    assert set(worth.verdicts) == {"BTC", "ETH"}
    assert worth.verdicts["ETH"] in repr(worth)
    assert len(worth.months) > len(worth.decay) > 0
    assert set(db.score("momentum", symbol="ETH").horizons.symbol) == {"ETH"}
    assert "momentum" in set(db.scores().name)
    with pytest.raises(bs.InputError, match="did you mean"):
        db.score("momentun")


def test_regimes_and_what_was_learned_come_as_the_commands_print_them(db, demo):
    known = db.regime("2022-06-01")
    assert {"beliefs", "inputs", "profiles"} <= set(known)
    assert known["beliefs"][0]["regime"] in repr(known)
    last = demo.sql("select max(bar_ts) + interval '1 hour' from bars_1h").fetchall()
    assert db.regime()["at"] == last[0][0]
    with pytest.raises(bs.InputError, match="no regime is known"):
        db.regime("2001-01-01")
    n = demo.sql("select count(*) from report_optimizer").fetchall()[0][0]
    assert len(db.optimizer()) == n > 0
    windows = db.walk_forward(12, 1, profile="btc_live")
    assert set(windows.symbol) == {"BTC"}
    for ask in (
        lambda: db.walk_forward(400),
        lambda: db.walk_forward(profile="btc_life"),
    ):
        with pytest.raises(bs.InputError, match="expected"):
            ask()


def test_a_proof_is_asked_of_the_build_and_written_nowhere(db, monkeypatch, capsys):
    monkeypatch.setenv("BARSIEVE_PROJECT", str(PROJECT))
    monkeypatch.delenv("BARSIEVE_MARKET", raising=False)
    steps: list[int] = []
    before = db.path.stat().st_mtime_ns
    proof = db.prove(cuts=2, on_progress=lambda done, total: steps.append(done))
    assert proof.holds
    assert "no lookahead: proven at 2 cuts" in repr(proof)
    assert {"features", "candidates"} <= set(proof.findings.table_name)
    assert steps
    assert db.path.stat().st_mtime_ns == before
    assert capsys.readouterr() == ("", "")
    for ask in (lambda: db.prove(cuts=0), lambda: db.prove(market="nowhere")):
        with pytest.raises(bs.InputError, match="expected"):
            ask()
