"""The five domain scores, one bar at a time, from an oracle's own features."""

import math

import numpy as np

from barsieve.oracle.features import Row, last_swing
from barsieve.oracle.history import HOUR, History


def wyckoff(row: Row) -> float | None:
    """Return the score of the last closed day's phase."""
    p, v = row["range_position_20_1d"], row["volume_ratio_1d"]
    if p is None or v is None:
        return None
    rules = [
        (v > 1.5 and p < 0.3, 0.72),
        (v > 1.5 and p > 0.7, 0.28),
        (p < 0.2 and v < 0.8, 0.65),
        (p > 0.8 and v < 0.8, 0.35),
    ]
    return next((score for holds, score in rules if holds), 0.5)


def liquidity(h: History, t: int, row: Row) -> float | None:
    """Return the score of volume surge and absorption."""
    surge = row["volume_surge"]
    if t < 4 or surge is None:
        return None
    direction = np.sign(h.close[t] - h.close[t - 4])
    if direction == 0:
        return 0.5
    strength = 0.5 + (0.20 if surge > 1.2 else 0) + (0.15 if surge > 1.8 else 0)
    wick = row["lower_wick"] if direction > 0 else row["upper_wick"]
    if wick is not None and wick > 0.3:
        strength += 0.15
    return float(strength if direction > 0 else 1 - strength)


def momentum(h: History, t: int, row: Row) -> float | None:
    """Return the score of RSI and MACD."""
    rsi, hist = row["rsi_14"], row["macd_hist"]
    if rsi is None or hist is None:
        return None
    score = 0.5
    if rsi > 70:
        score -= 0.25
    elif rsi < 30:
        score += 0.25
    else:
        score += (rsi - 50) / 50
    share = hist / h.close[t]
    score += 0.1 if share > 0.001 else -0.1 if share < -0.001 else 0.0
    return min(max(score, 0.0), 1.0)


def temporal(h: History, t: int, row: Row) -> float | None:
    """Return the score of the next hour of the week and of Fibonacci time."""
    week = 168 * HOUR
    slot = (h.ts[t] + HOUR) % week
    found = [k for k in range(t, max(0, t - 2600), -1) if h.ts[k] % week == slot][:12]
    if len(found) < 12 or min(found) < 1:
        return None
    if any(h.ts[k] - h.ts[k - 1] != HOUR for k in found):
        return None
    returns = [math.log(h.close[k] / h.close[k - 1]) for k in found]
    sd = float(np.std(returns, ddof=1))
    if sd == 0:
        return None
    statistic = float(np.mean(returns)) / (sd / math.sqrt(12))
    score = 0.5 + 0.25 * min(max(statistic / 2, -1.0), 1.0)
    high, low = row["swing_high_index"] or 0, row["swing_low_index"] or 0
    since = t + 1 - max(high, low)
    if high != low and any(abs(since - f) <= 1 for f in (21, 34, 55, 89, 144)):
        score += 0.25 if low > high else -0.25
    return min(max(score, 0.0), 1.0)


def _nearest_vote(zones: list[tuple[int, float]], close: float) -> int:
    """Return 1, -1 or 0 for active zones (side, middle): the nearest middle decides."""
    distances = {
        side: min((abs(close - m) for s, m in zones if s == side), default=math.inf)
        for side in (1, -1)
    }
    if distances[1] == distances[-1]:
        return 0
    return 1 if distances[1] < distances[-1] else -1


def order_block(h: History, t: int) -> int:
    """Return the vote of the order blocks."""
    zones = []
    for i in range(max(20, t - 199), t - 2):
        if h.volume[i] < 1.5 * np.mean(h.volume[i - 20 : i]):
            continue
        if h.high[i + 1 : i + 4].max() >= 1.02 * h.close[i]:
            side, is_spent = 1, (h.close[i + 1 : t + 1] < h.low[i]).any()
        elif h.low[i + 1 : i + 4].min() <= 0.98 * h.close[i]:
            side, is_spent = -1, (h.close[i + 1 : t + 1] > h.high[i]).any()
        else:
            continue
        middle = (h.high[i] + h.low[i]) / 2
        if not is_spent and abs(h.close[t] - middle) <= 0.02 * middle:
            zones.append((side, middle))
    return _nearest_vote(zones, h.close[t])


