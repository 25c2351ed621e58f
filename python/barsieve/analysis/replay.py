"""One replay of a built profile, and everything that a user wants to know of it."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from barsieve.analysis.session import Study, prepare, trade_rows
from barsieve.core.errors import refuse
from barsieve.metrics.account import of_batch, of_runs
from barsieve.replay.runs import FULL, Run

if TYPE_CHECKING:
    from barsieve.analysis.signals import Signalled


@dataclass(frozen=True)
class ReplayReport:
    """A replay: its figures, what it looked at, its trades as rows of `replay_trades`.

    `loss` is what a file of candidates cost against the full replay, `signals` what
    became of those that were brought; None without any.
    """

    study: Study
    replayed: str
    changes: dict[str, Any]
    summary: dict[str, Any]
    batch: dict[str, Any]
    trades: list[dict[str, Any]]
    loss: dict[str, Any] | None
    signals: dict[str, Any] | None = None

    def trades_with_legs(self) -> Iterator[dict[str, Any]]:
        """Yield the trades, each with the list of its legs in order."""
        legs: dict[tuple[str, int], list[dict[str, Any]]] = {}
        for leg in self.study.scratch.rows("select * from {replay_legs} order by leg"):
            rest = ("replayed", "profile", "symbol", "account", "trade_id")
            kept = {key: value for key, value in leg.items() if key not in rest}
            legs.setdefault((leg["symbol"], leg["trade_id"]), []).append(kept)
        for trade in self.trades:
            yield trade | {"legs": legs[trade["symbol"], trade["trade_id"]]}

    def document(self) -> dict[str, Any]:
        """Return the report as it is printed in JSON."""
        told = {"loss": self.loss, "signals": self.signals}
        return {
            "profile": self.study.profile,
            "symbol": self.study.symbol,
            "mode": self.replayed,
            "settings": self.changes,
            "summary": self.summary,
            "batch": self.batch,
            **{name: told[name] for name in told if told[name]},
            "trades": self.trades,
        }


def _batch(study: Study, runs: list[Run]) -> dict[str, Any]:
    counts = study.scratch.rows(
        "select (select count(distinct (symbol, bar_ts)) "
        "from {candidates} where profile = $1) "
        "as candidates, "
        "(select count(*) from {candidate_windows} where profile = $1) as windows",
        study.profile,
    )[0]
    return of_batch(runs, counts["candidates"], counts["windows"])


def _loss(study: Study, trades: list[dict[str, Any]]) -> dict[str, Any]:
    from barsieve.analysis.compare import compare
    from barsieve.analysis.named_runs import NamedRun

    full = trade_rows(study.scratch, study.replay(FULL))
    counts = compare(NamedRun("full", full, {}), NamedRun("file", trades, {})).counts
    n_lost = counts["missing"]
    return {
        "full_trades": len(full),
        "entries_lost": n_lost,
        "entries_invented": counts["invented"],
        "trades_that_differ": counts["differs"],
        "recall": 1 - n_lost / len(full) if full else None,
    }


def _with_signals(
    report: ReplayReport, brought: "Signalled", runs: list[Run]
) -> ReplayReport:
    """Return a report of signals: no weight of the profile led to its trades."""
    from barsieve.analysis.signals import counts_of

    trades = [trade | {"weights": None} for trade in report.trades]
    return replace(report, trades=trades, signals=counts_of(brought, runs))


def replay_profile(
    database: Path,
    name: str | Path,
    replayed: str,
    changes: dict[str, Any] | None = None,
    candidates: Path | None = None,
    signals: Path | pa.Table | None = None,
) -> ReplayReport:
    """Replay a profile of a built database, or of a file, `full` or `focused`.

    `changes` are settings by dotted key, `candidates` a file to screen with, `signals`
    a file or table (symbol, ts, side, confidence) to enter on, and on nothing else.
    Raises InputError when the database, the profile, a setting or a file is refused.
    """
    if candidates and signals is not None:
        refuse(
            "signals and candidates",
            expected="one of them",
            found="both",
            fix="signals need no screen: leave out the candidates",
        )
    is_screened = replayed == "focused" and signals is None
    study = prepare(database, name, changes, is_screened)
    loss = brought = None
    if candidates:
        from barsieve.analysis.candidate_lines import screened_by

        study = screened_by(study, candidates)
    if signals is not None:
        from barsieve.analysis.signals import signalled

        brought = signalled(study, signals)
        study = brought.study
    runs = study.replay(replayed)
    trades = trade_rows(study.scratch, runs)
    if candidates:
        loss = _loss(study, trades)
        trades = trade_rows(study.scratch, runs)
    summary = of_runs(runs, trades)
    batch = _batch(study, runs)
    report = ReplayReport(study, replayed, changes or {}, summary, batch, trades, loss)
    return report if brought is None else _with_signals(report, brought, runs)
