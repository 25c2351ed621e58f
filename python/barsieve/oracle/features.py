"""Every column of `features`, one bar at a time."""

import math
from decimal import Decimal
from itertools import pairwise
from typing import Any

import numpy as np

from barsieve.oracle.history import HOUR, History

Row = dict[str, Any]

MINUTE = 60

MACRO_FEATURES = {
    "vix": "VIX",
    "move": "MOVE",
    "dxy": "DXY",
    "us2y": "US2Y",
    "us10y": "US10Y",
    "wti": "WTI_SPOT",
    "gold": "GOLD_PM",
    "total": "TOTAL",
    "total2": "TOTAL2",
    "btc_dominance": "BTC.D",
    "usdt_dominance": "USDT.D",
    "open_interest": "OPEN_INTEREST",
}


def _mean(values: Any) -> float | None:
    return None if values is None else float(np.mean(values))


def _sd(values: Any) -> float | None:
    return None if values is None else float(np.std(values, ddof=1))


def _ratio(above: Any, below: Any) -> float | None:
    if above is None or below is None or below == 0:
        return None
    ratio: float = above / below
    return ratio


def ema(values: np.ndarray, span: int) -> Any:
    """Return the finite EMA that ends with the last value, None where too short."""
    decay = 1 - 2 / (span + 1)
    n = 12 * math.ceil(math.log(1e-6) / math.log(decay) / 12)
    if len(values) < n:
        return None
    weights = decay ** np.arange(n)[::-1]
    return float(np.dot(values[-n:], weights) / weights.sum())


def _rsi(h: History, t: int) -> float | None:
    closes = h.last(h.close, 15, t)
    if closes is None:
        return None
    moves = np.diff(closes)
    gain, loss = moves[moves > 0].sum(), -moves[moves < 0].sum()
    if loss == 0:
        return 50.0 if gain == 0 else 100.0
    return float(100 - 100 / (1 + gain / loss))


def _macd_hist(h: History, t: int) -> float | None:
    macds = []
    for k in range(t - 71, t + 1):
        closes = h.last(h.close, 180, k)
        if closes is None:
            return None
        macds.append(ema(closes, 12) - ema(closes, 26))
    above: float = macds[-1] - ema(np.array(macds), 9)
    return above


def _log_returns(h: History, n: int, t: int) -> np.ndarray | None:
    closes = h.last(h.close, n + 1, t)
    return None if closes is None else np.diff(np.log(closes))


def _annual(sd: float | None) -> float | None:
    return None if sd is None else sd * math.sqrt(24 * 365)


def hourly(h: History, t: int) -> Row:
    """Return the columns that depend on hours alone."""
    row: Row = {f"sma_{n}": _mean(h.last(h.close, n, t)) for n in (20, 50, 100)}
    row["rsi_14"] = _rsi(h, t)
    row["tr"] = float(h.true_ranges[t]) if t else None
    row["atr_14"], row["atr_20"] = h.atr(14, t), h.atr(20, t)
    ranks: Any = [h.atr(14, k) for k in range(t - 99, t + 1)] if t >= 113 else None
    row["atr_rank_100"] = sum(a < ranks[-1] for a in ranks) / 100 if ranks else None
    row["atr_p75_99"] = float(np.percentile(ranks[:-1], 75)) if ranks else None
    row["macd_hist"] = _macd_hist(h, t)
    volumes = h.before(h.volume, 20, t)
    mean, sd = _mean(volumes), _sd(volumes)
    row["volume_mean_20"], row["volume_sd_20"] = mean, sd
    row["volume_z_20"] = None if mean is None else _ratio(h.volume[t] - mean, sd)
    row["volume_surge"] = _ratio(
        _mean(h.last(h.volume, 10, t)), _mean(h.last(h.volume, 50, t))
    )
    row["realized_vol_24"] = _annual(_sd(_log_returns(h, 24, t)))
    row["realized_vol_168"] = _annual(_sd(_log_returns(h, 168, t)))
    row["return_1"] = math.log(h.close[t] / h.close[t - 1]) if t >= 1 else None
    row["return_24"] = math.log(h.close[t] / h.close[t - 24]) if t >= 24 else None
    spread = h.high[t] - h.low[t]
    row["upper_wick"] = _ratio(h.high[t] - max(h.open[t], h.close[t]), spread)
    row["lower_wick"] = _ratio(min(h.open[t], h.close[t]) - h.low[t], spread)
    row["body"] = _ratio(abs(h.close[t] - h.open[t]), spread)
    return row


