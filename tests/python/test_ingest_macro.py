"""FRED, ALFRED, Yahoo and CoinGecko through their clients, against a local server."""

import shutil
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from barsieve.ingest.folder import schema_of
from barsieve.ingest.publication import known_at
from barsieve.ingest.retry import requested_wait
from barsieve.ingest.sessions import known_after_session, session_of
from barsieve.market.check import MACRO
from barsieve.market.simulation import simulate, write_market
from conftest import PROJECT
from ingesting import Done, assert_sound, ingest, rows
from sources import Source, weekdays

pytestmark = pytest.mark.slow

GRAPH, VINTAGES, GLOBAL = (
    "/graph/fredgraph.csv", "/fred/series/observations", "/global",
)  # fmt: skip
SINCE = ("--since", "2023-01-01")
QUICK = ("--wait", "0.001", "--timeout", "0.4", "--json")
THANKSGIVING = date(2023, 11, 23)


@pytest.fixture
def source(monkeypatch):
    monkeypatch.chdir(PROJECT)
    monkeypatch.delenv("FRED_API_KEY", raising=False)
    monkeypatch.delenv("COINGECKO_API_KEY", raising=False)
    served = Source()
    days = weekdays(date(2023, 1, 2), date(2023, 12, 1))
    served.fred["DGS10"] = [(d, None if d == THANKSGIVING else 4.0) for d in days]
    yield served
    served.close()


