"""Driver of a build by parts: one database, whose long tables are views of the parts.

dbt makes what needs the market as a whole, the tests and `build_info`, as it makes them
in any build; what lies between runs as parts. The present database is replaced when all
of it is sound, and only then.
"""

import hashlib
import json
import os
import shutil
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from barsieve.core import paths
from barsieve.core.errors import BarsieveError, InputError, refuse
from barsieve.database.build import (
    BuildResult,
    Judge,
    copy_database,
    fresh_folder,
    only_build,
    refuse_half,
    refuse_unusable,
    run_dbt,
    swap,
)
from barsieve.database.connect import PARTS
from barsieve.database.packages import package_problems
from barsieve.database.provenance import (
    code_hash,
    configs_hash,
    hashes_now,
    market_hash,
)
from barsieve.parts import parity, tables
from barsieve.parts.digests import fingerprint, of_file
from barsieve.parts.engine import Engine
from barsieve.parts.plan import ACCOUNT, Level, PartsPlan, plan_of, read_manifest
from barsieve.parts.progress import Progress
from barsieve.parts.store import STORE, ObjectStore, Store, of_symbol, open_store
from barsieve.parts.task import WALLETS, Task, believed, code_of, steps_as_json, work

DESCRIPTION = (
    "One build by parts: the store and the build that the long tables are views of."
)
OURS = (parity.TABLE, PARTS)
OWNER = "owner.json"
# What a task may hold, beside 5 kB a bar; and the limit of its DuckDB.
MEMORY, MEMORY_A_BAR = 400_000_000, 5_000
LIMIT = "1500MB"


class PartsFailedError(BarsieveError):
    """Parts that failed: `told` has a line for each, with symbol, node and cause."""

    def __init__(self, told: Sequence[str], message: str):
        """Keep what is told of each part."""
        super().__init__("\n".join([*told, message]))
        self.told, self.summary = list(told), message


class Made(NamedTuple):
    """Manifest of a build by parts: all that `--json` prints."""

    result: BuildResult
    store: str
    build: str
    engine: str
    symbols: list[str]
    parts: list[dict[str, Any]]
    tasks: list[Task]
    retried: int
    reused: int
    seconds: float


def store_location(database: Path) -> str:
    """Return where parts are kept: BARSIEVE_STORE, or a folder beside the database."""
    return os.environ.get(STORE) or str(database.with_name(f"{database.name}.parts"))


