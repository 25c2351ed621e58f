"""One series from one origin: what a file carries, what is refused, what is adopted."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from barsieve.core.errors import InputError
from barsieve.core.schemas import TIMESTAMP
from barsieve.ingest.belonging import SAME_SERIES
from barsieve.ingest.folder import open_market
from barsieve.ingest.merge import store
from barsieve.ingest.origin import Origin, read_origin
from barsieve.ingest.summary import Outcome
from barsieve.market.check import BARS, FUNDING
from conftest import PROJECT
from ingesting import SEED, assert_sound, from_exchange, ingest, rows
from sources import HOUR, START, Source, kline

pytestmark = pytest.mark.slow

SINCE = ("--since", "2023-01-01")
BINANCE = Origin("binance", "USDT", "spot", "trade")
COINBASE = Origin("coinbase", "USD", "spot", "trade")


@pytest.fixture
def source(monkeypatch):
    monkeypatch.chdir(PROJECT)
    served = Source()
    yield served
    served.close()


@pytest.fixture
def market(tmp_path) -> Path:
    return tmp_path / "market"


def bars_table(hours: range, scale: float = 1.0) -> pa.Table:
    bars = [kline(START + hour * HOUR, scale) for hour in hours]
    columns = [[float(bar[i]) for bar in bars] for i in range(1, 6)]
    stamps = pa.array([bar[0] * 1000 for bar in bars]).cast(TIMESTAMP)
    return pa.table([stamps, *columns], names=list(BARS.columns))


def keep(
    folder: Path, table: pa.Table, origin: Origin | None, accepts: bool = False
) -> Outcome:
    from dataclasses import replace

    outcome = Outcome("bars/BTC", "test")
    with open_market(folder, SEED) as opened:
        market = replace(opened, accepts_origin=accepts)
        store(market, BARS, "BTC", table, outcome, origin=origin)
    return outcome


def origin_of(market: Path) -> Origin | None:
    return read_origin(market / "bars" / "BTC.parquet")


def refused(folder: Path, table: pa.Table, origin: Origin | None) -> str:
    path = folder / "bars" / "BTC.parquet"
    before = path.read_bytes()
    with pytest.raises(InputError) as caught:
        keep(folder, table, origin)
    assert path.read_bytes() == before, "something was stored"
    return str(caught.value)


def test_a_file_carries_its_origin_through_every_rewrite(source, market):
    from_exchange("ohlcv", source, market, *SINCE)
    assert origin_of(market) == BINANCE
    path = market / "bars" / "BTC.parquet"
    table = pq.read_table(path)
    table = table.append_column("note", [["mine"] * len(table)])
    table = table.replace_schema_metadata(table.schema.metadata | {"mine": "too"})
    pq.write_table(table, path)
    source.now += 30 * HOUR
    assert from_exchange("ohlcv", source, market, *SINCE).code == 0
    assert origin_of(market) == BINANCE
    held = pq.read_metadata(path).metadata
    assert held[b"mine"] == b"too"
    assert set(pq.read_table(path)["note"].to_pylist()) == {"mine", None}


@pytest.mark.parametrize(
    ("other", "named"),
    [
        (COINBASE, "venue and quote"),
        (BINANCE._replace(quote="USDC"), "quote"),
        (BINANCE._replace(contract="perpetual"), "contract"),
        (BINANCE._replace(price="mark"), "price"),
    ],
)
def test_another_venue_quote_contract_or_price_is_refused_by_name(market, other, named):
    keep(market, bars_table(range(100)), BINANCE)
    # Not a row overlaps, nor does a value differ: the origin alone says it.
    said = refused(market, bars_table(range(100, 120)), other)
    assert named in said
    assert str(BINANCE) in said
    assert str(other) in said
    assert SAME_SERIES in said


def test_another_origin_is_the_same_series_when_told_so(market):
    keep(market, bars_table(range(100)), BINANCE)
    outcome = keep(market, bars_table(range(100, 120)), COINBASE, accepts=True)
    assert outcome.rows_new == 20
    assert origin_of(market) == COINBASE
    assert "coinbase" in outcome.notes[0]
    assert "binance" in outcome.notes[0]


def test_unknown_fields_match_anything_and_are_filled_in(market):
    keep(market, bars_table(range(100)), Origin("binance", "USDT"))
    keep(market, bars_table(range(90, 120)), Origin("binanceusdm", "", "perpetual"))
    assert origin_of(market) == Origin("binance", "USDT", "perpetual", "")


@pytest.mark.parametrize("origin", [None, COINBASE])
def test_a_file_without_origin_takes_one_only_from_rows_that_agree(market, origin):
    keep(market, bars_table(range(100)), None)
    assert origin_of(market) is None
    said = refused(market, bars_table(range(80, 150), 1.03), origin)
    assert "20 of 20 overlapping rows that differ" in said
    assert "close" in said
    outcome = keep(market, bars_table(range(80, 110)), BINANCE)
    assert "20 overlapping rows agree" in outcome.notes[0]
    assert origin_of(market) == BINANCE
    refused(market, bars_table(range(200, 210)), COINBASE)


def test_a_file_without_origin_or_overlap_takes_one_and_says_so(market):
    keep(market, bars_table(range(100)), None)
    outcome = keep(market, bars_table(range(100, 150)), BINANCE)
    assert "no row overlaps" in outcome.notes[0]
    assert origin_of(market) == BINANCE


def test_a_run_without_news_still_lets_a_file_take_its_origin(market):
    keep(market, bars_table(range(100)), None)
    keep(market, bars_table(range(50, 100)), BINANCE)
    assert origin_of(market) == BINANCE
    assert len(rows(market / "bars" / "BTC.parquet")) == 100


def test_a_revised_bar_is_no_other_origin(market):
    keep(market, bars_table(range(100)), None)
    table = pa.concat_tables(
        [bars_table(range(50, 99)), bars_table(range(99, 100), 1.01)]
    )
    assert keep(market, table, BINANCE).revisions
    assert origin_of(market) == BINANCE


def test_another_contract_of_an_exchange_is_refused_before_it_is_asked(source, market):
    from_exchange("ohlcv", source, market, *SINCE)
    source.counts.clear()
    done = from_exchange("ohlcv", source, market, *SINCE, "--symbols", "BTC/USD:BTC")
    failure = done.target("bars/BTC")["failure"]
    assert done.code == 1
    assert "quote and contract" in failure
    assert "binance perpetual in USD" in failure
    assert not any("klines" in path for path in source.counts)


def test_funding_of_another_contract_is_refused(source, market):
    from_exchange("funding", source, market, *SINCE)
    path = market / "funding" / "BTC.parquet"
    assert read_origin(path) == BINANCE._replace(contract="perpetual")
    before = path.read_bytes()
    rates = pa.table(
        {
            "ts": pa.array([START * 1000], pa.int64()).cast(TIMESTAMP),
            "symbol": ["BTC"], "funding_rate": [0.01],
        }
    )  # fmt: skip
    bybit = Origin("bybit", "USDT", "perpetual", "trade")
    with open_market(market, SEED) as opened, pytest.raises(InputError, match="bybit"):
        store(opened, FUNDING, "BTC", rates, Outcome("funding/BTC", "t"), origin=bybit)
    assert path.read_bytes() == before


def test_two_venues_in_files_are_not_spliced(market, tmp_path, monkeypatch):
    monkeypatch.chdir(PROJECT)
    ours, theirs = tmp_path / "BTCUSDT-1h.csv", tmp_path / "BTCUSDT-1h-2.csv"
    for path, hours, scale in ((ours, range(72), 1.0), (theirs, range(60, 140), 1.03)):
        bars = [kline(START + hour * HOUR, scale) for hour in hours]
        path.write_text("\n".join(",".join(map(str, bar)) for bar in bars) + "\n")
    assert ingest("files", ours, "--to", market, "--json").code == 0
    done = ingest("files", theirs, "--to", market, "--json")
    assert done.code == 1
    assert "12 of 12" in done.target("bars/BTC")["failure"]
    assert done.target("bars/BTC")["revisions"] == []
    assert len(rows(market / "bars" / "BTC.parquet")) == 72
    done = ingest("files", theirs, "--to", market, "--json", "--accept-origin")
    assert (done.code, done.target("bars/BTC")["rows_new"]) == (0, 68)
    assert_sound_bars(market)


def assert_sound_bars(market: Path) -> None:
    assert_sound(market)


def test_ingest_works_from_anywhere_with_to(source, market, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("BARSIEVE_MARKET", raising=False)
    assert from_exchange("ohlcv", source, market, *SINCE).code == 0
    options = tmp_path / "ccxt.json"
    options.write_text(json.dumps(source.options()))
    file = tmp_path / "BTCUSDT-1h.csv"
    bars = [kline(START + hour * HOUR) for hour in range(72)]
    file.write_text("\n".join(",".join(map(str, bar)) for bar in bars) + "\n")
    for more in (("--to", "elsewhere"), ()):
        codes = {
            ingest("files", file, *more, *dry).code for dry in ((), ("--dry-run",))
        }
        assert codes == ({0} if more else {2}), "a dry run and a run disagree"
    assert "--to" in ingest("files", file, "--dry-run").stderr
    monkeypatch.setenv("BARSIEVE_MARKET", str(tmp_path / "third"))
    assert ingest("files", file).code == 0
    assert (tmp_path / "third" / "bars" / "BTC.parquet").exists()
