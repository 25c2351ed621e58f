"""The sentinels, one bar at a time, from its features and those of the bars before."""

from typing import Any

Row = dict[str, Any]


def _cross(row: Row, before: Row, two_before: Row, mean: str) -> str | None:
    """Return the side on which the close left the mean of the row before."""
    now, then = before.get(mean), two_before.get(mean)
    if now is None or then is None:
        return None
    if row["close"] > now and before["close"] <= then:
        return "long"
    if row["close"] < now and before["close"] >= then:
        return "short"
    return None


def _spike(row: Row) -> str | None:
    mean, sd = row["volume_mean_20"], row["volume_sd_20"]
    if mean is None or not sd > 0 or not row["volume"] > mean + 2 * sd:
        return None
    body = row["close"] - row["open"]
    return "long" if body > 0 else "short" if body < 0 else "none"


def _break(row: Row) -> str | None:
    high, low = row["swing_high"], row["swing_low"]
    is_above = high is not None and row["close"] > high
    is_below = low is not None and row["close"] < low
    if is_above and is_below:
        return "none"
    return "long" if is_above else "short" if is_below else None


def _is_volatile(row: Row) -> bool | None:
    atr, bound = row.get("atr_14"), row.get("atr_p75_99")
    return None if atr is None or bound is None else atr > bound


def sentinel_row(row: Row, before: Row, two_before: Row) -> dict[str, str | None]:
    """Return the side of every sentinel that fires, None where one does not.

    `before` and `two_before` are empty where history starts.
    """
    states = {_is_volatile(before), _is_volatile(row)}
    return {
        "sma_20_cross": _cross(row, before, two_before, "sma_20"),
        "sma_50_cross": _cross(row, before, two_before, "sma_50"),
        "atr_regime": "none" if states == {True, False} else None,
        "volume_spike": _spike(row),
        "session_break": "none" if (row["gap_hours"] or 0) >= 2 else None,
        "range_break": _break(row),
    }
