"""Two runs, trade by trade."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from barsieve.analysis.compare import compare, is_within
from barsieve.analysis.named_runs import NamedRun, read_run, within
from barsieve.analysis.tolerances import TRADES_TOLERANCE, WIN_RATE_TOLERANCE
from barsieve.api.run import Run
from barsieve.core.text import Page, Shown
from barsieve.core.times import Span
from barsieve.metrics.account import CURVE

if TYPE_CHECKING:
    from barsieve.api.frames import Frame

LABELS = {
    "identical": "identical",
    "differs": "differ",
    "missing": "missing (in A alone)",
    "invented": "invented (in B alone)",
}


class Comparison(Shown):
    """Differences of two runs; `Database.compare` makes them.

    Attributes
    ----------
    verdict : str
        `identical`, `differs`, or `vacuous` where neither has a trade.
    counts : dict of str to int
        Trades that are `identical`, that `differs`, `missing` (in A alone) and
        `invented` (in B alone).
    """

    def __init__(self, a: NamedRun, b: NamedRun):
        """Compare two runs."""
        self._a, self._b, self._found = a, b, compare(a, b)
        self.verdict, self.counts = self._found.verdict, self._found.counts

    @property
    def a(self) -> str:
        """Name of the first run."""
        return self._a.name

    @property
    def b(self) -> str:
        """Name of the other run."""
        return self._b.name

    @property
    def broken(self) -> dict[str, str]:
        """Broken promises of the runs' profiles in the build, by run."""
        return {run.name: run.broken for run in (self._a, self._b) if run.broken}

    def is_within(
        self,
        trades_tolerance: float = TRADES_TOLERANCE,
        win_rate_tolerance: float = WIN_RATE_TOLERANCE,
    ) -> bool:
        """Tell whether B keeps the promise `within` against A.

        The number of trades may differ by a share of A's, the win rate by a fraction.
        """
        return is_within(self._a, self._b, trades_tolerance, win_rate_tolerance)

    @property
    def trades(self) -> "Frame":
        """A trade a row: when decided, side, verdict, its number in A and in B, fields.

        `fields` has, by the name of each field that differs, its values in A and B.
        """
        from barsieve.api.frames import Frame

        return Frame(self._found.trades)

    @property
    def metrics(self) -> "Frame":
        """A figure a row, by its name: `a`, `b`, and their `difference`, B less A."""
        from barsieve.api.frames import Frame

        frame: Frame = Frame(self._found.metrics).set_index("figure")
        return frame

    def document(self) -> dict[str, Any]:
        """Return all of it as it is printed in JSON."""
        return {
            "a": self.a,
            "b": self.b,
            "verdict": self.verdict,
            "counts": self.counts,
            "metrics": self._found.metrics,
            "trades": self._found.trades,
            "broken": self.broken,
        }

    def page(self) -> Page:
        """Return the verdict and its counts."""
        rows = [(LABELS[name], f"{n:,}") for name, n in self.counts.items()]
        title = f"A: {self.a}\nB: {self.b}\n{self.verdict}"
        return Page(title, ("", "trades"), rows)


def _named(database: Path | None, run: Run | str, span: Span) -> NamedRun:
    """Return a run to compare; of a `Run` within a span only what its trades say."""
    if isinstance(run, str):
        return read_run(run, span, database)
    trades = run.table("trades").to_pylist(maps_as_pydicts="strict")
    is_whole = span == (None, None)
    account = {name: run.metrics[name] if is_whole else None for name in CURVE}
    return NamedRun(run.title, within(trades, span), account)


def compared(
    database: Path | None, a: Run | str, b: Run | str, span: Span
) -> Comparison:
    """Return what sets two runs apart; names are of this database, or the one in force.

    Raises InputError for a name that stands for nothing.
    """
    return Comparison(_named(database, a, span), _named(database, b, span))
