"""The proof of no lookahead, as frames."""

from typing import TYPE_CHECKING

from barsieve.core.text import Page, Shown
from barsieve.proof.verdicts import LOOKS_AHEAD, Finding, sentence

if TYPE_CHECKING:
    from barsieve.api.frames import Frame

COLUMNS = ("table", "column", "cuts", "rows", "first difference")


class Proof(Shown):
    """Proof of each column by histories that end early; `Database.prove` makes it.

    Attributes
    ----------
    sentence : str
        What was found, in words.
    """

    def __init__(self, found: list[Finding]):
        """Keep what was found of each column."""
        self._found, self.sentence = found, sentence(found)

    @property
    def holds(self) -> bool:
        """True where no column looks ahead."""
        return not self._ahead

    @property
    def findings(self) -> "Frame":
        """A column of a table a row, as in the table `proof_lookahead`."""
        from barsieve.api.frames import Frame

        return Frame([found._asdict() for found in self._found])

    @property
    def _ahead(self) -> list[Finding]:
        return [found for found in self._found if found.verdict == LOOKS_AHEAD]

    def page(self) -> Page:
        """Return what was found, and each column that looks ahead."""
        rows = [
            (f.table_name, f.column_name, f"{f.cuts}", f"{f.rows_compared:,}",
             f.first_difference or "-")
            for f in self._ahead
        ]  # fmt: skip
        return Page(self.sentence, COLUMNS if rows else ("",) * 5, rows)
