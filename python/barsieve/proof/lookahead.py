"""Proof of no lookahead: what each model gives where history ends, beside the build.

Models of one symbol run once for all cuts, which stand side by side as symbols. The
others (those that read files, series that all symbols share, or the whole market) run
once a cut. A history starts a little before its cut first; only where that gives other
rows is it taken longer, at last with all of its past and all symbols. Rows that differ
even then have used what came after the cut.
"""

import os
import threading
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable
from concurrent.futures import (
    CancelledError,
    Future,
    ThreadPoolExecutor,
    as_completed,
)
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from barsieve.core.remembered import within_process
from barsieve.database.models import read_models
from barsieve.proof.cuts import Cut, choose_cuts
from barsieve.proof.differences import compare, differences
from barsieve.proof.histories import Histories, Kind, attach, worker
from barsieve.proof.plan import Plan, check_times, plan_of
from barsieve.proof.verdicts import Finding, Outcome, findings_of

N_CUTS, SEED = 20, 1
# Hours of past that histories have: two weeks, a quarter, a year and a quarter. Longer
# windows are found by the rows that differ, and have all of the past.
WARM_UPS = (336, 2_688, 10_752)
# At how many cuts a look ahead is made sure of, with all of the past and all symbols.
N_CONFIRMED = 2

Listener = Callable[[int, int], None]
"""Is told how many steps of the proof are done, and of how many."""


def kinds_of(plan: Plan, name: str) -> list[Kind]:
    """Return the ways in which a model is tried, each with more history than before."""
    if plan.reads_market(name):
        return [Kind(False, True, hours) for hours in (*WARM_UPS, None)]
    is_stacked = plan.can_stack(name)
    short = [Kind(is_stacked, False, hours) for hours in WARM_UPS]
    return [*short, Kind(False, False, None), Kind(False, True, None)]


@dataclass
class Proof:
    """A proof under way; threads share it.

    `first`: the way in which a model was last proven, with which the next cut begins.
    """

    path: Path
    plan: Plan
    cuts: list[Cut]
    listener: Listener
    outcomes: dict[str, Outcome]
    first: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    done: int = 0
    total: int = 0
    is_stopped: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)
    own: threading.local = field(default_factory=threading.local)

    def step(self) -> None:
        """Tell that one more step is done; end this thread where another has failed."""
        if self.is_stopped:
            raise CancelledError
        with self.lock:
            self.done += 1
            self.listener(min(self.done, self.total), self.total)

    def connection(self) -> duckdb.DuckDBPyConnection:
        """Return the connection of this thread."""
        if not hasattr(self.own, "connection"):
            self.own.connection = worker(self.path, self.plan, threads=1)
        connection: duckdb.DuckDBPyConnection = self.own.connection
        return connection

    def stack(self, names: list[str]) -> None:
        """Prove models at all cuts at once, as far as short histories do."""
        connection = self.connection()
        side_by_side: dict[Kind, Histories] = {}
        numbers = {cut.name: cut.number for cut in self.cuts}
        for name in names:
            kinds = [kind for kind in kinds_of(self.plan, name) if kind.stacked]
            for kind in kinds:
                if kind not in side_by_side:
                    side_by_side[kind] = Histories(
                        connection, self.plan, kind, self.cuts
                    )
                found = self.try_out(side_by_side[kind], name, by="symbol")
                if found is None:
                    continue
                counts, apart = found
                outcome = self.outcomes[name]
                for cut_name, number in numbers.items():
                    if number in outcome.open:
                        outcome.rows[number] = counts.get(cut_name, 0)
                        if cut_name not in apart:
                            outcome.close(number, kind.warm_up)
                if not outcome.open:
                    break
            self.step()

    def try_out(
        self, histories: Histories, name: str, by: str | None = None
    ) -> tuple[dict[str, int], set[str]] | None:
        """Run a model on cut histories; return rows compared, and where some differ.

        None where the statement does not run on them; the outcome keeps why.
        """
        connection, model = histories.connection, self.plan.models[name]
        outcome = self.outcomes[name]
        try:
            made = histories.run(name)
        except duckdb.Error as error:
            outcome.error = str(error).splitlines()[0]
            return None
        outcome.error = None
        found = compare(
            connection,
            list(self.plan.tables[name].columns),
            histories.rows_as_made(model, made),
            histories.rows_as_built(name),
            by,
        )
        histories.forget(name)
        return found

    def cut_off(self, cut: Cut, names: list[str]) -> None:
        """Prove models at one cut, that cut alone."""
        alone: dict[Kind, Histories] = {}
        for name in names:
            outcome = self.outcomes[name]
            if cut.number in outcome.open and len(outcome.told) < N_CONFIRMED:
                self._cut_off(cut, name, alone)
            self.step()

    def _cut_off(self, cut: Cut, name: str, alone: dict[Kind, Histories]) -> None:
        connection, outcome = self.connection(), self.outcomes[name]
        kinds = [kind for kind in kinds_of(self.plan, name) if not kind.stacked]
        found = None
        for place in range(self.first[name], len(kinds)):
            kind = kinds[place]
            if kind not in alone:
                alone[kind] = Histories(connection, self.plan, kind, [cut])
            found = self.try_out(alone[kind], name)
            if found is None:
                continue
            counts, apart = found
            outcome.rows[cut.number] = counts.get("", 0)
            if not apart:
                outcome.close(cut.number, kind.warm_up)
                self.first[name] = max(self.first[name], place)
                return
        if found is not None:
            table = self.plan.tables[name]
            outcome.told[cut.number] = differences(connection, table)


