"""A local exchange with Kraken's, OKX's or Binance's manners of granting pages.

Three wire formats, one history: `bars` are the hours that it has. How it answers:

- `okx`: a window of at most `granted` hours from the start; with an end (`after`), the
  latest `granted` before it. Empty where the window has no bars.
- `kraken`: the latest `granted`, whatever is asked.
- `gate`-like kinds are the Binance server of `sources`.
"""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlparse

from sources import HOUR, price_of


def _prices(ts: int) -> tuple[float, float, float, float]:
    opened, closed = price_of(ts - HOUR), price_of(ts)
    return opened, max(opened, closed) + 5, min(opened, closed) - 5, closed


class Kindred:
    """The server; `url` is its address, `n_asked` its questions for bars."""

    def __init__(self, hours: set[int], now: int, granted: int = 300):
        self.hours, self.now, self.granted = hours, now, granted
        self.rates: list[int] = []
        self.n_asked = 0
        self.answer: bytes | None = None
        self.repeated: list[list] | None = None
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def options(self, exchange: str) -> dict:
        """Return ccxt's settings that lead here."""
        if exchange == "kraken":
            api = dict.fromkeys(("public", "private", "zendesk"), self.url)
            return {"urls": {"api": api}, "rateLimit": 1}
        return {
            "urls": {"api": {"rest": self.url}}, "rateLimit": 1,
            "hostname": self.url.removeprefix("http://"),
            "options": {"fetchCurrencies": False},
        }  # fmt: skip

    def _handler(source):  # noqa: N805
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def log_message(self, *arguments):
                pass

            def do_GET(self):
                url = urlparse(self.path)
                query = {k: v[-1] for k, v in parse_qs(url.query).items()}
                body = source.body(url.path, query)
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        return Handler

    def body(self, path: str, query: dict[str, str]) -> bytes:
        is_bars = "candles" in path or path.endswith("OHLC")
        self.n_asked += is_bars
        if is_bars and self.answer is not None:
            return self.answer
        if path.startswith("/0/"):
            return json.dumps({"error": [], "result": self.kraken(path)}).encode()
        found = self.okx(path, query)
        return json.dumps({"code": "0", "msg": "", "data": found}).encode()

    def okx(self, path: str, query: dict[str, str]) -> list:
        if path.endswith("/public/time"):
            return [{"ts": str(self.now)}]
        if path.endswith("/public/instruments"):
            return _okx_instruments(query.get("instType"))
        if path.endswith("/funding-rate-history"):
            return self.okx_funding(query)
        if "candles" not in path:
            return []
        if self.repeated is not None:
            return self.repeated
        low, high = int(query.get("before", 0)), int(query.get("after", self.now + 1))
        n = min(int(query.get("limit", 100)), self.granted)
        # A window of the rows asked for, but no wider than is granted.
        high = min(high, low + 1 + n * HOUR) if "before" in query else high
        found = [ts for ts in self.hours if low < ts < min(high, self.now + 1)]
        return [
            [str(ts), *(f"{p:.2f}" for p in _prices(ts)), "100.5", "3000", "3000", "1"]
            for ts in sorted(found, reverse=True)[:n]
        ]

    def okx_funding(self, query: dict[str, str]) -> list:
        """Return the latest settlements after `before` (and before `after`)."""
        low, high = int(query.get("before", 0)), int(query.get("after", 2**60))
        n = min(int(query.get("limit", 100)), self.granted)
        stamps = [ts for ts in self.rates if low < ts < high and ts <= self.now]
        return [
            {
                "instType": "SWAP", "instId": "SOL-USDT-SWAP", "fundingTime": str(ts),
                "fundingRate": "0.0001", "realizedRate": "0.0001",
            }
            for ts in sorted(stamps, reverse=True)[:n]
        ]  # fmt: skip

    def kraken(self, path: str) -> dict:
        if path.endswith("/Time"):
            return {"unixtime": self.now // 1000, "rfc1123": ""}
        if path.endswith("/Assets"):
            return _kraken_assets()
        if path.endswith("/AssetPairs"):
            return _kraken_pairs()
        latest = sorted(ts for ts in self.hours if ts <= self.now)[-self.granted :]
        bars = [
            [ts // 1000, *(f"{p:.1f}" for p in _prices(ts)), "100.2", "12.5", 30]
            for ts in latest
        ]
        return {"XXBTZUSD": bars, "last": self.now // 1000}


def _okx_instruments(kind: str | None) -> list:
    common = {
        "alias": "", "state": "live", "listTime": "1500000000000", "expTime": "",
        "lever": "10", "tickSz": "0.01", "lotSz": "0.000001", "minSz": "0.01",
        "ctMult": "1", "optType": "", "stk": "", "maxLmtSz": "1000000",
        "maxMktSz": "1000000", "ruleType": "normal",
    }  # fmt: skip
    if kind == "SPOT":
        return [
            common | {
                "instType": "SPOT", "instId": "SOL-USDT", "baseCcy": "SOL",
                "quoteCcy": "USDT", "settleCcy": "", "ctVal": "", "ctMult": "",
                "ctValCcy": "", "ctType": "", "uly": "", "instFamily": "",
            }
        ]  # fmt: skip
    if kind == "SWAP":
        return [
            common | {
                "instType": "SWAP", "instId": "SOL-USDT-SWAP", "baseCcy": "",
                "quoteCcy": "", "settleCcy": "USDT", "ctVal": "1", "ctValCcy": "SOL",
                "ctType": "linear", "uly": "SOL-USDT", "instFamily": "SOL-USDT",
            }
        ]  # fmt: skip
    return []


def _kraken_assets() -> dict:
    common = {"aclass": "currency", "display_decimals": 5, "status": "enabled"}
    return {
        "XXBT": common | {"altname": "XBT", "decimals": 10},
        "ZUSD": common | {"altname": "USD", "decimals": 4},
    }


def _kraken_pairs() -> dict:
    return {
        "XXBTZUSD": {
            "altname": "XBTUSD", "wsname": "XBT/USD", "aclass_base": "currency",
            "base": "XXBT", "aclass_quote": "currency", "quote": "ZUSD", "lot": "unit",
            "cost_decimals": 5, "pair_decimals": 1, "lot_decimals": 8,
            "lot_multiplier": 1, "leverage_buy": [2], "leverage_sell": [2],
            "fees": [[0, 0.4]], "fees_maker": [[0, 0.25]],
            "fee_volume_currency": "ZUSD", "margin_call": 80, "margin_stop": 40,
            "ordermin": "0.00005", "costmin": "0.5", "tick_size": "0.1",
            "status": "online",
        }
    }  # fmt: skip
