"""Every vendor's file gives the same bars, whatever it is packed in."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from barsieve.ingest.naming import origin_of, split_pair
from barsieve.ingest.origin import Origin
from conftest import PROJECT
from exports import BARS, DAYS, HOURLY, HOURS, N, delimited, klines, packed
from ingesting import Done, assert_sound, ingest, rows

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def in_project(monkeypatch):
    monkeypatch.chdir(PROJECT)


def take(market: Path, *arguments: str | Path) -> Done:
    return ingest("files", *arguments, "--to", market, "--json")


def stored(market: Path) -> list[tuple]:
    return rows(market / "bars" / "BTC.parquet")


def refused(done: Done, *words: str) -> None:
    assert done.code == 1, done.stdout
    for word in (*words, "fix:"):
        assert word in done.stderr


@pytest.mark.parametrize("name", HOURLY)
def test_a_vendors_hours_are_read_without_help(tmp_path, name):
    format_name, file, content, options, n_forming = HOURLY[name]
    market, export = tmp_path / "market", packed(tmp_path, file, content, "")
    shown = take(market, export, *options, "--dry-run")
    assert shown.code == 0, shown.stderr
    (mapping,) = json.loads(shown.stdout)["files"]
    assert (mapping["format"], mapping["target"]) == (format_name, "BTC")
    assert mapping["step_hours"] == 1
    assert mapping["first_row"].startswith("2023-01-01 00:00: open ")
    assert not market.exists()
    done = take(market, export, *options)
    assert done.code == 0, done.stderr
    assert stored(market) == BARS[: N - n_forming]
    assert json.loads(done.stdout)["files"] == [mapping]
    assert_sound(market)
    done = take(market, export, *options, "--complete")
    assert stored(market) == BARS
    assert take(market, export, *options).code == 0, "all is stored already"


PACKINGS = (
    "mark",
    "utf-16",
    "utf-16 without mark",
    "crlf",
    "gz",
    "zip",
    "zip of macOS",
)


@pytest.mark.parametrize("packing", PACKINGS)
@pytest.mark.parametrize("name", ["kraken", "european spreadsheet"])
def test_what_a_file_is_packed_in_changes_nothing(tmp_path, name, packing):
    _, file, content, options, _ = HOURLY[name]
    export = packed(tmp_path, file, content, packing)
    done = take(tmp_path / "market", export, *options)
    assert done.code == 0, done.stderr
    assert stored(tmp_path / "market") == BARS


def test_an_archive_of_several_tables_is_read_whole(tmp_path):
    import zipfile

    lines = klines().splitlines(keepends=True)
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        archive.writestr("2023/BTCUSDT-1h-2023-01-01.csv", "".join(lines[:20]))
        archive.writestr("2023/BTCUSDT-1h-2023-01-02.csv", "".join(lines[20:]))
    done = take(tmp_path / "market", tmp_path / "all.zip")
    assert (done.code, stored(tmp_path / "market")) == (0, BARS)


def test_times_without_a_zone_need_one(tmp_path):
    for name in ("metatrader 4", "stooq"):
        _, file, content, _, _ = HOURLY[name]
        export = packed(tmp_path, file, content, "")
        refused(take(tmp_path / "m", export), "with a zone", "2023", "--timezone")
    _, file, content, _, _ = HOURLY["metatrader 4"]
    export = packed(tmp_path, file, content, "")
    take(tmp_path / "m", export, "--timezone", "Europe/Helsinki", "--complete")
    found = [row[0] for row in stored(tmp_path / "m")]
    assert found == [hour - timedelta(hours=2) for hour in HOURS]
    refused(take(tmp_path / "m", export, "--timezone", "Mars"), "a time zone", "Mars")


def test_a_column_of_no_volume_is_not_chosen_for_a_user(tmp_path):
    _, file, content, options, _ = HOURLY["metatrader 5"]
    export = packed(tmp_path, file, content, "")
    refused(take(tmp_path / "m", export, *options[:2]), "'<TICKVOL>' or '<VOL>'")
    more = [*options[:2], "--column", "volume=<VOL>"]
    refused(take(tmp_path / "m", export, *more), "a volume of 0 in all")


@pytest.mark.parametrize(
    "header",
    [
        "",
        ",".join(
            [
                "open_time",
                "open",
                "high",
                "low",
                "close",
                "volume",
                "close_time",
                "quote_volume",
                "count",
                "taker_buy_volume",
                "taker_buy_quote_volume",
                "ignore",
            ]
        ),
    ],
)
def test_prices_without_trades_are_named_and_stored_when_asked(tmp_path, header):
    lines = [line.split(",") for line in klines().splitlines()]
    text = "\n".join(
        [header, *(",".join([*c[:5], "0", *c[6:]]) for c in lines)]
    ).strip()
    export = packed(tmp_path, "BTCUSDT-1h-2023-01.csv", text, "")
    for more in ([], ["--dry-run"]):
        refused(
            take(tmp_path / "m", export, *more), "mark, index or premium", "--price"
        )
    assert not (tmp_path / "m").exists()
    done = take(tmp_path / "m", export, "--price", "mark")
    assert json.loads(done.stdout)["files"][0]["origin"]["price"] == "mark"
    assert len(stored(tmp_path / "m")) == N


def daily(header: str, form: str, **more) -> str:
    return delimited(header, form, stamps=DAYS, **more)


DAILY = {
    "yahoo": daily("Date,Open,High,Low,Close,Adj Close,Volume", "%Y-%m-%d",
                   order=[0, 1, 2, 3, 3, 4]),
    "stooq": daily("Date,Open,High,Low,Close,Volume", "%Y-%m-%d"),
    "stooq in Polish": daily("Data,Otwarcie,Najwyzszy,Najnizszy,Zamkniecie", "%Y-%m-%d",
                             order=[0, 1, 2, 3]),
    "metatrader": daily("<DATE>\t<OPEN>\t<HIGH>\t<LOW>\t<CLOSE>\t<TICKVOL>\t<VOL>",
                        "%Y.%m.%d", more="\t0", delimiter="\t"),
    "compact": daily("date,open,high,low,close,volume", "%Y%m%d"),
    "american": daily("date,open,high,low,close,volume", "%m/%d/%Y"),
    "with names of months": daily("date\topen\thigh\tlow\tclose\tvolume", "%b %d, %Y",
                                  delimiter="\t"),
}  # fmt: skip


@pytest.mark.parametrize("name", DAILY)
def test_a_vendors_days_are_read_as_a_series(tmp_path, name):
    export = packed(tmp_path, "x.csv", DAILY[name], "")
    wanted = [day.date() for day in DAYS]
    done = take(tmp_path / "m", export, "--series", "TOTAL", "--dry-run")
    assert done.code == 0, done.stderr
    (mapping,) = json.loads(done.stdout)["files"]
    assert mapping["step_hours"] == 24
    assert mapping["first"].startswith("2023-01-01")
    volumes = {"stooq in Polish": "Zamkniecie", "metatrader": "<VOL>"}
    more = ["--column", f"volume={volumes[name]}"] if name in volumes else []
    as_bars = take(tmp_path / "m", export, "--symbol", "BTC", *more)
    refused(as_bars, "bars of 1 h", "--series")
    assert mapping["rows"] in (len(wanted), len(wanted) - 1)


def test_fred_names_its_series_and_leaves_out_holidays(tmp_path):
    text = "observation_date,VIXCLS\n2024-01-02,13.2\n2024-01-03,.\n2024-01-04,14.1\n"
    export = packed(tmp_path, "VIXCLS.csv", text, "")
    done = take(tmp_path / "m", export)
    assert done.code == 0, done.stderr
    found = rows(tmp_path / "m" / "macro" / "VIX.parquet")
    assert [(row[0].day, row[2]) for row in found] == [(2, 13.2), (4, 14.1)]
    assert found[0][3] == datetime(2024, 1, 2, 22, tzinfo=UTC)
    (left_out,) = json.loads(done.stdout)["files"][0]["left_out"]
    assert (left_out["rows"], left_out["example"][:10]) == (1, "2024-01-03")


def test_minutes_become_hours_only_when_asked(tmp_path):
    lines = []
    for nth, (hour, opened, high, low, closed, volume) in enumerate(BARS):
        for minute in range(0, 60, 15):
            stamp = (hour + timedelta(minutes=minute)).timestamp()
            o = opened if minute == 0 else closed
            h, w = (high, low) if minute == 30 else (max(o, closed), min(o, closed))
            lines.append(f"{stamp:.0f},{o},{h},{w},{closed},{volume / 4},17")
        if nth == 7:
            lines.pop()  # no trade in that quarter
    export = packed(tmp_path, "XBTUSD_15.csv", "\n".join(lines[1:-1]) + "\n", "")
    refused(take(tmp_path / "m", export), "a median step of 15 min", "--resample")
    done = take(tmp_path / "m", export, "--resample")
    assert done.code == 0, done.stderr
    wanted = BARS[1:-1]
    found = stored(tmp_path / "m")
    assert [row[:5] for row in found] == [row[:5] for row in wanted]
    assert [row[5] for row in found if row[0] != HOURS[7]] == pytest.approx(
        [row[5] for row in wanted if row[0] != HOURS[7]]
    )
    (left_out,) = json.loads(done.stdout)["files"][0]["left_out"]
    assert (left_out["rows"], "a part only" in left_out["reason"]) == (2, True)


BINANCE = "data/futures/um/monthly/{}/BTCUSDT/1h/BTCUSDT-1h-2024-01.zip"


@pytest.mark.parametrize(
    ("format_name", "path", "origin"),
    [
        ("binance-vision", BINANCE.format("klines"),
         Origin("binance", "USDT", "perpetual", "")),
        ("binance-vision", BINANCE.format("markPriceKlines"),
         Origin("binance", "USDT", "perpetual", "mark")),
        ("binance-vision", "data/spot/monthly/klines/BTCUSDT-1h-2024-01.zip",
         Origin("binance", "USDT", "spot", "")),
        ("binance-vision", "BTCUSD_PERP-1h-2024-01.zip",
         Origin("binance", "USD", "perpetual", "")),
        ("binance-vision", "BTCUSDT_240628-1h-2024-01.zip",
         Origin("binance", "USDT", "future", "")),
        ("tradingview", "COINBASE_BTCUSD, 60.csv", Origin("coinbase", "USD", "", "")),
        ("tradingview", "BINANCE_BTCUSDT.P, 60.csv",
         Origin("binance", "USDT", "perpetual", "")),
        ("cryptodatadownload", "Coinbase_BTCUSD_1h.csv",
         Origin("coinbase", "USD", "", "")),
        ("kraken", "XBTEUR_60.csv", Origin("kraken", "EUR", "spot", "trade")),
        ("freqtrade", "BTC_USDT_USDT-1h-futures.feather",
         Origin("", "USDT", "perpetual", "")),
        ("freqtrade", "BTC_USDT_USDT-1h-mark.feather",
         Origin("", "USDT", "perpetual", "mark")),
        ("csv", "mine.csv", Origin()),
    ],
)  # fmt: skip
def test_the_origin_is_told_by_format_name_and_folders(format_name, path, origin):
    assert origin_of(format_name, Path(path), Path(path).name) == origin


def test_what_is_stated_of_the_origin_wins(tmp_path):
    _, file, content, _, _ = HOURLY["kraken"]
    export = packed(tmp_path, file, content, "")
    done = take(tmp_path / "m", export, "--venue", "Other", "--quote", "eur",
                "--contract", "perpetual", "--dry-run")  # fmt: skip
    (mapping,) = json.loads(done.stdout)["files"]
    assert mapping["origin"] == {
        "venue": "other", "quote": "EUR", "contract": "perpetual", "price": "trade",
    }  # fmt: skip
    assert take(tmp_path / "m", export, "--contract", "swap").code == 2


def test_files_of_two_origins_are_not_joined(tmp_path):
    one = packed(tmp_path, "XBTUSD_60.csv", HOURLY["kraken"][2], "")
    two = packed(tmp_path, "BTCUSDT-1h-2023-01.csv", klines(), "")
    refused(take(tmp_path / "m", one, two, "--dry-run"), "the venue kraken")
    done = take(tmp_path / "m", one, two)
    assert done.code == 1
    assert "the venue kraken" in done.target("bars/BTC")["failure"]
    assert not (tmp_path / "m" / "bars").exists()


@pytest.mark.parametrize(
    ("pair", "venue", "split"),
    [("DOTUSD", "kraken", ("DOT", "USD")), ("DOTUSD", "", None),
     ("BNBUSD", "", None), ("BTCTUSD", "binance", ("BTC", "TUSD")),
     ("XBTUSD", "", ("BTC", "USD")), ("BTCFDUSD", "binance", ("BTC", "FDUSD"))],
)  # fmt: skip
def test_a_pair_that_can_be_cut_in_two_ways_is_not_guessed(pair, venue, split):
    assert split_pair(pair, venue) == split
