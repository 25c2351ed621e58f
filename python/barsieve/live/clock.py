"""Clock of paper trading: the one place of the product where time passes."""

from datetime import datetime, timedelta
from typing import Protocol

HOUR = timedelta(hours=1)


class Clock(Protocol):
    """A clock that tells the time, UTC, and lets it pass."""

    def now(self) -> datetime:
        """Return the time, UTC."""
        ...

    def sleep(self, seconds: float) -> None:
        """Let so many seconds pass."""
        ...


def last_close(now: datetime) -> datetime:
    """Return the last full hour: when the last bar that can be known closed."""
    return now.replace(minute=0, second=0, microsecond=0)
