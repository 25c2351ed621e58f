"""Alarms: what went wrong while trading on paper, each told once."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from barsieve.live.lines import Document, append_lines, as_line, read_lines


class Kind(NamedTuple):
    """Kind of an alarm: what it means, and what to do about it."""

    meaning: str
    remedy: str


KINDS = {
    "late_input": Kind(
        "an input that was due had not come when patience ended; the hour was decided "
        "without it",
        "look at the venue; a longer --patience waits longer",
    ),
    "late_bar": Kind(
        "a bar came after its hour had been decided without it; it is parked, not used",
        "nothing; a build with it would tell which decisions it changes",
    ),
    "late_settlement": Kind(
        "a funding settlement came after its bar had been decided; it is parked, and "
        "the account does not pay it",
        "nothing; the journal and the market stay in step",
    ),
    "missing_bar": Kind(
        "the venue has later bars but none for this hour; the gap stays a gap",
        "nothing; an order over a gap lapses",
    ),
    "revised_bar": Kind(
        "the venue now gives other values for a bar that was decided upon; the stored "
        "ones stay, the new ones are kept beside them",
        "compare `live/revised.jsonl`; choose a venue that does not revise",
    ),
    "revised_settlement": Kind(
        "the venue now gives another rate for a stored settlement; the stored one "
        "stays",
        "compare `live/revised.jsonl`",
    ),
    "refused_row": Kind(
        "the venue gave a row that breaks a rule of the market, such as a high below "
        "the low; it is not stored",
        "look at the venue's own chart for that hour",
    ),
    "slow_input": Kind(
        "an input came only when it was asked for again", "nothing while it is rare"
    ),
    "venue_fault": Kind(
        "the venue answered with a fault (a status, no answer in time, a damaged "
        "answer) and was asked again",
        "nothing while it is rare; fewer requests if it is status 429",
    ),
    "venue_down": Kind(
        "the venue gave no answer until patience ended; nothing is decided until it "
        "does",
        "wait: the hours are caught up when it answers",
    ),
    "venue_back": Kind("the venue answers again", "nothing: what was missed follows"),
    "clock_skew": Kind(
        "the clock of this machine and that of the venue differ",
        "let NTP set the clock; until then the earlier of the two decides which bars "
        "have closed",
    ),
    "late_decision": Kind(
        "a decision was made long after its close, so its open had passed; it is "
        "traded as the batch trades it, and reported apart",
        "find out why: venue down, machine asleep, a long build",
    ),
    "no_quote": Kind(
        "bid and ask could not be read at an order, so its slippage is not measured",
        "nothing while it is rare",
    ),
    "stale_input": Kind(
        "a macro series is older than its limit, so what reads it is unknown",
        "see its source; `barsieve ingest` fetches it by hand",
    ),
    "macro_failed": Kind(
        "the source of a macro series gave no answer; its last value is used while it "
        "is fresh",
        "nothing while it is rare",
    ),
    "market_refused": Kind(
        "the market could not be written to", "do as the message says"
    ),
    "advance_failed": Kind(
        "the built file could not be brought to the end of the market; it is as it was",
        "do as the message says; often `barsieve build`, after code or configs changed",
    ),
    "not_batch": Kind(
        "the built file says otherwise than the journal of an hour",
        "`parity_live` names the decision, the fields that differ and the cause",
    ),
    "file_differs": Kind(
        "a build of the same code, configs and market has other rows than the file "
        "that was advanced; the build took its place, the other is kept beside it",
        "barsieve compare of the two; bars that came by barsieve ingest explain it, "
        "else tell us",
    ),
    "undelivered": Kind(
        "hook, webhook or ping did not take a message in all its tries",
        "test the command or the address by hand",
    ),
}
"""Kinds of alarms by name."""


class Notes:
    """A file of JSON lines with a key each; what has a known key is not added again."""

    def __init__(self, path: Path):
        """Read the notes that there are."""
        self.path = path
        self.lines = read_lines(path)
        self._keys = {line["key"] for line in self.lines}

    def add(self, key: str, **document: object) -> bool:
        """Add a note unless its key is known; tell whether it was added."""
        if key in self._keys:
            return False
        line: Document = {"key": key, **document}
        append_lines(self.path, [line])
        self._keys.add(key)
        self.lines.append(line)
        return True


class Alarms:
    """The alarms of a market."""

    def __init__(self, path: Path, now: Callable[[], datetime]):
        """Read the alarms that there are; `now` is the clock in force."""
        self.notes = Notes(path)
        self._now = now

    def ring(self, kind: str, about: str, text: str, once: object = "") -> bool:
        """Give an alarm about something; tell whether it is a new one.

        `once`: what makes it another of its kind, such as the hour.
        """
        if kind not in KINDS:
            raise KeyError(kind)
        key = as_line({"kind": kind, "about": about, "once": str(once)})
        return self.notes.add(
            key, kind=kind, about=about, text=text, at=self._now().isoformat()
        )
