"""Signals that a user brings: trades that they lead to, and files that are refused."""

import json
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from barsieve.analysis.replay import replay_profile
from barsieve.analysis.signal_rows import read_signals
from barsieve.core.errors import InputError
from command_line import barsieve

SCHEMA = pa.schema(
    [
        ("symbol", pa.string()),
        ("ts", pa.timestamp("us", tz="UTC")),
        ("side", pa.string()),
        ("confidence", pa.float64()),
    ]
)
# Of two months in which nothing bars a side of ETH.
FIRST = datetime(2022, 12, 12, 8, tzinfo=UTC)


def signals(*rows: dict) -> pa.Table:
    usual = {"symbol": "ETH", "ts": FIRST, "side": "long", "confidence": 0.7}
    return pa.Table.from_pylist([usual | row for row in rows], schema=SCHEMA)


def replayed(build, table, profile="eth_comprehensive", mode="full", changes=None):
    return replay_profile(build.database, profile, mode, changes, signals=table)


def own_signals(demo, profile: str) -> pa.Table:
    """Return what a profile would enter on, were it flat at every bar."""
    return demo.sql(
        "select symbol, bar_ts as ts, side, confidence from fusion_scores "
        f"where profile = '{profile}' and is_entry order by bar_ts"
    ).to_arrow_table()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("symbol,ts,side,confidence\nETH,2022-12-12T08:00,long,0,7\n", "line 2"),
        (
            "symbol,ts,side,side,confidence\nETH,2022-12-12,long,short,0.7\n",
            "side twice",
        ),
        ("symbol,ts,side,confidence\nETH,2022-12-12,buy,0.7\n", "write one of the two"),
        ("symbol,ts,side,confidence\n", "one signal or more"),
    ],
)
def test_a_line_that_says_two_things_is_refused(tmp_path, text, told):
    path = tmp_path / "mine.csv"
    path.write_text(text)
    with pytest.raises(InputError, match=told):
        read_signals(path)


