"""Exchanges through ccxt, against a local server: every fault, every kill."""

import json
import os
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from barsieve.core.schemas import TIMESTAMP
from barsieve.ingest.folder import open_market
from barsieve.ingest.merge import store
from barsieve.ingest.paging import Pages, backward, forward
from barsieve.ingest.summary import Outcome
from barsieve.market.check import BARS, check_market
from conftest import PROJECT
from ingesting import SEED, assert_sound, from_exchange, ingest, rows
from sources import DAY, HOUR, START, Source, kline, price_of

pytestmark = pytest.mark.slow

KLINES = "/api/v3/klines"
SINCE = ("--since", "2023-01-01")


@pytest.fixture
def source(monkeypatch):
    monkeypatch.chdir(PROJECT)
    served = Source()
    yield served
    served.close()


@pytest.fixture
def market(tmp_path) -> Path:
    return tmp_path / "market"


def bars_of(market: Path) -> list[tuple]:
    return rows(market / "bars" / "BTC.parquet")


def expected_bars(source: Source, n_hours: int) -> list[tuple]:
    """Return the bars that the server has closed, straight from its formula."""
    hours = (START + i * HOUR for i in range(n_hours))
    found = []
    for ts in hours:
        if ts not in source.missing:
            bar = kline(ts, source.scales.get(ts, 1.0))
            stamp = datetime.fromtimestamp(ts / 1000, UTC)
            found.append((stamp, *(float(cell) for cell in bar[1:6])))
    return found


def test_only_closed_bars_are_kept_and_they_are_the_exchanges(source, market):
    done = from_exchange("ohlcv", source, market, *SINCE)
    assert done.code == 0, done.stderr
    # Half past the hour: the last bar is open.
    assert bars_of(market) == expected_bars(source, 500)
    assert done.target("bars/BTC")["rows_new"] == 500
    assert_sound(market)


def test_the_summary_names_target_counts_and_range_without_a_bar_when_piped(
    source, market
):
    options = market.parent / "ccxt.json"
    options.write_text(json.dumps(source.options()))
    done = ingest(
        "ohlcv", "--symbols", "BTC,ETH", "--to", market, "--exchange-options", options,
        *SINCE,
    )  # fmt: skip
    lines = {
        line.split()[0]: line.split()
        for line in done.stdout.splitlines()
        if line.strip()
    }
    for target in ("bars/BTC", "bars/ETH"):
        assert lines[target][1:8] == ["binance", "500", "0", "0", "0", "0", "0"]
        assert lines[target][8:] == ["2023-01-01", "00:00", "2023-01-21", "19:00"]
    assert done.stderr == ""


def test_a_run_goes_on_where_the_last_one_stopped(source, market):
    source.now = START + 100 * HOUR
    from_exchange("ohlcv", source, market, *SINCE)
    source.now = START + 300 * HOUR
    source.queries.clear()
    done = from_exchange("ohlcv", source, market, *SINCE)
    starts = [int(q["startTime"]) for p, q in source.queries if p == KLINES]
    assert min(starts) == START + (99 - 24) * HOUR
    assert bars_of(market) == expected_bars(source, 300)
    assert done.target("bars/BTC")["rows_new"] == 200


def test_without_a_start_a_history_is_not_extended_backwards(source, market):
    from_exchange("ohlcv", source, market, "--since", "2023-01-15")
    before = bars_of(market)
    assert from_exchange("ohlcv", source, market).target("bars/BTC")["rows_new"] == 0
    assert bars_of(market) == before
    from_exchange("ohlcv", source, market, "--since", "2016-01-01")
    assert bars_of(market) == expected_bars(source, 500)


def test_a_damaged_file_is_refused_before_the_exchange_is_asked(source, market):
    from_exchange("ohlcv", source, market, *SINCE)
    path = market / "bars" / "BTC.parquet"
    path.write_bytes(path.read_bytes()[:100])
    source.counts.clear()
    done = from_exchange("ohlcv", source, market, *SINCE)
    assert done.code == 1
    assert "can be read" in done.target("bars/BTC")["failure"]
    assert not source.counts[KLINES]
    assert len(path.read_bytes()) == 100


