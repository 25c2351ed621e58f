"""Bars, funding rates and open interest from any exchange that ccxt knows."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from barsieve.check_market import BARS, FUNDING, MACRO, Kind
from barsieve.ingest.macro import lag_of, macro_table
from barsieve.ingest.market import Market
from barsieve.ingest.paging import Pages, Row, backward, forward
from barsieve.ingest.patience import (
    PassingError,
    Patience,
    SourceError,
    from_millis,
    needed,
    requested_wait,
)
from barsieve.ingest.storing import count_gaps, span_of, store
from barsieve.ingest.summary import Outcome
from barsieve.problems import InputError, Problem
from barsieve.schemas import TIMESTAMP

HOUR, DAY = 3_600_000, 86_400_000
FUNDING_STEP = 8 * HOUR
# Stored rows that are asked for again, to see whether they have changed.
OVERLAP_STEPS = 24
# Binance answers for the latest month only, and refuses a start before it.
OPEN_INTEREST_DAYS = 29

Progress = Callable[[float], None]


@dataclass(frozen=True)
class Request:
    """What to fetch: from when (a first run), until when, and how to treat the stored.

    `now` is the local clock; a bar counts as closed only when the exchange's clock says
    so too. `rows` and `pages` are rows a page and pages between two writes.
    """

    now: datetime
    since: datetime
    until: datetime | None = None
    accept_revisions: bool = False
    recheck: bool = False
    rows: int = 1000
    pages: int = 10
    progress: Progress = field(default=lambda share: None)


class Feed(NamedTuple):
    """One kind of history: where it goes and how ccxt gives it."""

    kind: Kind
    name: str
    market: str
    method: str
    timeframe: str | None
    step: int
    most_rows: int
    to_table: Callable[[list[Row]], pa.Table]


class Exchange:
    """An exchange behind ccxt, asked with patience; every answer is looked at."""

    def __init__(self, name: str, patience: Patience, options: dict[str, Any]):
        """Open the exchange `name`; `options` go to ccxt as they are.

        Raises InputError for a name that ccxt does not have.
        """
        ccxt = needed("ccxt")
        if name not in ccxt.exchanges:
            raise InputError(
                [
                    Problem(
                        f"--exchange {name}", "", "an exchange that ccxt knows",
                        f"'{name}'", "see ccxt's list of exchanges for its id",
                    )
                ]
            )  # fmt: skip
        self._ccxt, self._patience, self.name = ccxt, patience, name
        settings = {"enableRateLimit": True, "timeout": int(patience.timeout * 1000)}
        self._client = getattr(ccxt, name)(settings | options)
        self._client.handle_errors = self._refusing_damage(self._client.handle_errors)
        self._markets: dict[str, Any] | None = None

    def has(self, method: str) -> bool:
        """Tell whether the exchange has one of ccxt's methods (in camel case)."""
        return bool(self._client.has.get(method))

    def only(self, kinds: list[str]) -> None:
        """Load only these kinds of markets, where the exchange lets us choose."""
        chosen = self._client.options.get("fetchMarkets")
        if isinstance(chosen, dict) and "types" in chosen:
            chosen["types"] = kinds

    def ask(self, method: str, *arguments: Any, **named: Any) -> Any:
        """Call a method of ccxt until it answers in whole.

        Raises SourceError (a PassingError when time might have mended it).
        """
        return self._patience.ask(lambda: self._ask_once(method, arguments, named))

    def _ask_once(self, method: str, arguments: tuple, named: dict) -> Any:
        client, ccxt = self._client, self._ccxt
        client.last_response_headers = None
        try:
            return getattr(client, method)(*arguments, **named)
        except ccxt.NetworkError as error:
            wait = requested_wait(client.last_response_headers)
            raise PassingError(self._said(error), wait) from None
        except ccxt.BaseError as error:
            raise SourceError(self._said(error)) from None

    def _refusing_damage(self, handle_errors: Callable[..., Any]) -> Callable[..., Any]:
        """Return ccxt's hook on each answer, which also refuses one that is no JSON.

        ccxt hands such text on to its parsers, and these may find an empty list in it.
        """

        def handle(code: int, *arguments: Any) -> Any:
            answer = arguments[5]
            if 200 <= code < 300 and answer is None:
                raise PassingError(f"{self.name}: a damaged answer (no JSON)")
            return handle_errors(code, *arguments)

        return handle

    def _said(self, error: Exception) -> str:
        said = " ".join(str(error).split())[:200]
        return f"{said} ({type(error).__name__})"

    def market(self, symbol: str) -> dict[str, Any]:
        """Return ccxt's description of a market; raise InputError if there is none."""
        if self._markets is None:
            # True: what a damaged answer left behind must not count as loaded.
            self._markets = self.ask("load_markets", True)
        markets = self._markets
        if symbol not in markets:
            base = symbol.split("/")[0]
            near = [m for m in markets if m.startswith(f"{base}/")][:8]
            raise InputError(
                [
                    Problem(
                        self.name, f"market '{symbol}'", "a market of the exchange",
                        f"for {base}: {', '.join(near) or 'none'}",
                        "name it as ccxt does: BTC/USDT, BTC/USDT:USDT, BTC/USD:BTC",
                    )
                ]
            )  # fmt: skip
        return markets[symbol]

    def clock(self, now: datetime) -> datetime:
        """Return the earlier of the exchange's clock and the local one."""
        if not self.has("fetchTime"):
            return now
        return min(now, from_millis(self.ask("fetch_time")))


