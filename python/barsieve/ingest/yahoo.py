"""Daily closes of indices from Yahoo, through yfinance."""

import contextlib
import logging
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import numpy as np

from barsieve.ingest.fred import store_days
from barsieve.ingest.macro import first_day, lag_of, macro_table
from barsieve.ingest.market import Market
from barsieve.ingest.patience import PassingError, Patience, SourceError, needed
from barsieve.ingest.request import Request
from barsieve.ingest.summary import Outcome

SERIES = {"^MOVE": "MOVE", "DX-Y.NYB": "DXY", "^VIX": "VIX"}
OVERLAP_DAYS = 30
# Yahoo hands single-precision floats out; these are the digits that it was given.
DECIMALS = 4


@contextlib.contextmanager
def _own_words() -> Iterator[None]:
    """Let faults be raised and not logged: what to say of them is ours."""
    yfinance = needed("yfinance")
    logger, debug = logging.getLogger("yfinance"), yfinance.config.debug
    before = logger.disabled, debug.hide_exceptions
    logger.disabled, debug.hide_exceptions = True, False
    try:
        yield
    finally:
        logger.disabled, debug.hide_exceptions = before


def _history(ticker: str, patience: Patience, **span: Any) -> Any:
    """Return the frame of daily bars of a ticker; index: days of its exchange."""
    yfinance = needed("yfinance")

    def ask_once() -> Any:
        try:
            with _own_words():
                return yfinance.Ticker(ticker).history(
                    interval="1d", auto_adjust=False, actions=False,
                    timeout=patience.timeout, **span,
                )  # fmt: skip
        except Exception as error:
            # Whatever yfinance meets (faults of its HTTP library, damaged JSON) comes
            # under many names; and it remembers answers, a damaged one too.
            yfinance.data.YfData().cache_get.cache_clear()
            said = f"Yahoo, {ticker}: {' '.join(str(error).split())[:160]}"
            if "symbol may be delisted" in said:
                raise SourceError(said) from None
            raise PassingError(said) from None

    return patience.ask(ask_once)


def ingest_yahoo(
    ticker: str,
    series: str,
    market: Market,
    request: Request,
    patience: Patience,
    outcome: Outcome,
) -> None:
    """Bring one index up to date; count into `outcome`.

    Today's bar moves until its close: a day waits until its publication lag is over.
    """
    lag = lag_of(market, series)
    start = first_day(market, series, request, OVERLAP_DAYS)
    end = request.now.date() + timedelta(days=2)
    closes = _history(ticker, patience, start=start, end=end)["Close"].dropna()
    days = closes.index.tz_localize(None).to_numpy().astype("datetime64[D]")
    values = np.round(closes.to_numpy(float), DECIMALS)
    store_days(market, series, macro_table(series, days, values, lag), request, outcome)
