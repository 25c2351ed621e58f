"""Worth of a score before any replay, as frames."""

from collections.abc import Mapping
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from barsieve.analysis.score import Worth
from barsieve.core.text import Page, Shown, number
from barsieve.metrics.worth.verdict import verdict

if TYPE_CHECKING:
    from barsieve.api.frames import Frame

COLUMNS = {
    "symbol": ("symbol", "s"),
    "horizon_hours": ("hours", "d"),
    "information_coefficient": ("IC", "+.3f"),
    "ic_low": ("low", "+.3f"),
    "ic_high": ("high", "+.3f"),
    "months_same_sign": ("months", ".0%"),
    "spread_bps": ("bps", "+.1f"),
    "cost_bps": ("cost", ".1f"),
    "p_adjusted": ("p", ".4f"),
}


class Score(Shown):
    """Worth of a score for the hours that follow; `Database.score` makes it.

    Attributes
    ----------
    name : str
        The domain, sentinel, macro signal or column.
    verdicts : mapping of str to str
        By symbol, in words, what it is worth.
    """

    def __init__(self, name: str, found: Worth):
        """Keep what was found."""
        self.name, self._found = name, found
        by_symbol = groupby(found.scores, itemgetter("symbol"))
        self.verdicts: Mapping[str, str] = {
            symbol: verdict(list(rows)) for symbol, rows in by_symbol
        }

    @property
    def horizons(self) -> "Frame":
        """A symbol, regime and horizon a row, as in the table `report_scores`.

        Rank correlation with the return that follows, its interval, spread of the top
        fifth over the bottom one in bps, its cost, p-values corrected for all looks.
        """
        return _frame(self._found.scores)

    @property
    def months(self) -> "Frame":
        """A symbol, horizon and month a row, as in the table `report_score_months`."""
        return _frame(self._found.months)

    @property
    def decay(self) -> "Frame":
        """A symbol and lag in hours a row, as in the table `report_score_decay`."""
        return _frame(self._found.decay)

    def document(self) -> dict[str, Any]:
        """Return all of it as it is printed in JSON."""
        return self._found._asdict()

    def page(self) -> Page:
        """Return the horizons over all regimes, and the verdicts."""
        rows = [
            [number(row[name], pattern) for name, (_, pattern) in COLUMNS.items()]
            for row in self._found.scores
            if row["regime"] == "all"
        ]
        notes = [f"{symbol}: {said}." for symbol, said in self.verdicts.items()]
        labels = [label for label, _ in COLUMNS.values()]
        return Page(f"{self.name}: what follows it", labels, rows, notes)


def _frame(rows: list[dict[str, Any]]) -> "Frame":
    from barsieve.api.frames import Frame

    return Frame(rows)
