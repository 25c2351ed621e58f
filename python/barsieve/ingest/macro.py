"""Daily series: rows of the macro layout, and where to go on."""

from datetime import UTC, date, datetime, time, timedelta

import numpy as np
import pyarrow as pa

from barsieve.core.errors import InputError, Problem
from barsieve.core.schemas import TIMESTAMP
from barsieve.ingest.folder import Market
from barsieve.ingest.merge import span_of, stamps_of
from barsieve.ingest.publication import known_at
from barsieve.ingest.request import EARLIEST, Request
from barsieve.ingest.summary import Absent, Outcome
from barsieve.market.check import MACRO

# A daily series that pauses for longer has ended.
LONGEST_PAUSE_DAYS = 14


def undeclared(series: str) -> Problem:
    """Return the fault of a series that the seed does not declare."""
    return Problem(
        "seeds/macro_series.csv",
        f"series '{series}'",
        expected="it to be declared there",
        found="no such row",
        fix="add a row with its unit, range, staleness and publication lag",
    )


def macro_table(
    series: str,
    days: np.ndarray,
    values: np.ndarray,
    lag_hours: int,
    on_business_days: bool = False,
    known: np.ndarray | None = None,
) -> pa.Table:
    """Return rows of the macro layout for days (datetime64[D]) and their values.

    `known` (datetime64[us]) is when they became known, where the lag does not say it.
    """
    if known is None:
        known = known_at(days, lag_hours, on_business_days)
    return pa.table(
        {
            "date": pa.array(days.astype("datetime64[D]"), pa.date32()),
            "series": pa.array([series] * len(days), pa.string()),
            "value": pa.array(values, pa.float64()),
            "known_at": pa.array(known.astype(np.int64)).cast(TIMESTAMP),
        }
    )


def lag_of(market: Market, series: str) -> int:
    """Return the publication lag of a series; raise InputError if it has none."""
    if series not in market.publications:
        raise InputError([undeclared(series)])
    return market.publications[series].lag_hours


def first_day(market: Market, series: str, request: Request, overlap_days: int) -> date:
    """Return the first day to ask for: some before the last stored one.

    The start asked for when nothing is stored, when that start lies before what is, and
    to compare everything.
    """
    span = span_of(market, MACRO, series)
    if span is None:
        return (request.since or EARLIEST).date()
    since = request.since.date() if request.since else span[0]
    if request.recheck or since < span[0] - timedelta(days=overlap_days):
        return since
    return max(span[0], span[1] - timedelta(days=overlap_days))


def asked_days(market: Market, series: str, request: Request) -> tuple[date, date]:
    """Return the first day that was asked for, and the one before which it ends."""
    span = span_of(market, MACRO, series)
    first = request.since or (span and span[0]) or EARLIEST
    first = first.date() if isinstance(first, datetime) else first
    return first, (request.until or request.now + timedelta(days=1)).date()


def account_for_days(market: Market, series: str, outcome: Outcome) -> None:
    """Count the stored days of the span asked for; say where the source has none.

    A daily source answers a question with all that it has from a day on: before its
    first and after its last day there is nothing to be had.
    """
    if outcome.asked is None:
        return
    since, stop = outcome.asked
    stamps, _ = stamps_of(market, MACRO, series)
    stored = [day for day in (s.item().date() for s in stamps) if since <= day < stop]
    outcome.rows_stored = len(stored)
    if not stored:
        return
    for first, last, reason in (
        (since, stored[0], f"before the first day at {outcome.source}"),
        (stored[-1] + timedelta(days=1), stop, f"{outcome.source} has no days since"),
    ):
        if (last - first).days > LONGEST_PAUSE_DAYS:
            begins, ends = (datetime.combine(day, time(), UTC)
                            for day in (first, last - timedelta(days=1)))  # fmt: skip
            outcome.absent.append(
                Absent(reason, begins, ends, (last - first).days, True)
            )
