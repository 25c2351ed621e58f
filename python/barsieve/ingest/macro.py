"""Daily series: rows of the macro layout, and where to go on."""

from datetime import date, timedelta

import numpy as np
import pyarrow as pa

from barsieve.check_market import MACRO
from barsieve.ingest.market import Market
from barsieve.ingest.publication import known_at
from barsieve.ingest.request import EARLIEST, Request
from barsieve.ingest.storing import span_of
from barsieve.problems import InputError, Problem
from barsieve.schemas import TIMESTAMP


def undeclared(series: str) -> Problem:
    """Return the fault of a series that the seed does not declare."""
    return Problem(
        "seeds/macro_series.csv", f"series '{series}'", "it to be declared there",
        "no such row", "add a row with its unit, range, staleness and publication lag",
    )  # fmt: skip


def macro_table(
    series: str,
    days: np.ndarray,
    values: np.ndarray,
    lag_hours: int,
    on_business_days: bool = False,
) -> pa.Table:
    """Return rows of the macro layout for days (datetime64[D]) and their values."""
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
