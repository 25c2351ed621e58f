"""Daily closes of indices from Yahoo, through yfinance."""

import contextlib
import logging
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import numpy as np

from barsieve.core.extras import needed
from barsieve.ingest.folder import Market
from barsieve.ingest.fred import store_days
from barsieve.ingest.macro import asked_days, first_day, lag_of, macro_table
from barsieve.ingest.request import Request
from barsieve.ingest.retry import PassingError, Patience, SourceError
from barsieve.ingest.sessions import known_after_session, named_days, session_of
from barsieve.ingest.summary import Outcome

SERIES = {"^MOVE": "MOVE", "DX-Y.NYB": "DXY", "^VIX": "VIX"}
OVERLAP_DAYS = 30
# Yahoo hands single-precision floats out; these are the digits that it was given.
DECIMALS = 4


@contextlib.contextmanager
def _own_words() -> Iterator[None]:
    """Let faults be raised and not logged: what to say of them is ours."""
    yfinance = needed("yfinance", "ingest")
    logger, debug = logging.getLogger("yfinance"), yfinance.config.debug
    before = logger.disabled, debug.hide_exceptions
    logger.disabled, debug.hide_exceptions = True, False
    try:
        yield
    finally:
        logger.disabled, debug.hide_exceptions = before


def _history(ticker: str, patience: Patience, **span: Any) -> Any:
    """Return the frame of daily bars of a ticker, and what Yahoo says of its sessions.

    The index of the frame is the day, at its exchange, on which a session opened.
    """
    yfinance = needed("yfinance", "ingest")

    def ask_once() -> Any:
        try:
            with _own_words():
                asked = yfinance.Ticker(ticker)
                bars = asked.history(
                    interval="1d", auto_adjust=False, actions=False,
                    timeout=patience.timeout, **span,
                )  # fmt: skip
                periods = asked.get_history_metadata().get("currentTradingPeriod")
                return bars, periods
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

    Today's bar moves until its close: a day waits until its session has ended and its
    publication lag is over. A session that opens the evening before is of the next day.
    """
    lag = lag_of(market, series)
    start = first_day(market, series, request, OVERLAP_DAYS)
    outcome.asked = asked_days(market, series, request)
    end = request.now.date() + timedelta(days=2)
    bars, periods = _history(ticker, patience, start=start, end=end)
    closes = bars["Close"].dropna()
    outcome.leave_out("no close", len(bars) - len(closes), _first_without(bars))
    zone = str(getattr(closes.index, "tz", None) or "UTC")
    opened = closes.index.tz_localize(None).to_numpy().astype("datetime64[D]")
    session = session_of(periods, zone)
    days, keep = named_days(opened, session)
    if (~keep).any():
        outcome.leave_out(
            "a Sunday between weeks of five days: part of Monday's session",
            int((~keep).sum()), str(opened[~keep][0]),
        )  # fmt: skip
    values = np.round(closes.to_numpy(float), DECIMALS)[keep]
    known = known_after_session(days[keep], lag, session, zone)
    rows = macro_table(series, days[keep], values, lag, known=known)
    store_days(market, series, rows, request, outcome)


def _first_without(bars: Any) -> str:
    empty = bars.index[bars["Close"].isna()]
    return str(empty[0].date()) if len(empty) else ""
