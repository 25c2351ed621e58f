"""A local server that answers in the wire formats of the sources, faults included.

Formats: Binance spot `GET /api/v3/klines` (12 fields, text prices), `/api/v3/time`,
`/exchangeInfo`, `/fapi/v1/fundingRate`, `/futures/data/openInterestHist` (of
coin-margined contracts); fredgraph.csv; FRED's `/fred/series/observations`; Yahoo's
`/v8/finance/chart`; CoinGecko's `/global`.
"""

import json
import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlparse

HOUR, DAY = 3_600_000, 86_400_000
START = int(datetime(2023, 1, 1, tzinfo=UTC).timestamp() * 1000)


def price_of(ts: int) -> float:
    """Return a price that depends on its hour alone."""
    return round(20_000 + (ts // HOUR * 7919) % 4_001 / 10, 2)


def kline(ts: int, scale: float = 1.0) -> list:
    """Return the hour's bar as Binance gives it."""
    opened, closed = price_of(ts - HOUR) * scale, price_of(ts) * scale
    high, low = max(opened, closed) + 5, min(opened, closed) - 5
    volume = 100 + ts // HOUR % 50
    return [
        ts, f"{opened:.8f}", f"{high:.8f}", f"{low:.8f}", f"{closed:.8f}",
        f"{volume:.8f}", ts + HOUR - 1, f"{volume * closed:.8f}", 1234,
        f"{volume / 2:.8f}", f"{volume * closed / 2:.8f}", "0",
    ]  # fmt: skip


def _spot(base: str) -> dict:
    return {
        "symbol": f"{base}USDT", "status": "TRADING", "baseAsset": base,
        "baseAssetPrecision": 8, "quoteAsset": "USDT", "quotePrecision": 8,
        "quoteAssetPrecision": 8, "baseCommissionPrecision": 8,
        "quoteCommissionPrecision": 8, "orderTypes": ["LIMIT", "MARKET"],
        "icebergAllowed": True, "isSpotTradingAllowed": True,
        "isMarginTradingAllowed": True,
        "filters": [
            {"filterType": "PRICE_FILTER", "minPrice": "0.01000000",
             "maxPrice": "1000000.00000000", "tickSize": "0.01000000"},
            {"filterType": "LOT_SIZE", "minQty": "0.00001000",
             "maxQty": "9000.00000000", "stepSize": "0.00001000"},
        ],
        "permissions": [], "permissionSets": [["SPOT", "MARGIN"]],
    }  # fmt: skip


def _future(base: str, symbol: str, pair: str, margin: str, **more: object) -> dict:
    return {
        "symbol": symbol, "pair": pair, "contractType": "PERPETUAL",
        "deliveryDate": 4133404800000, "onboardDate": 1569398400000,
        "baseAsset": base, "quoteAsset": "USD" if margin == base else "USDT",
        "marginAsset": margin, "pricePrecision": 2, "quantityPrecision": 3,
        "baseAssetPrecision": 8, "quotePrecision": 8, "underlyingType": "COIN",
        "filters": [
            {"filterType": "PRICE_FILTER", "minPrice": "0.10", "maxPrice": "4529764",
             "tickSize": "0.10"},
            {"filterType": "LOT_SIZE", "stepSize": "0.001", "maxQty": "1000",
             "minQty": "0.001"},
        ],
        "orderTypes": ["LIMIT"], "timeInForce": ["GTC"], **more,
    }  # fmt: skip


class Source:
    """The server: its data are attributes, its faults a queue per path."""

    def __init__(self):
        self.now = START + 500 * HOUR + HOUR // 2
        self.first = START
        self.missing: set[int] = set()
        self.scales: dict[int, float] = {}
        self.page_rows = 1000
        self.funding_step = 8 * HOUR
        self.funding_stamps: list[int] | None = None
        self.fred: dict[str, list[tuple[date, float | None]]] = {}
        self.vintages: list[tuple[date, date, date, float]] = []
        self.yahoo: dict[str, list[tuple[date, float | None]]] = {}
        self.global_: dict | None = None
        self.faults: dict[str, list[str]] = {}
        self.queries: list[tuple[str, dict[str, str]]] = []
        self.counts: Counter[str] = Counter()
        self.on_request: Callable[[str, int], None] = lambda path, n: None
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        # It looks so often whether it shall end.
        serve = partial(self._server.serve_forever, poll_interval=0.01)
        threading.Thread(target=serve, daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def options(self) -> dict:
        """Return ccxt's settings that lead here."""
        paths = {
            "public": "api/v3", "v1": "api/v1", "fapiPublic": "fapi/v1",
            "dapiPublic": "dapi/v1", "dapiData": "futures/data",
            "fapiData": "futures/data",
        }  # fmt: skip
        api = {name: f"{self.url}/{path}" for name, path in paths.items()}
        return {"urls": {"api": api}, "rateLimit": 1}

    def fail(self, path: str, *faults: str) -> None:
        """Let the next answers of a path be faults, one after the other."""
        self.faults.setdefault(path, []).extend(faults)

    def _handler(source):  # noqa: N805
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def log_message(self, *arguments):
                pass

            def do_GET(self):
                url = urlparse(self.path)
                query = {k: v[-1] for k, v in parse_qs(url.query).items()}
                source.answer(self, url.path, query)

        return Handler

    def answer(self, handler, path: str, query: dict[str, str]) -> None:
        self.queries.append((path, query))
        self.counts[path] += 1
        self.on_request(path, self.counts[path])
        queue = self.faults.get(path, [])
        fault = queue.pop(0) if queue else ""
        status, headers = 200, {}
        body, kind = self.body(path, query, fault)
        if fault.startswith("429"):
            status, body = 429, b'{"code":-1003,"msg":"Too many requests."}'
            headers["Retry-After"] = fault.partition(" ")[2] or "0"
        elif fault == "500":
            status, body, kind = 500, b"<html>Internal Server Error</html>", "text/html"
        elif fault == "timeout":
            time.sleep(0.5)
        elif fault == "another shape":
            body = b'{"rows": 3}'
        elif fault == "truncated":
            body = body[: len(body) // 2]
        elif body is None:
            status, body = 404, b'{"code":-1,"msg":"no such path"}'
        elif b"may be delisted" in body:
            status = 404
        try:
            handler.send_response(status)
            handler.send_header("Content-Type", kind)
            length = len(body) + (10 if fault == "cut" else 0)
            handler.send_header("Content-Length", str(length))
            for name, value in headers.items():
                handler.send_header(name, value)
            handler.end_headers()
            handler.wfile.write(body)
            if fault == "cut":
                handler.close_connection = True
        except (BrokenPipeError, ConnectionResetError):
            pass

    def body(self, path, query, fault) -> tuple[bytes | None, str]:
        if path == "/graph/fredgraph.csv":
            return self.fred_csv(query).encode(), "application/csv"
        answers = {
            "/api/v3/time": lambda: {"serverTime": self.now},
            "/api/v3/exchangeInfo": lambda: {
                "timezone": "UTC", "serverTime": self.now, "rateLimits": [],
                "exchangeFilters": [], "symbols": [_spot("BTC"), _spot("ETH")],
            },
            "/fapi/v1/exchangeInfo": lambda: {
                "timezone": "UTC", "symbols": [
                    _future("BTC", "BTCUSDT", "BTCUSDT", "USDT", status="TRADING")
                ],
            },
            "/dapi/v1/exchangeInfo": lambda: {
                "timezone": "UTC", "symbols": [
                    _future("BTC", "BTCUSD_PERP", "BTCUSD", "BTC", contractSize=100,
                            contractStatus="TRADING")
                ],
            },
            "/api/v3/klines": lambda: self.klines(query, fault),
            "/fapi/v1/fundingRate": lambda: self.funding(query),
            "/futures/data/openInterestHist": lambda: self.open_interest(query),
            "/fred/series/observations": lambda: self.observations(query),
            "/global": lambda: self.global_,
        }  # fmt: skip
        if path.startswith("/v8/finance/chart/"):
            document = self.chart(path.rpartition("/")[2].replace("%5E", "^"), query)
        elif path in answers:
            document = answers[path]()
        else:
            return None, "application/json"
        return json.dumps(document).encode(), "application/json;charset=UTF-8"

    def klines(self, query, fault) -> list:
        start = max(int(query.get("startTime", self.first)), self.first)
        start = -(-start // HOUR) * HOUR
        limit = min(int(query.get("limit", 500)), self.page_rows)
        if fault == "empty":
            return []
        if fault == "overlapping":
            start -= 5 * HOUR
        hours = range(start, self.now + 1, HOUR)
        found = [h for h in hours if h not in self.missing][:limit]
        rows = [kline(h, self.scales.get(h, 1.0)) for h in found]
        return rows[::-1] if fault == "out of order" else rows

    def funding(self, query) -> list:
        start = max(int(query["startTime"]), self.first)
        step = self.funding_step
        stamps = self.funding_stamps or range(
            -(-start // step) * step, self.now + 1, step
        )
        stamps = [ts for ts in stamps if start <= ts + ts // DAY % 9 <= self.now]
        # Binance stamps settlements some milliseconds late.
        return [
            {
                "symbol": "BTCUSDT", "fundingTime": ts + ts // DAY % 9,
                "fundingRate": f"{(ts // HOUR % 13 - 6) / 1e5:.8f}",
                "markPrice": f"{price_of(ts):.8f}",
            }
            for ts in stamps
        ][: int(query.get("limit", 100))]  # fmt: skip

    def open_interest(self, query) -> list | dict:
        start = int(query["startTime"])
        if start < self.now - 30 * DAY:
            return {"code": -1130, "msg": "parameter 'startTime' is invalid."}
        days = range(-(-start // DAY) * DAY, self.now + 1, DAY)
        return [
            {
                "pair": "BTCUSD", "contractType": "PERPETUAL",
                "sumOpenInterest": f"{10_000_000 + ts // DAY % 7}.00000000",
                "sumOpenInterestValue": "15796.96988405", "timestamp": ts,
            }
            for ts in days
        ][: int(query.get("limit", 30))]  # fmt: skip

    def fred_csv(self, query) -> str:
        rows = self.fred.get(query["id"], [])
        since = date.fromisoformat(query.get("cosd", "1900-01-01"))
        lines = [f"{d},{'' if v is None else v}" for d, v in rows if d >= since]
        return "\n".join([f"observation_date,{query['id']}", *lines, ""])

    def observations(self, query) -> dict:
        since = date.fromisoformat(query["observation_start"])
        begin = date.fromisoformat(query["realtime_start"])
        end = date.fromisoformat(query["realtime_end"])
        # As ALFRED does: a vintage in force at the start is given that start.
        rows = [
            {
                "realtime_start": str(max(first, begin)), "realtime_end": str(last),
                "date": str(day), "value": "." if value != value else str(value),
            }
            for day, first, last, value in self.vintages
            if day >= since and first <= end and last >= begin
        ]  # fmt: skip
        return {
            "realtime_start": str(begin), "realtime_end": str(end),
            "observation_start": str(since), "observation_end": "9999-12-31",
            "units": "lin", "output_type": 1, "file_type": "json",
            "order_by": "observation_date", "sort_order": "asc", "count": len(rows),
            "offset": 0, "limit": 100000, "observations": rows,
        }  # fmt: skip

    def chart(self, ticker: str, query) -> dict:
        rows = self.yahoo.get(ticker)
        if rows is None:
            error = {
                "code": "Not Found",
                "description": "No data found, symbol may be delisted",
            }
            return {"chart": {"result": None, "error": error}}
        # New York opens at 14:30 UTC in winter.
        stamps = [
            int(datetime(d.year, d.month, d.day, 14, 30, tzinfo=UTC).timestamp())
            for d, _ in rows
        ]
        span = int(query.get("period1", 0)), int(query.get("period2", 2**40))
        kept = [
            (s, v)
            for s, (_, v) in zip(stamps, rows, strict=True)
            if span[0] <= s < span[1]
        ]
        closes = [v for _, v in kept]
        meta = {
            "currency": "USD", "symbol": ticker, "exchangeName": "CXI",
            "fullExchangeName": "Cboe Indices", "instrumentType": "INDEX",
            "firstTradeDate": 631290600, "regularMarketTime": stamps[-1],
            "hasPrePostMarketData": False, "gmtoffset": -18000, "timezone": "EST",
            "exchangeTimezoneName": "America/New_York", "regularMarketPrice": 20.0,
            "chartPreviousClose": 20.0, "priceHint": 2, "dataGranularity": "1d",
            "range": "", "validRanges": ["1d", "5d", "1mo", "max"],
            "currentTradingPeriod": {
                p: {"timezone": "EST", "start": stamps[-1], "end": stamps[-1] + 23400,
                    "gmtoffset": -18000}
                for p in ("pre", "regular", "post")
            },
        }  # fmt: skip
        quote = dict.fromkeys(("open", "high", "low", "close"), closes)
        quote["volume"] = [0 for _ in closes]
        result = {
            "meta": meta, "timestamp": [s for s, _ in kept],
            "indicators": {"quote": [quote], "adjclose": [{"adjclose": closes}]},
        }  # fmt: skip
        return {"chart": {"result": [result], "error": None}}


def weekdays(first: date, last: date) -> list[date]:
    """Return the days from Monday to Friday of a span, its ends included."""
    span = (first + timedelta(days=i) for i in range((last - first).days + 1))
    return [day for day in span if day.weekday() < 5]
