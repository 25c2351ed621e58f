"""Parts of a market: what was there at a moment, and an exchange that has the rest."""

import json
import shutil
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlparse

import duckdb
import pyarrow.parquet as pq

HOUR = timedelta(hours=1)
HOUR_MS = 3_600_000
# When rows of a part were known, as a condition on a moment.
KNOWN = {"bars": "ts + interval '1 hour'", "macro": "known_at", "funding": "ts"}


def last_close(market: Path) -> datetime:
    """Return when the last bar of a market closes."""
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        rows = connection.execute(
            f"select max(ts) + interval '1 hour' from '{market}/bars/*.parquet'"
        ).fetchall()
    close: datetime = rows[0][0]
    return close


def cut(market: Path, folder: Path, until: datetime) -> Path:
    """Write what a market said by a moment to a folder; return that."""
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        for part, known in KNOWN.items():
            # What was read since lies in files of other names.
            shutil.rmtree(folder / part, ignore_errors=True)
            (folder / part).mkdir(parents=True)
            for file in sorted((market / part).glob("*.parquet")):
                connection.execute(
                    f"copy (from '{file}' where {known} <= timestamptz '{until}') "
                    f"to '{folder / part / file.name}' (format parquet)"
                )
    return folder


def go_on(
    market: Path, folder: Path, until: datetime, unseen: tuple[datetime, datetime]
) -> Path:
    """Write what a market said by a moment, but for macro values of a while.

    Nobody asked for those when they came out, so nobody knew them.
    """
    cut(market, folder, until)
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        for file in sorted((market / "macro").glob("*.parquet")):
            connection.execute(
                f"copy (from '{file}' where known_at <= timestamptz '{until}' and not "
                f"(known_at > timestamptz '{unseen[0]}' "
                f"and known_at <= timestamptz '{unseen[1]}')) "
                f"to '{folder / 'macro' / file.name}' (format parquet)"
            )
    return folder


def millis(moment: datetime) -> int:
    """Return a moment as exchanges have it."""
    return int(moment.timestamp() * 1000)


def _listed(base: str, is_future: bool) -> dict[str, Any]:
    """Return a symbol as Binance lists it."""
    listed = {
        "symbol": f"{base}USDT", "status": "TRADING", "baseAsset": base,
        "quoteAsset": "USDT", "orderTypes": ["LIMIT"], "filters": [],
        "isSpotTradingAllowed": True, "permissions": [], "permissionSets": [["SPOT"]],
    }  # fmt: skip
    if is_future:
        listed |= {
            "pair": f"{base}USDT", "contractType": "PERPETUAL", "marginAsset": "USDT",
            "deliveryDate": 4133404800000, "onboardDate": 1569398400000,
            "pricePrecision": 2, "quantityPrecision": 3,
        }  # fmt: skip
    return listed


class LocalExchange:
    """A server on the loopback address that answers as Binance does, up to `now`.

    It has the bars and settlements of a market; a context.
    """

    def __init__(self, market: Path, now: datetime):
        """Read the market; `now`, in ms, is the exchange's clock."""
        self.now = millis(now)
        self._bars = {
            path.stem: [
                (millis(row["ts"]), *(row[name] for name in
                 ("open", "high", "low", "close", "volume")))
                for row in pq.read_table(path).to_pylist()
            ]
            for path in sorted((market / "bars").glob("*.parquet"))
        }  # fmt: skip
        self._rates: dict[str, list[tuple[int, float]]] = {}
        for path in (market / "funding").glob("*.parquet"):
            for row in pq.read_table(path).to_pylist():
                rates = self._rates.setdefault(row["symbol"], [])
                rates.append((millis(row["ts"]), row["funding_rate"]))
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True

    def __enter__(self) -> "LocalExchange":
        """Serve."""
        serve = partial(self._server.serve_forever, poll_interval=0.05)
        threading.Thread(target=serve, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        """Serve no more."""
        self._server.shutdown()
        self._server.server_close()

    def options(self) -> dict[str, Any]:
        """Return ccxt's settings that lead here."""
        url = f"http://127.0.0.1:{self._server.server_port}"
        paths = {
            "public": "api/v3", "v1": "api/v1", "fapiPublic": "fapi/v1",
            "dapiPublic": "dapi/v1", "dapiData": "futures/data",
            "fapiData": "futures/data",
        }  # fmt: skip
        api = {name: f"{url}/{path}" for name, path in paths.items()}
        return {"urls": {"api": api}, "rateLimit": 1}

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        answer = self._answer

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def log_message(self, *arguments: object) -> None:
                """Say nothing."""

            def do_GET(self) -> None:
                """Answer."""
                url = urlparse(self.path)
                query = {name: v[-1] for name, v in parse_qs(url.query).items()}
                document = answer(url.path, query)
                body = json.dumps(document).encode()
                self.send_response(404 if document is None else 200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        return Handler

    def _answer(self, path: str, query: dict[str, str]) -> Any:
        answers: dict[str, Callable[[], Any]] = {
            "/api/v3/time": lambda: {"serverTime": self.now},
            "/api/v3/exchangeInfo": partial(self._listings, False),
            "/fapi/v1/exchangeInfo": partial(self._listings, True),
            "/dapi/v1/exchangeInfo": lambda: {"timezone": "UTC", "symbols": []},
            "/api/v3/klines": partial(self._klines, query),
            "/fapi/v1/fundingRate": partial(self._funding, query),
            "/api/v3/depth": partial(self._depth, query),
        }
        return answers[path]() if path in answers else None

    def _listings(self, is_future: bool) -> dict[str, Any]:
        symbols = [_listed(base, is_future) for base in self._bars]
        return {"timezone": "UTC", "serverTime": self.now, "symbols": symbols}

    def _klines(self, query: dict[str, str]) -> list[list[Any]]:
        start, limit = int(query.get("startTime", 0)), int(query.get("limit", 500))
        rows = self._bars[query["symbol"].removesuffix("USDT")]
        found = [row for row in rows if start <= row[0] <= self.now][:limit]
        return [
            [ts, *map(repr, values), ts + HOUR_MS - 1, "0", 1, "0", "0", "0"]
            for ts, *values in found
        ]

    def _funding(self, query: dict[str, str]) -> list[dict[str, Any]]:
        start, limit = int(query["startTime"]), int(query.get("limit", 100))
        rows = self._rates.get(query["symbol"].removesuffix("USDT"), [])
        return [
            {"symbol": query["symbol"], "fundingTime": ts, "fundingRate": repr(rate)}
            for ts, rate in rows
            if start <= ts <= self.now
        ][:limit]

    def _depth(self, query: dict[str, str]) -> dict[str, Any]:
        rows = self._bars[query["symbol"].removesuffix("USDT")]
        price = next(row[1] for row in reversed(rows) if row[0] <= self.now)
        bid, ask = f"{price * 0.9999:.8f}", f"{price * 1.0001:.8f}"
        return {"lastUpdateId": 1, "bids": [[bid, "1"]], "asks": [[ask, "1"]]}
