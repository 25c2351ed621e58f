"""`barsieve ingest fred`, `yahoo`, `coingecko`: daily series."""

import os
from typing import Annotated

import typer

from barsieve.cli.ingest.options import (
    Accept,
    BaseUrl,
    Recheck,
    Since,
    Timeout,
    To,
    Tries,
    Until,
    Wait,
)
from barsieve.cli.ingest.run import Job, patience_of, reporting, request_of, run, split
from barsieve.cli.output import AsJson


def _named(texts: list[str], known: dict[str, str]) -> dict[str, str]:
    """Return the series of each `ID` or `ID=SERIES`."""
    pairs = [text.partition("=") for text in texts]
    return {key: name or known.get(key, key) for key, _, name in pairs}


def fred(
    series: Annotated[
        str, typer.Option(help="FRED ids, comma-joined; ID=NAME stores it as NAME.")
    ] = "VIXCLS,DGS2,DGS10,DTWEXBGS,DCOILWTICO",
    to: To = None,
    since: Since = None,
    until: Until = None,
    accept_revisions: Accept = False,
    recheck: Recheck = False,
    base_url: BaseUrl = None,
    tries: Tries = 6,
    wait: Wait = 1.0,
    timeout: Timeout = 30.0,
    as_json: AsJson = False,
) -> None:
    """Fetch daily series of FRED; with FRED_API_KEY set, every vintage of ALFRED.

    Without a key a value is known at its day plus the publication lag of
    seeds/macro_series.csv, on the next US business day; with one, when its vintage
    was published.

    Example: barsieve ingest fred --series DGS2,DGS10 --to ~/market
    """
    with reporting():
        from barsieve.ingest.fred import SERIES, ingest_fred

        patience = patience_of(tries, wait, timeout)
        key = os.environ.get("FRED_API_KEY") or None

        def job_of(identifier: str, name: str) -> Job:
            return lambda market, request, outcome: ingest_fred(
                identifier, name, market, request, patience, outcome, key, base_url
            )

        named = _named(split(series), SERIES)
        jobs = {f"macro/{name}": job_of(key, name) for key, name in named.items()}
        request = request_of(since, until, accept_revisions, recheck)
        run(to, "alfred" if key else "fred", request, jobs, as_json)


def yahoo(
    tickers: Annotated[
        str, typer.Option(help="Comma-joined; TICKER=NAME stores it as NAME.")
    ] = "^MOVE,DX-Y.NYB,^VIX",
    to: To = None,
    since: Since = None,
    until: Until = None,
    accept_revisions: Accept = False,
    recheck: Recheck = False,
    tries: Tries = 6,
    wait: Wait = 1.0,
    timeout: Timeout = 30.0,
    as_json: AsJson = False,
) -> None:
    """Fetch daily closes from Yahoo: ^MOVE, DX-Y.NYB (the ICE dollar index), ^VIX.

    Example: barsieve ingest yahoo --tickers ^MOVE,DX-Y.NYB --to ~/market
    """
    with reporting():
        from barsieve.ingest.yahoo import SERIES, ingest_yahoo

        patience = patience_of(tries, wait, timeout)

        def job_of(ticker: str, name: str) -> Job:
            return lambda market, request, outcome: ingest_yahoo(
                ticker, name, market, request, patience, outcome
            )

        named = _named(split(tickers), SERIES)
        jobs = {f"macro/{name}": job_of(key, name) for key, name in named.items()}
        request = request_of(since, until, accept_revisions, recheck)
        run(to, "yahoo", request, jobs, as_json)


def coingecko(
    to: To = None,
    base_url: BaseUrl = None,
    tries: Tries = 6,
    wait: Wait = 1.0,
    timeout: Timeout = 30.0,
    as_json: AsJson = False,
) -> None:
    """Append today's TOTAL, BTC.D and USDT.D: the public API knows the moment only.

    For their history, `barsieve ingest files --series` takes exports of TradingView.
    COINGECKO_API_KEY may hold a (free) demo key.

    Example: barsieve ingest coingecko --to ~/market
    """
    with reporting():
        from barsieve.ingest.coingecko import SERIES, ingest_coingecko, take_snapshot

        key = os.environ.get("COINGECKO_API_KEY") or None
        patience = patience_of(tries, wait, timeout)
        snapshot = take_snapshot(patience, base_url, key)

        def job_of(name: str) -> Job:
            return lambda market, request, outcome: ingest_coingecko(
                name, snapshot, market, request, outcome
            )

        jobs = {f"macro/{name}": job_of(name) for name in SERIES}
        run(to, "coingecko", request_of(None, None, False, False), jobs, as_json)