@pytest.fixture(scope="module")
def market_of_bars(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("bars") / "market"
    write_market(simulate(hours=24 * 20, symbols=("BTC",)), folder)
    for path in ("market.json", "macro/macro_daily.parquet"):
        (folder / path).unlink()
    return folder


@pytest.fixture
def market(source, market_of_bars, tmp_path) -> Path:
    """A market with bars, so that all the checks of a build apply to it."""
    return Path(shutil.copytree(market_of_bars, tmp_path / "market"))


def fred(source: Source, market: Path, *more: str, series: str = "DGS10") -> Done:
    return ingest(
        "fred", "--series", series, "--to", market, "--base-url", source.url, *SINCE,
        *QUICK, *more,
    )  # fmt: skip


def series_rows(market: Path, series: str) -> list[tuple]:
    return rows(market / "macro" / f"{series}.parquet")


def at(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)


def test_fred_values_are_known_on_the_next_business_day(source, market):
    done = fred(source, market)
    assert done.code == 0, done.stderr
    found = {row[0]: row for row in series_rows(market, "US10Y")}
    for day, known in {
        date(2023, 11, 20): at(2023, 11, 21, 22),  # Monday: Tuesday
        date(2023, 11, 22): at(2023, 11, 24, 22),  # the day before Thanksgiving
        date(2023, 11, 24): at(2023, 11, 27, 22),  # Friday: Monday
    }.items():
        assert found[day] == (day, "US10Y", 4.0, known)
    assert THANKSGIVING not in found, "a holiday has no value"
    assert len(found) == len(source.fred["DGS10"]) - 1
    assert_sound(market)


@given(
    st.lists(st.dates(date(2000, 1, 1), date(2030, 1, 1)), min_size=1, max_size=20),
    st.integers(0, 300),
)
@settings(deadline=None, max_examples=50)
def test_no_value_is_known_before_its_lag_nor_much_later(days, lag):
    stamps = np.array(days, "datetime64[D]")
    plain, rolled = known_at(stamps, lag), known_at(stamps, lag, on_business_days=True)
    assert (plain == stamps + np.timedelta64(lag, "h")).all()
    assert (rolled >= plain).all()
    assert (rolled - plain <= np.timedelta64(4, "D")).all()
    if lag >= 24:
        assert np.is_busday(rolled.astype("datetime64[D]")).all()


def test_known_at_agrees_with_the_real_markets_rule(real_market):
    stored = pq.read_table(real_market / "macro" / "macro_daily.parquet").to_pylist()
    yields = [row for row in stored if row["series"] == "US10Y"]
    days = np.array([row["date"] for row in yields], "datetime64[D]")
    ours = known_at(days, 46, on_business_days=True)
    theirs = np.array([r["known_at"].replace(tzinfo=None) for r in yields], "M8[us]")
    assert (ours == theirs).mean() > 0.98


def test_each_series_of_fred_goes_to_its_own_name_and_the_broad_dollar_is_not_dxy(
    source, market
):
    day = date(2023, 3, 1)
    source.fred = {"VIXCLS": [(day, 20.0)], "DTWEXBGS": [(day, 119.6)],
                   "DCOILWTICO": [(day, 77.0)]}  # fmt: skip
    done = fred(source, market, series="VIXCLS,DTWEXBGS,DCOILWTICO")
    assert done.code == 0, done.stderr
    for series in ("VIX", "DTWEXBGS", "WTI_SPOT"):
        assert series_rows(market, series)[0][1] == series
    assert not (market / "macro" / "DXY.parquet").exists()
    assert_sound(market)


@pytest.mark.parametrize("fault", ["429 0", "500", "timeout", "truncated", "cut"])
def test_a_passing_fault_of_fred_changes_no_row(source, market, fault):
    source.fail(GRAPH, fault)
    done = fred(source, market)
    assert done.code == 0, done.stderr
    assert len(series_rows(market, "US10Y")) == len(source.fred["DGS10"]) - 1


def test_an_empty_answer_of_fred_is_said(source, market):
    source.fred["DGS10"] = []
    done = fred(source, market)
    assert done.code == 1
    assert "no rows" in done.stderr
    assert "nothing of what was asked for was stored" in done.stderr
    assert not (market / "macro" / "US10Y.parquet").exists()


def test_a_source_that_is_down_ends_its_own_series_only(source, market):
    source.fred["DGS2"] = [(date(2023, 3, 1), 4.0)]
    source.fail(GRAPH, "500", "500")
    done = fred(source, market, "--tries", "2", series="DGS10,DGS2")
    assert done.code == 3
    assert "status 500" in done.target("macro/US10Y")["failure"]
    assert done.target("macro/US2Y")["rows_new"] == 1
    assert_sound(market)


def test_a_revision_of_a_day_is_reported_and_taken_as_news_of_now(source, market):
    fred(source, market)
    before = series_rows(market, "US10Y")
    days = source.fred["DGS10"]
    days[-3] = (days[-3][0], 4.5)
    source.fred["DGS10"].append((date(2023, 12, 4), 4.1))
    done = fred(source, market)
    revision = done.target("macro/US10Y")["revisions"][0]
    assert (revision["key"], revision["stored"], revision["offered"]) == (
        str(days[-4][0]), "4.0", "4.5"
    )  # fmt: skip
    assert done.target("macro/US10Y")["rows_new"] == 1
    assert [r for r in series_rows(market, "US10Y") if r in before] == before
    started = datetime.now(UTC)
    done = fred(source, market, "--accept-revisions")
    vintages = [r for r in series_rows(market, "US10Y") if r[0] == days[-4][0]]
    # What was known then stays known then; the new value is known since now.
    assert [r[2] for r in vintages] == [4.0, 4.5]
    assert started - timedelta(seconds=1) <= vintages[1][3] <= datetime.now(UTC)
    assert fred(source, market).target("macro/US10Y")["revisions"] == []
    assert_sound(market)


def test_rows_in_a_file_of_the_users_own_are_compared_and_not_doubled(source, market):
    fred(source, market)
    whole = pq.read_table(market / "macro" / "US10Y.parquet")
    (market / "macro" / "US10Y.parquet").unlink()
    pq.write_table(whole.slice(0, 200), market / "macro" / "mine.parquet")
    done = fred(source, market, "--recheck")
    assert done.target("macro/US10Y")["rows_new"] == len(whole) - 200
    assert pq.read_table(market / "macro" / "mine.parquet") == whole.slice(0, 200)
    assert len(series_rows(market, "US10Y")) == len(whole) - 200
    assert_sound(market)


def test_values_in_another_unit_are_refused_and_nothing_is_written(source, market):
    source.fred["DGS10"] = [(date(2023, 3, 1), 410.0)]
    done = fred(source, market)
    assert done.code == 1
    assert "percent within" in done.target("macro/US10Y")["failure"]
    assert not (market / "macro" / "US10Y.parquet").exists()
    assert not list(market.rglob("*.partial"))
    assert_sound(market)


def test_an_undeclared_series_is_refused_by_name(source, market):
    done = fred(source, market, series="UNRATE")
    assert done.code == 1
    assert "macro_series.csv" in done.target("macro/UNRATE")["failure"]
    assert not source.counts[GRAPH]


def alfred(source: Source, monkeypatch, since: date = date(2023, 1, 2)) -> None:
    """Let the server hold vintages: published the next day, one of them revised."""
    monkeypatch.setenv("FRED_API_KEY", "secret-key")
    forever = date(9999, 12, 31)
    for day in weekdays(since, date(2023, 6, 30)):
        first = day + timedelta(days=1)
        revised = date(2023, 5, 15)
        if day == date(2023, 5, 2):
            source.vintages.append((day, first, revised - timedelta(days=1), 3.4))
            source.vintages.append((day, revised, forever, 3.5))
        else:
            source.vintages.append((day, first, forever, 3.4))


def test_vintages_of_alfred_are_known_when_published(source, market, monkeypatch):
    alfred(source, monkeypatch, date(2014, 1, 1))
    done = fred(source, market, "--since", "2014-01-01")
    assert done.code == 0, done.stderr
    found = series_rows(market, "US10Y")
    # One row a vintage, although a later request repeats the earlier ones as of its
    # first day: the API takes 2,000 vintages at most.
    assert source.counts[VINTAGES] > 2
    assert len(found) == len(source.vintages)
    revised = [row for row in found if row[0] == date(2023, 5, 2)]
    assert [(row[2], row[3]) for row in revised] == [
        (3.4, at(2023, 5, 4, 6)), (3.5, at(2023, 5, 16, 6)),
    ]  # fmt: skip
    assert "secret-key" not in done.stdout + done.stderr
    assert_sound(market)
    again = fred(source, market)
    assert again.target("macro/US10Y")["rows_new"] == 0
    assert again.target("macro/US10Y")["revisions"] == []


def test_a_new_vintage_of_an_old_day_is_news_and_no_revision(
    source, market, monkeypatch
):
    alfred(source, monkeypatch)
    fred(source, market)
    day, first, _, value = source.vintages[-5]
    source.vintages[-5] = (day, first, date(2023, 7, 9), value)
    source.vintages.append((day, date(2023, 7, 10), date(9999, 12, 31), 3.9))
    done = fred(source, market)
    assert done.target("macro/US10Y")["rows_new"] == 1
    assert done.target("macro/US10Y")["revisions"] == []
    assert_sound(market)


def test_vintages_in_the_place_of_a_rule_are_a_revision(source, market, monkeypatch):
    source.fred["DGS10"] = [(date(2023, 6, 28), 3.4), (date(2023, 6, 30), 3.4)]
    fred(source, market)
    by_rule = series_rows(market, "US10Y")
    alfred(source, monkeypatch)
    done = fred(source, market, "--recheck")
    assert len(done.target("macro/US10Y")["revisions"]) == 2
    assert [row for row in series_rows(market, "US10Y") if row in by_rule] == by_rule
    fred(source, market, "--recheck", "--accept-revisions")
    days = [row for row in series_rows(market, "US10Y") if row[0] == date(2023, 6, 30)]
    assert [row[3] for row in days] == [at(2023, 7, 2, 6)]
    assert_sound(market)


@pytest.mark.parametrize("fault", ["429 0", "truncated", "timeout"])
def test_a_passing_fault_of_alfred_changes_no_row(source, market, monkeypatch, fault):
    alfred(source, monkeypatch)
    source.fail(VINTAGES, fault)
    done = fred(source, market)
    assert done.code == 0, done.stderr
    days = [v for v in source.vintages if v[0] >= date(2023, 1, 1)]
    assert len(series_rows(market, "US10Y")) == len(days)


@pytest.fixture
def yahoo(source, market, monkeypatch, tmp_path):
    """yfinance, its HTTP client and all, led to the local server."""
    import yfinance
    import yfinance.base
    import yfinance.data
    import yfinance.scrapers.history

    for module in (yfinance.base, yfinance.scrapers.history):
        monkeypatch.setattr(module, "_BASE_URL_", source.url)
    # Cookie and crumb come from other hosts; a chart needs neither.
    monkeypatch.setattr(
        yfinance.data.YfData, "_get_cookie_and_crumb", lambda *a, **k: (None, "basic")
    )
    monkeypatch.setattr(yfinance.data.YfData, "_set_cookie_strategy", lambda *a, **k: 0)
    yfinance.set_tz_cache_location(str(tmp_path / "cache"))
    yfinance.cache.get_tz_cache().store("^MOVE", None)
    yfinance.data.YfData().cache_get.cache_clear()
    today = datetime.now(UTC).date()
    # Today's bar is open, whatever the day.
    days = sorted({*weekdays(today - timedelta(days=60), today), today})
    # Single precision, as Yahoo has it; no value on one day.
    closes = [float(np.float32(100 + i / 7)) for i in range(len(days))]
    source.yahoo["^MOVE"] = list(zip(days, closes, strict=True))
    source.yahoo["^MOVE"][3] = (days[3], None)

    def run(*more: str) -> Done:
        return ingest("yahoo", "--tickers", "^MOVE", "--to", market, *QUICK, *more)

    return run


def test_yahoo_days_are_those_of_the_exchange_and_wait_for_their_lag(
    source, market, yahoo
):
    done = yahoo()
    assert done.code == 0, done.stderr
    found = series_rows(market, "MOVE")
    now = datetime.now(UTC)
    lag = timedelta(hours=36)
    wanted = [
        (day, "MOVE", round(value, 4), at(*day.timetuple()[:3]) + lag)
        for day, value in source.yahoo["^MOVE"]
        if value is not None and at(*day.timetuple()[:3]) + lag <= now
    ]
    assert found == wanted
    assert len(found) < len(source.yahoo["^MOVE"]) - 1, "today's bar still moves"
    assert_sound(market)
    again = yahoo()
    assert again.target("macro/MOVE")["rows_new"] == 0
    assert again.target("macro/MOVE")["revisions"] == []


@pytest.mark.parametrize(
    ("fault", "at_request"),
    [("429 0", 1), ("500", 1), ("timeout", 1), ("truncated", 0), ("truncated", 1),
     ("cut", 0), ("cut", 1)],
)  # fmt: skip
def test_a_passing_fault_of_yahoo_changes_no_row(
    source, market, yahoo, fault, at_request
):
    path = "/v8/finance/chart/%5EMOVE"
    found = "/v8/finance/chart/^MOVE"
    for name in (path, found):
        source.fail(name, *[""] * at_request, fault)
    done = yahoo()
    assert done.code == 0, done.stderr
    assert len(series_rows(market, "MOVE")) > 35
    assert not all(source.faults[name] for name in (path, found)), "never met"


def test_a_revised_close_of_yahoo_is_reported(source, market, yahoo):
    yahoo()
    day, value = source.yahoo["^MOVE"][-8]
    source.yahoo["^MOVE"][-8] = (day, value + 1)
    done = yahoo()
    assert [r["key"] for r in done.target("macro/MOVE")["revisions"]] == [str(day)]
    assert done.target("macro/MOVE")["rows_new"] == 0


def monday_weeks_ago() -> date:
    today = datetime.now(UTC).date()
    return today - timedelta(days=today.weekday() + 28)


@pytest.mark.parametrize("has_fridays", [False, True])
def test_a_session_that_opens_the_evening_before_is_of_the_next_day(
    source, market, yahoo, has_fridays
):
    """A week of ^MOVE as a futures exchange would stamp it: from Sunday evening on."""
    monday = monday_weeks_ago()
    opened = [
        monday + timedelta(days=d) for w in (0, 7, 14) for d in range(w - 1, w + 4)
    ]
    if has_fridays:
        opened = sorted(
            {*opened, *(monday + timedelta(days=w + 4) for w in (0, 7, 14))}
        )
    source.yahoo["^MOVE"] = [(day, 100.0 + i) for i, day in enumerate(opened)]
    done = yahoo()
    assert done.code == 0, done.stderr
    found = series_rows(market, "MOVE")
    assert {row[0].weekday() for row in found} == {0, 1, 2, 3, 4}
    if has_fridays:
        # Days named after themselves; the Sundays are part of the Mondays' sessions.
        assert done.target("macro/MOVE")["left_out"][0]["rows"] == 3
        assert found[0][:3] == (monday, "MOVE", 101.0)
    else:
        assert found[0][:3] == (monday, "MOVE", 100.0)
        assert len(found) == 15
    assert all(
        row[3] >= at(*row[0].timetuple()[:3]) + timedelta(hours=36) for row in found
    )


def test_a_split_or_another_unit_is_refused_and_taken_as_a_whole(source, market, yahoo):
    assert yahoo().code == 0
    before = series_rows(market, "MOVE")
    source.yahoo["^MOVE"] = [(d, v and v / 4) for d, v in source.yahoo["^MOVE"]]
    import yfinance

    yfinance.data.YfData().cache_get.cache_clear()
    done = yahoo()
    assert done.code == 1
    assert "0.25 times as much" in done.target("macro/MOVE")["failure"]
    assert series_rows(market, "MOVE") == before
    assert yahoo("--accept-revisions").code == 1, "only the days that overlap"
    assert yahoo("--accept-revisions", "--recheck").code == 0
    vintages = series_rows(market, "MOVE")
    # What was known then stays; the new values are known since now.
    assert [row for row in vintages if row in before] == before
    assert len(vintages) == 2 * len(before)


@pytest.mark.parametrize(
    ("zone", "hours", "lag", "known"),
    [
        # An option index: its session ends at 20:15 UTC in summer, before its lag.
        ("America/New_York", (9.5, 16.25), 22, at(2024, 7, 9, 22)),
        ("America/New_York", (9.5, 16.25), 24, at(2024, 7, 10)),
        # A session without a stated end lasts until the exchange's midnight.
        ("America/New_York", (0.0, 0.0), 24, at(2024, 7, 10, 4)),
        ("America/New_York", (20.0, 17.0), 20, at(2024, 7, 9, 21)),
        ("Asia/Tokyo", (9.0, 15.5), 4, at(2024, 7, 9, 6, 30)),
        ("America/New_York", (9.5, 16.0), 36, at(2024, 7, 10, 12)),
        ("America/New_York", (0.0, 0.0), 36, at(2024, 7, 10, 16)),
    ],
)
def test_a_close_is_known_when_its_session_has_ended_and_its_lag_is_over(
    zone, hours, lag, known
):
    start, end = (
        datetime(2024, 7, 9, tzinfo=ZoneInfo(zone)) + timedelta(hours=h) for h in hours
    )
    periods = {"regular": {"start": start.timestamp(), "end": end.timestamp()}}
    session = session_of(periods, zone)
    day = np.array(["2024-07-09"], "datetime64[D]")
    found = known_after_session(day, lag, session, zone)
    assert found[0].item().replace(tzinfo=UTC) == known
    assert session_of(None, zone) == (0.0, 24.0)


def test_a_ticker_that_yahoo_does_not_have_is_named(source, market, yahoo):
    import yfinance

    del source.yahoo["^MOVE"]
    # Without a zone yfinance would look for one on further hosts.
    yfinance.cache.get_tz_cache().store("^MOVE", "America/New_York")
    done = yahoo()
    asked = sum(n for path, n in source.counts.items() if "chart" in path)
    assert asked == 2, "yfinance itself asks twice; we need not ask again"
    assert done.code == 3
    assert "MOVE" in done.target("macro/MOVE")["failure"]
    assert "Traceback" not in done.stderr


def snapshot(moment: float) -> dict:
    return {
        "data": {
            "active_cryptocurrencies": 17000, "upcoming_icos": 0, "ongoing_icos": 49,
            "ended_icos": 3376, "markets": 1200,
            "total_market_cap": {"btc": 3.2e7, "usd": 3.1e12},
            "total_volume": {"usd": 1.2e11},
            "market_cap_percentage": {"btc": 57.1, "eth": 11.2, "usdt": 4.6},
            "market_cap_change_percentage_24h_usd": -0.4, "updated_at": int(moment),
        }
    }  # fmt: skip


def coingecko(source: Source, market: Path, *more: str) -> Done:
    return ingest("coingecko", "--to", market, "--base-url", source.url, *QUICK, *more)


@pytest.mark.parametrize("fault", ["", "429 0", "truncated", "cut"])
def test_coingecko_appends_the_moment_as_its_day_once(source, market, fault):
    moment = time.time() - 60
    source.global_ = snapshot(moment)
    if fault:
        source.fail(GLOBAL, fault)
    before = datetime.now(UTC)
    done = coingecko(source, market)
    assert done.code == 0, done.stderr
    for series, value in (("TOTAL", 3.1e12), ("BTC.D", 57.1), ("USDT.D", 4.6)):
        (row,) = series_rows(market, series)
        assert row[:3] == (datetime.fromtimestamp(moment, UTC).date(), series, value)
        # Known when we learned of it, never before.
        assert before <= row[3] <= datetime.now(UTC)
    assert_sound(market)
    source.global_ = snapshot(moment + 30)
    source.global_["data"]["market_cap_percentage"]["btc"] = 58.0
    again = coingecko(source, market)
    day = datetime.fromtimestamp(moment + 30, UTC).date()
    if day == series_rows(market, "BTC.D")[0][0]:
        assert again.target("macro/BTC.D")["rows_new"] == 0
        assert again.code == 0
        assert "stored already" in again.stderr


def test_a_stale_moment_is_left_out(source, market):
    source.global_ = snapshot(time.time() - 86_400)
    done = coingecko(source, market)
    assert "left out" in done.stderr
    assert done.code == 1, "nothing was stored"
    assert done.target("macro/TOTAL")["left_out"][0]["rows"] == 1
    assert not (market / "macro" / "TOTAL.parquet").exists()


def test_an_answer_of_another_shape_is_named(source, market):
    source.global_ = {"status": {"error_code": 10005}}
    done = coingecko(source, market, "--tries", "2")
    assert done.code == 3
    assert "damaged answer" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "7"}, 7.0),
        ({"retry-after": "Wed, 21 Oct 2026 07:28:10 GMT",
          "Date": "Wed, 21 Oct 2026 07:28:00 GMT"}, 10.0),
        ({"Retry-After": "soon"}, None),
        ({}, None),
        (None, None),
    ],
)  # fmt: skip
def test_retry_after_is_seconds_or_a_date(headers, seconds):
    assert requested_wait(headers) == seconds


def test_macro_alone_says_that_bars_are_missing(source, tmp_path):
    done = fred(source, tmp_path / "empty")
    assert done.code == 0
    assert "barsieve ingest ohlcv" in done.stderr
    assert schema_of(MACRO) == pa.schema(
        pq.read_schema(tmp_path / "empty" / "macro" / "US10Y.parquet")
    )