def _stamps(millis: list[int]) -> pa.Array:
    return pa.array(np.array(millis, np.int64) * 1000).cast(TIMESTAMP)


def _bars(rows: list[Row]) -> pa.Table:
    columns = list(zip(*(row[:6] for row in rows), strict=True))
    values = [pa.array(column, pa.float64()) for column in columns[1:]]
    return pa.table([_stamps(columns[0]), *values], names=list(BARS.columns))


def bars_feed(exchange: Exchange, symbol: str, quote: str) -> Feed:
    """Return the feed of hourly bars of `BTC` (against `quote`) or `BTC/USDC`."""
    exchange.only(["spot"] if ":" not in symbol else ["spot", "linear", "inverse"])
    market = exchange.market(symbol if "/" in symbol else f"{symbol}/{quote}")
    return Feed(
        BARS, market["base"], market["symbol"], "fetch_ohlcv", "1h", HOUR, 1000, _bars
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
            }
        )

    return Feed(
        FUNDING,
        base,
        full,
        "fetch_funding_rate_history",
        None,
        FUNDING_STEP,
        1000,
        table,
    )


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
        raise InputError(
            [
                Problem(
                    exchange.name, f"market '{listed['symbol']}'",
                    "a coin-margined contract (series OI_..._COINM)",
                    "another kind", f"name {base}/USD:{base}",
                )
            ]
        )  # fmt: skip
    lag = lag_of(market, series)

    def table(rows: list[Row]) -> pa.Table:
        days = np.array([row[0] for row in rows], "datetime64[ms]").astype("M8[D]")
        contracts = np.array([row[1] for row in rows], float)
        return macro_table(series, days, contracts * listed["contractSize"], lag)

    return Feed(
        MACRO,
        series,
        listed["symbol"],
        "fetch_open_interest_history",
        "1d",
        DAY,
        100,
        table,
    )


def _rows_of(answer: list[Any]) -> list[Row]:
    """Return rows (time in ms, values) of what a method of ccxt gave."""
    rows = []
    for item in answer:
        if isinstance(item, dict):
            value = item.get("fundingRate", item.get("openInterestAmount"))
            rows.append((item["timestamp"], value))
        else:
            rows.append(tuple(item))
    return rows