def last_swing(h: History, t: int, side: int) -> int | None:
    """Return the bar of the last swing high (1) or low (-1) confirmed by bar t."""
    if t < 199:
        return None
    column = h.high if side > 0 else -h.low
    for confirmed in range(t, t - 200, -1):
        i = confirmed - 5
        if i - 5 < 0:
            continue
        around = np.concatenate([column[i - 5 : i], column[i + 1 : i + 6]])
        if column[i] > around.max():
            return i
    return None


def swings(h: History, t: int) -> Row:
    """Return the last confirmed swings; indexes count bars from 1."""
    high, low = last_swing(h, t, 1), last_swing(h, t, -1)
    return {
        "swing_high": None if high is None else float(h.high[high]),
        "swing_high_index": None if high is None else high + 1,
        "swing_low": None if low is None else float(h.low[low]),
        "swing_low_index": None if low is None else low + 1,
    }


def _trend(close: float | None, mean: float | None) -> str | None:
    if close is None or mean is None:
        return None
    return "up" if close > mean * 1.01 else "down" if close < mean * 0.99 else "neutral"


def _directional_index(blocks: list[dict[str, Any]]) -> float | None:
    """Return DX of the last 14 of 15 blocks."""
    plus = minus = ranges = 0.0
    for before, block in pairwise(blocks):
        up, down = block["high"] - before["high"], before["low"] - block["low"]
        plus += up if up > down and up > 0 else 0.0
        minus += down if down > up and down > 0 else 0.0
        ranges += max(block["high"], before["close"]) - min(
            block["low"], before["close"]
        )
    if ranges == 0 or plus + minus == 0:
        return None
    return 100 * abs(plus - minus) / (plus + minus)


def _adx(blocks: list[dict[str, Any]]) -> float | None:
    if len(blocks) < 28:
        return None
    recent = blocks[-28:]
    indexes: list[Any] = [_directional_index(recent[k : k + 15]) for k in range(14)]
    return None if None in indexes else float(np.mean(indexes))


def timeframes(h: History, t: int) -> Row:
    """Return the columns of closed 4-hour and daily bars, and the trends."""
    fours, days = h.blocks(4, t, 28), h.blocks(24, t, 50)
    row: Row = {"adx_14_4h": _adx(fours)}
    closes_4h = [block["close"] for block in fours]
    closes_1d = [block["close"] for block in days]
    row["sma_20_4h"] = _mean(closes_4h[-20:]) if len(fours) >= 20 else None
    row["sma_20_1d"] = _mean(closes_1d[-20:]) if len(days) >= 20 else None
    row["sma_50_1d"] = _mean(closes_1d[-50:]) if len(days) >= 50 else None
    row["trend_1h"] = _trend(h.close[t], _mean(h.last(h.close, 20, t)))
    row["trend_4h"] = _trend(closes_4h[-1] if fours else None, row["sma_20_4h"])
    row["trend_1d"] = _trend(closes_1d[-1] if days else None, row["sma_20_1d"])
    row["range_position_20_1d"] = row["volume_ratio_1d"] = None
    if len(days) >= 20:
        month = days[-20:]
        low = min(day["low"] for day in month)
        high = max(day["high"] for day in month)
        row["range_position_20_1d"] = _ratio(month[-1]["close"] - low, high - low)
        volumes = [day["volume"] for day in month]
        if None not in volumes:
            row["volume_ratio_1d"] = _ratio(volumes[-1], _mean(volumes))
    return row


