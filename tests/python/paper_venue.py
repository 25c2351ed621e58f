"""A venue with a market to come, hour by hour, its faults, and a clock that obeys."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow.parquet as pq

from sources import HOUR, Source, _future

BASES = ("BTC", "ETH")


def millis(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


class PaperVenue(Source):
    """The local exchange of the tests, with the bars and settlements of a market.

    `withheld`: hours (symbol, ms) that it does not have yet, each with the moment (ms)
    from which on it does; None for never. `revised`: hours whose close it gives times a
    factor from a moment on. `late_funding`: the same for settlements. `is_down`: it
    answers nothing.
    """

    def __init__(self, market: Path, now: datetime):
        super().__init__()
        self.bars = {
            base: [
                (millis(row["ts"]), *(row[c] for c in
                 ("open", "high", "low", "close", "volume")))
                for row in pq.read_table(
                    market / "bars" / f"{base}.parquet"
                ).to_pylist()
            ]
            for base in BASES
        }  # fmt: skip
        rows = pq.read_table(market / "funding" / "funding_8h.parquet").to_pylist()
        self.rates = {
            base: [
                (millis(row["ts"]), row["funding_rate"])
                for row in rows
                if row["symbol"] == base
            ]
            for base in BASES
        }
        self.now = millis(now)
        self.withheld: dict[tuple[str, int], int | None] = {}
        self.revised: dict[tuple[str, int], tuple[float, int]] = {}
        self.late_funding: dict[tuple[str, int], int] = {}
        self.is_down = False
        self.skew = timedelta(0)

    def answer(self, handler, path, query):
        if self.is_down:
            handler.send_response(503)
            handler.send_header("Content-Length", "0")
            handler.end_headers()
            return
        super().answer(handler, path, query)

    def body(self, path, query, fault):
        if path == "/api/v3/depth":
            price = self._price(query["symbol"][:3])
            document = {
                "lastUpdateId": 1,
                "bids": [[f"{price * 0.9999:.8f}", "1.0"]],
                "asks": [[f"{price * 1.0001:.8f}", "1.0"]],
            }
            import json

            return json.dumps(document).encode(), "application/json"
        if path == "/fapi/v1/exchangeInfo":
            import json

            symbols = [
                _future(base, f"{base}USDT", f"{base}USDT", "USDT", status="TRADING")
                for base in BASES
            ]
            document = {"timezone": "UTC", "symbols": symbols}
            return json.dumps(document).encode(), "application/json"
        return super().body(path, query, fault)

    def _price(self, base: str) -> float:
        """Return the open of the hour that is open."""
        known = [row for row in self.bars[base] if row[0] <= self.now]
        return known[-1][1]

    def _has(self, base: str, ts: int) -> bool:
        since = self.withheld.get((base, ts), 0)
        return since is not None and self.now >= since

    def klines(self, query, fault) -> list:
        if fault == "empty":
            return []
        base, start = query["symbol"][:3], int(query.get("startTime", 0))
        limit = int(query.get("limit", 500))
        found = []
        for ts, *prices, volume in self.bars[base]:
            if not start <= ts <= self.now or not self._has(base, ts):
                continue
            factor, since = self.revised.get((base, ts), (1.0, 0))
            if self.now >= since:
                prices = [price * factor for price in prices]
            if ts + HOUR > self.now:  # an open candle: it has only begun
                opened = prices[0]
                prices = [opened, opened, opened, opened]
            cells = [f"{price:.8f}" for price in prices]
            found.append(
                [ts, *cells, f"{volume:.8f}", ts + HOUR - 1, "0", 1, "0", "0", "0"]
            )
        return found[:limit]

    def funding(self, query) -> list:
        base, start = query["symbol"][:3], int(query["startTime"])
        return [
            {
                "symbol": query["symbol"], "fundingTime": ts + 3,
                "fundingRate": repr(rate), "markPrice": "1.0",
            }
            for ts, rate in self.rates[base]
            if start <= ts + 3 <= self.now
            and self.now >= self.late_funding.get((base, ts), 0)
        ][: int(query.get("limit", 100))]  # fmt: skip


class SimulatedClock:
    """A clock that passes only when it is let, and takes its venue along.

    `skew` is what the venue's clock is ahead of it.
    """

    def __init__(self, now: datetime, venue: PaperVenue):
        self._now, self._venue, self.skew = now, venue, timedelta(0)
        self.set(now)

    def now(self) -> datetime:
        return self._now

    def set(self, now: datetime) -> None:
        self._now = now
        self._venue.now = millis(now + self.skew)
        self.on_time(now)

    def sleep(self, seconds: float) -> None:
        self.set(self._now + timedelta(seconds=seconds))

    def on_time(self, now: datetime) -> None:
        """Be told of each moment; tests put what happens then."""


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)