def test_a_run_without_news_writes_nothing(source, market):
    from_exchange("ohlcv", source, market, *SINCE)
    before = (market / "bars" / "BTC.parquet").stat()
    done = from_exchange("ohlcv", source, market, *SINCE)
    assert (market / "bars" / "BTC.parquet").stat() == before
    assert done.target("bars/BTC")["rows_new"] == 0


def test_an_earlier_since_extends_the_history_backwards(source, market):
    from_exchange("ohlcv", source, market, "--since", "2023-01-15")
    assert bars_of(market)[0][0] == datetime(2023, 1, 15, tzinfo=UTC)
    source.page_rows = 50
    done = from_exchange(
        "ohlcv", source, market, *SINCE, "--page-rows", "50", "--pages-per-write", "2"
    )
    assert bars_of(market) == expected_bars(source, 500)
    assert done.target("bars/BTC")["gaps"] == 0


@pytest.mark.parametrize(
    ("fault", "at"),
    [("429", 1), ("500", 3), ("timeout", 3), ("truncated", 1), ("truncated", 3),
     ("cut", 3), ("empty", 1), ("empty", 3), ("overlapping", 3), ("out of order", 3)],
)  # fmt: skip
def test_a_passing_fault_changes_no_bar(source, market, fault, at):
    source.page_rows = 100
    source.fail(KLINES, *[""] * (at - 1), fault)
    done = from_exchange("ohlcv", source, market, *SINCE, "--page-rows", "100")
    assert done.code == 0, done.stderr
    assert bars_of(market) == expected_bars(source, 500)
    assert done.target("bars/BTC")["revisions"] == []
    assert not source.faults[KLINES], "the fault was never met"


@pytest.mark.parametrize(
    ("path", "fault"),
    [("/api/v3/exchangeInfo", "truncated"), ("/api/v3/exchangeInfo", "429"),
     ("/api/v3/time", "truncated"), ("/api/v3/time", "500")],
)  # fmt: skip
def test_a_fault_before_the_first_page_passes_too(source, market, path, fault):
    source.fail(path, fault)
    done = from_exchange("ohlcv", source, market, *SINCE)
    assert done.code == 0, done.stderr
    assert bars_of(market) == expected_bars(source, 500)


@pytest.mark.parametrize("path", ["/api/v3/exchangeInfo", "/api/v3/time"])
def test_an_answer_of_another_shape_is_a_failure_in_words(source, market, path):
    source.fail(path, "another shape")
    done = from_exchange("ohlcv", source, market, *SINCE)
    assert done.code in (1, 3), done.stdout
    assert done.target(json.loads(done.stdout)["targets"][0]["target"])["failure"]
    assert "Traceback" not in done.stderr


def test_retry_after_is_waited_for(source, market):
    times = []
    source.on_request = lambda path, n: (
        path == KLINES and times.append(datetime.now().timestamp())
    )
    source.fail(KLINES, "429 1")
    from_exchange("ohlcv", source, market, *SINCE)
    assert times[1] - times[0] >= 1.0


def test_a_source_that_stays_down_keeps_what_was_written(source, market):
    source.page_rows = 100
    source.fail(KLINES, "", "", *["500"] * 3)
    done = from_exchange(
        "ohlcv", source, market, *SINCE,
        "--page-rows", "100", "--pages-per-write", "1", "--tries", "3",
    )  # fmt: skip
    assert done.code == 3
    assert "ExchangeNotAvailable" in done.target("bars/BTC")["failure"]
    assert "Traceback" not in done.stderr
    assert 100 < len(bars_of(market)) < 500
    assert_sound(market)
    from_exchange("ohlcv", source, market, *SINCE)
    assert bars_of(market) == expected_bars(source, 500)


