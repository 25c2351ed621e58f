"""`barsieve ingest ohlcv`, `funding`, `open-interest`: from exchanges through ccxt."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from barsieve.cli.ingest.options import (
    Accept,
    AcceptOrigin,
    ExchangeName,
    ExchangeOptions,
    Pages,
    Recheck,
    Rows,
    Since,
    Symbols,
    Timeout,
    To,
    Tries,
    Until,
    Wait,
)
from barsieve.cli.ingest.run import Job, patience_of, reporting, request_of, run, split
from barsieve.cli.output import AsJson
from barsieve.core.errors import refuse


def read_options(path: Path | None) -> dict[str, Any]:
    """Return the settings of ccxt in a file; none without one.

    Raises InputError for a file that holds no JSON object.
    """
    if path is None:
        return {}
    try:
        options = json.loads(path.read_text())
        if not isinstance(options, dict):
            raise ValueError("no object")
    except (OSError, ValueError) as error:
        refuse(
            str(path),
            expected="a JSON object of ccxt settings",
            found=str(error),
            fix='such as {"httpsProxy": "http://localhost:8080"}',
        )
    return options


def _ingest_exchange(
    to, exchange, options, symbols, request, patience, feed_of, label, as_json
) -> None:
    from barsieve.ingest.exchange import Exchange
    from barsieve.ingest.exchanges import ingest_feed

    client = Exchange(exchange, patience, read_options(options))

    def job_of(symbol: str) -> Job:
        def job(market, request, outcome) -> None:
            feed = feed_of(client, symbol, market)
            outcome.target = f"{feed.kind.folder}/{feed.name}"
            ingest_feed(client, feed, market, request, outcome)

        return job

    jobs = {f"{label}/{symbol}": job_of(symbol) for symbol in split(symbols)}
    run(to, exchange, request, jobs, as_json)


def ohlcv(
    symbols: Symbols = "BTC,ETH",
    exchange: ExchangeName = "binance",
    quote: Annotated[str, typer.Option(help="Currency of the price.")] = "USDT",
    to: To = None,
    since: Since = None,
    until: Until = None,
    accept_revisions: Accept = False,
    accept_origin: AcceptOrigin = False,
    recheck: Recheck = False,
    exchange_options: ExchangeOptions = None,
    page_rows: Rows = 1000,
    pages_per_write: Pages = 10,
    tries: Tries = 6,
    wait: Wait = 1.0,
    timeout: Timeout = 30.0,
    as_json: AsJson = False,
) -> None:
    """Fetch hourly bars from an exchange; only closed ones are kept.

    Goes on where the last run stopped, and back to --since where the history starts
    later. Past bars that have changed are reported and kept as they are; bars of
    another venue, quote or contract than the file's are refused. Exit status 1: nothing
    was stored, or a part of the span is missing for no known reason.

    Example: barsieve ingest ohlcv --symbols BTC,ETH --since 2020-01-01 --to ~/market
    """
    with reporting():
        from barsieve.ingest.datasets import bars_feed

        _ingest_exchange(
            to, exchange, exchange_options, symbols,
            request_of(since, until, accept_revisions, recheck, accept_origin,
                       rows=page_rows, pages=pages_per_write),
            patience_of(tries, wait, timeout),
            lambda client, symbol, market: bars_feed(client, symbol, quote),
            "bars", as_json,
        )  # fmt: skip


def funding(
    symbols: Symbols = "BTC,ETH",
    exchange: ExchangeName = "binance",
    quote: Annotated[str, typer.Option(help="Currency of the margin.")] = "USDT",
    to: To = None,
    since: Since = None,
    until: Until = None,
    accept_revisions: Accept = False,
    accept_origin: AcceptOrigin = False,
    recheck: Recheck = False,
    exchange_options: ExchangeOptions = None,
    page_rows: Rows = 1000,
    pages_per_write: Pages = 10,
    tries: Tries = 6,
    wait: Wait = 1.0,
    timeout: Timeout = 30.0,
    as_json: AsJson = False,
) -> None:
    """Fetch the funding rates of perpetuals: what was paid at each settlement.

    Each row has the hours that it covers: exchanges settle every 8, 4, 2 or 1 h, and
    change that.

    Example: barsieve ingest funding --symbols BTC,ETH --to ~/market
    """
    with reporting():
        from barsieve.ingest.datasets import funding_feed

        _ingest_exchange(
            to, exchange, exchange_options, symbols,
            request_of(since, until, accept_revisions, recheck, accept_origin,
                       rows=page_rows, pages=pages_per_write),
            patience_of(tries, wait, timeout),
            lambda client, symbol, market: funding_feed(client, symbol, quote),
            "funding", as_json,
        )  # fmt: skip


def open_interest(
    symbols: Symbols = "BTC,ETH",
    exchange: ExchangeName = "binance",
    to: To = None,
    accept_revisions: Accept = False,
    exchange_options: ExchangeOptions = None,
    tries: Tries = 6,
    wait: Wait = 1.0,
    timeout: Timeout = 30.0,
    as_json: AsJson = False,
) -> None:
    """Fetch daily open interest of coin-margined perpetuals, in USD.

    Exchanges hand out about the last month: run it at least monthly.

    Example: barsieve ingest open-interest --symbols BTC --to ~/market
    """
    with reporting():
        from barsieve.ingest.datasets import open_interest_feed

        _ingest_exchange(
            to, exchange, exchange_options, symbols,
            request_of(None, None, accept_revisions, False),
            patience_of(tries, wait, timeout), open_interest_feed, "macro", as_json,
        )  # fmt: skip
