"""Exports are told apart by their columns, and nothing about them is guessed."""

import json
import os
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import feather

from barsieve.ingest.formats import BINANCE_COLUMNS
from barsieve.ingest.naming import base_of, symbol_of
from barsieve.market.check import check_market
from conftest import PROJECT
from ingesting import SEED, Done, ingest, rows
from sources import DAY, HOUR, START, kline

pytestmark = pytest.mark.slow

N = 48
KLINES = [kline(START + i * HOUR) for i in range(N)]
BARS = [
    (datetime.fromtimestamp(k[0] / 1000, UTC), *(float(cell) for cell in k[1:6]))
    for k in KLINES
]


@pytest.fixture(autouse=True)
def in_project(monkeypatch):
    monkeypatch.chdir(PROJECT)


def written(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def table(lines: list[list], header: str = "") -> str:
    text = "\n".join(",".join(map(str, line)) for line in lines) + "\n"
    return f"{header}\n{text}" if header else text


def binance(scale: int = 1, header: str = "") -> str:
    """Return a klines file of Binance Vision; `scale` 1000 gives microseconds."""
    lines = [
        [k[0] * scale, *k[1:6], (k[6] + 1) * scale - 1, *k[7:]] for k in KLINES
    ]  # fmt: skip
    return table(lines, header)


def zipped(folder: Path, name: str, content: str) -> Path:
    with zipfile.ZipFile(folder / f"{name}.zip", "w") as archive:
        archive.writestr(f"{name}.csv", content)
    return folder / f"{name}.zip"


def tradingview(times: list, volume: str = "Volume", more: str = "") -> str:
    """Return a TradingView export, an indicator among its columns."""
    lines = [
        [time, *bar[1:5], "NaN", bar[5]] for time, bar in zip(times, BARS, strict=True)
    ]
    return table(lines, f'time,open,high,low,close,"EMA (9, close)",{volume}{more}')


def seconds() -> list[int]:
    return [k[0] // 1000 for k in KLINES]


def offset_times() -> list[str]:
    return [f"{bar[0] + timedelta(hours=2):%Y-%m-%dT%H:%M:%S}+02:00" for bar in BARS]


def cryptodatadownload(unix: list | None, symbol="BTCUSDT", volumes=("BTC", "USDT")):
    """Return a CryptoDataDownload file: an address first, then newest first."""
    lines = []
    for i, (bar, k) in enumerate(zip(BARS, KLINES, strict=True)):
        start = [] if unix is None else [unix[i]]
        day = f"{bar[0]:%Y-%m-%d %H:%M:%S}" if unix else f"{bar[0]:%Y-%m-%d %I-%p}"
        lines.append([*start, day, symbol, *bar[1:5], bar[5], k[7], 9])
    header = "" if unix is None else "Unix,"
    header += "Date,Symbol,Open,High,Low,Close,Volume {},Volume {},tradecount"
    return "https://www.CryptoDataDownload.com\n" + table(
        lines[::-1], header.format(*volumes)
    )


def mixed_units() -> list[int]:
    """Return times as that site mixed them: seconds, then ms, then µs."""
    return [k[0] // 1000 if i < 20 else k[0] if i < 40 else k[0] * 1000
            for i, k in enumerate(KLINES)]  # fmt: skip


def freqtrade_table(zone: str | None = "UTC", unit: str = "ms") -> pa.Table:
    stamps = pa.array([k[0] for k in KLINES], pa.timestamp("ms", tz=zone))
    columns = list(zip(*(bar[1:] for bar in BARS), strict=True))
    names = ["date", "open", "high", "low", "close", "volume"]
    stamps = stamps.cast(pa.timestamp(unit, tz=zone))
    return pa.table([stamps, *map(list, columns)], names=names)


def freqtrade_feather(folder: Path, name: str = "BTC_USDT-1h.feather", **more) -> Path:
    feather.write_feather(freqtrade_table(**more), str(folder / name))
    return folder / name


def freqtrade_parquet(folder: Path) -> Path:
    pq.write_table(freqtrade_table(unit="ns"), folder / "BTC_USDT-1h.parquet")
    return folder / "BTC_USDT-1h.parquet"


def freqtrade_json(folder: Path) -> Path:
    lines = [[k[0], *bar[1:]] for k, bar in zip(KLINES, BARS, strict=True)]
    return written(folder / "BTC_USDT-1h.json", json.dumps(lines))


HEADER = ",".join(BINANCE_COLUMNS)
NAME, SITE = "BTCUSDT-1h-2023-01", "Binance_BTCUSDT_1h.csv"
VIEW = "BINANCE_BTCUSDT, 60.csv"
EXPORTS = {
    "binance-vision zip": lambda f: zipped(f, NAME, binance()),
    "binance-vision csv": lambda f: written(f / f"{NAME}.csv", binance()),
    "binance-vision µs": lambda f: zipped(f, NAME, binance(1000)),
    "binance-vision header": lambda f: zipped(f, NAME, binance(header=HEADER)),
    "binance-vision header µs": lambda f: zipped(f, NAME, binance(1000, HEADER)),
    "tradingview unix": lambda f: written(f / VIEW, tradingview(seconds())),
    "tradingview iso": lambda f: written(f / VIEW, tradingview(offset_times())),
    "tradingview bom": lambda f: written(f / VIEW, "\ufeff" + tradingview(seconds())),
    "cryptodatadownload ms": lambda f: written(
        f / SITE, cryptodatadownload([k[0] for k in KLINES])
    ),
    "cryptodatadownload mixed": lambda f: written(
        f / SITE, cryptodatadownload(mixed_units())
    ),
    "cryptodatadownload dates": lambda f: written(f / SITE, cryptodatadownload(None)),
    "cryptodatadownload swapped": lambda f: written(
        f / SITE, cryptodatadownload(seconds(), "BTC/USDT").replace("\n", "\r\n")
    ),
    "freqtrade feather": freqtrade_feather,
    "freqtrade feather ns": lambda f: freqtrade_feather(f, unit="ns"),
    "freqtrade parquet": freqtrade_parquet,
    "freqtrade json": freqtrade_json,
}


def take(market: Path, *arguments: str | Path) -> Done:
    return ingest("files", *arguments, "--to", market, "--json")


def bars_of(market: Path) -> list[tuple]:
    return rows(market / "bars" / "BTC.parquet")


@pytest.mark.parametrize("name", EXPORTS)
def test_every_export_gives_the_same_bars(tmp_path, name):
    market, export = tmp_path / "market", EXPORTS[name](tmp_path)
    shown = take(market, export, "--dry-run")
    (mapping,) = json.loads(shown.stdout)["files"]
    assert mapping["format"] == name.partition(" ")[0]
    assert (mapping["target"], mapping["target_from"]) == ("BTC", "file name")
    roles = {"ts", "open", "high", "low", "close", "volume"}
    assert set(mapping["columns"]) - {"close_time"} == roles
    assert not market.exists(), "a dry run writes nothing"
    done = take(market, export)
    assert done.code == 0, done.stderr
    # The last row of TradingView's is the bar that was forming.
    wanted = BARS[:-1] if name.startswith("tradingview") else BARS
    assert bars_of(market) == wanted
    assert json.loads(done.stdout)["files"] == [mapping]
    assert mapping["rows"] == done.target("bars/BTC")["rows_new"] == len(wanted)
    assert check_market(market, SEED)[1] == []
    again = take(market, export)
    assert again.target("bars/BTC")["rows_new"] == 0
    assert again.target("bars/BTC")["revisions"] == []


def test_the_mapping_is_shown_to_a_reader(tmp_path):
    export = EXPORTS["cryptodatadownload mixed"](tmp_path)
    done = ingest("files", export, "--dry-run")
    shown = " ".join(done.stdout.split())
    for words in ("cryptodatadownload", "BTC (file", "Unix", "Volume BTC"):
        assert words in shown


LAST = START / 1000 + (N - 1) * 3600


@pytest.mark.parametrize("written_at", [315532800, START / 1000, LAST + 1800])
def test_a_kline_says_itself_when_it_closed(tmp_path, written_at):
    export = EXPORTS["binance-vision csv"](tmp_path)
    os.utime(export, (written_at, written_at))
    assert take(tmp_path / "market", export).code == 0
    assert bars_of(tmp_path / "market") == BARS


@pytest.mark.parametrize(
    ("written_at", "n_left_out"),
    [(315532800, 0), (START / 1000, 0), (LAST + 1800, 1), (LAST + 3600, 0)],
)
def test_a_later_row_closes_a_bar_whatever_the_files_time(
    tmp_path, written_at, n_left_out
):
    export = EXPORTS["freqtrade json"](tmp_path)
    os.utime(export, (written_at, written_at))
    done = take(tmp_path / "market", export)
    assert bars_of(tmp_path / "market") == BARS[: N - n_left_out]
    assert ("rows left out: 1" in done.stderr) == bool(n_left_out)
    done = take(tmp_path / "market", export, "--complete")
    assert bars_of(tmp_path / "market") == BARS


def test_klines_that_close_in_the_future_are_left_out_and_nothing_is_refused(tmp_path):
    """An open bar of a kline file is told by its own time of close."""
    now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    open_ms = int(now.timestamp() * 1000)
    lines = [kline(open_ms - 2 * HOUR), kline(open_ms - HOUR), kline(open_ms)]
    export = written(tmp_path / f"{NAME}.csv", table(lines))
    done = take(tmp_path / "market", export)
    assert (done.code, len(bars_of(tmp_path / "market"))) == (0, 2)
    (left_out,) = json.loads(done.stdout)["files"][0]["left_out"]
    assert left_out["rows"] == 1
    only = written(tmp_path / f"{NAME}-b.csv", table(lines[2:]))
    for more in ([], ["--dry-run"]):
        refused(take(tmp_path / "other", only, *more), "had not closed")
    assert not list(tmp_path.glob("other/bars/*"))


def refused(done: Done, *words: str) -> None:
    assert done.code == 1, done.stdout
    assert "Traceback" not in done.stderr
    for word in words:
        assert word in done.stderr


def test_a_file_that_fits_two_formats_is_refused_with_both(tmp_path):
    lines = [
        [s, f"{b[0]:%Y-%m-%d}", *b[1:]] for s, b in zip(seconds(), BARS, strict=True)
    ]
    text = table(lines, "time,date,open,high,low,close,volume")
    export = written(tmp_path / "BINANCE_BTCUSDT, 60.csv", text)
    market = tmp_path / "market"
    refused(take(market, export), "tradingview (ts = time", "freqtrade (ts = date",
            "--format")  # fmt: skip
    assert not market.exists()
    done = take(market, export, "--format", "tradingview")
    assert (done.code, bars_of(market)) == (0, BARS[:-1])


def test_two_columns_for_one_role_are_refused_until_one_is_named(tmp_path):
    text = tradingview(seconds(), more=",Volume").replace("\n", ",7\n")
    text = text.replace("Volume,7\n", "Volume\n", 1)
    export = written(tmp_path / VIEW, text)
    market = tmp_path / "market"
    refused(take(market, export), "column for volume", "'Volume' or 'Volume (2)'")
    done = take(market, export, "--column", "volume=Volume")
    assert (done.code, bars_of(market)) == (0, BARS[:-1])


def test_volumes_that_do_not_name_the_base_are_refused(tmp_path):
    text = cryptodatadownload(seconds(), volumes=("from", "to"))
    export = written(tmp_path / SITE, text)
    refused(take(tmp_path / "market", export), "'Volume from' or 'Volume to'")


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        (VIEW, tradingview([t[:-6] for t in offset_times()]), "a time with a zone"),
        (VIEW, tradingview(seconds(), volume="Vol"), "column for volume"),
        ("chart.csv", tradingview(seconds()), "--symbol BTC"),
        ("x.csv", "a,b\n1,2\n", "the header a,b"),
        ("x.csv", "1,2\n3,4\n", "no header"),
        ("x.csv", "", "no rows"),
        ("x.csv", b"\xff\xfe\x00", "expected text in utf-16"),
        ("x.zip", b"not a zip", "zip"),
        ("x.parquet", b"PAR1", "expected a file of"),
        ("x.feather", b"", "expected a file of"),
        ("x.json", "{}", "rows of six"),
        ("x.doc", "hello", ".csv"),
        ("x.txt", "hello", "the line 'hello'"),
        (f"{NAME}.csv", table([[k[0] + i * 3 * HOUR, *k[1:6], k[6] + i * 3 * HOUR,
                                *k[7:]] for i, k in enumerate(KLINES)]),
         "median step of 4 h"),
    ],
)  # fmt: skip
def test_what_cannot_be_understood_is_refused_in_words(tmp_path, name, content, words):
    export = written(tmp_path / name, content)
    market = tmp_path / "market"
    refused(take(market, export), name, words, "fix:")
    assert not market.exists()


