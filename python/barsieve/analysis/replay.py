"""One replay of a built profile, and everything that a user wants to know of it."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from barsieve.analysis.session import Study, prepare, trade_rows
from barsieve.metrics.account import of_batch, of_run
from barsieve.replay.runs import FULL, Run, replay


@dataclass(frozen=True)
class ReplayReport:
    """A replay: its figures, what it looked at, its trades as rows of `replay_trades`.

    `loss` is what a file of candidates cost against the full replay; None without one.
    """

    study: Study
    replayed: str
    changes: dict[str, Any]
    summary: dict[str, Any]
    batch: dict[str, Any]
    trades: list[dict[str, Any]]
    loss: dict[str, Any] | None

    def trades_with_legs(self) -> Iterator[dict[str, Any]]:
        """Yield the trades, each with the list of its legs in order."""
        legs: dict[int, list[dict[str, Any]]] = {}
        for leg in self.study.scratch.rows("select * from {replay_legs} order by leg"):
            rest = ("replayed", "profile", "symbol", "trade_id")
            kept = {key: value for key, value in leg.items() if key not in rest}
            legs.setdefault(leg["trade_id"], []).append(kept)
        for trade in self.trades:
            yield trade | {"legs": legs[trade["trade_id"]]}

    def document(self) -> dict[str, Any]:
        """Return the report as it is printed in JSON."""
        loss = {"loss": self.loss} if self.loss else {}
        return {
            "profile": self.study.inputs.profile.profile,
            "symbol": self.study.inputs.profile.symbol,
            "mode": self.replayed,
            "settings": self.changes,
            "summary": self.summary,
            "batch": self.batch,
            **loss,
            "trades": self.trades,
        }


def _batch(study: Study, run: Run) -> dict[str, Any]:
    counts = study.scratch.rows(
        "select (select count(distinct bar_ts) from {candidates} where profile = $1) "
        "as candidates, "
        "(select count(*) from {candidate_windows} where profile = $1) as windows",
        study.inputs.profile.profile,
    )[0]
    return of_batch(run, counts["candidates"], counts["windows"])


def _loss(study: Study, trades: list[dict[str, Any]]) -> dict[str, Any]:
    from barsieve.analysis.compare import NamedRun, compare

    full = trade_rows(study.scratch, replay(study.inputs, FULL))
    counts = compare(NamedRun("full", full, {}), NamedRun("file", trades, {})).counts
    n_lost = counts["missing"]
    return {
        "full_trades": len(full),
        "entries_lost": n_lost,
        "entries_invented": counts["invented"],
        "trades_that_differ": counts["differs"],
        "recall": 1 - n_lost / len(full) if full else None,
    }


def replay_profile(
    database: Path,
    name: str,
    replayed: str,
    changes: dict[str, Any] | None = None,
    candidates: Path | None = None,
) -> ReplayReport:
    """Replay a profile of a built database, `full` or `focused`.

    `changes` are settings by dotted key, `candidates` a file to screen with. Raises
    InputError when the database, the profile, a setting or the file is refused.
    """
    study = prepare(database, name, changes, is_screened=replayed == "focused")
    loss = None
    if candidates:
        from barsieve.analysis.candidate_lines import screened_by

        study = screened_by(study, candidates)
    run = replay(study.inputs, replayed)
    trades = trade_rows(study.scratch, run)
    if candidates:
        loss = _loss(study, trades)
        trades = trade_rows(study.scratch, run)
    summary = of_run(run, trades)
    batch = _batch(study, run)
    return ReplayReport(study, replayed, changes or {}, summary, batch, trades, loss)
