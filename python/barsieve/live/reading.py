"""Inputs of an hour, read from the venue until what is due is in, or patience ends."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from pyarrow import ArrowException

from barsieve.core.errors import InputError, refuse
from barsieve.ingest.appending import (
    Appended,
    append_feed,
    last_stored,
    next_settlement,
)
from barsieve.ingest.datasets import Feed, bars_feed, funding_feed
from barsieve.ingest.exchange import Exchange
from barsieve.ingest.folder import Market, open_market
from barsieve.ingest.origin import read_origin
from barsieve.ingest.request import Request
from barsieve.ingest.retry import Patience, SourceError, from_millis
from barsieve.live.alarms import Alarms, Notes
from barsieve.live.clock import HOUR, Clock, last_close
from barsieve.live.folder import LiveFolder
from barsieve.live.journal import Quote
from barsieve.market.check import BARS, FUNDING

# A symbol without a bar for so long is none that is waited for.
GONE_AFTER = timedelta(hours=168)
# Clocks that differ by less agree: an answer takes its time.
SKEW_SECONDS = 10.0
# Between two questions for what is due.
POLL_SECONDS, LONGEST_POLL_SECONDS = 2.0, 30.0


class Venue(NamedTuple):
    """An exchange of ccxt: its name, the quote of bars, settings, how it is asked."""

    name: str
    quote: str
    options: dict[str, Any]
    patience: Patience


def venue_of(market: Path) -> str:
    """Return the exchange that the stored bars came from, else binance.

    Raises InputError where they came from several.
    """
    origins = [read_origin(path) for path in (market / "bars").glob("*.parquet")]
    venues = sorted({one.venue for one in origins if one and one.venue})
    if len(venues) > 1:
        refuse(
            str(market / "bars"),
            expected="bars of one exchange",
            found=", ".join(venues),
            fix="name the exchange with --exchange, or keep a market for each",
        )
    return venues[0] if venues else "binance"


def _bars_symbol(market: Market, symbol: str, quote: str) -> str:
    """Return the venue's market of a symbol's bars, as the stored file says."""
    origin = read_origin(market.home(BARS, symbol))
    currency = (origin.quote if origin else "") or quote
    is_perpetual = origin is not None and origin.contract == "perpetual"
    return f"{symbol}/{currency}" + (f":{currency}" if is_perpetual else "")


class Reading:
    """The reader of a market's inputs: one venue, the market folder, their faults."""

    def __init__(
        self,
        folder: LiveFolder,
        seed: Path,
        venue: Venue,
        clock: Clock,
        alarms: Alarms,
        patience: timedelta,
    ):
        """Ask `venue` for what is due in a market, up to `patience` after a close."""
        self._folder, self._seed, self._venue = folder, seed, venue
        self._clock, self._alarms, self._patience = clock, alarms, patience
        self._parked, self._revised = Notes(folder.parked), Notes(folder.revised)
        self._faults: dict[str, int] = {}
        asking = replace(venue.patience, notice=self._notice)
        self.exchange = Exchange(venue.name, asking, venue.options)
        self._feeds: dict[str, Feed] = {}
        self.skew_seconds: float | None = None

    def _notice(self, fault: BaseException) -> None:
        text = str(fault)
        self._faults[text] = self._faults.get(text, 0) + 1

    @contextmanager
    def _market(self) -> Iterator[Market]:
        with open_market(self._folder.market, self._seed) as opened:
            yield replace(opened, learned_at=self._clock.now())

    def read(self, close: datetime, decided: datetime) -> list[str]:
        """Read until all that a close needs is in; return what had not come.

        `decided` is the last bar that was decided upon. What goes wrong rings.
        """
        deadline = max(close + self._patience, self._clock.now())
        self._faults, poll, is_answered, n_asked = {}, POLL_SECONDS, False, 0
        failures: dict[str, str] = {}
        wanted: list[str] | None = None
        while True:
            n_asked += 1
            failures = self._ask(wanted, decided)
            is_answered |= "" not in failures
            missing = self._missing(close, decided)
            if not missing or self._clock.now() >= deadline:
                break
            for target in missing:
                if target not in failures and n_asked == 2:
                    text = f"{target} of the close {close:%Y-%m-%d %H:%M} was not there"
                    self._alarms.ring("slow_input", target, text, close)
            wanted = missing
            self._clock.sleep(poll)
            poll = min(poll * 2, LONGEST_POLL_SECONDS)
        self._ring_faults(close, failures, is_answered)
        return missing

    def _ring_faults(
        self, close: datetime, failures: dict[str, str], is_answered: bool
    ) -> None:
        venue = self._venue.name
        for text, n in self._faults.items():
            told = f"{text} ({n} times)" if n > 1 else text
            self._alarms.ring("venue_fault", venue, told, f"{close} {text}")
        state = self._folder.read(self._folder.state) or {}
        down_since = state.get("down_since")
        if not is_answered:
            since = down_since or close.isoformat()
            self._alarms.ring("venue_down", venue, failures.get("", "no answer"), since)
        elif down_since:
            text = f"after no answer since the close {down_since}"
            self._alarms.ring("venue_back", venue, text, down_since)
        down = None if is_answered else down_since or close.isoformat()
        self._folder.write(self._folder.state, state | {"down_since": down})

    def _missing(self, close: datetime, decided: datetime) -> list[str]:
        """Return what is due at a close and not stored."""
        with self._market() as market:
            found = []
            for symbol in self._symbols(market, decided):
                last = last_stored(market, BARS, symbol)
                if last is None or last < close - HOUR:
                    found.append(f"bars/{symbol}")
                due = next_settlement(market, symbol, decided)
                if due is not None and due <= close - HOUR:
                    found.append(f"funding/{symbol}")
            return found

    def _symbols(self, market: Market, decided: datetime) -> list[str]:
        names = sorted(path.stem for path in (market.folder / "bars").glob("*.parquet"))
        ends = {name: last_stored(market, BARS, name) for name in names}
        return [n for n in names if (end := ends[n]) and end > decided - GONE_AFTER]

    def _targets(self, market: Market, decided: datetime) -> list[str]:
        found = []
        for symbol in self._symbols(market, decided):
            found.append(f"bars/{symbol}")
            if last_stored(market, FUNDING, symbol):
                found.append(f"funding/{symbol}")
        return found

    def _feed(self, market: Market, target: str) -> Feed:
        if target not in self._feeds:
            kind, _, symbol = target.partition("/")
            if kind == "bars":
                named = _bars_symbol(market, symbol, self._venue.quote)
                feed = bars_feed(self.exchange, named, self._venue.quote)
            else:
                feed = funding_feed(self.exchange, symbol, self._venue.quote)
            self._feeds[target] = feed
        return self._feeds[target]

    def _ask(self, targets: list[str] | None, decided: datetime) -> dict[str, str]:
        """Ask once for some targets, or for all; return what failed, with why.

        The name of what failed is empty where the venue itself gave no answer.
        """
        failures: dict[str, str] = {}
        try:
            with self._market() as market:
                clock = self._venue_clock()
                for target in targets or self._targets(market, decided):
                    try:
                        self._append(market, target, clock, decided)
                    except SourceError as error:
                        self._notice(error)
                        failures[target] = str(error)
        except SourceError as error:
            self._notice(error)
            failures[""] = str(error)
        except (InputError, OSError, ArrowException) as error:
            told = str(error)
            self._alarms.ring("market_refused", "market", told, told)
            failures["market"] = told
        return failures

    def _venue_clock(self) -> datetime:
        """Return the earlier of the venue's time and ours; ring where they differ."""
        if not self.exchange.has("fetchTime"):
            return self._clock.now()
        stated = self.exchange.ask("fetch_time")
        now = self._clock.now()
        if not isinstance(stated, int):
            raise SourceError(f"{self._venue.name}: no time in the answer")
        venue = from_millis(stated)
        self.skew_seconds = (now - venue).total_seconds()
        if abs(self.skew_seconds) > SKEW_SECONDS:
            side = "ahead of" if self.skew_seconds > 0 else "behind"
            text = f"our clock is {abs(self.skew_seconds):.0f} s {side} the venue's"
            self._alarms.ring("clock_skew", self._venue.name, text, now.date())
        return min(now, venue)

    def _append(
        self, market: Market, target: str, clock: datetime, decided: datetime
    ) -> None:
        feed = self._feed(market, target)
        request = Request(self._clock.now())
        found = append_feed(self.exchange, feed, market, request, clock, decided)
        self._set_aside(target, found)

    def _set_aside(self, target: str, found: Appended) -> None:
        """Keep what came too late or has changed, and ring."""
        now, is_bar = self._clock.now().isoformat(), target.startswith("bars/")
        for row in found.late:
            key = f"{target} {row['ts'].isoformat()}"
            if self._parked.add(key, target=target, row=row, seen_at=now):
                kind = "late_bar" if is_bar else "late_settlement"
                text = f"{target} of {row['ts']:%Y-%m-%d %H:%M}: parked"
                self._alarms.ring(kind, target, text, row["ts"])
        for one in found.outcome.revisions:
            key = f"{target} {one.key} {one.column} {one.offered}"
            row = one._asdict()
            if self._revised.add(key, target=target, row=row, seen_at=now):
                kind = "revised_bar" if is_bar else "revised_settlement"
                text = f"{one.key}: {one.column} {one.stored}, now {one.offered}"
                self._alarms.ring(kind, target, text, key)
        for hour in found.missing:
            text = f"{self._venue.name} has no bar of {hour:%Y-%m-%d %H:%M}"
            self._alarms.ring("missing_bar", target, text, hour)
        if found.n_empty:
            self._notice(SourceError(f"{target}: an answer without rows"))
        for text in found.outcome.refused:
            self._alarms.ring("refused_row", target, text, text)

    def quote(self, symbol: str, close: datetime) -> Quote | None:
        """Return bid and ask of a symbol now; None where the hour of a close is over.

        None, and an alarm, where the venue gives none.
        """
        if last_close(self._clock.now()) != close:
            return None
        feed = self._feeds.get(f"bars/{symbol}")
        try:
            if feed is None:
                raise SourceError("its market was not asked for")
            book = self.exchange.ask("fetch_order_book", feed.market, 5)
            bid, ask = float(book["bids"][0][0]), float(book["asks"][0][0])
        except (SourceError, LookupError, TypeError, ValueError) as error:
            text = f"{symbol} at {close:%Y-%m-%d %H:%M}: {error}"
            self._alarms.ring("no_quote", symbol, text, close)
            return None
        return Quote(bid, ask, self._clock.now())
