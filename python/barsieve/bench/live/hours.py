"""Hours of paper trading against an exchange on this machine, timed one by one."""

import resource
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from barsieve.bench.live.market import HOUR, LocalExchange, millis
from barsieve.core.errors import BarsieveError
from barsieve.ingest.retry import Patience
from barsieve.live.advance import Advanced, advance
from barsieve.live.daily import Daily
from barsieve.live.folder import LiveFolder
from barsieve.live.hour import Paper, Settings
from barsieve.live.messages import Ways
from barsieve.live.reading import Venue

ASKING = Patience(tries=3, first_wait=0.1, longest_wait=1.0, timeout=10.0)


class BenchFailedError(BarsieveError):
    """An hour that could not be done; the message says why."""


class Places(NamedTuple):
    """Places of a project that is followed; `whole` is the market with what comes."""

    whole: Path
    market: Path
    configs: Path
    database: Path
    seed: Path


class _Clock:
    """A clock that is set, and takes its exchange along."""

    def __init__(self, exchange: LocalExchange):
        self._exchange = exchange
        self._now = datetime.min

    def set(self, now: datetime) -> None:
        self._now, self._exchange.now = now, millis(now)

    def now(self) -> datetime:
        return self._now

    def sleep(self, seconds: float) -> None:
        self.set(self._now + timedelta(seconds=seconds))


def do_hours(places: Places, start: datetime, n_hours: int) -> dict[str, Any]:
    """Do the hours after `start` in one process, as `barsieve paper run` does.

    Returns seconds of each hour, those of its advance less what the journal takes in
    it, and CPU seconds of the hour; the first, which imports and compiles, is left out.
    """
    hours: list[float] = []
    advances: list[float] = []
    cpu: list[float] = []

    def timed(
        database: Path,
        market: Path,
        *,
        configs: Path | None = None,
        before_swap: Callable[[Path], None] | None = None,
    ) -> Advanced:
        in_journal = 0.0

        def told(copy: Path) -> None:
            nonlocal in_journal
            began = time.perf_counter()
            if before_swap is not None:
                before_swap(copy)
            in_journal = time.perf_counter() - began

        began = time.perf_counter()
        done = advance(database, market, configs=configs, before_swap=told)
        advances.append(time.perf_counter() - began - in_journal)
        return done

    with LocalExchange(places.whole, start) as exchange:
        clock = _Clock(exchange)
        clock.set(start)
        settings = Settings(
            folder=LiveFolder(places.market), database=places.database,
            configs=places.configs, seed=places.seed,
            venue=Venue("binance", "USDT", exchange.options(), ASKING),
            patience=timedelta(minutes=5), daily=Daily((), {}, ASKING), ways=Ways(),
        )  # fmt: skip
        paper = Paper(settings, clock, timed)
        for hour in range(1, n_hours + 2):
            clock.set(start + hour * HOUR + timedelta(seconds=2))
            began, used = time.perf_counter(), time.process_time()
            done = paper.do()
            hours.append(time.perf_counter() - began)
            cpu.append(time.process_time() - used)
            # A gap of the market's own is waited for, by a clock that is simulated.
            if done.failure:
                raise BenchFailedError(done.failure)
        paper.close()
    peak_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {
        "hour_seconds": hours[1:],
        "advance_seconds": advances[1:],
        "cpu_seconds": cpu[1:],
        "peak_mb": peak_kb / 1024,
    }


def do_advances(
    places: Places, ends: list[datetime], cut: Any
) -> tuple[list[float], list[float]]:
    """Advance a file to each of some closes; return seconds, and CPU seconds.

    `cut` writes the market as it was at a close.
    """
    seconds, cpu = [], []
    for end in ends:
        cut(places.whole, places.market, end)
        began, used = time.perf_counter(), time.process_time()
        advance(places.database, places.market, configs=places.configs)
        seconds.append(time.perf_counter() - began)
        cpu.append(time.process_time() - used)
    return seconds, cpu
