"""Daily series of FRED: the keyless CSV download, or ALFRED's vintages with a key.

Formats: https://fred.stlouisfed.org/graph/fredgraph.csv (a header of the date and the
series' id, then a line a day, `.` or nothing where there is no value) and
https://fred.stlouisfed.org/docs/api/fred/series_observations.html (real-time periods).
"""

import csv
import io
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import numpy as np
import pyarrow as pa

from barsieve.ingest.folder import Market, schema_of
from barsieve.ingest.macro import (
    account_for_days,
    asked_days,
    first_day,
    lag_of,
    macro_table,
)
from barsieve.ingest.merge import count_gaps, store
from barsieve.ingest.request import Request
from barsieve.ingest.retry import Patience, SourceError, get
from barsieve.ingest.summary import Outcome
from barsieve.market.check import MACRO

GRAPH, API = "https://fred.stlouisfed.org", "https://api.stlouisfed.org"
# FRED's ids of series that the seed knows by another name; others keep their id.
SERIES = {
    "VIXCLS": "VIX",
    "DGS2": "US2Y",
    "DGS10": "US10Y",
    "DCOILWTICO": "WTI_SPOT",
    "BAMLH0A0HYM2": "HY_OAS",
}
DEFAULT_IDS = ("VIXCLS", "DGS2", "DGS10", "DTWEXBGS", "DCOILWTICO")
OVERLAP_DAYS = 60
# From Friday to Tuesday, when Monday is a holiday.
LONGEST_WEEKEND_HOURS = 96.0
# The API takes 2,000 vintages a request: five years of daily ones.
VINTAGE_YEARS = 5
# A vintage bears a date of St. Louis, no hour: known when that day is over there.
VINTAGE_KNOWN_AFTER = timedelta(hours=30)
FIRST_VINTAGE_ONLY_IN_FRED = "does not exist in ALFRED"


def _observations(response: Any, identifier: str) -> list[tuple[date, float]]:
    """Return the values of a fredgraph CSV; raise ValueError when it is damaged."""
    text = response.text
    lines = csv.reader(io.StringIO(text))
    header = next(lines, [])
    if len(header) != 2 or header[1] != identifier:
        raise ValueError(f"expected a CSV of {identifier}, found {text[:40]!r}")
    if not text.endswith("\n"):
        raise ValueError("the CSV ends within a line")
    return [
        (date.fromisoformat(day), float(value))
        for day, value in lines
        if value not in ("", ".")
    ]


def _by_rule(
    identifier: str, series: str, market: Market, start: date, base: str, patience
) -> pa.Table:
    observed = get(
        patience,
        f"{base}/graph/fredgraph.csv",
        lambda response: _observations(response, identifier),
        {"id": identifier, "cosd": start.isoformat()},
    )
    days = np.array([day for day, _ in observed], "datetime64[D]")
    values = np.array([value for _, value in observed], float)
    return macro_table(series, days, values, lag_of(market, series), True)


def _windows(start: date, today: date) -> Iterator[tuple[date, str]]:
    """Yield real-time periods from `start` on, short enough for one request."""
    while True:
        end = date(start.year + VINTAGE_YEARS, start.month, 1)
        if end > today:
            yield start, "9999-12-31"
            return
        yield start, (end - timedelta(days=1)).isoformat()
        start = end


def _vintages_of(response: Any) -> list[tuple[date, date, float]]:
    """Return (day, published, value) of an answer of the API."""
    document = response.json()
    if not isinstance(document, dict) or "observations" not in document:
        raise ValueError("no observations in it")
    if document.get("count", 0) > len(document["observations"]):
        raise ValueError("fewer observations than it counts")
    return [
        (
            date.fromisoformat(row["date"]),
            date.fromisoformat(row["realtime_start"]),
            float(row["value"]),
        )
        for row in document["observations"]
        if row["value"] not in ("", ".")
    ]