def test_a_changed_past_bar_is_reported_and_only_taken_when_told(source, market):
    from_exchange("ohlcv", source, market, *SINCE)
    before = bars_of(market)
    changed = START + 490 * HOUR
    source.scales[changed] = 1.01
    done = from_exchange("ohlcv", source, market, *SINCE)
    revisions = done.target("bars/BTC")["revisions"]
    assert {r["column"] for r in revisions} == {"open", "high", "low", "close"}
    closed = next(r for r in revisions if r["column"] == "close")
    assert closed["key"] == "2023-01-21 10:00:00+00"
    assert float(closed["stored"]) == price_of(changed)
    assert float(closed["offered"]) == pytest.approx(price_of(changed) * 1.01)
    assert not closed["taken"]
    assert "--accept-revisions" in done.stderr
    assert bars_of(market) == before
    done = from_exchange("ohlcv", source, market, *SINCE, "--accept-revisions")
    assert all(r["taken"] for r in done.target("bars/BTC")["revisions"])
    assert bars_of(market) == expected_bars(source, 500) != before
    assert_sound(market)


def test_a_bar_that_changes_between_two_pages_is_reported(source, market):
    """The server answers the row where two pages meet with another value."""
    source.page_rows = 100

    def revise(path: str, n: int) -> None:
        if path == KLINES and n == 2:
            source.scales[START + 99 * HOUR] = 1.02

    source.on_request = revise
    done = from_exchange(
        "ohlcv", source, market, *SINCE, "--page-rows", "100", "--pages-per-write", "1"
    )
    assert done.target("bars/BTC")["revisions"][0]["key"] == "2023-01-05 03:00:00+00"


def test_a_bar_is_closed_by_both_clocks(source, market):
    """An exchange whose clock is ahead does not make an open bar a closed one."""
    now = datetime.now(UTC)
    source.now = int((now + timedelta(hours=5)).timestamp() * 1000)
    from_exchange("ohlcv", source, market, "--since", f"{now - timedelta(days=2):%F}")
    last = bars_of(market)[-1][0]
    assert last + timedelta(hours=1) <= datetime.now(UTC)
    assert last + timedelta(hours=2) > now


def test_markets_of_several_kinds_in_one_run(source, market):
    symbols = ("--symbols", "ETH,BTC/USD:BTC")
    done = from_exchange("ohlcv", source, market, *SINCE, *symbols)
    assert done.target("bars/ETH")["rows_new"] == 500
    # The server has no bars of that contract; that it knows the contract is enough.
    assert "expected a market" not in done.target("bars/BTC")["failure"]
    assert source.counts["/dapi/v1/exchangeInfo"] == 1


def bars_table(hours: list[int]) -> pa.Table:
    bars = [kline(START + hour * HOUR) for hour in hours]
    columns = [[float(bar[i]) for bar in bars] for i in range(1, 6)]
    stamps = pa.array([bar[0] * 1000 for bar in bars]).cast(TIMESTAMP)
    return pa.table([stamps, *columns], names=list(BARS.columns))


@given(
    parts=st.lists(
        st.lists(st.integers(0, 30), min_size=1, max_size=12), min_size=1, max_size=5
    )
)
@settings(max_examples=8, deadline=None)
def test_any_parts_in_any_order_make_the_same_file(tmp_path_factory, parts):
    folder = tmp_path_factory.mktemp("parts")
    # Most bars must follow one another, or the market's own check refuses the file.
    parts = [list(range(40, 80)), *parts]
    hours = sorted({hour for part in parts for hour in part})
    outcome = Outcome("bars/BTC", "test")
    with open_market(folder / "market", SEED) as market:
        for part in parts:
            store(market, BARS, "BTC", bars_table(part), outcome)
        store(market, BARS, "WHOLE", bars_table(hours), Outcome("bars/WHOLE", "test"))
        held = market.home(BARS, "BTC").read_bytes()
        assert held == market.home(BARS, "WHOLE").read_bytes()
    assert (outcome.rows_new, outcome.revisions) == (len(hours), [])


