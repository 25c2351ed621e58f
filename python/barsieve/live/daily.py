"""Daily series, read once an hour after its decisions: known when they were fetched.

A value that comes later than its rule says was not known at its rule. So it bears the
later of the two, and no decision that was made is made anew by it.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, time, timedelta
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from pyarrow import ArrowException

from barsieve.core.errors import BarsieveError
from barsieve.ingest import coingecko, fred, yahoo
from barsieve.ingest.datasets import open_interest_feed
from barsieve.ingest.exchange import Exchange
from barsieve.ingest.exchanges import ingest_feed
from barsieve.ingest.folder import Market, open_market
from barsieve.ingest.merge import span_of
from barsieve.ingest.publication import known_at
from barsieve.ingest.request import Request
from barsieve.ingest.retry import Patience
from barsieve.ingest.summary import Outcome
from barsieve.live.alarms import Alarms
from barsieve.live.folder import LiveFolder
from barsieve.market.check import MACRO

SOURCES = ("fred", "yahoo", "coingecko", "open-interest")
"""Sources of daily series that can be followed."""

Job = Callable[[Market, Request, Outcome], None]


class Daily(NamedTuple):
    """Sources to follow, the addresses of mirrors by source, how they are asked."""

    sources: tuple[str, ...]
    mirrors: dict[str, str]
    patience: Patience


def _jobs(daily: Daily, exchange: Exchange | None) -> Iterator[tuple[str, str, Job]]:
    """Yield the source, the series and the reading of all that may be followed."""
    for source in daily.sources:
        url = daily.mirrors.get(source)
        if source == "fred":
            for identifier in (*fred.DEFAULT_IDS, "BAMLH0A0HYM2"):
                series = fred.SERIES.get(identifier, identifier)
                yield source, series, partial(_fred, identifier, series, daily, url)
        if source == "yahoo":
            for ticker, series in yahoo.SERIES.items():
                yield source, series, partial(_yahoo, ticker, series, daily)
        if source == "coingecko":
            for series in coingecko.SERIES:
                yield source, series, partial(_coingecko, series, daily, url)
        if source == "open-interest" and exchange:
            for symbol in ("BTC", "ETH"):
                job = partial(_open_interest, symbol, exchange)
                yield source, f"OI_{symbol}_COINM", job


def _fred(
    identifier: str, series: str, daily: Daily, url: str | None,
    market: Market, request: Request, outcome: Outcome,
) -> None:  # fmt: skip
    fred.ingest_fred(
        identifier, series, market, request, daily.patience, outcome, None, url
    )


def _yahoo(
    ticker: str, series: str, daily: Daily,
    market: Market, request: Request, outcome: Outcome,
) -> None:  # fmt: skip
    yahoo.ingest_yahoo(ticker, series, market, request, daily.patience, outcome)


def _coingecko(
    series: str, daily: Daily, url: str | None,
    market: Market, request: Request, outcome: Outcome,
) -> None:  # fmt: skip
    snapshot = coingecko.take_snapshot(daily.patience, url, None)
    coingecko.ingest_coingecko(series, snapshot, market, request, outcome)


def _open_interest(
    symbol: str, exchange: Exchange, market: Market, request: Request, outcome: Outcome
) -> None:
    feed = open_interest_feed(exchange, symbol, market)
    ingest_feed(exchange, feed, market, request, outcome)


def _is_due(market: Market, series: str, now: datetime) -> bool:
    """Tell whether the day after the last stored one should be out by its rule."""
    span = span_of(market, MACRO, series)
    if span is None or series not in market.publications:
        return False
    following = np.array([np.datetime64(span[1]) + np.timedelta64(1, "D")])
    due = known_at(following, market.publications[series].lag_hours)[0].item()
    return bool(due.replace(tzinfo=now.tzinfo) <= now)


def read_daily(
    folder: LiveFolder,
    seed: Path,
    daily: Daily,
    exchange: Exchange | None,
    now: datetime,
    alarms: Alarms,
) -> int:
    """Read the stored series that are due from their sources; return the new rows.

    A source that fails, and a series that grew older than its limit, ring.
    """
    if not daily.sources:
        return 0
    n_new = 0
    with open_market(folder.market, seed) as opened:
        market = replace(opened, learned_at=now)
        request = Request(now, accept_revisions=True)
        for source, series, job in _jobs(daily, exchange):
            if not _is_due(market, series, now):
                continue
            outcome = Outcome(f"macro/{series}", source)
            try:
                job(market, request, outcome)
            except (BarsieveError, OSError, ArrowException) as error:
                alarms.ring("macro_failed", series, f"{source}: {error}", now.date())
            n_new += outcome.rows_new
            _ring_stale(market, series, now, alarms)
    return n_new


def _ring_stale(market: Market, series: str, now: datetime, alarms: Alarms) -> None:
    span: Any = span_of(market, MACRO, series)
    limit = timedelta(hours=market.publications[series].stale_after_hours)
    last = datetime.combine(span[1], time(), now.tzinfo)
    lag = timedelta(hours=market.publications[series].lag_hours)
    if now - last - lag > limit:
        text = f"{series}: the last value is of {span[1]}"
        alarms.ring("stale_input", series, text, span[1])
