"""A simulated market with known regimes and planted signals, in the market layout.

What the truth is, is kept beside the market (`truth/`), so that tests can ask whether
it is recovered. Prices are rounded as they are made and each bar starts from a rounded
one: the values do not depend on the last bit of anybody's mathematics library.
"""

import json
import math
from collections import deque
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from barsieve.core.schemas import TIMESTAMP

DEFAULT_SEED = 69
DEFAULT_HOURS = 19_800
LEAST_HOURS = 24 * 14
START = datetime(2021, 3, 1, tzinfo=UTC)
MACRO_RUN_UP_DAYS = 420

REGIMES = ("risk_on", "neutral", "risk_off", "crisis")
MEAN_DAYS = (30, 24, 18, 9)
ANNUAL_VOLATILITY = (0.45, 0.60, 0.85, 1.40)
ANNUAL_DRIFT = (0.60, 0.20, -0.60, -1.50)
MOVES_TO = np.array(
    [
        [0.00, 0.80, 0.15, 0.05],
        [0.55, 0.00, 0.40, 0.05],
        [0.10, 0.55, 0.00, 0.35],
        [0.05, 0.25, 0.70, 0.00],
    ]
)

# Mean level per regime, daily pull towards it, daily noise, decimals.
LEVELS = {
    "VIX": ((13.5, 18.5, 25.5, 37.0), 0.45, 1.1, 2),
    "MOVE": ((80.0, 100.0, 126.0, 158.0), 0.40, 3.5, 2),
    "DXY": ((98.0, 101.5, 104.8, 107.5), 0.30, 0.35, 2),
    "US2Y": ((2.6, 3.4, 4.5, 4.9), 0.20, 0.06, 2),
    "US10Y": ((3.4, 3.5, 4.1, 4.0), 0.20, 0.05, 2),
    "WTI_SPOT": ((72.0, 78.0, 86.0, 82.0), 0.15, 1.4, 2),
    "GOLD_PM": ((1850.0, 1900.0, 1980.0, 2080.0), 0.08, 12.0, 2),
}
# Hours after the day's start at which a value is published.
LAG_HOURS = {
    "VIX": 22,
    "MOVE": 36,
    "DXY": 24,
    "US2Y": 46,
    "US10Y": 46,
    "WTI_SPOT": 214,
    "GOLD_PM": 22,
}
CRYPTO_LAG_HOURS = 24

FIRST_PRICES = {"BTC": 30_000.0, "ETH": 1_800.0}
BETA = {"BTC": 1.0, "ETH": 1.15}
COMMON_SHARE = 0.8
# Prices are drawn back to the first one with a half-life of about five months, so that
# a simulated century stays within the range of prices.
HOURLY_PULL = 2e-4


@dataclass(frozen=True)
class Effects:
    """The planted signals, in hourly standard deviations of the return.

    `momentum` times (momentum part of the domain score, RSI only) is added to the next
    return while the regime is `momentum_regime`. `season` is added in the hours of the
    week `rising_hours` and taken away in `falling_hours`, in every regime. `trend` is
    the size of a drift that lasts for days (half-life about five) and then turns.
    """

    momentum: float = 0.5
    momentum_regime: str = "risk_on"
    season: float = 0.45
    rising_hours: tuple[int, ...] = (9, 33, 57, 81, 105, 129, 153)
    falling_hours: tuple[int, ...] = (16, 40, 64, 88, 112, 136, 160)
    trend: float = 0.06


@dataclass(frozen=True)
class Market:
    """A market in memory: Arrow tables as the layout stores them, and the truth."""

    bars: dict[str, pa.Table]
    macro: pa.Table
    funding: pa.Table
    regimes: pa.Table
    effects: Effects
    seed: int


def _regime_path(rng: np.random.Generator, n_days: int) -> np.ndarray:
    """Return the regime of each day: a Markov chain with the mean durations."""
    path = np.empty(n_days, np.int64)
    state = 1
    for day in range(n_days):
        path[day] = state
        if rng.random() < 1 / MEAN_DAYS[state]:
            state = int(rng.choice(4, p=MOVES_TO[state]))
    return path


def _season(effects: Effects) -> list[float]:
    season = [0.0] * 168
    for hour in effects.rising_hours:
        season[hour] = effects.season
    for hour in effects.falling_hours:
        season[hour] = -effects.season
    return season


