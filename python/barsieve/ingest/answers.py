"""Answers of an exchange as rows, looked at before anything is done with them."""

from typing import Any

from barsieve.ingest.datasets import HOUR, Feed
from barsieve.ingest.exchange import Exchange
from barsieve.ingest.paging import MOST_REPEATS, Row, Trace
from barsieve.ingest.request import Request
from barsieve.ingest.retry import PassingError, SourceError

# What an exchange calls the time before which rows end, where ccxt does not say it.
EXCLUSIVE_ENDS = {"okx": "after", "myokx": "after", "okxus": "after"}
# Times before 1970 or after 2200 are no times in milliseconds.
LATEST_MILLIS = 7_258_118_400_000


def _stated_hours(item: dict[str, Any]) -> float | None:
    """Return the hours that a settlement covers, where the exchange says them."""
    said = item.get("info")
    info: dict[str, Any] = said if isinstance(said, dict) else {}
    for text in (item.get("interval"), info.get("fundingIntervalHours"),
                 info.get("collectCycle")):  # fmt: skip
        digits = str(text or "").removesuffix("h")
        if digits.isdigit() and 0 < int(digits) <= 24:
            return float(digits)
    return None


def _row_of(item: Any) -> Row:
    if isinstance(item, dict):
        value = item.get("fundingRate", item.get("openInterestAmount"))
        return (item.get("timestamp"), value, _stated_hours(item))
    if isinstance(item, list | tuple) and len(item) >= 6:
        return tuple(item[:6])
    raise SourceError(f"a row of another shape among the exchange's: {str(item)[:80]}")


def rows_of(answer: Any) -> list[Row]:
    """Return rows (time in ms, values) of what a method of ccxt gave.

    Raises SourceError for what is no row with a time and numbers.
    """
    if not isinstance(answer, list):
        raise SourceError(f"no list of rows in the answer: {str(answer)[:80]}")
    rows = [_row_of(item) for item in answer]
    for row in rows:
        if not isinstance(row[0], int) or not 0 < row[0] < LATEST_MILLIS:
            raise SourceError(f"a row without a time among the exchange's: {row}"[:160])
        if not all(v is None or isinstance(v, int | float) for v in row[1:]):
            raise SourceError(
                f"a row without numbers among the exchange's: {row}"[:160]
            )
    return rows


class Fetcher:
    """Pages of a feed, from a time on; a call moves the progress bar.

    `raw_rows` are the rows of the last answer before ccxt took those before the start
    away; `is_stuck` tells that the exchange gave the same page to different questions.
    """

    def __init__(
        self,
        exchange: Exchange,
        feed: Feed,
        request: Request,
        trace: Trace,
        span: tuple[int, int],
    ):
        """Keep whom to ask, and the span (ms) that the progress bar stands for."""
        self._exchange, self._feed, self._request = exchange, feed, request
        self._trace, self._span = trace, span
        self._n_rows = min(request.rows, feed.most_rows)
        self._last = (0, 0)
        self._repeats = 0
        self.raw_rows, self.is_stuck = 0, False

    def __call__(
        self, since: int, until: int | None = None, rows: int | None = None
    ) -> list[Row] | None:
        """Return the rows from `since` on (to `until`, both in ms), at most `rows`.

        None where the exchange refuses to be asked with an end.
        """
        arguments = [self._feed.market, since, rows or self._n_rows]
        if self._feed.timeframe:
            arguments.insert(1, self._feed.timeframe)
        named = {} if until is None else {"params": self._ended(until)}
        self._exchange.raw_rows = 0
        try:
            answer = self._exchange.ask(self._feed.method, *arguments, **named)
        except PassingError:
            raise
        except SourceError:
            if until is None:
                raise
            return None
        found = self._on_time(rows_of(answer))
        self._count_repeats(since, bool(found))
        self._trace.given.update(row[0] for row in found)
        if until is None and rows is None:
            self._move(max((row[0] for row in found), default=since))
        return found

    def _ended(self, until: int) -> dict[str, int]:
        """Return the parameters of an end, in ms, the last time that is asked for."""
        own = EXCLUSIVE_ENDS.get(self._exchange.name)
        return {"until": until} | ({own: until + 1} if own else {})

    def _on_time(self, rows: list[Row]) -> list[Row]:
        """Return rows with the time that they are due: settlements on the minute."""
        if self._feed.kind.folder != "funding":
            return rows
        return [(row[0] // 60_000 * 60_000, *row[1:]) for row in rows]

    def _count_repeats(self, since: int, has_rows: bool) -> None:
        """Notice an exchange that gives the same page whatever is asked."""
        self.raw_rows = self._exchange.raw_rows
        asked, text = self._last
        if has_rows or not self.raw_rows or text != self._exchange.raw_text:
            self._repeats = 0
        elif since != asked:
            self._repeats += 1
        self.is_stuck |= self._repeats >= MOST_REPEATS
        self._last = (since, self._exchange.raw_text)

    def _move(self, latest: int) -> None:
        start, stop = self._span
        share = (latest - start) / max(stop - start, HOUR)
        self._request.progress(min(1.0, max(0.0, share)))
