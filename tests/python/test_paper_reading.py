"""Inputs of an hour from a venue with every fault: what is stored, and what rings."""

from datetime import datetime, timedelta

import pyarrow.parquet as pq
import pytest

from barsieve.core.errors import InputError
from barsieve.live.lines import read_lines
from barsieve.live.reading import venue_of
from barsieve.market.simulation import simulate, write_market
from conftest import PROJECT
from paper_cases import HOUR, Desk
from paper_venue import millis, utc

pytestmark = pytest.mark.slow

KLINES, FUNDING = "/api/v3/klines", "/fapi/v1/fundingRate"
END = utc(2021, 4, 20, 20)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole") / "demo"
    write_market(simulate(hours=1400), folder)
    return folder


@pytest.fixture
def desk(whole, tmp_path, monkeypatch):
    monkeypatch.chdir(PROJECT)
    opened = Desk(whole, tmp_path, END)
    yield opened
    opened.venue.close()


def test_a_quiet_hour_stores_what_closed_and_rings_for_nothing(desk):
    for _ in range(3):
        assert desk.read() == []
    assert desk.stored("BTC")[-3:] == [END, END + HOUR, END + 2 * HOUR]
    assert desk.stored("ETH")[-1] == END + 2 * HOUR
    assert desk.kinds() == []


def test_the_open_candle_is_not_a_bar(desk):
    desk.read(seconds=1800)
    assert desk.stored("BTC")[-1] == END


def test_what_is_stored_is_what_the_venue_gave(desk, whole):
    desk.read()
    stored, given = (
        pq.read_table(folder / "bars" / "BTC.parquet").to_pylist()
        for folder in (desk.folder.market, whole)
    )
    assert stored[-1] == next(row for row in given if row["ts"] == END)


def test_a_bar_that_comes_within_patience_is_waited_for(desk):
    desk.venue.withheld["BTC", millis(END)] = millis(END + HOUR) + 90_000
    assert desk.read() == []
    assert desk.stored("BTC")[-1] == END
    assert desk.kinds() == ["slow_input"]
    assert desk.clock.now() >= END + HOUR + timedelta(seconds=90)


def test_patience_ends_and_a_late_bar_is_parked(desk):
    desk.venue.withheld["BTC", millis(END)] = millis(END + 3 * HOUR)
    assert desk.read() == ["bars/BTC"]
    assert desk.clock.now() - (END + HOUR) < timedelta(minutes=6)
    desk.read()
    desk.read()
    assert END not in desk.stored("BTC")
    assert END + HOUR in desk.stored("BTC")
    (parked,) = read_lines(desk.folder.parked)
    assert parked["target"] == "bars/BTC"
    assert parked["row"]["ts"].startswith(f"{END:%Y-%m-%d %H:%M}")
    assert "late_bar" in desk.kinds()
    # Seen again an hour later, it is parked and told once.
    desk.read()
    assert len(read_lines(desk.folder.parked)) == 1


def test_a_candle_that_never_comes_is_told_once_there_is_a_later_one(desk):
    for base in ("BTC", "ETH"):
        desk.venue.withheld[base, millis(END)] = None
    assert desk.read() == ["bars/BTC", "bars/ETH"]
    assert "missing_bar" not in desk.kinds()
    desk.read(hours=2)
    assert desk.stored("BTC")[-2:] == [END - HOUR, END + HOUR]
    assert len(desk.texts("missing_bar")) == 2


def test_a_revised_candle_leaves_the_past_as_it_is_and_rings(desk):
    desk.read()
    before = pq.read_table(desk.folder.market / "bars" / "BTC.parquet").to_pylist()
    desk.venue.revised["BTC", millis(END)] = (1.001, millis(END + 2 * HOUR))
    desk.read()
    after = pq.read_table(desk.folder.market / "bars" / "BTC.parquet").to_pylist()
    assert after[:-1] == before
    columns = {line["row"]["column"] for line in read_lines(desk.folder.revised)}
    assert columns == {"open", "high", "low", "close"}
    assert desk.kinds() == ["revised_bar"]
    n_told = len(read_lines(desk.folder.alarms))
    desk.read()
    assert len(read_lines(desk.folder.alarms)) == n_told


