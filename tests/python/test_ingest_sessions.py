"""A daily bar is known once its session has ended, and bears the day it is named after.

Each session is built from its exchange's own hours; what a file shows is its open.
"""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from barsieve.ingest.daily_bars import are_eves, days_of, ends_of
from conftest import PROJECT
from ingesting import Done, ingest, rows

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def in_project(monkeypatch):
    monkeypatch.chdir(PROJECT)


# Zone, hours from the start of the named day to open and close, days of the week.
EXCHANGES = {
    "currencies": ("America/New_York", -7, 17, 5),
    "futures": ("America/Chicago", -7, 16, 5),
    "stocks of New York": ("America/New_York", 9.5, 16, 5),
    "volatility of Chicago": ("America/Chicago", 2.25, 15.25, 5),
    "stocks of London": ("Europe/London", 8, 16.5, 5),
    "stocks of Tokyo": ("Asia/Tokyo", 9, 15, 5),
    "stocks of Sydney": ("Australia/Sydney", 10, 16, 5),
    "days of New York": ("America/New_York", 0, 24, 7),
    "days of Berlin": ("Europe/Berlin", 0, 24, 7),
    "days of Tokyo": ("Asia/Tokyo", 0, 24, 7),
    "days of UTC": ("UTC", 0, 24, 7),
}
HOLIDAYS = {date(2021, 5, 31), date(2021, 7, 5), date(2021, 11, 25)}
FIRST = date(2021, 1, 4)
DAYS = [FIRST + timedelta(days=i) for i in range(420)]


def sessions(name: str) -> list[tuple[date, datetime, datetime]]:
    """Return days with the open and the close of their sessions, clocks observed."""
    zone, opens, closes, n_days = EXCHANGES[name]
    found = []
    for day in DAYS:
        if n_days == 7 or (day.weekday() < 5 and day not in HOLIDAYS):
            start = datetime(day.year, day.month, day.day)
            edges = [
                (start + timedelta(hours=h))
                .replace(tzinfo=ZoneInfo(zone))
                .astimezone(UTC)
                for h in (opens, closes)
            ]
            found.append((day, *edges))
    return found


def export(folder: Path, lines: list[str], header="time,open,high,low,close") -> Path:
    path = folder / "CRYPTOCAP_TOTAL, 1D.csv"
    path.write_text("\n".join([header, *lines]) + "\n")
    return path


def take(folder: Path, path: Path, *more: str) -> Done:
    return ingest(
        "files", path, "--series", "TOTAL", "--to", folder / "m", "--json", *more
    )


def stored(folder: Path) -> list[tuple]:
    return rows(folder / "m" / "macro" / "TOTAL.parquet")


def value(i: int) -> float:
    return 1e12 + i * 1e6


STAMPS = {
    "seconds": lambda at: f"{at.timestamp():.0f}",
    "offsets": lambda at: (
        f"{at.astimezone(ZoneInfo('Asia/Tokyo')):%Y-%m-%dT%H:%M:%S%z}"
    ),
}


@pytest.mark.parametrize("stamp", STAMPS)
@pytest.mark.parametrize("name", EXCHANGES)
def test_no_close_is_known_before_its_session_ended(tmp_path, name, stamp):
    held = sessions(name)
    lines = [f"{STAMPS[stamp](o)},1,1,1,{value(i)}" for i, (_, o, _) in enumerate(held)]
    done = take(tmp_path, export(tmp_path, lines), "--complete")
    assert done.code == 0, done.stderr
    found = stored(tmp_path)
    assert [row[2] for row in found] == [value(i) for i in range(len(held))]
    for (day, _, closed), (stored_day, _, _, known) in zip(held, found, strict=True):
        assert stored_day == day
        assert known >= closed
        assert known >= datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(
            1
        )
        assert known <= closed + timedelta(hours=26), "nor a day later than need be"


@pytest.mark.parametrize("name", ["currencies", "days of Berlin", "stocks of New York"])
def test_wall_clock_times_of_a_named_zone_are_the_same_sessions(tmp_path, name):
    held, zone = sessions(name), EXCHANGES[name][0]
    lines = [
        f"{o.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M},1,1,1,{value(i)}"
        for i, (_, o, _) in enumerate(held)
    ]
    done = take(tmp_path, export(tmp_path, lines), "--complete", "--timezone", zone)
    assert done.code == 0, done.stderr
    found = stored(tmp_path)
    assert [row[0] for row in found] == [day for day, _, _ in held]
    assert all(
        row[3] >= closed for row, (_, _, closed) in zip(found, held, strict=True)
    )


def test_days_without_a_time_are_known_by_their_lag(tmp_path):
    lines = [
        f"{day},1,1,1,{value(i)}" for i, day in enumerate(DAYS) if day.weekday() < 5
    ]
    take(tmp_path, export(tmp_path, lines), "--complete")
    for day, _, _, known in stored(tmp_path):
        assert day.weekday() < 5
        assert known == datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(
            1
        )


def test_days_of_the_evening_before_are_moved_to_the_session(tmp_path):
    lines = [
        f"{day - timedelta(days=1)},1,1,1,{value(i)}"
        for i, day in enumerate(DAYS)
        if day.weekday() < 5
    ]
    done = take(tmp_path, export(tmp_path, lines), "--complete")
    assert "evenings before" in done.stdout
    found = stored(tmp_path)
    assert {day.weekday() for day, *_ in found} == {0, 1, 2, 3, 4}
    assert all(
        known == datetime(d.year, d.month, d.day, tzinfo=UTC) + timedelta(days=1)
        for d, _, _, known in found
    )


def test_the_last_bar_of_a_file_ends_no_earlier_than_a_long_day():
    days = ["2021-10-30", "2021-10-31", "2021-11-01", "2021-11-06", "2021-11-07"]
    opens = np.array([f"{day}T04:00" for day in days], "datetime64[us]")
    ends = ends_of(opens)
    assert (ends[0], ends[2]) == (opens[1], opens[2] + np.timedelta64(24, "h"))
    assert ends[-1] == opens[-1] + np.timedelta64(25, "h")
    midnights = opens.astype("datetime64[D]")
    assert ends_of(midnights)[-1] == midnights[-1] + np.timedelta64(1, "D")
    assert len(ends_of(opens[:0])) == len(days_of(opens[:0])) == 0


@pytest.mark.parametrize(
    ("weekdays", "is_eve"),
    [((6, 0, 1, 2, 3), True), ((0, 1, 2, 3, 4), False), ((6, 0, 1, 2, 3, 4), False),
     ((0, 1, 2, 3, 4, 5, 6), False), ((0, 1, 2), False)],
)  # fmt: skip
def test_eves_are_told_by_their_sundays(weekdays, is_eve):
    days = [day for day in DAYS[:21] if day.weekday() in weekdays]
    assert are_eves(np.array(days, "datetime64[D]")) == is_eve


def test_two_bars_of_one_day_are_refused(tmp_path):
    start = datetime(2021, 6, 1, tzinfo=UTC)
    hours = [0, 24, 48, 62, 96, 120]
    lines = [
        f"{(start + timedelta(hours=h)).timestamp():.0f},1,1,1,1e12" for h in hours
    ]
    done = take(tmp_path, export(tmp_path, lines), "--complete")
    assert done.code == 1
    assert "one session a day" in done.target("macro/TOTAL")["failure"]
