"""Files that paper trading keeps in the folder of a market, below `live`."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from barsieve.core.errors import refuse
from barsieve.core.files import written_whole


class LiveFolder:
    """The folder `live` of a market: who trades, what was said, what went wrong.

    `accounts`: the paper accounts. `journal`: a line a decision. `alarms`: a line an
    alarm. `parked`: rows that came after their hour was decided. `revised`: values that
    a venue has changed. `told`: how much of all that was told. `state`: how the last
    pass went. `lock`: held by the one that runs.
    """

    def __init__(self, market: Path):
        """Name the files of a market; nothing is made."""
        self.market = market
        self.folder = market / "live"
        self.accounts = self.folder / "accounts.json"
        self.journal = self.folder / "decisions.jsonl"
        self.alarms = self.folder / "alarms.jsonl"
        self.parked = self.folder / "parked.jsonl"
        self.revised = self.folder / "revised.jsonl"
        self.told = self.folder / "told.json"
        self.state = self.folder / "state.json"
        self.lock = self.folder / ".run.lock"

    def read(self, path: Path) -> Any:
        """Return the JSON of one of the files; None where it is not there."""
        try:
            return json.loads(path.read_text())
        except FileNotFoundError:
            return None
        except ValueError as error:
            refuse(
                str(path),
                expected="the JSON that was written there",
                found=str(error),
                fix="put it back, or remove the file",
            )

    def write(self, path: Path, document: Any) -> None:
        """Write one of the files, whole."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with written_whole(path) as partial:
            partial.write_text(json.dumps(document, indent=2, default=str) + "\n")

    def runner(self) -> int | None:
        """Return the process that runs; None where none does."""
        import fcntl

        try:
            stream = self.lock.open("r+")
        except FileNotFoundError:
            return None
        with stream:
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                with suppress(ValueError):
                    return int(stream.read())
        return None

    @contextmanager
    def running(self) -> Iterator[None]:
        """Be the one that runs; the system lets go when the process ends.

        Raises InputError where another does.
        """
        import fcntl

        self.folder.mkdir(parents=True, exist_ok=True)
        with self.lock.open("a+") as stream:
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                refuse(
                    str(self.market),
                    expected="no other barsieve paper run over it",
                    found=f"process {self.runner() or 'unknown'} at work",
                    fix="barsieve paper stop, or let it work",
                )
            stream.truncate(0)
            stream.write(str(os.getpid()))
            stream.flush()
            yield