def test_a_settlement_is_due_at_the_close_of_its_bar_and_parked_after(desk):
    # That of 00:00 belongs to the bar that closes at 01:00.
    midnight = utc(2021, 4, 21)
    desk.venue.late_funding["ETH", millis(midnight)] = millis(midnight + 3 * HOUR)
    desk.read(hours=4)
    assert desk.rates("BTC")[-1] == midnight
    assert desk.kinds() == []
    assert desk.read() == ["funding/ETH"]
    desk.read(hours=3)
    assert midnight not in desk.rates("ETH")
    assert "late_settlement" in desk.kinds()
    assert desk.read(hours=5) == []
    assert desk.rates("ETH")[-1] == utc(2021, 4, 21, 8)


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ("429", "429"), ("500", "500"), ("timeout", "RequestTimeout"),
        ("truncated", "damaged"), ("cut", "Error"), ("another shape", "cannot read"),
        ("empty", "without rows"),
    ],
)  # fmt: skip
def test_a_fault_that_passes_rings_and_loses_nothing(desk, fault, told):
    desk.venue.fail(KLINES, fault)
    assert desk.read() == []
    assert desk.stored("BTC")[-1] == END
    assert "venue_fault" in desk.kinds()
    assert any(told in text for text in desk.texts("venue_fault")), desk.texts(
        "venue_fault"
    )


def test_a_venue_that_is_down_decides_nothing_and_is_caught_up(desk):
    desk.venue.is_down = True
    for hour in range(1, 4):
        desk.clock.set(END + hour * HOUR + timedelta(seconds=2))
        missing = desk.reader().read(END + hour * HOUR, desk.decided)
        assert missing[:2] == ["bars/BTC", "bars/ETH"]
    assert len(desk.texts("venue_down")) == 1
    desk.venue.is_down = False
    desk.read(hours=30)
    assert desk.stored("BTC")[-30:] == [END + i * HOUR for i in range(30)]
    assert len(desk.texts("venue_back")) == 1
    assert "late_bar" not in desk.kinds()


@pytest.mark.parametrize("seconds", [40, -40])
def test_clocks_that_differ_ring_and_the_earlier_one_counts(desk, seconds):
    desk.clock.skew = timedelta(seconds=seconds)
    desk.read()
    assert desk.stored("BTC")[-1] == END
    (text,) = desk.texts("clock_skew")
    assert "40 s" in text
    assert ("behind" in text) == (seconds > 0)
    # Of the venue that lags, the bar was not taken before its own clock closed it.
    if seconds < 0:
        assert desk.clock.now() >= END + HOUR + timedelta(seconds=40)


def test_a_row_against_the_rules_is_not_stored(desk):
    desk.venue.bars["BTC"] = [
        (ts, o, low, high, c, v) if ts == millis(END) else (ts, o, high, low, c, v)
        for ts, o, high, low, c, v in desk.venue.bars["BTC"]
    ]
    desk.read()
    assert END not in desk.stored("BTC")
    assert "refused_row" in desk.kinds()


def test_a_symbol_that_ended_long_ago_is_not_waited_for(desk):
    path = desk.folder.market / "bars" / "ETH.parquet"
    table = pq.read_table(path)
    pq.write_table(table.slice(0, len(table) - 200), path)
    assert desk.read() == []


def test_bid_and_ask_are_read_in_the_hour_alone(desk):
    reader = desk.reader()
    desk.clock.set(END + HOUR + timedelta(seconds=2))
    reader.read(END + HOUR, desk.decided)
    quote = reader.quote("BTC", END + HOUR)
    assert quote.bid < quote.ask
    assert quote.at == desk.clock.now()
    assert reader.quote("BTC", END) is None
    desk.venue.fail("/api/v3/depth", "500", "500", "500")
    assert reader.quote("BTC", END + HOUR) is None
    assert "no_quote" in desk.kinds()


def test_the_venue_is_the_one_that_the_bars_came_from(desk):
    assert venue_of(desk.folder.market) == "binance"
    for name, venue in (("BTC", b"kraken"), ("ETH", b"okx")):
        path = desk.folder.market / "bars" / f"{name}.parquet"
        table = pq.read_table(path)
        origin = b'{"venue": "%s", "quote": "USD"}' % venue
        kept = table.replace_schema_metadata({b"barsieve.origin": origin})
        pq.write_table(kept, path)
        if name == "BTC":
            assert venue_of(desk.folder.market) == "kraken"
    with pytest.raises(InputError, match="bars of one exchange"):
        venue_of(desk.folder.market)


def test_a_simulated_market_takes_no_real_rows(desk):
    (desk.folder.market / "market.json").write_text('{"is_simulated": true}')
    missing = []
    with pytest.raises(InputError, match="simulated"):
        missing = desk.reader().read(END + HOUR, desk.decided)
    assert not missing
    assert isinstance(desk.decided, datetime)


def test_the_hours_of_a_stored_settlement_stay_as_they_were(desk):
    def hours():
        path = desk.folder.market / "funding" / "BTC.parquet"
        return {row["ts"]: row["interval_hours"] for row in
                pq.read_table(path).to_pylist()}  # fmt: skip

    desk.read(hours=6)
    before = hours()
    assert len(before) == 1
    desk.read(hours=16)
    after = hours()
    assert len(after) == 3
    assert {ts: after[ts] for ts in before} == before
