"""What an exchange grants: small pages, its latest rows only, none, the same page."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from barsieve.ingest.intervals import intervals_of
from barsieve.ingest.paging import Pages, Trace, forward
from barsieve.ingest.settling import Hole, holes_in, settle
from conftest import PROJECT
from exchanges_of_kinds import Kindred
from ingesting import Done, assert_sound, ingest, rows
from sources import DAY, HOUR

pytestmark = pytest.mark.slow


def ms(*parts: int) -> int:
    return int(datetime(*parts, tzinfo=UTC).timestamp() * 1000)


LISTED, ENDED = ms(2021, 7, 10, 5), ms(2021, 9, 1)
SPAN = ("--since", "2021-05-01", "--until", "2021-09-01")


@pytest.fixture
def serve(monkeypatch):
    """Return how to start an exchange with these hours; the test's end closes it."""
    monkeypatch.chdir(PROJECT)
    served = []

    def start(hours, now: int = ENDED + 30 * DAY, granted: int = 300) -> Kindred:
        served.append(Kindred(set(hours), now, granted))
        return served[-1]

    yield start
    for one in served:
        one.close()


@pytest.fixture
def market(tmp_path) -> Path:
    return tmp_path / "market"


def ask(source: Kindred, exchange: str, market: Path, *more: str) -> Done:
    options = market.parent / "ccxt.json"
    options.write_text(json.dumps(source.options(exchange)))
    command, *rest = more if more[0] == "funding" else ("ohlcv", *more)
    return ingest(
        command, "--exchange", exchange, "--to", market, "--exchange-options", options,
        "--wait", "0.001", "--tries", "2", "--json", *rest,
    )  # fmt: skip


def okx(source: Kindred, market: Path, *more: str) -> Done:
    return ask(source, "okx", market, "--symbols", "SOL", *(more or SPAN))


def hours_stored(market: Path, name: str = "SOL") -> set[int]:
    stored = rows(market / "bars" / f"{name}.parquet")
    return {int(row[0].timestamp() * 1000) for row in stored}


def hours(*halts: tuple[int, int], first: int = LISTED, end: int = ENDED) -> set[int]:
    every = range(first, end, HOUR)
    return {ts for ts in every if not any(a <= ts < b for a, b in halts)}


@pytest.mark.parametrize("granted", [24, 100, 300, 1000])
def test_every_bar_is_found_from_whatever_page_is_granted(serve, market, granted):
    wanted = hours((ms(2021, 8, 2, 3), ms(2021, 8, 2, 9)))
    done = okx(serve(wanted, granted=granted), market)
    assert done.code == 0, done.stdout
    assert len(wanted) == 1261
    assert hours_stored(market) == wanted
    target = done.target("bars/SOL")
    assert (target["rows_given"], target["rows_stored"]) == (1261, 1261)
    assert [(part["steps"], part["is_explained"]) for part in target["absent"]] == [
        (1685, True), (6, True),
    ]  # fmt: skip
    assert "before the first bar" in target["absent"][0]["reason"]
    assert target["absent"][0]["last"].startswith("2021-07-10 04:00")
    assert_sound(market)


def test_a_halt_of_weeks_hides_no_bar_after_it(serve, market):
    wanted = hours((ms(2021, 7, 20), ms(2021, 8, 19, 7)))
    done = okx(serve(wanted, granted=100), market)
    assert (done.code, hours_stored(market)) == (0, wanted)


def test_a_rerun_finds_what_was_missed_and_asks_little_for_what_is_not_there(
    serve, market
):
    wanted = hours((ms(2021, 8, 2, 3), ms(2021, 8, 2, 9)))
    source = serve(wanted)
    okx(source, market)
    path = market / "bars" / "SOL.parquet"
    whole = pq.read_table(path)
    # As an earlier version left it: the first bars, and weeks within, were lost.
    lost = whole.slice(315, 200), whole.slice(900)
    pq.write_table(pa.concat_tables(lost).replace_schema_metadata(None), path)
    done = okx(source, market)
    assert (done.code, hours_stored(market)) == (0, wanted)
    before, source.n_asked = path.read_bytes(), 0
    done = okx(source, market)
    assert (done.code, source.n_asked) == (0, 1)
    assert path.read_bytes() == before
    # What the exchange has not got is asked for again when it is told to.
    okx(source, market, *SPAN, "--recheck")
    assert source.n_asked > 5


