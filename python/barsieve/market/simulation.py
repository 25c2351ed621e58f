"""A simulated market with known regimes and planted signals, in the market layout.

What the truth is, is kept beside the market (`truth/`), so that tests can ask whether
it is recovered.
"""

import json
import math
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from barsieve.core.schemas import TIMESTAMP
from barsieve.market.effects import PROFILES, Moves, Planted, moves_of
from barsieve.market.hourly import HourlyColumns, Walk, walk
from barsieve.market.listings import (
    FIRST_LISTINGS,
    Listing,
    further_listing,
    own_generator,
)

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


NOISE = Effects(momentum=0.0, season=0.0, trend=0.0)
"""Nothing planted: regimes and their drift alone."""


@dataclass(frozen=True)
class Market:
    """A market in memory: Arrow tables as the layout stores them, and the truth."""

    bars: dict[str, pa.Table]
    macro: pa.Table
    funding: pa.Table
    regimes: pa.Table
    effects: Effects
    seed: int
    further: tuple[Listing, ...] = ()
    planted: Planted | None = None


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


def _simulate_bars(
    rng: np.random.Generator,
    listing: Listing,
    common: np.ndarray,
    regimes: np.ndarray,
    effects: Effects,
    seed: int,
    planted: Planted | None,
) -> HourlyColumns:
    """Return the hourly bars of one symbol, of all hours."""
    n_hours, n_days = len(common), len(common) // 24
    own = rng.standard_t(5, n_hours) * math.sqrt(3 / 5)
    wicks = np.abs(rng.standard_normal((n_hours, 2)))
    crowd = np.exp(0.35 * rng.standard_normal(n_hours))
    has_spike = rng.random(n_hours) < 0.03
    drifts = np.array(_slow_path(rng, n_days, 0.87))
    busy = np.array([math.exp(0.4 * x) for x in _slow_path(rng, n_days, 0.5)])
    hours = np.arange(n_hours)
    season = np.array(_season(effects))
    first_week_hour = START.weekday() * 24 + START.hour
    in_season = season[(first_week_hour + hours) % 168]
    is_momentum = regimes == REGIMES.index(effects.momentum_regime)
    made = Walk(
        first_price=listing.first_price,
        decimals=listing.decimals,
        beta=listing.beta,
        common_share=listing.common_share,
        common=common,
        own=own,
        wicks=wicks,
        crowd=crowd,
        has_spike=has_spike,
        planted=in_season + effects.trend * drifts[hours // 24],
        daily_volatility=np.array(ANNUAL_VOLATILITY)[regimes],
        daily_drift=np.array(ANNUAL_DRIFT)[regimes],
        daily_busy=busy,
        daily_momentum=np.where(is_momentum, effects.momentum, 0.0),
    )
    if planted is None:
        return walk(made)
    shares = listing.common_share, 1 - listing.common_share
    shocks = math.sqrt(shares[0]) * common + math.sqrt(shares[1]) * own
    key = tuple(f"planted in {listing.symbol}".encode())
    apart = np.random.PCG64(np.random.SeedSequence(seed, spawn_key=key))
    moves = moves_of(planted, np.random.Generator(apart), shocks)
    return walk(_moved(made, moves))


def _moved(plain: Walk, moves: Moves) -> Walk:
    """Return a walk with an effect planted in it, beside those that it has."""
    volatility = np.where(
        np.isnan(moves.volatility), plain.daily_volatility, moves.volatility
    )
    return plain._replace(
        planted=plain.planted + moves.drift,
        daily_momentum=plain.daily_momentum + moves.momentum,
        daily_volatility=volatility,
    )


def _outages(rng: np.random.Generator, n_hours: int) -> np.ndarray:
    """Return a mask of the hours that exist: now and then an exchange halts."""
    exists = np.ones(n_hours, bool)
    for _ in range(max(3, n_hours // 1500)):
        start = int(rng.integers(200, n_hours - 50))
        exists[start : start + int(rng.integers(1, 7))] = False
    return exists


def _bars_table(columns: HourlyColumns, exists: np.ndarray) -> pa.Table:
    micros = np.arange(len(exists), dtype=np.int64) * 3_600_000_000
    first = int(START.timestamp()) * 1_000_000
    stamps = pa.array((first + micros)[exists], pa.int64()).cast(TIMESTAMP)
    values = {
        name: pa.array(column[exists]) for name, column in columns._asdict().items()
    }
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
    columns: HourlyColumns, first_price: float, run_up: int
) -> np.ndarray:
    """Return a close per day; before the bars begin, the first price."""
    closes = columns.close[23::24]
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
    rng: np.random.Generator, listing: Listing, columns: HourlyColumns
) -> pa.Table:
    """Return settlements every 8 h: dear after a rise, cheap after a fall."""
    closes = columns.close
    hours = np.arange(0, len(closes), 8)
    trend = np.log(closes[hours] / closes[np.maximum(hours - 72, 0)])
    noise = 0.00006 * rng.standard_normal(len(hours))
    rates = listing.usual_funding + 0.0018 * trend + noise
    is_traded = _is_traded(listing, len(closes))[hours]
    hours, rates = hours[is_traded], rates[is_traded]
    first = int(START.timestamp()) * 1_000_000
    stamps = pa.array(first + hours.astype(np.int64) * 3_600_000_000).cast(TIMESTAMP)
    return pa.table(
        {
            "ts": stamps,
            "symbol": pa.array([listing.symbol] * len(hours)),
            "funding_rate": pa.array(np.round(np.clip(rates, -0.003, 0.003), 8)),
        }
    )


def _is_traded(listing: Listing, n_hours: int) -> np.ndarray:
    """Return a mask of the hours from the day of listing to that of delisting."""
    days = np.arange(n_hours) // 24
    end = n_hours if listing.end_day is None else listing.end_day
    return (days >= listing.first_day) & (days < end)


class _Hours(NamedTuple):
    """Moves and regimes that all symbols have in common, by hour and by day."""

    common: np.ndarray
    regimes: np.ndarray
    length: int


def _further_symbol(
    seed: int, symbol: str, hours: _Hours, effects: Effects, planted: Planted | None
) -> tuple[Listing, pa.Table, pa.Table]:
    """Return a symbol beyond BTC and ETH, its bars and its funding."""
    rng = own_generator(seed, symbol)
    n_hours = len(hours.common)
    listing = further_listing(rng, symbol, n_hours // 24)
    columns = _simulate_bars(
        rng, listing, hours.common, hours.regimes, effects, seed, planted
    )
    exists = _outages(rng, n_hours) & _is_traded(listing, n_hours)
    exists[hours.length :] = False
    funding = _funding_rows(rng, listing, columns)
    return listing, _bars_table(columns, exists), funding


def simulate(
    seed: int = DEFAULT_SEED,
    hours: int = DEFAULT_HOURS,
    symbols: tuple[str, ...] = ("BTC", "ETH"),
    effects: Effects | None = None,
    planted: Planted | None = None,
) -> Market:
    """Return a simulated market; equal arguments give equal values.

    Parameters
    ----------
    seed
        Of numpy's PCG64 generator; all randomness comes from it.
    hours
        Length of the history before outages, at least `LEAST_HOURS`.
    symbols
        Which of BTC, ETH, SIM03, SIM04 and so on to keep. BTC and ETH are always
        simulated; what a symbol is does not depend on which others there are.
    effects
        The planted signals; `Effects(momentum=0, season=0, trend=0)` is pure noise.
        By default those of `Effects()`, or none where something else is planted.
    planted
        An effect for what learns of trades (`barsieve.market.effects`).
    """
    effects = effects or (Effects() if planted is None else NOISE)
    rng = np.random.Generator(np.random.PCG64(seed))
    n_days = -(-hours // 24)
    regimes = _regime_path(rng, MACRO_RUN_UP_DAYS + n_days)
    common = rng.standard_t(5, n_days * 24) * math.sqrt(3 / 5)
    trading = regimes[MACRO_RUN_UP_DAYS:]
    columns = {
        listing.symbol: _simulate_bars(
            rng,
            listing,
            common,
            trading,
            effects,
            seed,
            planted,
        )
        for listing in FIRST_LISTINGS
    }
    exists = _outages(rng, n_days * 24)
    exists[hours:] = False
    first_day = START - timedelta(days=MACRO_RUN_UP_DAYS)
    closes = {
        listing.symbol: _daily_closes(
            columns[listing.symbol], listing.first_price, MACRO_RUN_UP_DAYS
        )
        for listing in FIRST_LISTINGS
    }
    rows = _MacroRows()
    _add_levels(rows, rng, regimes, first_day)
    _add_capitalisations(rows, rng, regimes, closes, first_day)
    for symbol in closes:
        _add_open_interest(rows, rng, symbol, closes[symbol], first_day)
    funding = [_funding_rows(rng, one, columns[one.symbol]) for one in FIRST_LISTINGS]
    days = [(first_day + timedelta(days=d)).date() for d in range(len(regimes))]
    in_common = _Hours(common, trading, hours)
    further = {
        symbol: _further_symbol(seed, symbol, in_common, effects, planted)
        for symbol in sorted(set(symbols) - set(columns))
    }
    return Market(
        bars={
            s: _bars_table(columns[s], exists) if s in columns else further[s][1]
            for s in sorted(symbols)
        },
        macro=rows.table(),
        funding=pa.concat_tables(
            [*funding, *(rows for _, _, rows in further.values())]
        ),
        regimes=pa.table({"day": days, "regime": [REGIMES[r] for r in regimes]}),
        effects=effects,
        seed=seed,
        further=tuple(listing for listing, _, _ in further.values()),
        planted=planted,
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


def _day(number: int | None) -> str | None:
    """Return the date of a day counted from the market's first."""
    return (
        None if number is None else (START + timedelta(days=number)).date().isoformat()
    )


def _listings(market: Market) -> dict[str, Any]:
    """Return the truth about the symbols beyond BTC and ETH, by symbol."""
    return {
        listing.symbol: {
            "first_price": listing.first_price,
            "decimals": listing.decimals,
            "beta": listing.beta,
            "common_share": listing.common_share,
            "usual_funding": listing.usual_funding,
            "listed": _day(listing.first_day),
            "delisted": _day(listing.end_day),
        }
        for listing in market.further
    }


def write_market(market: Market, folder: Path) -> None:
    """Write a market in the layout of `BARSIEVE_MARKET`, with its truth beside it.

    Bars of symbols that an earlier simulated market had there, and this one has not,
    are removed.
    """
    tables = {f"bars/{symbol}": table for symbol, table in market.bars.items()}
    tables["macro/macro_daily"] = market.macro
    tables["funding/funding_8h"] = market.funding
    tables["truth/regimes"] = market.regimes
    for earlier in (folder / "bars").glob("*.parquet"):
        if earlier.stem not in market.bars:
            earlier.unlink()
    for name, table in tables.items():
        path = folder / f"{name}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(table, path, compression="zstd")
    about: dict[str, Any] = {
        "name": "demo",
        "is_simulated": True,
        "seed": market.seed,
        "note": "Simulated. No price here was ever quoted anywhere.",
    }
    texts: dict[str, Any] = {"truth/effects": asdict(market.effects)}
    for name in ("symbols", "planted", *(p["profile"] for p in PROFILES.values())):
        (folder / f"truth/{name}.json").unlink(missing_ok=True)
    if market.planted is not None:
        about["planted"] = market.planted.kind
        texts["truth/planted"] = market.planted._asdict()
        profile = PROFILES[market.planted.kind]
        texts[f"truth/{profile['profile']}"] = profile
    if listings := _listings(market):
        about["symbols"] = len(market.bars)
        about["listed_late"] = {
            one.symbol: _day(one.first_day) for one in market.further if one.first_day
        }
        about["delisted"] = {
            one.symbol: _day(one.end_day) for one in market.further if one.end_day
        }
        texts["truth/symbols"] = listings
    for name, text in {"market": about, **texts}.items():
        (folder / f"{name}.json").write_text(json.dumps(text, indent=2) + "\n")