def _slow_path(rng: np.random.Generator, n_days: int, memory: float) -> list[float]:
    """Return a daily autoregression with mean 0 and standard deviation 1."""
    shocks = rng.standard_normal(n_days) * math.sqrt(1 - memory * memory)
    value, path = 0.0, []
    for shock in shocks:
        value = memory * value + float(shock)
        path.append(value)
    return path


def _momentum_part(gains: float, losses: float) -> float:
    """Return the RSI part of the momentum score: follow to 70, fade beyond."""
    if gains + losses == 0:
        return 0.0
    rsi = 100 * gains / (gains + losses)
    if rsi > 70:
        return -0.25
    if rsi < 30:
        return 0.25
    return (rsi - 50) / 50


def _simulate_bars(
    rng: np.random.Generator, symbol: str, common: Any, regimes: Any, effects: Any
) -> dict[str, np.ndarray]:
    """Return hourly OHLCV arrays of shape (n_hours,) of one symbol."""
    n_hours = len(common)
    own = rng.standard_t(5, n_hours) * math.sqrt(3 / 5)
    wicks = np.abs(rng.standard_normal((n_hours, 2)))
    crowd = np.exp(0.35 * rng.standard_normal(n_hours))
    spikes = rng.random(n_hours) < 0.03
    drifts = _slow_path(rng, n_hours // 24, 0.87)
    busy = [math.exp(0.4 * x) for x in _slow_path(rng, n_hours // 24, 0.5)]
    season, momentum_regime = _season(effects), REGIMES.index(effects.momentum_regime)
    columns = {n: np.empty(n_hours) for n in ("open", "high", "low", "close", "volume")}
    moves: deque[float] = deque([0.0] * 14, maxlen=14)
    price, turbulence, crowding = FIRST_PRICES[symbol], 1.0, 1.0
    first_week_hour = START.weekday() * 24 + START.hour
    for i in range(n_hours):
        regime = regimes[i // 24]
        base = ANNUAL_VOLATILITY[regime] / math.sqrt(8760) * BETA[symbol]
        sd = base * math.sqrt(turbulence)
        shock = (
            math.sqrt(COMMON_SHARE) * common[i] + math.sqrt(1 - COMMON_SHARE) * own[i]
        )
        planted = season[(first_week_hour + i) % 168] + effects.trend * drifts[i // 24]
        if regime == momentum_regime:
            gains = sum(move for move in moves if move > 0)
            losses = -sum(move for move in moves if move < 0)
            planted += effects.momentum * _momentum_part(gains, losses)
        pull = -HOURLY_PULL * math.log(price / FIRST_PRICES[symbol])
        ret = ANNUAL_DRIFT[regime] / 8760 + pull + sd * (shock + planted)
        close = round(price * math.exp(ret), 2)
        high = round(max(price, close) * (1 + 0.5 * sd * wicks[i, 0]), 2)
        low = round(min(price, close) * (1 - 0.5 * sd * wicks[i, 1]), 2)
        crowding = 0.9 * crowding + 0.1 * (0.6 + 0.7 * abs(shock))
        volume = 1e8 / FIRST_PRICES[symbol] * busy[i // 24] * crowd[i] * crowding
        volume *= 1 + abs(shock)
        columns["open"][i], columns["close"][i] = price, close
        columns["high"][i], columns["low"][i] = high, low
        columns["volume"][i] = round(volume * (3.0 if spikes[i] else 1.0), 2)
        moves.append(close - price)
        turbulence = 0.12 + 0.82 * turbulence + 0.06 * min(shock * shock, 9.0)
        price = close
    return columns


def _outages(rng: np.random.Generator, n_hours: int) -> np.ndarray:
    """Return a mask of the hours that exist: now and then an exchange halts."""
    exists = np.ones(n_hours, bool)
    for _ in range(max(3, n_hours // 1500)):
        start = int(rng.integers(200, n_hours - 50))
        exists[start : start + int(rng.integers(1, 7))] = False
    return exists


def _bars_table(columns: dict[str, np.ndarray], exists: np.ndarray) -> pa.Table:
    micros = np.arange(len(exists), dtype=np.int64) * 3_600_000_000
    first = int(START.timestamp()) * 1_000_000
    stamps = pa.array((first + micros)[exists], pa.int64()).cast(TIMESTAMP)
    values = {name: pa.array(column[exists]) for name, column in columns.items()}
    return pa.table({"ts": stamps, **values})


def _level_path(
    rng: np.random.Generator,
    regimes: Any,
    means: Any,
    pull: float,
    noise: float,
    decimals: int,
) -> np.ndarray:
    shocks = noise * rng.standard_normal(len(regimes))
    level, path = means[regimes[0]], np.empty(len(regimes))
    for day, regime in enumerate(regimes):
        level = round(
            level + pull * (means[regime] - level) + shocks[day], decimals + 2
        )
        path[day] = round(level, decimals)
    return path


class _MacroRows:
    """Collects the long macro table."""

    def __init__(self) -> None:
        self.columns: dict[str, list[Any]] = {
            "date": [],
            "series": [],
            "value": [],
            "known_at": [],
        }

    def add(self, series: str, day: datetime, value: float, lag_hours: int) -> None:
        self.columns["date"].append(day.date())
        self.columns["series"].append(series)
        self.columns["value"].append(float(value))
        self.columns["known_at"].append(day + timedelta(hours=lag_hours))

    def table(self) -> pa.Table:
        schema = pa.schema(
            [
                ("date", pa.date32()),
                ("series", pa.string()),
                ("value", pa.float64()),
                ("known_at", TIMESTAMP),
            ]
        )
        rows = pa.table(self.columns, schema=schema)
        return rows.sort_by([("series", "ascending"), ("date", "ascending")])


def _add_levels(
    rows: _MacroRows, rng: np.random.Generator, regimes: np.ndarray, first_day: datetime
) -> None:
    """Add the series of traditional markets: working days, a few of them missing."""
    for series, (means, pull, noise, decimals) in LEVELS.items():
        path = _level_path(rng, regimes, means, pull, noise, decimals)
        holiday = rng.random(len(path)) < 0.015
        for day, value in enumerate(path):
            date = first_day + timedelta(days=day)
            if date.weekday() < 5 and not holiday[day]:
                rows.add(series, date, value, LAG_HOURS[series])


def _daily_closes(
    columns: dict[str, np.ndarray], first_price: float, run_up: int
) -> np.ndarray:
    """Return a close per day; before the bars begin, the first price."""
    closes = columns["close"][23::24]
    return np.concatenate([np.full(run_up, first_price), closes])


def _add_capitalisations(
    rows: _MacroRows,
    rng: np.random.Generator,
    regimes: np.ndarray,
    closes: dict[str, np.ndarray],
    first_day: datetime,
) -> None:
    """Add TOTAL, TOTAL2 and the dominances: what fear does to alternative coins."""
    n_days = len(closes["BTC"])
    flight = _level_path(rng, regimes[:n_days], (0.0, 0.05, 0.22, 0.40), 0.06, 0.012, 4)
    tether = _level_path(rng, regimes[:n_days], (4.2, 5.0, 6.6, 8.2), 0.08, 0.08, 3)
    for day in range(n_days):
        date = first_day + timedelta(days=day)
        bitcoin = closes["BTC"][day] * 19.5e6
        rest = (closes["ETH"][day] * 120e6 + 0.35 * bitcoin) * (1.15 - flight[day])
        total = bitcoin + rest
        values = {
            "TOTAL": round(total, -4),
            "TOTAL2": round(rest, -4),
            "BTC.D": round(100 * bitcoin / total, 3),
            "USDT.D": tether[day],
        }
        for series, value in values.items():
            rows.add(series, date, value, CRYPTO_LAG_HOURS)


def _add_open_interest(
    rows: _MacroRows,
    rng: np.random.Generator,
    symbol: str,
    closes: np.ndarray,
    first_day: datetime,
) -> None:
    interest = 4e8
    jumps = rng.random(len(closes)) < 0.10
    noise = rng.standard_normal(len(closes))
    for day in range(len(closes)):
        change = 0.02 * noise[day] + (0.08 if jumps[day] else -0.008)
        interest = round(min(max(interest * math.exp(change), 5e7), 5e9), -3)
        date = first_day + timedelta(days=day)
        rows.add(f"OI_{symbol}_COINM", date, interest, CRYPTO_LAG_HOURS)


def _funding_rows(
    rng: np.random.Generator, symbol: str, columns: dict[str, np.ndarray]
) -> pa.Table:
    """Return settlements every 8 h: dear after a rise, cheap after a fall."""
    closes = columns["close"]
    hours = np.arange(0, len(closes), 8)
    trend = np.log(closes[hours] / closes[np.maximum(hours - 72, 0)])
    rates = 0.0001 + 0.0018 * trend + 0.00006 * rng.standard_normal(len(hours))
    first = int(START.timestamp()) * 1_000_000
    stamps = pa.array(first + hours.astype(np.int64) * 3_600_000_000).cast(TIMESTAMP)
    return pa.table(
        {
            "ts": stamps,
            "symbol": pa.array([symbol] * len(hours)),
            "funding_rate": pa.array(np.round(np.clip(rates, -0.003, 0.003), 8)),
        }
    )


def simulate(
    seed: int = DEFAULT_SEED,
    hours: int = DEFAULT_HOURS,
    symbols: tuple[str, ...] = ("BTC", "ETH"),
    effects: Effects | None = None,
) -> Market:
    """Return a simulated market; equal arguments give equal values.

    Parameters
    ----------
    seed
        Of numpy's PCG64 generator; all randomness comes from it.
    hours
        Length of the history before outages, at least `LEAST_HOURS`.
    symbols
        Which of BTC and ETH to keep; both are always simulated.
    effects
        The planted signals; `Effects(momentum=0, season=0, trend=0)` is pure noise.
    """
    effects = effects or Effects()
    rng = np.random.Generator(np.random.PCG64(seed))
    n_days = -(-hours // 24)
    regimes = _regime_path(rng, MACRO_RUN_UP_DAYS + n_days)
    common = rng.standard_t(5, n_days * 24) * math.sqrt(3 / 5)
    trading = regimes[MACRO_RUN_UP_DAYS:]
    columns = {
        s: _simulate_bars(rng, s, common, trading, effects) for s in FIRST_PRICES
    }
    exists = _outages(rng, n_days * 24)
    exists[hours:] = False
    first_day = START - timedelta(days=MACRO_RUN_UP_DAYS)
    closes = {
        s: _daily_closes(columns[s], FIRST_PRICES[s], MACRO_RUN_UP_DAYS)
        for s in FIRST_PRICES
    }
    rows = _MacroRows()
    _add_levels(rows, rng, regimes, first_day)
    _add_capitalisations(rows, rng, regimes, closes, first_day)
    for symbol in FIRST_PRICES:
        _add_open_interest(rows, rng, symbol, closes[symbol], first_day)
    funding = [_funding_rows(rng, s, columns[s]) for s in FIRST_PRICES]
    days = [(first_day + timedelta(days=d)).date() for d in range(len(regimes))]
    return Market(
        bars={s: _bars_table(columns[s], exists) for s in sorted(symbols)},
        macro=rows.table(),
        funding=pa.concat_tables(funding),
        regimes=pa.table({"day": days, "regime": [REGIMES[r] for r in regimes]}),
        effects=effects,
        seed=seed,
    )


def may_write_to(folder: Path) -> bool:
    """Tell whether a folder is free, or holds a simulated market that may be replaced.

    Nobody's own data is ever overwritten.
    """
    if not folder.exists():
        return True
    if not folder.is_dir():
        return False
    if not any(folder.iterdir()):
        return True
    try:
        about = json.loads((folder / "market.json").read_text())
    except (OSError, ValueError):
        return False
    return about.get("is_simulated") is True


def write_market(market: Market, folder: Path) -> None:
    """Write a market in the layout of `BARSIEVE_MARKET`, with its truth beside it."""
    tables = {f"bars/{symbol}": table for symbol, table in market.bars.items()}
    tables["macro/macro_daily"] = market.macro
    tables["funding/funding_8h"] = market.funding
    tables["truth/regimes"] = market.regimes
    for name, table in tables.items():
        path = folder / f"{name}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(table, path, compression="zstd")
    about = {
        "name": "demo",
        "is_simulated": True,
        "seed": market.seed,
        "note": "Simulated. No price here was ever quoted anywhere.",
    }
    (folder / "market.json").write_text(json.dumps(about, indent=2) + "\n")
    (folder / "truth" / "effects.json").write_text(
        json.dumps(asdict(market.effects), indent=2) + "\n"
    )
