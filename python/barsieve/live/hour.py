"""One hour of paper trading: read what is due, advance, write down, tell.

No rule of trading stands here: what is decided comes of the built file alone.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import duckdb

from barsieve.core.arrow import row_of
from barsieve.core.errors import BarsieveError
from barsieve.database.connect import open_database
from barsieve.ingest.appending import last_stored
from barsieve.ingest.folder import open_market
from barsieve.ingest.retry import Patience
from barsieve.live.accounts import needed_accounts
from barsieve.live.advance import Advanced, advance
from barsieve.live.alarms import Alarms
from barsieve.live.clock import Clock, last_close
from barsieve.live.daily import Daily, read_daily
from barsieve.live.folder import LiveFolder
from barsieve.live.journal import Journal, Said
from barsieve.live.journaling import Recorded, record
from barsieve.live.messages import Messenger, Ways
from barsieve.live.parity import put_verdicts
from barsieve.live.reading import Reading, Venue
from barsieve.market.check import BARS

# How long the end waits for messages.
MESSAGES_SECONDS = 30.0
NEVER = datetime(1970, 1, 1, tzinfo=UTC)


class Advance(Protocol):
    """Function that brings a file to the end of its market; see `live.advance`."""

    def __call__(
        self,
        database: Path,
        market: Path,
        *,
        configs: Path | None = None,
        before_swap: Callable[[Path], None] | None = None,
    ) -> Advanced:
        """Advance a file."""
        ...


class Settings(NamedTuple):
    """Settings of a run: places, the venue, how long to wait, whom to tell."""

    folder: LiveFolder
    database: Path
    configs: Path
    seed: Path
    venue: Venue
    patience: timedelta
    daily: Daily
    ways: Ways


class Hour(NamedTuple):
    """Account of an hour: its close, what had not come, what was said, why not more."""

    close: datetime
    missing: list[str]
    said: list[Said]
    failure: str | None


class Paper:
    """Paper trading over a market: an hour at a time."""

    def __init__(self, settings: Settings, clock: Clock, advances: Advance = advance):
        """Read journal and alarms; raises InputError where one was edited."""
        self.settings, self._clock, self._advance = settings, clock, advances
        folder = settings.folder
        self.accounts = [one.account for one in needed_accounts(folder)]
        self.journal = Journal(folder.journal)
        self.alarms = Alarms(folder.alarms, clock.now)
        self._reading = Reading(
            folder, settings.seed, settings.venue, clock, self.alarms,
            settings.patience,
        )  # fmt: skip
        patience = replace(settings.daily.patience, notice=None)
        self.messenger = Messenger(folder, settings.ways, patience)

    def _decided(self) -> datetime:
        """Return the last bar of the built file, which is what was decided upon."""
        with open_database(self.settings.database) as connection:
            (last,) = row_of(connection.execute("select max(bar_ts) from bars_1h"))
        return last or NEVER

    def _stored(self) -> datetime:
        """Return the last bar of the market."""
        market = self.settings.folder.market
        with open_market(market, self.settings.seed) as opened:
            names = [path.stem for path in (market / "bars").glob("*.parquet")]
            ends = [last_stored(opened, BARS, name) for name in names]
        return max((end for end in ends if end), default=NEVER)

    def _put(self, database: Path, since: datetime) -> Recorded:
        found = record(
            database, self.journal, self.accounts, since, self._clock.now,
            self._reading.quote,
        )  # fmt: skip
        for one in found.other:
            text = f"{one.account} {one.symbol} {one.known_at:%Y-%m-%d %H:%M}"
            self.alarms.ring("not_batch", one.account, text, one.key)
        late = [one for one in found.new if one.is_late]
        if late:
            first, last = late[0].known_at, late[-1].known_at
            text = f"{len(late)} decisions of {first:%Y-%m-%d %H:%M} to "
            text += f"{last:%Y-%m-%d %H:%M}"
            self.alarms.ring("late_decision", "journal", text, last)
        return found

    def _forward(self, decided: datetime) -> tuple[list[Said], str | None]:
        """Bring the built file to the end of the market, the journal before it."""
        new: list[Said] = []

        def before_swap(copy: Path) -> None:
            found = self._put(copy, decided)
            new.extend(found.new)
            put_verdicts(copy, found.verdicts)

        settings = self.settings
        try:
            if self._stored() > decided:
                self._advance(
                    settings.database, settings.folder.market,
                    configs=settings.configs, before_swap=before_swap,
                )  # fmt: skip
            new.extend(self._put(settings.database, self._decided()).new)
        except (BarsieveError, OSError, duckdb.Error) as error:
            told = str(error)
            self.alarms.ring("advance_failed", "advance", told, f"{decided} {told}")
            return new, told
        return new, None

    def do(self) -> Hour:
        """Do the hour that has closed last: read, advance, write down, tell.

        Raises InputError where there is no built file to advance.
        """
        close, decided = last_close(self._clock.now()), self._decided()
        missing = self._reading.read(close, decided)
        new, failure = self._forward(decided)
        for target in missing if not failure else ():
            text = f"{target} for the close {close:%Y-%m-%d %H:%M}"
            self.alarms.ring("late_input", target, text, close)
        self._read_daily()
        self._keep_state(close, missing, failure)
        self.messenger.tell(self.journal, self.alarms)
        return Hour(close, missing, new, failure)

    def _read_daily(self) -> None:
        settings = self.settings
        try:
            read_daily(
                settings.folder, settings.seed, settings.daily,
                self._reading.exchange, self._clock.now(), self.alarms,
            )  # fmt: skip
        except (BarsieveError, OSError) as error:
            self.alarms.ring("market_refused", "macro", str(error), str(error))

    def _keep_state(
        self, close: datetime, missing: list[str], failure: str | None
    ) -> None:
        folder = self.settings.folder
        state: dict[str, Any] = folder.read(folder.state) or {}
        folder.write(
            folder.state,
            state
            | {
                "venue": self.settings.venue.name,
                "close": close,
                "done_at": self._clock.now(),
                "missing": missing,
                "failure": failure,
                "skew_seconds": self._reading.skew_seconds,
            },
        )

    def go_on(self, is_over: Callable[[], bool]) -> None:
        """Do one hour after the other until it is over."""
        while not is_over():
            done = self.do()
            self.messenger.tell(self.journal, self.alarms, is_ping=False)
            wait = done.close + timedelta(hours=1) - self._clock.now()
            if wait > timedelta(0):
                self._clock.sleep(wait.total_seconds())

    def close(self) -> None:
        """End, and give messages some time."""
        self.messenger.close(MESSAGES_SECONDS)


def usual_patience() -> Patience:
    """Return how a venue is asked while an hour waits for it."""
    return Patience(tries=3, first_wait=1.0, longest_wait=10.0, timeout=15.0)
