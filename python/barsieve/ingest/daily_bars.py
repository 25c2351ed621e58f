"""Daily bars as values of days: which day a session is named after, when it was over.

A session may open the evening before its day (futures, currencies), at an exchange's
local midnight, or in its morning. A value is known once its bar has ended, and no
earlier than the publication of its series.
"""

import numpy as np

HOUR = np.timedelta64(3_600_000_000, "us")
DAY = 24 * HOUR
# A clock that is put back makes a day of 25 hours.
LONGEST_DAY = 25 * HOUR
# A session that opens this late belongs to the day on which it ends: sessions of
# exchanges' own days open until 14:30 UTC (New York), evening sessions from 21:00.
EVENING = 15 * HOUR


def ends_of(opens: np.ndarray) -> np.ndarray:
    """Return when daily bars had ended at the latest, datetime64[us].

    `opens` (ascending, shape (n,)) are moments in UTC. That is the next open, where the
    next bar follows at once, else a day after the open. Of the last bar that is not
    known: its day may be the long one of a year, unless days are UTC's.
    """
    opens = opens.astype("datetime64[us]")
    ends = opens + DAY
    if len(opens):
        steps = np.diff(opens)
        follows = steps <= LONGEST_DAY
        ends[:-1][follows] = opens[1:][follows]
        is_utc = (opens == opens.astype("datetime64[D]")).all()
        ends[-1] = opens[-1] + (DAY if is_utc else LONGEST_DAY)
    return ends


def days_of(opens: np.ndarray) -> np.ndarray:
    """Return the days that sessions are named after, datetime64[D], by their opens.

    A session of the evening is named after the day on which it ends.
    """
    return (opens.astype("datetime64[us]") + (DAY - EVENING)).astype("datetime64[D]")


def are_eves(days: np.ndarray) -> bool:
    """Tell whether dates are those of the evenings before the sessions.

    Sessions of Monday to Friday that are dated Sunday to Thursday are.
    """
    weekdays = (days.astype("datetime64[D]").astype(int) + 3) % 7  # Monday is 0
    return bool(6 in weekdays and 4 not in weekdays and 5 not in weekdays)


def known_from(published: np.ndarray, ends: np.ndarray, lag_hours: int) -> np.ndarray:
    """Return when values were known: by their publication, and after their bars' ends.

    `published` is the start of the day named plus `lag_hours`; what of the lag goes
    beyond the day itself comes on top of the end of the bar.
    """
    late = np.timedelta64(max(lag_hours - 24, 0), "h")
    return np.maximum(published, ends.astype("datetime64[us]") + late)
