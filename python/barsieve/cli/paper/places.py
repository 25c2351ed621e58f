"""Places of paper trading, and the clock of the machine."""

import time
from datetime import UTC, datetime

from barsieve.core import paths
from barsieve.live.folder import LiveFolder


def live_folder() -> LiveFolder:
    """Return the live folder of the market in force.

    Raises NoProjectError outside of a project.
    """
    return LiveFolder((paths.project_dir() / paths.market_dir()).resolve())


def market_symbols() -> list[str]:
    """Return the symbols of the market in force."""
    bars = (live_folder().market / "bars").glob("*.parquet")
    return sorted(path.stem for path in bars)


class SystemClock:
    """The clock of the machine."""

    def now(self) -> datetime:
        """Return the time, UTC."""
        return datetime.now(UTC)

    def sleep(self, seconds: float) -> None:
        """Let so many seconds pass."""
        time.sleep(seconds)