def split_arguments(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return arguments of dbt without those that leave out, and those.

    Raises InputError for a selection: a build by parts makes all of it.
    """
    rest: list[str] = []
    excluded: list[str] = []
    is_excluded = False
    for word in arguments:
        name = word.split("=")[0]
        if name in ("--select", "-s", "--models", "-m", "--selector"):
            refuse(
                "barsieve build",
                name,
                expected="all models, or --exclude",
                found="a selection",
                fix="leave it out, or build without --by-symbol and --on",
            )
        if word.startswith("-"):
            is_excluded = name == "--exclude"
        (excluded if is_excluded else rest).append(word)
    return rest, excluded


class Run:
    """One build by parts, from the plan to the swap."""

    def __init__(
        self,
        arguments: Sequence[str],
        engine: Engine,
        listener: Callable[[Any], None],
        database: Path,
        built: Path,
    ):
        """Build a database aside, in `built`."""
        self.rest, self.excluded = split_arguments(arguments)
        self.engine, self.listener = engine, listener
        self.database, self.built = database, built
        self.started = datetime.now(UTC)
        self.clock = time.perf_counter()
        self.mirror = database.with_name(f"{database.name}.parts")
        self.store: Store = open_store(store_location(database), self.mirror)
        self.parts: list[dict[str, Any]] = []
        self.asked: list[Task] = []
        self.verdicts: list[parity.Row] = []
        self.retried = self.reused = 0
        self.build = ""
        self.symbols: list[str] = []

    def dbt(self, command: str, *arguments: str) -> None:
        """Run dbt; raise DbtFailedError when it fails."""
        code = run_dbt([*arguments, *self.rest], self.built, self.listener, command)
        if code:
            raise DbtFailedError(code)

    def plan(self) -> PartsPlan:
        """Return the plan, as dbt compiles it."""
        self.dbt(
            "compile", "--select", "resource_type:model", "resource_type:seed",
            *self.excluded,
        )  # fmt: skip
        project = paths.project_dir()
        target = project / (os.environ.get("DBT_TARGET_PATH") or "target")
        manifest, selected = read_manifest(target)
        return plan_of(manifest, selected, project, self.started)

    def prepare(self, plan: PartsPlan) -> None:
        """Start from what stands in the present database and is none of the plan's."""
        if not self.database.exists():
            return
        if tables.others(self.database, plan, OURS):
            copy_database(self.database, self.built)
            tables.clear(self.built, plan, OURS)
        else:
            tables.keep_proof(self.database, self.built)

    def make(self) -> None:
        """Make the database aside."""
        plan = self.plan()
        self.prepare(plan)
        hashes: dict[str, str] = {}
        settings: dict[str, str] = {}
        keys: dict[str, str] = {}
        files: dict[str, dict[str, Path]] = {}
        has_wallets = False
        for number, level in enumerate(plan.levels, start=1):
            self.run_nodes(level.before)
            if not hashes:
                hashes, settings = hashes_now(), tables.settings_of(self.built)
                self.symbols, has_wallets = tables.symbols_of(self.built)
                self.build = self.name_of_build(plan)
                self.claim()
            steps = [
                step._replace(model=step.model._replace(settings=settings))
                for step in level.steps
            ]
            level = level._replace(steps=steps)
            tasks = self.tasks(plan, level, number, keys, files)
            done = self.run_parts(tasks, number, len(plan.levels), files)
            if has_wallets and any(
                step.by == ACCOUNT and not step.is_view for step in steps
            ):
                done |= self.run_wallets(tasks, plan, level, number, keys, files)
            types = {
                name: about["types"]
                for said in done.values()
                for name, about in said["tables"].items()
            }
            tables.show_parts(
                self.built,
                plan,
                [step for step in steps if step.model.model in level.new],
                files,
                types,
                hashes,
            )
        self.note(plan)
        self.finish(plan)

    def run_nodes(self, names: Sequence[str]) -> None:
        """Let dbt make some nodes, without their tests."""
        if names:
            self.dbt(
                "build", "--select", *names, "--exclude-resource-type", "test",
                "--exclude-resource-type", "unit_test",
            )  # fmt: skip

    def finish(self, plan: PartsPlan) -> None:
        """Let dbt make what is left, and run all tests."""
        self.dbt(
            "build", "--select", *plan.last, "resource_type:test",
            "resource_type:unit_test", *self.excluded,
        )  # fmt: skip

    def name_of_build(self, plan: PartsPlan) -> str:
        """Return the name of the build in the store: what it is made of."""
        project = paths.project_dir()
        made_of = [
            code_hash(project),
            configs_hash(project / paths.configs_dir()),
            market_hash(project / paths.market_dir()),
            sorted(plan.selected),
        ]
        return hashlib.sha256(json.dumps(made_of).encode()).hexdigest()[:16]

    def claim(self) -> None:
        """Write whose build it is, so that only its owner clears it away."""
        self.store.put_json(f"{self.build}/{OWNER}", {"database": str(self.database)})

    def tasks(
        self,
        plan: PartsPlan,
        level: Level,
        number: int,
        keys: dict[str, str],
        files: dict[str, dict[str, Path]],
    ) -> dict[str, Task]:
        """Return the tasks of a level by symbol; write what they read in common."""
        steps = json.dumps(steps_as_json(level.steps), default=str)
        of_steps = hashlib.sha256(steps.encode()).hexdigest()[:16]
        key_of_steps = f"{self.build}/steps/level-{number}-{of_steps}.json"
        self.store.put_json(key_of_steps, steps_as_json(level.steps))
        path = self.built.with_name(f"given_{number}.duckdb")
        path.unlink(missing_ok=True)
        of_given = tables.write_given(self.built, level, path)
        given = f"{self.build}/given/level-{number}-{of_given}.duckdb"
        self.store.put(path, given)
        market = (paths.project_dir() / paths.market_dir()).resolve()
        made = {}
        for symbol in self.symbols:
            bars = market / "bars" / f"{symbol}.parquet"
            before = keys.get(symbol) or of_file(bars)
            text = [of_steps, of_given, before, code_of(), fingerprint(), symbol]
            key = hashlib.sha256(json.dumps(text).encode()).hexdigest()[:16]
            keys[symbol] = key
            made[symbol] = Task(
                symbol=symbol,
                level=number,
                store=self.store.location,
                build=self.build,
                steps=key_of_steps,
                bars=self.bars_of(bars),
                given=given,
                files={
                    name: [self.key_of(name, symbol)]
                    for name, by_symbol in files.items()
                    if symbol in by_symbol
                },
                key=key,
                code=code_of(),
                fingerprint=fingerprint(),
                memory=LIMIT,
            )
        return made

    def bars_of(self, bars: Path) -> str:
        """Return where nodes find a symbol's bars: in place, or put into the store."""
        if not isinstance(self.store, ObjectStore):
            return str(bars)
        key = f"{self.build}/bars/{bars.name}"
        if not self.store.has(key):
            copy = self.built.with_name(bars.name)
            shutil.copyfile(bars, copy)
            self.store.put(copy, key)
        return key

    def key_of(self, table: str, symbol: str) -> str:
        """Return the key of the file of a part."""
        return f"{self.build}/{table}/{of_symbol(symbol)}/part.parquet"

    def run_parts(
        self,
        tasks: dict[str, Task],
        number: int,
        levels: int,
        files: dict[str, dict[str, Path]],
    ) -> dict[str, dict[str, Any]]:
        """Run the parts of a level; return what is said of each, by symbol.

        Raises PartsFailedError where one failed, after all have ended, and where one
        that the driver made again has other values.
        """
        done = {
            symbol: said
            for symbol, task in tasks.items()
            if (said := believed(self.store, task)) is not None
        }
        self.reused += len(done)
        waiting = [symbol for symbol in tasks if symbol not in done]
        reused, began, retried, failed = len(done), time.perf_counter(), 0, []
        asked = [tasks[symbol].as_json() for symbol in waiting]
        for n_done, answer in enumerate(self.engine.run(asked, MEMORY), start=1):
            symbol = waiting[answer.place]
            retried += answer.tries - 1
            said = json.loads(answer.said) if answer.said else {"failed": answer.reason}
            if "failed" in said:
                failed.append(self.failure(symbol, said))
            elif (again := believed(self.store, tasks[symbol])) is None:
                failed.append(
                    f"symbol {symbol}, node {said['node']}: its files are not those "
                    "that its done-file names"
                )
            else:
                done[symbol] = again
            seconds = time.perf_counter() - began
            left = seconds / n_done * (len(waiting) - n_done)
            self.listener(
                Progress(
                    number, levels, n_done + reused, len(tasks), seconds,
                    left if n_done < len(waiting) else None, retried, reused,
                )
            )  # fmt: skip
        self.retried += retried
        if failed:
            raise PartsFailedError(
                sorted(failed),
                f"{len(failed)} of {len(tasks)} symbols failed; {self.database} is as "
                "it was, and the same command goes on where this one ended",
            )
        self.keep(tasks, done, files)
        self.judge(tasks, done)
        return done

    def keep(
        self,
        tasks: dict[str, Task],
        done: dict[str, dict[str, Any]],
        files: dict[str, dict[str, Path]],
    ) -> None:
        """Remember the files of parts."""
        for symbol, said in done.items():
            self.parts.append(said)
            self.asked.append(tasks[symbol])
            for name in said["tables"]:
                known = said["tables"][name]["hash"]
                path = self.store.local(tasks[symbol].file(name), known)
                files.setdefault(name, {})[symbol] = path.resolve()

    def failure(self, symbol: str, said: dict[str, Any]) -> str:
        """Return a line about a part that failed; write its log."""
        key = f"{self.build}/failed/{of_symbol(symbol)}.json"
        self.store.put_json(key, said)
        node = f", node {said['node']}" if "node" in said else ""
        return f"symbol {symbol}{node}: {said['failed']} (log: {key})"

    def judge(self, tasks: dict[str, Task], done: dict[str, dict[str, Any]]) -> None:
        """Make a sample again; raise PartsFailedError where values differ."""
        again = self.built.with_name("again")
        rows = parity.compare(tasks, done, again)
        shutil.rmtree(again, ignore_errors=True)
        self.verdicts += rows
        differing = [row for row in rows if row.verdict == parity.DIFFERS]
        for row in differing:
            # Not to be believed by the next attempt.
            self.store.drop(tasks[row.symbol].done)
        if differing:
            raise PartsFailedError(
                [parity.told(row) for row in differing],
                f"parity_parts does not hold; {self.database} is as it was",
            )

    def run_wallets(
        self,
        tasks: dict[str, Task],
        plan: PartsPlan,
        level: Level,
        number: int,
        keys: dict[str, str],
        files: dict[str, dict[str, Path]],
    ) -> dict[str, dict[str, Any]]:
        """Run what accounts of many symbols make of a level, here."""
        before = keys.get(WALLETS, "")
        of_symbols = [keys[symbol] for symbol in self.symbols]
        text = json.dumps([before, of_symbols])
        key = hashlib.sha256(text.encode()).hexdigest()[:16]
        by = {
            step.model.model: step.by
            for one in plan.levels[:number]
            for step in one.steps
            if not step.is_view
        }
        read = {
            name: [
                self.key_of(name, symbol)
                for symbol in by_symbol
                if (symbol == WALLETS) == (by[name] == ACCOUNT)
            ]
            for name, by_symbol in files.items()
            if name not in level.tables or by[name] != ACCOUNT
        }
        task = next(iter(tasks.values()))._replace(
            symbol=WALLETS,
            files={name: found for name, found in read.items() if found},
            key=key,
            memory=os.environ.get("BARSIEVE_MEMORY", "4GB"),
        )
        keys[WALLETS] = key
        if (said := believed(self.store, task)) is None:
            answer = json.loads(work(task.as_json()))
            if "failed" in answer:
                raise PartsFailedError(
                    [self.failure(WALLETS, answer)],
                    f"the shared wallets failed; {self.database} is as it was",
                )
            said = believed(self.store, task) or answer
        done = {WALLETS: said}
        self.keep({WALLETS: task}, done, files)
        self.verdicts += parity.rows_of(done, {})
        return done

    def note(self, plan: PartsPlan) -> None:
        """Write what parts there are, and the verdicts on them."""
        import pyarrow as pa

        tables.put_rows(
            self.built, parity.TABLE, parity.as_arrow(self.verdicts), parity.DESCRIPTION
        )
        row = {
            "store": str(self.store.root.resolve()),
            "build": self.build,
            "engine": self.engine.name,
            "symbols": len(self.symbols),
            "nodes": sorted({said["node"] for said in self.parts}),
        }
        tables.put_rows(self.built, PARTS, pa.Table.from_pylist([row]), DESCRIPTION)

    def made(self, result: BuildResult) -> Made:
        """Return what was made."""
        return Made(
            result, self.store.location, self.build, self.engine.name, self.symbols,
            self.parts, self.asked, self.retried, self.reused,
            time.perf_counter() - self.clock,
        )  # fmt: skip


class DbtFailedError(BarsieveError):
    """dbt ended with another code than 0; its lines were told."""

    def __init__(self, code: int):
        """Keep the exit code."""
        super().__init__("dbt failed")
        self.code = code


def build_by_parts(
    arguments: Sequence[str],
    engine: Engine,
    listener: Callable[[Any], None],
    keep_failed: bool = False,
    judge: Judge = lambda built: True,
) -> Made:
    """Build by parts aside; swap the database in on success.

    `listener` is told what `build_aside` tells, and the `Progress` of parts. Raises
    what that raises, and PartsFailedError where parts failed; parts that were made are
    kept, and the next attempt goes on from them.
    """
    database = paths.database_file()
    if problems := package_problems(paths.project_dir()):
        raise InputError(problems)
    refuse_unusable(database)
    with only_build(database):
        folder = fresh_folder(database)
        built = folder / database.name
        is_kept, code = False, 0
        try:
            run = Run(arguments, engine, listener, database, built)
            try:
                run.make()
                refuse_half(built)
                code = 0 if judge(built) else 1
            except DbtFailedError as error:
                code = error.code
            if code == 0:
                before = tables.build_of(database, PARTS)
                swap(built, database)
                clear_old(run.store, {run.build, before}, database)
            is_kept = code != 0 and keep_failed and built.exists()
            return run.made(BuildResult(code, database, built if is_kept else None))
        finally:
            if not is_kept:
                shutil.rmtree(folder, ignore_errors=True)


def clear_old(store: Store, kept: set[str | None], database: Path) -> None:
    """Remove the builds of a database that neither it nor its readers read any more."""
    for build in store.folders():
        owner = store.read_json(f"{build}/{OWNER}")
        if build not in kept and owner == {"database": str(database)}:
            store.drop_folder(build)
