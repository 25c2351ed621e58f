"""Markets of many kinds, small enough to be built in memory by the dozen.

Bars are those of the simulated market, cut, moved, stretched; each symbol is a kind of
its own, so that one build stands for many. Every symbol has a profile that trades it.
"""

import json
import shutil
from pathlib import Path

import duckdb

from conftest import PROJECT

DEMO = PROJECT / "data/demo"
PRICES = ("open", "high", "low", "close")
YEAR_AND_A_MONTH = 24 * 395

# A profile of the zoo trades whatever it can: what is asked is that it can be built.
EAGER = {"entry_threshold": 0.35, "alignment_required": False, "atr_rank_floor": 0.0}


class Zoo:
    """Writes a market folder symbol by symbol, and a profile for each of them."""

    def __init__(self, folder: Path):
        self.market, self.configs = folder / "market", folder / "configs"
        (self.market / "bars").mkdir(parents=True)
        self.configs.mkdir()
        shutil.copytree(PROJECT / "configs/shared", self.configs / "shared")
        self.session = duckdb.connect()
        self.session.execute("set timezone = 'UTC'")
        for symbol in ("BTC", "ETH"):
            # Stamped hour after hour: no hour is missing unless a kind takes it away.
            self.session.execute(
                f"create view {symbol} as select "
                "timestamptz '2021-03-01 00:00Z' "
                "+ to_hours((row_number() over (order by ts) - 1)::integer) as ts, "
                f"open, high, low, close, volume "
                f"from read_parquet('{DEMO}/bars/{symbol}.parquet')"
            )

    def bars(self, symbol: str, query: str) -> None:
        """Write the bars of a symbol, in the order of time."""
        path = self.market / "bars" / f"{symbol}.parquet"
        self.session.execute(f"copy (from ({query}) order by ts) to '{path}'")

    def scaled(self, symbol: str, source: str, factor: float, hours: int) -> None:
        """Write bars whose prices are those of another symbol, times a factor."""
        prices = ", ".join(f"{price} * {factor!r} as {price}" for price in PRICES)
        self.bars(symbol, f"select ts, {prices}, volume from {source} limit {hours}")

    def stretched(self, symbol: str, source: str, power: float, hours: int) -> None:
        """Write bars whose moves are those of another symbol, to a power."""
        prices = ", ".join(f"1800 * ({p} / 1800) ** {power} as {p}" for p in PRICES)
        self.bars(symbol, f"select ts, {prices}, volume from {source} limit {hours}")

    def waves(self, symbol: str, period: int, hours: int) -> None:
        """Write bars that rise and fall by 5 %, once in `period` hours."""
        self.bars(
            symbol,
            "with hours as (select ts, volume, "
            f"1000 * exp(0.05 * sin(2 * pi() * row_number() over (order by ts) "
            f"/ {period})) as close from ETH limit {hours}), "
            "opens as (select *, lag(close, 1, close) over (order by ts) as open "
            "from hours) "
            "select ts, open, greatest(open, close) * 1.0005 as high, "
            "least(open, close) * 0.9995 as low, close, volume from opens",
        )

    def long_history(self, symbol: str, years: float) -> None:
        """Write years of bars: those of BTC, and the same again from where they end."""
        prices = ", ".join(
            f"{p} * (1 + n * (select max(last) / max(first) - 1 from ends)) as {p}"
            for p in PRICES
        )
        self.bars(
            symbol,
            "with ends as (select arg_min(open, ts) as first, arg_max(close, ts) as "
            "last, count(*) as hours from BTC) "
            f"select ts + to_hours((n * (select max(hours) from ends))::integer) as ts,"
            f" {prices}, volume from BTC cross join range(2) as times (n) "
            f"order by ts limit {int(years * 8766)}",
        )

    def macro(self, condition: str = "true", days_later: int = 0) -> None:
        """Write the macro series of the simulated market, or some of their rows."""
        (self.market / "macro").mkdir()
        self.session.execute(
            f"copy (select date + {days_later} as date, series, value, "
            f"known_at + to_days({days_later}) as known_at "
            f"from read_parquet('{DEMO}/macro/*.parquet') where {condition}) "
            f"to '{self.market}/macro/macro.parquet'"
        )

    def funding(self, *symbols: str) -> None:
        """Write the settlements of ETH, under other names."""
        (self.market / "funding").mkdir()
        path = self.market / "funding/funding.parquet"
        names = ", ".join(f"'{symbol}'" for symbol in symbols)
        self.session.execute(
            f"copy (select ts, unnest([{names}]) as symbol, funding_rate "
            f"from read_parquet('{DEMO}/funding/*.parquet') where symbol = 'ETH' "
            f"order by symbol, ts) to '{path}'"
        )

    def profile(self, symbol: str, name: str | None = None, **changes: dict) -> None:
        """Write a profile of a symbol: an eager one, with changes by section."""
        document = json.loads((PROJECT / "configs/eth_comprehensive.json").read_text())
        document["entry"] |= EAGER
        for section, keys in changes.items():
            document[section] = document.get(section, {}) | keys
        name = name or f"{symbol.lower()}_eager"
        document |= {"profile": name, "symbols": [symbol]}
        (self.configs / f"{name}.json").write_text(json.dumps(document))