def _fetcher(exchange: Exchange, feed: Feed, rows: int) -> Callable[[int], list[Row]]:
    def fetch(since: int) -> list[Row]:
        arguments = [feed.market, since, rows]
        if feed.timeframe:
            arguments.insert(1, feed.timeframe)
        return _rows_of(exchange.ask(feed.method, *arguments))

    return fetch


def _millis(time: datetime | date) -> int:
    day = np.datetime64(time.replace(tzinfo=None) if hasattr(time, "hour") else time)
    return int(day.astype("datetime64[ms]").astype(np.int64))


def _stop(feed: Feed, market: Market, request: Request, clock: datetime) -> int:
    """Return the time (ms) before which rows are known: bars closed, days published.

    A settlement is known when it happens.
    """
    waits = {"bars": HOUR, "funding": 0}.get(feed.kind.folder)
    if waits is None:
        waits = market.publications[feed.name].lag_hours * HOUR
    return min(_millis(request.until or clock), _millis(clock) - waits + 1)


def _walks(
    fetch: Callable[[int], list[Row]],
    feed: Feed,
    span: tuple[int, int] | None,
    since: int,
    stop: int,
    request: Request,
) -> list[Iterator[list[Row]]]:
    """Return the walks that bring the stored span up to `stop` and down to `since`."""
    pages = Pages(feed.step, min(request.rows, feed.most_rows), request.pages)
    if span is None:
        return [forward(fetch, since, stop, pages)]
    first, last = span
    start = first if request.recheck else last - OVERLAP_STEPS * feed.step
    walks = [forward(fetch, max(start, first), stop, pages)]
    if since < first:
        walks.append(backward(fetch, since, first, pages))
    return walks


def ingest_feed(
    exchange: Exchange, feed: Feed, market: Market, request: Request, outcome: Outcome
) -> None:
    """Bring a feed up to date, page by page; count into `outcome`.

    Raises SourceError when the exchange gives up; what was written stays.
    """
    clock = exchange.clock(request.now)
    stop, since = _stop(feed, market, request, clock), _millis(request.since)
    span = span_of(market, feed.kind, feed.name)
    span = span and (_millis(span[0]), _millis(span[1]))
    if feed.kind is MACRO:
        oldest = _millis(clock) // DAY * DAY - OPEN_INTEREST_DAYS * DAY
        since = max(since, oldest)
        # What lies before can be had no more: no walk back, no start before it.
        span = span and (max(span[0], oldest), max(span[1], oldest))
        since = max(since, span[0]) if span else since
    fetch = _fetcher(exchange, feed, min(request.rows, feed.most_rows))
    whole = max(stop - (span[1] if span else since), 1)
    for walk in _walks(fetch, feed, span, since, stop, request):
        for rows in walk:
            _store(feed, market, request, outcome, rows)
            request.progress(min(1.0, max(0.0, 1 - (stop - rows[-1][0]) / whole)))
    count_gaps(market, feed.kind, feed.name, outcome, feed.step / HOUR)


def _store(
    feed: Feed, market: Market, request: Request, outcome: Outcome, rows: list[Row]
) -> None:
    if feed.kind is FUNDING:
        _refuse_other_intervals(feed, rows)
    table = feed.to_table(rows)
    store(
        market, feed.kind, feed.name, table, outcome, request.accept_revisions,
        request.now,
    )  # fmt: skip


def _refuse_other_intervals(feed: Feed, rows: list[Row]) -> None:
    """Raise InputError when most settlements are not eight hours apart."""
    if len(rows) < 3:
        return
    hours = float(np.median(np.diff([row[0] for row in rows]))) / HOUR
    if abs(hours - 8) > 0.1:
        raise InputError(
            [
                Problem(
                    feed.market, "funding", "a settlement every 8 h, the market's unit",
                    f"one every {hours:g} h",
                    "choose a contract or an exchange that settles every 8 h",
                )
            ]
        )  # fmt: skip
