"""Summary of an ingest: what it did to one symbol or series, and found there."""

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


class Absent(NamedTuple):
    """A part of the span asked for of which the source has no rows, and why.

    From the first to the last hour (or day) that is missing. `is_explained` is whether
    the reason is known: a part that is missing for no known reason is a fault.
    """

    reason: str
    first: datetime
    last: datetime
    steps: int
    is_explained: bool


@dataclass
class Outcome:
    """One line of the summary table.

    `asked` is the span (from, before) that was asked for, `rows_given` the rows that
    the source had in its answers, `rows_stored` those of the span that the market holds
    now. `rows_checked` were stored already and compared; `rows_refused` break a rule of
    the market (`refused` says the first of each kind). `gaps` are holes between `first`
    and `last`, `missing` the steps that lie in them; `absent` says why.
    """

    target: str
    source: str
    asked: tuple[datetime | date, datetime | date] | None = None
    rows_given: int = 0
    rows_stored: int | None = None
    rows_new: int = 0
    rows_checked: int = 0
    rows_refused: int = 0
    gaps: int = 0
    missing: int = 0
    first: datetime | date | None = None
    last: datetime | date | None = None
    revisions: list[Revision] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)
    absent: list[Absent] = field(default_factory=list)
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

    def held(self) -> int:
        """Return the rows of what was asked that the market holds now."""
        if self.rows_stored is not None:
            return self.rows_stored
        return self.rows_new + self.rows_checked

    def unexplained(self) -> list[Absent]:
        """Return the parts of the span that are missing for no known reason."""
        return [part for part in self.absent if not part.is_explained]

    def is_incomplete(self) -> bool:
        """Tell whether what was asked for is not there, for no known reason."""
        return not self.held() or bool(self.unexplained())