def test_an_exchange_that_gives_its_latest_rows_only_is_named(serve, market):
    now = ms(2026, 3, 1) + HOUR // 2
    source = serve(range(ms(2020, 1, 1), now, HOUR), now, granted=720)
    span = ("--symbols", "BTC", "--quote", "USD")
    done = ask(source, "kraken", market, *span, "--since", "2020-01-01")
    assert done.code == 1
    target = done.target("bars/BTC")
    assert target["asked"][0].startswith("2020-01-01")
    assert target["rows_stored"] == 719
    (part,) = target["absent"]
    assert (part["is_explained"], part["steps"]) == (
        False,
        (now - ms(2020, 1, 1)) // HOUR - 719,
    )
    assert "2026-01-30 01:00" in part["reason"]
    assert "OHLCVT" in done.stderr
    # The next day's run asks for nothing that was not given.
    source.now += DAY
    source.hours |= set(range(now // HOUR * HOUR, source.now, HOUR))
    done = ask(source, "kraken", market, *span)
    assert (done.code, done.target("bars/BTC")["rows_new"]) == (0, 24)
    # After two months the part in between cannot be had any more.
    source.now += 60 * DAY
    source.hours |= set(range(now // HOUR * HOUR, source.now, HOUR))
    done = ask(source, "kraken", market, *span)
    assert done.code == 1
    assert "OHLCVT" in done.target("bars/BTC")["absent"][0]["reason"]


def test_a_coin_listed_within_the_latest_page_is_no_such_exchange(serve, market):
    now = ms(2021, 8, 20) + HOUR // 2
    source = serve(hours(first=ms(2021, 8, 18, 5), end=now), now)
    done = okx(source, market, "--since", "2021-08-01")
    assert (done.code, len(hours_stored(market))) == (0, 43)


def test_rates_that_are_given_from_the_end_are_all_found(serve, market):
    """OKX gives the latest hundred after a start: older ones are asked for by end."""
    source = serve(hours(), granted=100)
    source.rates = list(range(ms(2021, 5, 1), ENDED, 8 * HOUR))
    done = ask(source, "okx", market, "funding", "--symbols", "SOL", *SPAN)
    stored = rows(market / "funding" / "SOL.parquet")
    assert len(stored) == len(source.rates)
    assert {row[3] for row in stored[:-1]} == {8.0}
    assert done.code == 0, done.stdout


@pytest.mark.parametrize("first", [ms(2021, 6, 1), ms(2021, 4, 1)])
def test_the_same_page_for_ever_ends_with_a_sentence(serve, market, first):
    source = serve(hours())
    stamps = range(first, first + 100 * HOUR, HOUR)
    source.repeated = [
        [str(ts), "10", "12", "9", "11", "1", "1", "1", "1"] for ts in reversed(stamps)
    ]
    done = okx(source, market)
    assert done.code == 1
    assert "the same page whatever is asked" in done.stderr
    assert source.n_asked < 80


@pytest.mark.parametrize(
    "data",
    [
        '{"code":"0","data":[["x"]]}', '{"code":"0","data":[[null,1,2,3,4,5]]}',
        '{"code":"0","data":[[99999999999999999999,1,2,3,4,5]]}', '{"code":"0"}',
        '{"code":"0","data":{"a":1}}', '{"code":"0","data":[{"a":1}]}',
        '{"code":"0","data":["1625893200000"]}', "[]", "{}", "null", "3", '"text"',
        '{"code":"0","data":[["1625893200000","a","b","c","d","e"]]}', "<html>", "",
        '{"code":"50011","msg":"Too many requests","data":[]}',
        '{"code":"51000","msg":"Parameter bar error","data":[]}',
    ],
)  # fmt: skip
def test_no_answer_ends_in_a_stack_trace(serve, market, data):
    source = serve(hours())
    source.answer = data.encode()
    done = okx(source, market)
    assert done.code in (1, 3), done.stdout
    assert "Traceback" not in done.stdout + done.stderr
    assert not list(market.glob("bars/*"))


@given(
    there=st.sets(st.integers(0, 300), min_size=1),
    granted=st.integers(1, 30),
    asked=st.integers(1, 60),
    since=st.integers(-100, 150),
    kind=st.sampled_from(["window", "first", "last", "last of window"]),
)
@settings(max_examples=200, deadline=None)
def test_what_a_walk_and_its_holes_find_is_what_is_there(
    there, granted, asked, since, kind
):
    """Whatever the gaps and the manners: a reader of all would see the same rows."""
    # A long pause, and a stretch that any symbol has: a history is not two lone rows.
    there = {ts for ts in there if ts not in range(100, 190)} | set(range(200, 240))

    def fetch(start: int, until: int = 10**6, rows: int | None = None) -> list[tuple]:
        n = min(rows or asked, granted)
        found = [ts for ts in sorted(there) if start <= ts <= until]
        if kind == "window" and until == 10**6:
            found = [ts for ts in found if ts < start + n]
        if kind == "last of window":
            found = [ts for ts in found if ts < start + 3 * n]
        found = found[-n:] if kind.startswith("last") or until < 10**6 else found[:n]
        return [(ts,) for ts in found]

    pages, trace, stop = Pages(1, asked, 3), Trace(), 290
    found = {
        row[0] for chunk in forward(fetch, since, stop, pages, trace) for row in chunk
    }
    for _ in range(4):
        for hole in holes_in(sorted(found), since, stop, pages, is_live=False):
            found |= {row[0] for row in settle(fetch, hole, pages, trace).rows}
    assert found == {ts for ts in there if since <= ts < stop}


@pytest.mark.parametrize(
    "answer",
    [
        lambda start: [(start - 5,), (start - 3,)],
        lambda start: [(50,), (51,), (50,)],
        lambda start: [(max(start - 50, 0),)],
        lambda start: [(start,)],
        lambda start: [],
    ],
    ids=["backwards", "repeated", "far back", "one row", "nothing"],
)
def test_a_walk_ends_whatever_it_is_answered(answer):
    asked = []

    def fetch(start: int, **more: int) -> list[tuple]:
        asked.append(start)
        assert len(asked) < 20_000, "the walk does not end"
        return answer(start)

    list(forward(fetch, 0, 1000, Pages(1, 10, 3)))
    settle(fetch, Hole(None, 0, 900, 900), Pages(1, 10, 3), Trace())


def test_a_hole_that_cannot_be_asked_for_by_its_end_stays_unexplained():
    def latest(start: int, until: int = 0, rows: int | None = None) -> list[tuple]:
        return [(ts,) for ts in range(90, 100) if ts >= start][-(rows or 10) :]

    settled = settle(latest, Hole(None, 0, 90, 90), Pages(1, 10, 3), Trace())
    assert (settled.absent, settled.unexplained) == ([], [(0, 90)])


@pytest.mark.parametrize(
    ("steps", "wanted"),
    [
        ((8, 8, 8), [8, 8, 8, 8]),
        ((8, 8, 4, 4), [8, 8, 8, 4, 4]),
        ((4, 4, 8, 8), [4, 4, 4, 8, 8]),
        ((8, 16, 8), [8, 8, 8, 8]),
        ((4, 8, 4), [4, 4, 4, 4]),
        ((1, 1, 3, 1), [1, 1, 1, 1, 1]),
        ((8, 8, 24), [8, 8, 8, None]),
        ((8, 8, 4), [8, 8, 8, None]),
    ],
)
def test_an_interval_is_the_distance_unless_settlements_are_missing(steps, wanted):
    import numpy as np

    stamps = np.datetime64("2021-01-01", "ms") + np.cumsum([0, *steps]).astype("m8[h]")
    found = intervals_of(stamps, np.full(len(stamps), np.nan))
    assert [None if np.isnan(h) else h for h in found] == wanted
