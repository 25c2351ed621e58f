"""Hours that each funding settlement covers.

An exchange settles a contract every 8, 4, 2 or 1 hours and may change that from one
settlement to the next; a rate is of its own hours. Where the exchange does not say
them, they are the distance from the settlement before, unless settlements are missing.
"""

import numpy as np

# No exchange settles less often: a longer distance means that settlements are missing.
LONGEST_HOURS = 8.0


def intervals_of(stamps: np.ndarray, stated: np.ndarray) -> np.ndarray:
    """Return the hours that settlements cover, shape (n,), nan where not known yet.

    `stamps` ascend (datetime64); `stated` are hours that are known, else nan. Where the
    distance to the settlement before is longer than both its predecessor's interval and
    the distance to the next one, settlements are missing and the longer of these two
    counts. The last settlement waits for the next when its distance is a new one.
    """
    hours = stated.astype(float).copy()
    steps = np.diff(stamps).astype("timedelta64[s]").astype(float) / 3600
    n = len(stamps)
    for i in range(n):
        if not np.isnan(hours[i]) or n < 2:
            continue
        back = steps[i - 1] if i else np.inf
        ahead = steps[i] if i < n - 1 else np.nan
        before = hours[i - 1] if i else np.nan
        if i and back == before:
            hours[i] = back
        elif not np.isnan(ahead):
            usual = ahead if np.isnan(before) else max(before, ahead)
            found = min(back, usual)
            hours[i] = found if found <= LONGEST_HOURS else before
    return hours


def usual_hours(stamps: np.ndarray, stated: np.ndarray) -> np.ndarray:
    """Return the intervals, those not known yet as the last ones before them."""
    hours = intervals_of(stamps, stated)
    for i in range(len(hours)):
        if np.isnan(hours[i]):
            hours[i] = hours[i - 1] if i else LONGEST_HOURS
    return hours
