"""What an ingest did to one symbol or series, and what it found there."""

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import NamedTuple


class LeftOut(NamedTuple):
    """Rows that were given and not stored, for one reason, with one of them shown."""

    reason: str
    rows: int
    example: str


class Revision(NamedTuple):
    """A stored past value that the source now gives differently."""

    target: str
    key: str
    column: str
    stored: str
    offered: str
    taken: bool


@dataclass
class Outcome:
    """One line of the summary table.

    `rows_checked` were stored already and compared; `rows_refused` break a rule of the
    market (`refused` says the first of each kind). `gaps` are holes between `first` and
    `last`, `missing` the steps that lie in them.
    """

    target: str
    source: str
    rows_new: int = 0
    rows_checked: int = 0
    rows_refused: int = 0
    gaps: int = 0
    missing: int = 0
    first: datetime | date | None = None
    last: datetime | date | None = None
    revisions: list[Revision] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    failure: str | None = None

    def note(self, text: str) -> None:
        """Add a remark, once."""
        if text not in self.notes:
            self.notes.append(text)

    def leave_out(self, reason: str, rows: int, example: str) -> None:
        """Count rows that are not stored, by reason; the first example is kept."""
        for i, known in enumerate(self.left_out):
            if known.reason == reason:
                self.left_out[i] = known._replace(rows=known.rows + rows)
                return
        if rows:
            self.left_out.append(LeftOut(reason, rows, example))

    def revise(
        self, key: str, column: str, stored: str, offered: str, taken: bool
    ) -> None:
        """Add a stored past value that the source now gives differently."""
        self.revisions.append(
            Revision(self.target, key, column, stored, offered, taken)
        )