def n_workers() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 2


def chosen_plan(path: Path, n_cuts: int, seed: int) -> tuple[Plan, list[Cut]]:
    """Return what is to be proven of a built database, and where it is cut."""
    with duckdb.connect() as connection:
        attach(connection, path)
        connection.execute("use built")
        models = read_models(connection, path)
        plan = plan_of(connection, "built", models)
        check_times(connection, plan, "built")
        places = {
            name: str(models[name].place()._replace(catalog="built"))
            for name in ("bars_1h", "bars_funding")
        }
        cuts = choose_cuts(connection, places, n_cuts, seed)
    return plan, cuts


def prove(
    path: Path,
    n_cuts: int = N_CUTS,
    seed: int = SEED,
    listener: Listener = lambda done, total: None,
    only: Collection[str] | None = None,
) -> list[Finding]:
    """Prove at random cuts that no row of a built database knows its future.

    Every model between the market's files and the candidates, whoever wrote it, runs on
    what was known at each cut. Returns a finding for each column of each table, or of
    `only` some. Raises InputError for a database without statements, and without bars
    to cut.
    """
    plan, cuts = chosen_plan(path, n_cuts, seed)
    if only is not None:
        proven = [name for name in plan.proven if name in only]
        plan = plan._replace(proven=proven)
    return prove_at(path, plan, cuts, listener)


def prove_at(
    path: Path, plan: Plan, cuts: list[Cut], listener: Listener
) -> list[Finding]:
    """Prove a plan at some cuts; see `prove`."""
    return findings_of(plan, outcomes_at(path, plan, cuts, listener))


def outcomes_at(
    path: Path,
    plan: Plan,
    cuts: list[Cut],
    listener: Listener = lambda done, total: None,
    n_threads: int | None = None,
) -> dict[str, Outcome]:
    """Return the outcome of each model at some cuts, proven on so many threads."""
    timed = [name for name in plan.proven if plan.tables[name].known]
    stacked = [name for name in timed if plan.can_stack(name)]
    alone = [name for name in timed if name not in set(stacked)]
    numbers = [cut.number for cut in cuts]
    outcomes = {name: Outcome(open=set(numbers)) for name in timed}
    proof = Proof(path, plan, cuts, listener, outcomes)
    proof.total = len(stacked) + len(cuts) * len(alone)
    with within_process(), ThreadPoolExecutor(n_threads or n_workers()) as pool:
        try:
            tasks = [pool.submit(proof.stack, stacked)]
            tasks += [pool.submit(proof.cut_off, cut, alone) for cut in cuts]
            wait_for(tasks)
            left = [name for name in stacked if outcomes[name].open]
            wait_for([pool.submit(proof.cut_off, cut, left) for cut in cuts])
        except BaseException:
            proof.is_stopped = True
            pool.shutdown(cancel_futures=True)
            raise
    return outcomes


def wait_for(tasks: Iterable[Future[None]]) -> None:
    """Wait until all tasks are done, or one has failed; raise what that did."""
    for task in as_completed(tasks):
        task.result()
