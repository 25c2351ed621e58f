"""Time under water: the spells that a curve spends below its greatest value so far."""

from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import numpy as np

from barsieve.metrics.performance import DAY_US, drawdowns

# How many of the deepest drawdowns of a curve are kept.
MOST_DRAWDOWNS = 10


class Spells(NamedTuple):
    """Spells below the peak, in time order, arrays of shape (n_spells,).

    `peak` is the last bar at the peak, `recovery` the first that reached it again: the
    number of bars where the last spell is still open. `depth` is the deepest fall, as a
    fraction of the peak.
    """

    peak: np.ndarray
    recovery: np.ndarray
    depth: np.ndarray


def spells_of(equity: np.ndarray) -> Spells:
    """Return the spells of a curve, shape (n_bars,), below its greatest value so far.

    Only a whole recovery ends one, as in quantstats' `drawdown_details`.
    """
    falls = drawdowns(equity)
    edges = np.flatnonzero(np.diff(falls > 0, prepend=False, append=False))
    first, recovery = edges[::2], edges[1::2]
    depth = np.empty(0)
    if len(edges):
        depth = np.maximum.reduceat(np.append(falls, 0.0), edges)[::2]
    return Spells(peak=first - 1, recovery=recovery, depth=depth)


def _moment(bar_ts: np.ndarray, index: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=int(bar_ts[index]))


def _days(bar_ts: np.ndarray, spells: Spells) -> np.ndarray:
    """Return how long each spell lasted by the clock; an open one till the last."""
    ends = np.minimum(spells.recovery, len(bar_ts) - 1)
    lasted: np.ndarray = (bar_ts[ends] - bar_ts[spells.peak]) / DAY_US
    return lasted


def worst_drawdowns(
    equity: np.ndarray, bar_ts: np.ndarray, most: int = MOST_DRAWDOWNS
) -> list[dict[str, Any]]:
    """Return the deepest drawdowns of a curve, the deepest first.

    Both arrays have shape (n_bars,), `bar_ts` in µs. `start_ts` is the bar of the peak,
    `trough_ts` that of the deepest fall, `end_ts` that which reached the peak again;
    None where none did. `days` are those from the start to the end, or the last bar.
    """
    spells = spells_of(equity)
    days = _days(bar_ts, spells)
    rows = []
    for number in np.argsort(-spells.depth, kind="stable")[:most]:
        peak, recovery = spells.peak[number], spells.recovery[number]
        trough = peak + np.argmin(equity[peak:recovery])
        rows.append(
            {
                "start_ts": _moment(bar_ts, peak),
                "trough_ts": _moment(bar_ts, trough),
                "end_ts": _moment(bar_ts, recovery) if recovery < len(equity) else None,
                "depth": float(spells.depth[number]),
                "days": float(days[number]),
            }
        )
    return rows


def under_water(equity: np.ndarray, bar_ts: np.ndarray) -> dict[str, float]:
    """Return the share of the closes below the peak so far, and the longest spell.

    Parameters as of `worst_drawdowns`; neither array is empty.
    """
    days = _days(bar_ts, spells_of(equity))
    return {
        "under_water_share": float((drawdowns(equity) > 0).mean()),
        "longest_under_water_days": float(days.max(initial=0.0)),
    }