def test_blanks_around_cells_are_nothing(tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text("symbol,ts,side,confidence\nETH , 2022-12-12 ,long ,0.7\n")
    ((_, (signal,)),) = (read_signals(path),)
    assert (signal.symbol, signal.side) == ("ETH", "long")


def what_a_trade_is(trades: list[dict]) -> list[dict]:
    left_out = {"weights", "threshold", "threshold_shift_after"}
    return [{k: v for k, v in t.items() if k not in left_out} for t in trades]


def test_a_profiles_own_signals_brought_back_give_its_trades(demo_build, demo):
    """Where the loss streak asks for no more, nothing but the signals differs."""
    changes = {"entry.loss_streak_shift": 0.0}
    own = replay_profile(demo_build.database, "btc_live", "full", changes)
    assert len(own.trades) > 50
    found = replayed(demo_build, own_signals(demo, "btc_live"), "btc_live")
    assert what_a_trade_is(found.trades) == what_a_trade_is(own.trades)
    assert found.signals["entered"] == len(own.trades)
    assert found.signals["barred"] == 0


def test_both_kinds_of_replay_give_the_same_trades(demo_build, demo):
    table = own_signals(demo, "eth_comprehensive")
    full = replayed(demo_build, table)
    focused = replayed(demo_build, table, mode="focused")
    assert [t | {"replayed": ""} for t in full.trades] == [
        t | {"replayed": ""} for t in focused.trades
    ]
    assert focused.batch["bars_visited"] < full.batch["bars_visited"]


def test_a_signal_is_known_at_its_close_and_fills_at_the_next_open(demo_build, demo):
    found = replayed(demo_build, signals({}))
    (trade,) = found.trades
    assert trade["decision_ts"] == FIRST
    assert trade["entry_ts"] == FIRST + timedelta(hours=1)
    (price,) = demo.execute(
        "select open from bars_1h where symbol = 'ETH' and bar_ts = ?",
        [trade["entry_ts"]],
    ).fetchall()
    assert (trade["entry_price"],) == price
    assert trade["confidence"] == 0.7
    assert trade["fees"] > 0
    assert trade["weights"] is None


def test_confidence_decides_the_size_and_no_threshold_asks_for_it(demo_build):
    (small,) = replayed(demo_build, signals({"confidence": 0.0})).trades
    (large,) = replayed(demo_build, signals({"confidence": 1.0})).trades
    # Risk from 0.25 % to 1 % of the balance.
    assert large["qty"] > 2 * small["qty"]


def test_a_loss_streak_and_an_hour_of_the_block_do_not_bar(demo_build):
    hours = [FIRST + timedelta(hours=k) for k in range(0, 24 * 50, 7)]
    found = replayed(demo_build, signals(*({"ts": ts} for ts in hours)))
    assert max(t["loss_streak"] for t in found.trades) >= 3
    assert {t["threshold"] for t in found.trades} == {0.0}
    assert {t["decision_ts"].hour % 4 for t in found.trades} == {0, 1, 2, 3}


def test_vetoes_and_the_macro_gate_bar_a_signal(demo_build, demo):
    ((barred,),) = demo.sql(
        "select bar_ts from features where symbol = 'ETH' and vix >= 32 "
        "order by bar_ts limit 1"
    ).fetchall()
    found = replayed(demo_build, signals({"ts": barred}, {}))
    assert found.signals["barred"] == 1
    assert [t["decision_ts"] for t in found.trades] == [FIRST]


def test_the_study_of_a_profile_limits_what_is_entered(demo_build):
    changes = {"study.start": "2022-12-13T00:00:00+00:00"}
    table = signals({}, {"ts": FIRST + timedelta(days=2)})
    found = replayed(demo_build, table, changes=changes)
    assert found.signals["outside_study"] == 1
    assert [t["decision_ts"] for t in found.trades] == [FIRST + timedelta(days=2)]


def test_signals_of_other_symbols_are_counted_and_left(demo_build):
    found = replayed(demo_build, signals({}, {"symbol": "BTC"}))
    assert found.signals["signals"] == found.signals["of_other_symbols"] == 1
    assert found.signals["entered"] == 1


def test_every_signal_is_accounted_for(demo_build, demo):
    bars = demo.sql(
        "select bar_ts from bars_1h where symbol = 'ETH' order by bar_ts"
    ).fetchall()
    rows = ({"ts": ts, "side": "short"} for (ts,) in bars)
    told = replayed(demo_build, signals(*rows)).signals
    assert told["without_stop_distance"] > 0
    assert told["barred"] > 0
    parts = ("outside_study", "barred", "without_stop_distance", "passed_over")
    assert sum(told[part] for part in parts) + told["entered"] == len(bars)
    assert min(told.values()) >= 0


@pytest.mark.parametrize("kind", ["parquet", "csv", "naive", "text"])
def test_files_of_every_kind_say_the_same(demo_build, tmp_path, kind):
    table = signals({"ts": FIRST}, {"ts": FIRST + timedelta(days=9), "side": "short"})
    expected = replayed(demo_build, table).trades
    path = tmp_path / ("mine.csv" if kind == "csv" else "mine.parquet")
    if kind == "csv":
        lines = ["note,confidence,side,ts,symbol"]
        lines += [
            f"x,{row['confidence']},{row['side']},{row['ts']:%Y-%m-%dT%H:%M},ETH"
            for row in table.to_pylist()
        ]
        path.write_text("\ufeff" + "\n".join(lines) + "\n", encoding="utf-8")
    else:
        types = {"naive": pa.timestamp("ns"), "text": pa.string()}
        if kind in types:
            ts = table["ts"].cast(pa.timestamp("us")).cast(types[kind])
            table = table.set_column(1, "ts", ts)
        pq.write_table(table, path)
    assert replayed(demo_build, path).trades == expected


def test_the_command_prints_what_became_of_the_signals(demo_build, tmp_path):
    path = tmp_path / "mine.parquet"
    pq.write_table(signals({}, {"symbol": "BTC"}), path)
    where = {"BARSIEVE_DATABASE": demo_build.database}
    words = ("replay", "--profile", "eth_comprehensive", "--signals", str(path))
    done = barsieve(*words, **where)
    assert done.returncode == 0, done.stderr
    assert "signals of other symbols" in done.stdout
    told = json.loads(barsieve(*words, "--json", **where).stdout)
    assert told["signals"]["entered"] == 1
    assert len(told["trades"]) == 1


BROKEN = {
    "no side": ({"side": "buy"}, "long or short"),
    "percent": ({"confidence": 70.0}, "a number from 0 to 1"),
    "no number": ({"confidence": None}, "a number from 0 to 1"),
    "nan": ({"confidence": float("nan")}, "a number from 0 to 1"),
    "no moment": ({"ts": None}, "a moment like"),
    "off the grid": ({"ts": FIRST + timedelta(minutes=30)}, "the open of a bar of ETH"),
    "after the end": ({"ts": FIRST.replace(year=2031)}, "the open of a bar of ETH"),
    "another market": ({"symbol": "DOGE"}, "one of BTC, ETH"),
    "no symbol": ({"symbol": None}, "the name of a symbol"),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_row_is_refused_with_its_place(demo_build, kind):
    row, expected = BROKEN[kind]
    with pytest.raises(InputError) as refused:
        replayed(demo_build, signals({"ts": FIRST + timedelta(hours=5)}, row))
    (problem,) = refused.value.problems
    assert problem.where.startswith("row 2")
    assert expected in problem.expected


def test_a_signal_in_a_gap_of_the_market_is_refused(demo_build, demo):
    ((after,),) = demo.sql(
        "select bar_ts from bars_1h where symbol = 'ETH' and gap_hours > 0 limit 1"
    ).fetchall()
    with pytest.raises(InputError, match="the open of a bar"):
        replayed(demo_build, signals({"ts": after - timedelta(hours=1)}))


def test_two_signals_at_one_bar_are_refused(demo_build):
    with pytest.raises(InputError, match="one signal a symbol and ts"):
        replayed(demo_build, signals({}, {"side": "short"}))


def test_only_the_first_of_many_broken_rows_are_told(demo_build):
    rows = ({"ts": FIRST + timedelta(hours=k), "side": "up"} for k in range(30))
    with pytest.raises(InputError) as refused:
        replayed(demo_build, signals(*rows))
    assert len(refused.value.problems) == 11
    assert "30 that are not" in str(refused.value)


def file_of(kind: str, folder):
    if kind == "missing":
        return folder / "none.parquet"
    if kind == "a folder":
        (folder / "f.csv").mkdir()
        return folder / "f.csv"
    path = folder / ("x.xlsx" if kind == "another format" else "x.csv")
    if kind == "no parquet":
        path = folder / "x.parquet"
    text = {
        "empty": "",
        "header alone": "symbol,ts,side,confidence\n",
        "without a column": "symbol,ts,side\nETH,2022-01-03T08:00,long\n",
        "a short line": "symbol,ts,side,confidence\nETH,2022-01-03T08:00\n",
        "binary": "\x00\x01\n",
    }.get(kind, "no such thing")
    path.write_bytes(text.encode() + (b"\xff\xfe" if kind == "binary" else b""))
    return path


@pytest.mark.parametrize(
    "kind",
    ["missing", "a folder", "another format", "no parquet", "empty", "header alone",
     "without a column", "a short line", "binary"],
)  # fmt: skip
def test_a_bad_file_is_refused_in_a_sentence(demo_build, tmp_path, kind):
    path = file_of(kind, tmp_path)
    done = barsieve(
        "replay", "--profile", "eth_comprehensive", "--signals", str(path),
        BARSIEVE_DATABASE=demo_build.database,
    )  # fmt: skip
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert path.name in done.stderr
    assert "fix:" in done.stderr


def test_signals_and_candidates_do_not_go_together(demo_build, tmp_path):
    path = tmp_path / "c.jsonl"
    path.write_text("")
    with pytest.raises(InputError, match="one of them"):
        replay_profile(
            demo_build.database, "eth_comprehensive", "focused", None, path,
            signals=signals({}),
        )  # fmt: skip