def fair_value_gap(h: History, t: int) -> int:
    """Return the vote of the fair-value gaps."""
    zones = []
    for i in range(max(11, t - 199), t + 1):
        if h.volume[i - 1] < 1.2 * np.mean(h.volume[i - 11 : i - 1]):
            continue
        if h.low[i] > h.high[i - 2]:
            side, bottom, top = 1, h.high[i - 2], h.low[i]
        elif h.high[i] < h.low[i - 2]:
            side, bottom, top = -1, h.high[i], h.low[i - 2]
        else:
            continue
        size, middle = top - bottom, (top + bottom) / 2
        if side > 0:
            is_spent = (h.low[i + 1 : t + 1] <= top - 0.7 * size).any()
        else:
            is_spent = (h.high[i + 1 : t + 1] >= bottom + 0.7 * size).any()
        is_near = abs(h.close[t] - middle) <= 0.02 * middle
        if size >= 0.003 * h.close[i - 1] and is_near and not is_spent:
            zones.append((side, middle))
    return _nearest_vote(zones, h.close[t])


def liquidity_sweep(h: History, t: int) -> int:
    """Return the vote of the liquidity sweeps."""
    zones = []
    for i in range(max(50, t - 20), t):
        spread = h.high[i] - h.low[i]
        if spread == 0 or h.volume[i] < 1.3 * np.mean(h.volume[i - 50 : i]):
            continue
        lower = (min(h.open[i], h.close[i]) - h.low[i]) / spread
        upper = (h.high[i] - max(h.open[i], h.close[i])) / spread
        after = h.close[i + 1 : min(i + 3, t) + 1]
        middle = (h.high[i] + h.low[i]) / 2
        if h.low[i] < h.low[i - 50 : i].min() and lower >= 0.6:
            if (after >= 1.001 * h.close[i]).any():
                zones.append((1, middle))
        elif (
            h.high[i] > h.high[i - 50 : i].max()
            and upper >= 0.6
            and (after <= 0.999 * h.close[i]).any()
        ):
            zones.append((-1, middle))
    return _nearest_vote(zones, h.close[t])


def structure_break(h: History, t: int) -> int:
    """Return the vote of the latest break of structure."""
    for i in range(t, t - 200, -1):
        if h.volume[i] < 1.2 * np.mean(h.volume[i - 10 : i]):
            continue
        high, low = last_swing(h, i, 1), last_swing(h, i, -1)
        is_up = high is not None and h.close[i] >= 1.001 * h.high[high]
        is_down = low is not None and h.close[i] <= 0.999 * h.low[low]
        if is_up != is_down:
            return 1 if is_up else -1
    return 0


def smc(h: History, t: int) -> float | None:
    """Return the score of the four structure detectors."""
    if t + 1 < 410:
        return None
    detectors = (order_block, fair_value_gap, liquidity_sweep, structure_break)
    votes = [detector(h, t) for detector in detectors]
    bullish, bearish = votes.count(1), votes.count(-1)
    n = max(bullish, bearish)
    if n < 2 or bullish == bearish:
        return 0.5
    return 0.5 + (0.125 * n if bullish > bearish else -0.125 * n)


def score_row(h: History, t: int, row: Row) -> dict[str, float | None]:
    """Return the scores of bar t, given its features."""
    return {
        "wyckoff": wyckoff(row),
        "liquidity": liquidity(h, t, row),
        "smc": smc(h, t),
        "momentum": momentum(h, t, row),
        "temporal": temporal(h, t, row),
    }
