"""Document of the page: the status, what happened last, equity since the opening."""

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from barsieve.core.errors import InputError
from barsieve.live.alarms import KINDS
from barsieve.live.folder import LiveFolder
from barsieve.live.journal import Journal, Said
from barsieve.live.messages import in_words, is_news
from barsieve.live.status import Document, status

# So many hours with an order or a fill are listed, so many points drawn.
MOST_EVENTS, MOST_POINTS = 40, 600


def _events(lines: list[Said]) -> list[Document]:
    news = [one for one in lines if is_news(one)][-MOST_EVENTS:]
    return [
        {
            "at": one.known_at,
            "account": one.account,
            "symbol": one.symbol,
            "text": in_words(one).split(": ", 1)[1],
            "is_late": one.is_late,
            "quote": one.quote._asdict() if one.quote else None,
        }
        for one in reversed(news)
    ]


def _equity(lines: list[Said]) -> list[Document]:
    """Return the equity of each account and symbol at each close, thinned out."""
    curves: dict[tuple[str, str], list[tuple[float, float]]] = {}
    for one in lines:
        point = (one.known_at.timestamp(), one.decision["equity"])
        curves.setdefault((one.account, one.symbol), []).append(point)
    found = []
    for (account, symbol), points in curves.items():
        step = -(-len(points) // MOST_POINTS)
        kept = points[::-step][::-1]
        found.append({"account": account, "symbol": symbol, "points": kept})
    return found


def view(folder: LiveFolder, database: Path, now: datetime) -> Document:
    """Return all that the page shows, as JSON has it."""
    found = status(folder, database, now)
    try:
        lines = Journal(folder.journal, is_strict=False).lines
    except InputError:
        lines = []
    for alarm in found["alarms"]:
        alarm["meaning"] = (
            KINDS[alarm["kind"]].meaning if alarm["kind"] in KINDS else ""
        )
    found["alarms"].reverse()
    document: Document = json.loads(
        json.dumps(
            found | {"events": _events(lines), "equity": _equity(lines)},
            default=lambda value: (
                value.isoformat() if isinstance(value, datetime) else str(value)
            ),
        )
    )
    return document


class Viewer:
    """The document of the page, made again when a file that it is made of changed."""

    def __init__(self, folder: LiveFolder, database: Path, now: Callable[[], datetime]):
        """Look at the live folder of a market and at a built file."""
        self._folder, self._database, self._now = folder, database, now
        self._seen: tuple[Any, ...] | None = None
        self._document: Document = {}

    def version(self) -> str:
        """Return a text that changes with what the page shows."""
        stamps = []
        for path in (
            self._database, self._folder.journal, self._folder.alarms,
            self._folder.state, self._folder.accounts,
        ):  # fmt: skip
            try:
                found = path.stat()
                stamps.append((found.st_ino, found.st_mtime_ns, found.st_size))
            except FileNotFoundError:
                stamps.append((0, 0, 0))
        # Ages grow without a file: by the minute.
        minute = self._now().replace(second=0, microsecond=0)
        runner = self._folder.runner()
        return "-".join(map(str, [minute.timestamp(), runner, *sum(stamps, ())]))

    def look(self) -> tuple[str, Document]:
        """Return the version and the document."""
        version = self.version()
        if self._seen != (version,):
            self._document = view(self._folder, self._database, self._now())
            self._seen = (version,)
        return version, self._document
