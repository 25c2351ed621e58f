"""Shorter bars as hourly ones, where a user asks for it."""

import numpy as np

from barsieve.ingest.converting import HOUR_US, Rows

PART = "an hour of which the file has a part only"


def to_hours(rows: Rows) -> Rows:
    """Return the hours of shorter bars: first open, highest, lowest, last close, sum.

    The hour at either end counts when the file covers it: its first bar opens with the
    first hour, its last one ends with the last. Within, hours may lack bars: sources
    leave out those without a trade.
    """
    if not len(rows.us):
        return rows
    hours = rows.us // HOUR_US * HOUR_US
    starts = np.flatnonzero(np.r_[True, hours[1:] != hours[:-1]])
    ends = np.r_[starts[1:], len(hours)] - 1
    values = rows.values
    made = rows._replace(
        us=hours[starts],
        local_us=rows.local_us[starts],
        values={
            "open": values["open"][starts],
            "high": np.maximum.reduceat(values["high"], starts),
            "low": np.minimum.reduceat(values["low"], starts),
            "close": values["close"][ends],
            "volume": np.add.reduceat(values["volume"], starts),
        },
        closes=None,
        step_hours=1.0,
        written=f"{rows.written}; {60 * rows.step_hours:g} min made into hours",
    )
    step = round(rows.step_hours * HOUR_US)
    whole = np.ones(len(starts), bool)
    whole[0] = rows.us[0] == hours[0]
    whole[-1] &= rows.us[-1] + step == hours[-1] + HOUR_US
    return made.kept(whole, PART)