def test_a_missing_file_and_a_file_of_another_format_are_named(tmp_path):
    refused(take(tmp_path / "m", tmp_path / "none.csv"), "none.csv", "no such file")
    export = EXPORTS["binance-vision csv"](tmp_path)
    refused(take(tmp_path / "m", export, "--format", "freqtrade"), "freqtrade")


def test_a_time_without_a_zone_in_a_feather_file_is_refused(tmp_path):
    refused(take(tmp_path / "m", freqtrade_feather(tmp_path, zone=None)), "zone")


def test_files_that_disagree_are_refused_and_those_that_agree_are_joined(tmp_path):
    market = tmp_path / "market"
    one = written(tmp_path / "BTCUSDT-1h-a.csv", table(KLINES[:30]))
    two = written(tmp_path / "BTCUSDT-1h-b.csv", table(KLINES[20:]))
    other = [[*k[:4], f"{float(k[4]) + 1:.8f}", *k[5:]] for k in KLINES[20:]]
    three = written(tmp_path / "BTCUSDT-1h-c.csv", table(other))
    done = take(market, one, three)
    assert done.code == 1
    assert "BTCUSDT-1h-c.csv" in done.target("bars/BTC")["failure"]
    assert not (market / "bars").exists()
    done = take(market, one, two)
    assert (done.code, bars_of(market)) == (0, BARS)
    done = take(market, three)
    # No revision changes every row: it is another contract's, of the same name.
    assert done.code == 1
    assert f"{N - 20} of {N - 20} overlap" in done.target("bars/BTC")["failure"]
    assert bars_of(market) == BARS


