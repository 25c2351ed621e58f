"""Sessions of daily bars: the day that one is named after, and when it has ended."""

from datetime import UTC, datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np

from barsieve.ingest.daily_bars import are_eves, known_from
from barsieve.ingest.publication import known_at

SUNDAY, FRIDAY, SATURDAY = 6, 4, 5
DAY_HOURS = 24.0
# A session that opens this late at its exchange is of the day after.
EVENING_HOUR = 17.0


class Session(NamedTuple):
    """Session: when it opens and ends, in hours of the local day it is named after.

    A negative `opens` is the evening before.
    """

    opens: float = 0.0
    ends: float = DAY_HOURS


def _local_hour(moment: Any, zone: str) -> float:
    if not hasattr(moment, "hour"):
        moment = datetime.fromtimestamp(float(moment), UTC)
    elif moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    local = moment.astimezone(ZoneInfo(zone))
    return local.hour + local.minute / 60


def session_of(periods: Any, zone: str) -> Session:
    """Return the session of Yahoo's `currentTradingPeriod`, else a whole day."""
    try:
        regular = periods["regular"]
        opens = _local_hour(regular["start"], zone)
        ends = _local_hour(regular["end"], zone)
    except (KeyError, TypeError, ValueError, OverflowError):
        return Session()
    if opens >= EVENING_HOUR:
        return Session(opens - DAY_HOURS, ends or DAY_HOURS)
    return Session(opens, ends if ends > opens else DAY_HOURS)


def named_days(opened: np.ndarray, session: Session) -> tuple[np.ndarray, np.ndarray]:
    """Return the days that sessions are named after, and which of them are whole ones.

    `opened` (datetime64[D]) are the local days on which they opened. Weeks from Sunday
    to Thursday are those of sessions that open the evening before. A Sunday beside
    Fridays, in weeks without a Saturday, is the first hours of Monday's session.
    """
    weekday = (opened.astype("datetime64[D]").astype(np.int64) + 3) % 7
    every = np.ones(len(opened), bool)
    if (weekday == SATURDAY).any() or not (weekday == SUNDAY).any():
        is_evening = session.opens < 0 and not (weekday == FRIDAY).any()
        return opened + np.timedelta64(int(is_evening), "D"), every
    if are_eves(opened):
        return opened + np.timedelta64(1, "D"), every
    return opened, weekday != SUNDAY


def known_after_session(
    days: np.ndarray, lag_hours: int, session: Session, zone: str
) -> np.ndarray:
    """Return when daily closes became known, datetime64[us] in UTC.

    Not before the day's publication lag is over, nor before the session has ended at
    its exchange and what the lag has beyond a day has passed since.
    """
    midnights = days.astype("datetime64[D]")
    local = midnights.astype("datetime64[s]") + np.timedelta64(
        round(session.ends * 3600), "s"
    )
    ends = np.array([_to_utc(moment, zone) for moment in local], "datetime64[us]")
    return known_from(known_at(days, lag_hours), ends, lag_hours)


def _to_utc(local: np.datetime64, zone: str) -> np.datetime64:
    moment = local.astype("datetime64[s]").item().replace(tzinfo=ZoneInfo(zone))
    return np.datetime64(moment.astimezone(UTC).replace(tzinfo=None), "us")
