"""Kinds of history that an exchange has: where each goes and what its rows mean."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from barsieve.core.errors import refuse
from barsieve.core.schemas import TIMESTAMP
from barsieve.ingest.exchange import Exchange
from barsieve.ingest.folder import Market
from barsieve.ingest.macro import lag_of, macro_table
from barsieve.ingest.origin import Origin
from barsieve.ingest.paging import Pages, Row
from barsieve.ingest.request import Request
from barsieve.market.check import BARS, FUNDING, MACRO, Kind

HOUR, DAY = 3_600_000, 86_400_000
# No exchange settles more often, nor less often.
SHORTEST_SETTLEMENT, LONGEST_SETTLEMENT = HOUR, 8 * HOUR


class Feed(NamedTuple):
    """One kind of history: where it goes and how ccxt gives it.

    `step` and `gap` (ms) are the shortest distance of two rows, and the longest one
    between which none is missing.
    """

    kind: Kind
    name: str
    market: str
    method: str
    step: int
    gap: int
    to_table: Callable[[list[Row]], pa.Table]
    origin: Origin
    timeframe: str | None = None
    most_rows: int = 1000


def pages_of(feed: Feed, request: Request) -> Pages:
    """Return how a feed is paged."""
    rows = min(request.rows, feed.most_rows)
    return Pages(feed.step, rows, request.pages, feed.gap)


def _origin(exchange: Exchange, market: dict[str, Any]) -> Origin:
    kinds = {"swap": "perpetual", "future": "future", "spot": "spot"}
    contract = kinds.get(market.get("type") or "", "")
    quote = market.get("quote") or ""
    return Origin(exchange.name, quote, contract, "trade").normal()


def _stamps(millis: Sequence[int]) -> pa.Array:
    return pa.array(np.array(millis, np.int64) * 1000).cast(TIMESTAMP)


def _bars(rows: list[Row]) -> pa.Table:
    columns = list(zip(*(row[:6] for row in rows), strict=True))
    values = [pa.array(column, pa.float64()) for column in columns[1:]]
    return pa.table([_stamps(columns[0]), *values], names=list(BARS.columns))


def bars_feed(exchange: Exchange, symbol: str, quote: str) -> Feed:
    """Return the feed of hourly bars of `BTC` (against `quote`) or `BTC/USDC`."""
    exchange.only(["spot"] if ":" not in symbol else ["spot", "linear", "inverse"])
    market = exchange.market(symbol if "/" in symbol else f"{symbol}/{quote}")
    name, symbol = market["base"], market["symbol"]
    origin = _origin(exchange, market)
    return Feed(
        BARS, name, symbol, "fetch_ohlcv", HOUR, HOUR, _bars, origin, timeframe="1h"
    )


def funding_feed(exchange: Exchange, symbol: str, quote: str) -> Feed:
    """Return the feed of funding rates of `BTC`'s perpetual, or of a market named."""
    exchange.only(["linear", "inverse"])
    full = symbol if "/" in symbol else f"{symbol}/{quote}:{quote}"
    market = exchange.market(full)
    base = market["base"]

    def table(rows: list[Row]) -> pa.Table:
        # Exchanges stamp a settlement some milliseconds late; it is due on the minute.
        minutes = [row[0] // 60_000 * 60_000 for row in rows]
        return pa.table(
            {
                "ts": _stamps(minutes),
                "symbol": pa.array([base] * len(rows), pa.string()),
                "funding_rate": pa.array([row[1] for row in rows], pa.float64()),
                "interval_hours": pa.array([row[2] for row in rows], pa.float64()),
            }
        )

    method = "fetch_funding_rate_history"
    return Feed(
        FUNDING, base, full, method, SHORTEST_SETTLEMENT, LONGEST_SETTLEMENT, table,
        _origin(exchange, market),
    )  # fmt: skip


def open_interest_feed(exchange: Exchange, symbol: str, market: Market) -> Feed:
    """Return the feed of daily open interest, in USD, of a coin-margined perpetual.

    Coin-margined open interest is counted in contracts of fixed dollars, so the USD
    value is contracts times their size: the coins that an exchange states beside it
    would move with the price.
    """
    exchange.only(["inverse"])
    listed = exchange.market(symbol if "/" in symbol else f"{symbol}/USD:{symbol}")
    base = listed["base"]
    series = f"OI_{base}_COINM"
    if not listed.get("inverse"):
        refuse(
            exchange.name,
            f"market '{listed['symbol']}'",
            expected="a coin-margined contract (series OI_..._COINM)",
            found="another kind",
            fix=f"name {base}/USD:{base}",
        )
    lag = lag_of(market, series)

    def table(rows: list[Row]) -> pa.Table:
        days = np.array([row[0] for row in rows], "datetime64[ms]").astype("M8[D]")
        contracts = np.array([row[1] for row in rows], float)
        return macro_table(series, days, contracts * listed["contractSize"], lag)

    method, symbol = "fetch_open_interest_history", listed["symbol"]
    origin = _origin(exchange, listed)
    return Feed(
        MACRO, series, symbol, method, DAY, DAY, table, origin, "1d", most_rows=100
    )