def settled_before(h: History, t: int) -> Row:
    """Return what depends on the bar before: missing hours and the funding settled."""
    if t == 0:
        return {"gap_hours": None, "funding_settled": None}
    near = h.settlements(h.ts[t - 1] - MINUTE, h.ts[t] + MINUTE)
    paid = [s.rate for s in near if h.ts[t - 1] < s.due <= h.ts[t]]
    return {
        "gap_hours": int((h.ts[t] - h.ts[t - 1]) // HOUR) - 1,
        "funding_settled": sum(paid) if paid else None,
    }


def funding(h: History, now: float) -> Row:
    """Return the last settled rate, scaled to 8 hours, and its age.

    A settlement is known a minute after it. Where no file says how many hours it
    covers, the shorter of the last two gaps between settlements does.
    """
    known = h.last_settled(3, MINUTE, now)
    if not known:
        return {"funding_rate": None, "funding_rate_age_hours": None}
    last, known_at = known[-1], known[-1].at + MINUTE
    gaps = [round((b.at - a.at) / HOUR) for a, b in pairwise(known)]
    hours = last.stated_hours or min([gap for gap in gaps if gap > 0], default=None)
    rate = None
    if hours is not None and h.is_fresh(known_at, "funding_rate", now):
        rate = last.rate * 8 / hours
    return {"funding_rate": rate, "funding_rate_age_hours": (now - known_at) / HOUR}


def interest_change(h: History, now: float) -> float | None:
    """Return the change of open interest over 24 hours.

    Of the day that was the latest then, in the vintage of now.
    """
    interest = h.reading("OPEN_INTEREST", "open_interest", now)
    before = h.last_known("OPEN_INTEREST", now - 24 * HOUR)
    if before is None or not h.is_fresh(
        before.known_at, "open_interest", now - 24 * HOUR
    ):
        return None
    today = h.macro["OPEN_INTEREST"].by_day(now)
    change = _ratio(interest, today[before.day].value)
    return None if change is None else change - 1


def _of_last_days(values: list[float], n: int) -> list[float] | None:
    return values[:n] if len(values) >= n else None


def macro_windows(h: History, now: float) -> Row:
    """Return what is made of several days of a series, or of two series."""
    row: Row = {
        "usdt_dominance_z_60": None,
        "total_mean_30": None,
        "total2_share": None,
        "total2_share_mean_30": None,
        "yield_spread": None,
    }
    tether, total = h.known_days("USDT.D", now), h.known_days("TOTAL", now)
    if tether and h.is_fresh(tether[0].known_at, "usdt_dominance", now):
        values = _of_last_days([o.value for o in tether], 60)
        if values:
            above = values[0] - float(np.mean(values))
            row["usdt_dominance_z_60"] = _ratio(above, _sd(values))
    if total and h.is_fresh(total[0].known_at, "total", now):
        row["total_mean_30"] = _mean(_of_last_days([o.value for o in total], 30))
    shares = h.known_pairs("TOTAL2", "TOTAL", 30, now)
    if shares and h.is_fresh(_known_at(shares[0]), "total2", now):
        values = [one.value / other.value for one, other in shares]
        row["total2_share"] = values[0]
        row["total2_share_mean_30"] = _mean(_of_last_days(values, 30))
    yields = h.known_pairs("US2Y", "US10Y", 1, now)
    if yields and h.is_fresh(_known_at(yields[0]), "us2y", now):
        one, other = yields[0]
        spread = Decimal(str(one.value)) - Decimal(str(other.value))
        row["yield_spread"] = float(spread)
    return row


def _known_at(pair: tuple[Any, ...]) -> float:
    known_at: float = max(observation.known_at for observation in pair)
    return known_at


def macro(h: History, t: int) -> Row:
    """Return the macro columns and their ages."""
    now = h.ts[t] + HOUR
    row: Row = {}
    for feature, series in MACRO_FEATURES.items():
        last = h.last_known(series, now)
        row[feature] = h.reading(series, feature, now)
        row[f"{feature}_age_hours"] = (now - last.known_at) / HOUR if last else None
    row["oi_change_24h"] = interest_change(h, now)
    return row | funding(h, now) | macro_windows(h, now)


def feature_row(h: History, t: int) -> Row:
    """Return every feature of bar t."""
    return {
        **settled_before(h, t),
        **hourly(h, t),
        **swings(h, t),
        **timeframes(h, t),
        **macro(h, t),
    }
