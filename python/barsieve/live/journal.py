"""Journal of what was said: one line for each account, symbol and bar, kept for good.

A line holds the hash of the line before it, and its own. It is on the disk before the
file that it tells of takes its place, so nothing is ever said twice or lost: after a
kill the hour is done again, and a line that is there stays as it is.
"""

import hashlib
import json
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from barsieve.core.errors import refuse
from barsieve.core.times import read_moment
from barsieve.live.decisions import SHORT, Decided, Key
from barsieve.live.lines import Document, append_lines, as_line, read_lines

# A decision that is made later than this after its close is reported apart.
LATE_AFTER_SECONDS = 300.0


class Quote(NamedTuple):
    """Best bid and ask of a venue, and when they were read."""

    bid: float
    ask: float
    at: datetime


class Said(NamedTuple):
    """A line of the journal; see `Decided`. `code` is the hash of the code then.

    `said_at` is when, `late_seconds` after the close of the bar.
    """

    account: str
    symbol: str
    bar_ts: datetime
    known_at: datetime
    decision: dict[str, Any]
    ages: dict[str, float]
    bars: str
    read: str
    settings: str
    code: str
    said_at: datetime
    late_seconds: float
    quote: Quote | None

    @property
    def key(self) -> Key:
        """Return what names the decision."""
        return self.account, self.symbol, self.bar_ts

    @property
    def is_late(self) -> bool:
        """Tell whether it was decided too late to count as in time."""
        return self.late_seconds > LATE_AFTER_SECONDS


def said(decided: Decided, code: str, now: datetime, quote: Quote | None) -> Said:
    """Return a decision as it is said now."""
    late = (now - decided.known_at).total_seconds()
    return Said(
        **decided._asdict(), code=code, said_at=now, late_seconds=late, quote=quote
    )


def _document(one: Said) -> Document:
    document = one._asdict()
    document["quote"] = one.quote._asdict() if one.quote else None
    # As it is read again: moments are texts.
    found: Document = json.loads(as_line(document))
    return found


def _said(document: Document) -> Said:
    fields = {name: document[name] for name in Said._fields}
    for name in ("bar_ts", "known_at", "said_at"):
        fields[name] = read_moment(fields[name])
    if quote := fields["quote"]:
        fields["quote"] = Quote(quote["bid"], quote["ask"], read_moment(quote["at"]))
    return Said(**fields)


def _digest(document: Document) -> str:
    own = {name: value for name, value in document.items() if name != "digest"}
    return hashlib.sha256(as_line(own).encode()).hexdigest()[:SHORT]


class Journal:
    """The journal of a market: its lines, each bound to the one before."""

    def __init__(self, path: Path, is_strict: bool = True):
        """Read a journal, or begin one.

        Raises InputError where a line is not the one that was written there; else such
        lines are `edited`.
        """
        self.path, self._is_strict = path, is_strict
        self.lines: list[Said] = []
        self.edited: set[Key] = set()
        self._last = ""
        for number, document in enumerate(read_lines(path), 1):
            self._take(number, document)
        self.keys = {one.key for one in self.lines}

    def _take(self, number: int, document: Document) -> None:
        is_own = document.get("digest") == _digest(document)
        is_edited = not is_own or document.get("previous") != self._last
        if is_edited and self._is_strict:
            refuse(
                str(self.path),
                f"line {number}",
                expected="the line that was written there, after the one before it",
                found="another: its hash differs"
                if not is_own
                else "one that followed another line",
                fix="put the journal back as it was; it is proof only while untouched",
            )
        try:
            line = _said(document)
        except (KeyError, TypeError, ValueError) as error:
            refuse(
                str(self.path),
                f"line {number}",
                expected="a decision of this version",
                found=f"{error!r}",
                fix="read it with the version that wrote it, or move it away",
            )
        if is_edited:
            self.edited.add(line.key)
        self.lines.append(line)
        self._last = document["digest"]

    def append(self, found: Iterable[Said]) -> list[Said]:
        """Add decisions that are not there yet; the disk keeps them. Return them."""
        new, documents = [], []
        for one in found:
            if one.key in self.keys:
                continue
            document = _document(one) | {"previous": self._last}
            document["digest"] = self._last = _digest(document)
            self.keys.add(one.key)
            new.append(one)
            documents.append(document)
        if documents:
            append_lines(self.path, documents)
            self.lines += new
        return new