def test_gaps_stay_gaps_and_are_counted_and_recheck_fills_them(source, market):
    source.missing = {
        START + h * HOUR for h in (*range(100, 110), 200, *range(400, 402))
    }
    done = from_exchange("ohlcv", source, market, *SINCE)
    assert done.target("bars/BTC")["gaps"] == 3
    assert done.target("bars/BTC")["missing"] == 13
    assert bars_of(market) == expected_bars(source, 500)
    source.missing = set()
    done = from_exchange("ohlcv", source, market, *SINCE, "--recheck")
    assert done.target("bars/BTC")["rows_new"] == 13
    assert bars_of(market) == expected_bars(source, 500)


def test_a_bar_that_breaks_the_markets_rules_is_refused_and_named(source, market):
    source.scales[START + 5 * HOUR] = -1.0
    done = from_exchange("ohlcv", source, market, *SINCE)
    assert done.target("bars/BTC")["rows_refused"] == 1
    assert "2023-01-01 05:00" in done.stderr
    assert len(bars_of(market)) == 499
    assert_sound(market)


def test_columns_of_the_users_own_survive_an_ingest(source, market):
    source.now = START + 100 * HOUR
    from_exchange("ohlcv", source, market, *SINCE)
    path = market / "bars" / "BTC.parquet"
    table = pq.read_table(path)
    pq.write_table(table.append_column("note", [["mine"] * len(table)]), path)
    source.now = START + 110 * HOUR
    from_exchange("ohlcv", source, market, *SINCE)
    notes = pq.read_table(path)["note"].to_pylist()
    assert notes == ["mine"] * 100 + [None] * 10
    assert_sound(market)