def test_daily_exports_become_macro_series_known_after_their_day(tmp_path):
    market = tmp_path / "market"
    take(market, EXPORTS["freqtrade feather"](tmp_path))
    days = [START + i * DAY for i in range(10)]
    lines = [[ms // 1000, 9e11, 9.4e11, 8e11, 9e11 + i] for i, ms in enumerate(days)]
    export = written(
        tmp_path / "CRYPTOCAP_TOTAL, 1D.csv", table(lines, "time,open,high,low,close")
    )
    done = take(market, export, "--series", "TOTAL")
    assert done.code == 0, done.stderr
    found = rows(market / "macro" / "TOTAL.parquet")
    assert [row[2] for row in found] == [9e11 + i for i in range(9)]
    assert all(
        known == datetime(d.year, d.month, d.day, tzinfo=UTC) + timedelta(days=1)
        for d, _, _, known in found
    )
    assert check_market(market, SEED)[1] == []
    done = take(market, export, "--series", "NOPE")
    assert "macro_series.csv" in done.target("macro/NOPE")["failure"]


@pytest.mark.parametrize(
    "options", [("--column", "volum=Volume"), ("--symbol", "BTC", "--series", "TOTAL")]
)
def test_options_that_contradict_or_name_no_role_are_refused(tmp_path, options):
    export = EXPORTS["freqtrade json"](tmp_path)
    assert take(tmp_path / "market", export, *options).code == 2
    assert not (tmp_path / "market").exists()


@pytest.mark.parametrize("symbol", ["../BTC", "a/b", ""])
def test_a_symbol_that_is_no_file_name_is_refused(tmp_path, symbol):
    export = EXPORTS["freqtrade json"](tmp_path)
    done = take(tmp_path / "market", export, "--symbol", symbol)
    assert done.code == 1
    assert "Traceback" not in done.stderr
    assert not list((tmp_path).rglob("BTC.parquet"))


@pytest.mark.parametrize(
    ("pair", "base"),
    [("BTCUSDT", "BTC"), ("ETH/USD", "ETH"), ("BTC_USDT", "BTC"), ("BTC-EUR", "BTC"),
     ("BTCUSDC", "BTC"), ("USDT", None), ("WEIRD", None), ("ETHBTC", None)],
)  # fmt: skip
def test_the_base_of_a_pair_is_told_or_not_guessed(pair, base):
    assert base_of(pair) == base


def test_names_of_files_in_the_manner_of_their_format():
    assert symbol_of("freqtrade", "ETH_USDT_USDT-1h-futures.feather") == "ETH"
    assert symbol_of("kraken", "XBTUSD_60.csv") == "BTC"
    assert symbol_of("kraken", "DOTUSD_60.csv") == "DOT"
    assert symbol_of("binance-vision", "DOTBUSD-1h-2022-01.zip") == "DOT"
    assert symbol_of("metatrader", "BTCUSD_H1_202001010000_202012312300.csv") == "BTC"
    assert symbol_of("metatrader", "ETHUSD60.csv") == "ETH"
    assert symbol_of("csv", "DOTUSD-1h.csv") is None, "DOT/USD or DO/TUSD"
    assert symbol_of("tradingview", "COINBASE_ETHUSD, 60_1a2b3.csv") == "ETH"
    assert symbol_of("cryptodatadownload", "Gemini_BTCUSD_1h.csv") == "BTC"
    assert symbol_of("binance-vision", "report.csv") is None


@given(
    unit=st.sampled_from([1e-3, 1, 1e3, 1e6]),
    start=st.integers(0, 24 * 400),
    n=st.integers(2, 30),
)
@settings(max_examples=15, deadline=None)
def test_times_in_any_unit_are_placed_to_the_hour(tmp_path_factory, unit, start, n):
    from barsieve.ingest.hints import Hints
    from barsieve.ingest.readings import read_files

    folder = tmp_path_factory.mktemp("units")
    stamps = [START + (start + h) * HOUR for h in range(n)]
    lines = [[int(ms * unit), 1, 1, 1, 1, 1] for ms in stamps]
    export = written(folder / "x.csv", table(lines, "time,open,high,low,close,Volume"))
    (found,) = read_files(
        export, datetime.now(UTC), Hints(symbol="BTC", is_complete=True)
    )
    assert [int(t.timestamp() * 1000) for t in found.bars["ts"].to_pylist()] == stamps