def _window(patience: Patience, url: str, parameters: dict[str, str]) -> list:
    try:
        return get(patience, url, _vintages_of, parameters)
    except SourceError as error:
        if FIRST_VINTAGE_ONLY_IN_FRED in str(error):
            return []
        raise


def _by_vintage(
    identifier: str,
    series: str,
    start: date,
    today: date,
    base: str,
    key: str,
    patience,
) -> pa.Table:
    """Return every vintage of the days from `start` on.

    A period repeats, as of its first day, the values of the period before: a value that
    did not change is no vintage.
    """
    latest: dict[date, float] = {}
    rows = []
    for begin, end in _windows(start, today):
        found = _window(
            patience,
            f"{base}/fred/series/observations",
            {
                "series_id": identifier, "api_key": key, "file_type": "json",
                "observation_start": start.isoformat(),
                "realtime_start": begin.isoformat(), "realtime_end": end,
            },
        )  # fmt: skip
        for day, published, value in sorted(found):
            if latest.get(day) != value:
                rows.append((day, series, value, _end_of(published)))
                latest[day] = value
    columns = list(zip(*rows, strict=True)) or [()] * 4
    return pa.table([list(column) for column in columns], schema=schema_of(MACRO))


def _end_of(day: date) -> datetime:
    return datetime.combine(day, time(), UTC) + VINTAGE_KNOWN_AFTER


def ingest_fred(
    identifier: str,
    series: str,
    market: Market,
    request: Request,
    patience: Patience,
    outcome: Outcome,
    key: str | None = None,
    base: str | None = None,
) -> None:
    """Bring one series up to date; count into `outcome`.

    With a `key` known_at is the day of the vintage, else day plus publication lag, on
    the next US business day. Rows that would become known after `request.now` wait.
    """
    lag_of(market, series)
    start = first_day(market, series, request, OVERLAP_DAYS)
    outcome.asked = asked_days(market, series, request)
    if key:
        rows = _by_vintage(
            identifier, series, start, request.now.date(), base or API, key, patience
        )
    else:
        rows = _by_rule(identifier, series, market, start, base or GRAPH, patience)
    store_days(market, series, rows, request, outcome, has_vintages=bool(key))


def _leave_out(rows: pa.Table, request: Request, outcome: Outcome) -> None:
    """Count the rows that wait for a later run, or lie behind the span asked for."""
    known, days = rows["known_at"].to_pylist(), rows["date"].to_pylist()
    until = request.until.date() if request.until else None
    behind = [day for day in days if until and day >= until]
    waiting = [
        f"{day}, known at {at:%Y-%m-%d %H:%M}"
        for day, at in zip(days, known, strict=True)
        if at > request.now and not (until and day >= until)
    ]
    if waiting:
        outcome.leave_out("not known yet", len(waiting), waiting[0])
    if behind:
        outcome.leave_out("not before --until", len(behind), str(behind[0]))
    outcome.rows_given += len(waiting) + len(behind)


def store_days(
    market: Market,
    series: str,
    rows: pa.Table,
    request: Request,
    outcome: Outcome,
    has_vintages: bool = False,
    step_hours: float = LONGEST_WEEKEND_HOURS,
) -> None:
    """Store the rows that are known by now and in the span asked for."""
    keep = np.array(
        [
            known <= request.now and (not request.until or day < request.until.date())
            for known, day in zip(
                rows["known_at"].to_pylist(), rows["date"].to_pylist(), strict=True
            )
        ],
        bool,
    )
    if not len(rows):
        outcome.note("the source gave no rows")
    _leave_out(rows, request, outcome)
    store(
        market, MACRO, series, rows.filter(pa.array(keep)), outcome,
        request.accept_revisions, request.now, has_vintages,
    )  # fmt: skip
    count_gaps(market, MACRO, series, outcome, step_hours)
    account_for_days(market, series, outcome)
    request.progress(1.0)
