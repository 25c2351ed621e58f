"""Publication of daily values: the lag of a series, on days when it is published.

The lag comes from the seed `macro_series`. A value that is published on a later day
(lag of a day or more) by an office that keeps business days waits for the next one: the
yields of a Friday come out on Monday, those before a holiday on the day after it.
"""

import csv
import functools
from pathlib import Path
from typing import NamedTuple

import numpy as np

from barsieve.core.extras import needed


class Publication(NamedTuple):
    """Lateness of a series, in hours after the start of its day (UTC).

    A value counts for `stale_after_hours` once it is known.
    """

    series: str
    symbol: str
    lag_hours: int
    stale_after_hours: int


def read_publications(seed: Path) -> dict[str, Publication]:
    """Return the declared macro series by name, from `seeds/macro_series.csv`."""
    with seed.open(newline="") as lines:
        return {
            row["series"]: Publication(
                row["series"],
                row["symbol"],
                int(row["publication_lag_hours"]),
                int(row["stale_after_hours"]),
            )
            for row in csv.DictReader(lines)
            if row["source"] == "macro"
        }


@functools.cache
def _us_holidays(first_year: int, last_year: int) -> np.ndarray:
    calendar = needed("pandas.tseries.holiday", "ingest").USFederalHolidayCalendar()
    found = calendar.holidays(f"{first_year}", f"{last_year + 1}")
    return found.to_numpy().astype("datetime64[D]")


def known_at(
    days: np.ndarray, lag_hours: int, on_business_days: bool = False
) -> np.ndarray:
    """Return when the values of days became known, datetime64[us] in UTC.

    `days` is datetime64[D] of shape (n,). With `on_business_days` a value that comes
    out on a later day waits for the next US business day.
    """
    late_days, hours = divmod(lag_hours, 24)
    published: np.ndarray = days + np.timedelta64(late_days, "D")
    if on_business_days and late_days and len(days):
        years = published.astype("datetime64[Y]").astype(int) + 1970
        holidays = _us_holidays(int(years.min()), int(years.max()) + 1)
        published = np.busday_offset(published, 0, "forward", holidays=holidays)
    return published.astype("datetime64[us]") + np.timedelta64(hours, "h")