def test_funding_is_put_on_its_settlement_and_stays_a_fraction(source, market):
    from_exchange("ohlcv", source, market, *SINCE)
    done = from_exchange("funding", source, market, *SINCE, "--page-rows", "20")
    assert done.code == 0, done.stderr
    found = rows(market / "funding" / "BTC.parquet")
    stamps = range(START, source.now + 1, 8 * HOUR)
    assert found == [
        (
            datetime.fromtimestamp(ts / 1000, UTC),
            "BTC",
            (ts // HOUR % 13 - 6) / 1e5,
            8.0,
        )
        for ts in stamps
    ]
    assert_sound(market)


def funding_with_steps(source: Source, *parts: tuple[int, int]) -> list[int]:
    """Let the server settle every so many hours, so often; return the stamps."""
    stamps = [START]
    for hours, times in parts:
        stamps += [stamps[-1] + (i + 1) * hours * HOUR for i in range(times)]
    source.funding_stamps = stamps
    return stamps


def hours_of(market: Path) -> list[float | None]:
    return [row[3] for row in rows(market / "funding" / "BTC.parquet")]


@pytest.mark.parametrize("new_hours", [4, 1])
def test_settlements_of_several_intervals_are_each_stored_with_theirs(
    source, market, new_hours
):
    from_exchange("ohlcv", source, market, *SINCE)
    funding_with_steps(source, (8, 30), (new_hours, 40), (8, 10))
    source.now = source.funding_stamps[-1] + HOUR // 2
    done = from_exchange("funding", source, market, *SINCE, "--page-rows", "20")
    assert done.code == 0, done.stdout
    assert hours_of(market) == [8.0] * 31 + [float(new_hours)] * 40 + [8.0] * 10
    assert (done.target("funding/BTC")["gaps"], done.code) == (0, 0)
    assert_sound(market)


def test_an_interval_that_changes_between_runs_is_taken_as_it_comes(source, market):
    from_exchange("ohlcv", source, market, *SINCE)
    stamps = funding_with_steps(source, (8, 30), (4, 60), (8, 9), (1, 30))
    for n_seen in (28, 31, 33, 60, 92, 93, 95, 105, len(stamps)):
        source.now = stamps[n_seen - 1] + HOUR // 2
        done = from_exchange("funding", source, market, *SINCE)
        assert done.code == 0, done.stdout
        assert done.target("funding/BTC")["revisions"] == []
    assert hours_of(market) == [8.0] * 31 + [4.0] * 60 + [8.0] * 9 + [1.0] * 30


def test_missing_settlements_are_missing_by_their_own_interval(source, market):
    from_exchange("ohlcv", source, market, *SINCE)
    stamps = funding_with_steps(source, (8, 30), (4, 30), (1, 30))
    for lost in (10, 45, 80):
        source.funding_stamps.remove(stamps[lost])
    source.now = stamps[-1] + HOUR // 2
    done = from_exchange("funding", source, market, *SINCE)
    target = done.target("funding/BTC")
    assert (target["gaps"], target["missing"]) == (3, 3)
    assert hours_of(market) == [8.0] * 30 + [4.0] * 29 + [1.0] * 29
    # The exchange says itself, twice, that there is nothing between its two rows.
    assert done.code == 0
    assert all(part["is_explained"] for part in target["absent"])


def test_older_funding_without_intervals_gets_them_with_the_next_settlement(
    source, market
):
    from_exchange("ohlcv", source, market, *SINCE)
    from_exchange("funding", source, market, *SINCE)
    path = market / "funding" / "BTC.parquet"
    older = pq.read_table(path).drop_columns(["interval_hours"])
    pq.write_table(older.replace_schema_metadata(None), path)
    source.now += 8 * HOUR
    done = from_exchange("funding", source, market, *SINCE)
    assert (done.code, done.target("funding/BTC")["rows_new"]) == (0, 1)
    assert set(hours_of(market)) == {8.0}
    assert "stated no origin" in done.stderr


def test_open_interest_is_contracts_times_their_dollars_for_the_last_month(
    source, market
):
    source.now = START + 60 * DAY + 5 * HOUR
    from_exchange("ohlcv", source, market, *SINCE)
    done = from_exchange("open-interest", source, market)
    assert done.code == 0, done.stderr
    found = rows(market / "macro" / "OI_BTC_COINM.parquet")
    days = [START + d * DAY for d in range(31, 60)]
    assert [row[2] for row in found] == [
        (10_000_000 + d // DAY % 7) * 100 for d in days
    ]
    # A day's value is known when the day is over, the lag of the seed.
    assert all((known - _midnight(day)).total_seconds() == 86_400
               for day, _, _, known in found)  # fmt: skip
    assert_sound(market)
    source.now += 40 * DAY
    done = from_exchange("open-interest", source, market)
    assert (done.target("macro/OI_BTC_COINM")["gaps"], done.code) == (1, 0)


def _midnight(day) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def test_a_simulated_market_and_a_folder_of_other_things_are_refused(source, tmp_path):
    done = ingest("ohlcv")
    assert done.code == 1
    assert "simulated" in done.stderr
    (tmp_path / "papers").mkdir()
    (tmp_path / "papers" / "thesis.txt").write_text("mine")
    done = ingest("ohlcv", "--to", tmp_path / "papers")
    assert done.code == 1
    assert "thesis.txt" in done.stderr
    assert os.listdir(tmp_path / "papers") == ["thesis.txt"]
    assert not source.queries


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--exchange", "nope"), "an exchange that ccxt knows"),
        (("--symbols", "DOGE"), "for DOGE: none"),
        (("--symbols", "BTC/EUR"), "BTC/USDT"),
        (("--exchange-options", "pyproject.toml"), "JSON object"),
    ],
)
def test_bad_arguments_are_named_without_a_stack_trace(
    source, market, arguments, words
):
    done = from_exchange("ohlcv", source, market, *SINCE, *arguments)
    assert done.code == 1
    assert words in done.stdout + done.stderr
    assert not list(market.glob("bars/*"))


def test_two_ingests_at_once_are_refused_by_name(source, market):
    with open_market(market, SEED):
        done = from_exchange("ohlcv", source, market, *SINCE)
    assert done.code == 1
    assert str(os.getpid()) in done.stderr
    assert from_exchange("ohlcv", source, market, *SINCE).code == 0


def _start(source: Source, market: Path) -> subprocess.Popen:
    options = market.parent / "ccxt.json"
    options.write_text(json.dumps(source.options()))
    return subprocess.Popen(
        [
            sys.executable, "-m", "barsieve", "ingest", "ohlcv", "--symbols", "BTC",
            "--to", str(market), "--exchange-options", str(options), *SINCE,
            "--page-rows", "20", "--pages-per-write", "1", "--wait", "0.001",
        ],
        cwd=PROJECT, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def test_a_kill_at_any_moment_leaves_a_valid_market_that_the_next_run_completes(
    source, tmp_path
):
    source.page_rows = 20
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    assert from_exchange("ohlcv", source, whole, *SINCE).code == 0
    held = []
    for request, delay in ((1, 0.0), (2, 0.01), (3, 0.005), (4, 0.0)):
        reached = threading.Event()
        source.counts.clear()
        source.on_request = lambda path, n, event=reached, last=request: (
            event.set() if path == KLINES and n >= last else None
        )
        process = _start(source, killed)
        assert reached.wait(30), process.communicate(timeout=1)
        threading.Event().wait(delay)
        process.kill()
        process.communicate()
        problems = check_market(killed, SEED)[1]
        if (killed / "bars" / "BTC.parquet").exists():
            assert problems == []
            held.append(len(bars_of(killed)))
        else:
            assert all(p.file.endswith(("bars", "macro", "funding")) for p in problems)
    assert held == sorted(held)
    assert held[0] < held[-1] < 500, "the kills came before or after all the work"
    source.on_request = lambda path, n: None
    process = _start(source, killed)
    assert process.wait(60) == 0, process.communicate()
    assert bars_of(killed) == expected_bars(source, 500)
    assert (killed / "bars" / "BTC.parquet").read_bytes() == (
        whole / "bars" / "BTC.parquet"
    ).read_bytes()
    assert not list(killed.rglob("*.partial"))


def test_half_a_file_that_a_kill_left_is_no_part_of_the_market(source, market):
    from_exchange("ohlcv", source, market, *SINCE)
    half = market / "bars" / ".BTC.parquet.77.partial"
    half.write_bytes((market / "bars" / "BTC.parquet").read_bytes()[:500])
    assert_sound(market)
    assert from_exchange("ohlcv", source, market).code == 0
    assert not half.exists()
    assert bars_of(market) == expected_bars(source, 500)


@given(
    rows_there=st.sets(st.integers(0, 60), min_size=1),
    page=st.integers(2, 7),
    per_write=st.integers(1, 3),
    since=st.integers(-20, 60),
    stop=st.integers(1, 61),
)
@settings(max_examples=150, deadline=None)
def test_walks_find_every_row_once_and_leave_one_span(
    rows_there, page, per_write, since, stop
):
    """Whatever the gaps: forward and backward give what a reader of all would see."""
    pages = Pages(1, page, per_write)

    def fetch(start: int) -> list[tuple]:
        return [(ts,) for ts in sorted(rows_there) if ts >= start][:page][::-1]

    def windowed(start: int) -> list[tuple]:
        return [(ts,) for ts in sorted(rows_there) if start <= ts < start + page]

    wanted = [ts for ts in sorted(rows_there) if since <= ts < stop]
    for asked in (fetch, windowed):
        chunks = list(forward(asked, since, stop, pages))
        found = sorted({row[0] for chunk in chunks for row in chunk})
        assert found == wanted
        starts = [chunk[0][0] for chunk in chunks]
        assert starts == sorted(starts)
    lower = None
    for chunk in backward(fetch, since, stop, pages):
        assert lower is None or chunk[-1][0] < lower
        lower = chunk[0][0]
