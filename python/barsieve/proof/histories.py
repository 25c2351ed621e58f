"""Histories that end early, as the relations that a build's statements read.

A statement names its relations in full. Each worker has a connection with an empty
catalog of that name; what a model reads is put there as views of the build, cut off,
and the statement runs as it is.
"""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import duckdb

from barsieve.core import paths
from barsieve.database.functions import register
from barsieve.database.models import Model, create
from barsieve.proof.cuts import Cut
from barsieve.proof.plan import (
    KNOWN_IN_FILES,
    KNOWN_IN_TABLES,
    SYMBOL_IN_FILES,
    Known,
    Plan,
)

BUILT = "built"
# How many hours before a cut are compared, where a history starts late.
COMPARED_HOURS = 336

Begins = Callable[[datetime], datetime | None]
"""After when rows are taken, given a cut; None takes all of the past."""


class Kind(NamedTuple):
    """Kind of cut through histories.

    `stacked`: many stand side by side, each as a symbol of its own, with profiles of
    its own. Else one stands alone, of its symbol or (`market`) of all. `warm_up`: hours
    that it has before those that are compared; None for all of its past.
    """

    stacked: bool
    market: bool
    warm_up: int | None

    def starts(self, at: datetime) -> datetime | None:
        """Return after when rows are there; None where all are."""
        if self.warm_up is None:
            return None
        return at - timedelta(hours=self.warm_up + COMPARED_HOURS)

    def compared_from(self, at: datetime) -> datetime | None:
        """Return after when rows are compared; None where all are."""
        return None if self.warm_up is None else at - timedelta(hours=COMPARED_HOURS)


def text(value: str) -> str:
    """Return a text as SQL."""
    return "'" + value.replace("'", "''") + "'"


def attach(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Attach a built database for reading, as the catalog `built`."""
    connection.execute(f"attach {text(str(path))} as {BUILT} (type duckdb, read_only)")
    connection.execute("set timezone = 'UTC'")


class Histories:
    """Histories of some cuts, all cut off in one way, beside a built database."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        plan: Plan,
        kind: Kind,
        cuts: Iterable[Cut],
    ):
        """Make them on a connection that `worker` opened."""
        self.connection, self.plan, self.kind = connection, plan, kind
        self.cuts = list(cuts)
        self._put: dict[str, str] = {}
        self._made: dict[str, str] = {}
        # Cut histories side by side are few rows, read by many models: a table each.
        self.schema = f"memory.side_by_side_{kind.warm_up}"
        if kind.stacked:
            connection.execute(f"create or replace schema {self.schema}")

    def rows_as_built(self, name: str) -> str:
        """Return as SQL the rows of a table that a model should give here."""
        return self._cut_off(name, self.kind.compared_from)

    def rows_as_made(self, model: Model, relation: str) -> str:
        """Return as SQL the rows of a table just made, of the hours to compare."""
        known = self._known(model.model)
        if self.kind.stacked:
            return (
                "select made.* exclude (says) "
                f"from (select *, {known.says} as says from {relation}) as made "
                f"inner join {self._cuts(known, self.kind.compared_from)} "
                "on made.symbol = cuts.name "
                "and says > cuts.begins_after and says <= cuts.ends_at"
            )
        at = self.cuts[0].at
        condition = known.between(self.kind.compared_from(at), at)
        return f"select * from {relation} where {condition}"

    def run(self, name: str) -> str:
        """Run a model on what was known; return its table, which the next may take.

        Raises duckdb.Error where its statement does not run on that.
        """
        model = self.plan.models[name]
        self._prepare(model)
        sources = {read: self._source(read, sql) for read, sql in model.sources.items()}
        place = model.place()
        self.connection.execute(f"drop view if exists {place}")
        create(self.connection, model, sources)
        return str(place)

    def forget(self, name: str) -> None:
        """Drop the table that a model has just made."""
        self.connection.execute(f"drop table {self.plan.models[name].place()}")

    def _prepare(self, model: Model) -> None:
        """Put what a model reads where its statement looks for it."""
        for parent in model.parents:
            if parent not in self.plan.tables:
                continue
            if parent not in self._put:
                self._put[parent] = self._relation(parent)
            place = self.plan.models[parent].place()
            self.connection.execute(
                f'create schema if not exists "{place.catalog}"."{place.schema}"'
            )
            self.connection.execute(
                f"create or replace view {place} as {self._put[parent]}"
            )

    def _relation(self, name: str) -> str:
        """Return as SQL what stands for a table."""
        if self.plan.is_made_again(name):
            return f"from {self._keep(name)}"
        if self.plan.is_cut(name):
            rows = self._cut_off(name, self.kind.starts)
        else:
            rows = self._constant(name)
        if not self.kind.stacked:
            return rows
        table = f'{self.schema}."{name}"'
        self.connection.execute(f"create table {table} as {rows}")
        return f"from {table}"

    def _keep(self, name: str) -> str:
        """Make a table without a time, and keep it beside the others."""
        made = self.run(name)
        kept = f'memory.main."{name}_{self.kind.warm_up}_{self.kind.market}"'
        self.connection.execute(f"create or replace table {kept} as from {made}")
        self.forget(name)
        return kept

    def _built(self, name: str) -> str:
        return str(self.plan.models[name].place()._replace(catalog=BUILT))

    def _known(self, name: str) -> Known:
        known = self.plan.tables[name].known
        assert known is not None, name
        return known

    def _cuts(self, known: Known, begins: Begins) -> str:
        """Return cuts side by side as SQL, with the bounds of what rows say."""
        rows = []
        for cut in self.cuts:
            after = begins(cut.at)
            assert after is not None, "all of the past does not stand side by side"
            bounds = f"{known.bound(after)}, {known.bound(cut.at)}"
            rows.append(f"({text(cut.name)}, {text(cut.symbol)}, {bounds})")
        named = "cuts(name, of_symbol, begins_after, ends_at)"
        return f"(values {', '.join(rows)}) as {named}"

    def _cut_off(self, name: str, begins: Begins) -> str:
        table, known = self.plan.tables[name], self._known(name)
        if self.kind.stacked:
            renamed = "cuts.name as symbol"
            if table.has_profile:
                renamed += ", profile || '@' || cuts.name as profile"
            return (
                f"select rows_of_build.* exclude (says) replace ({renamed}) "
                f"from (select *, {known.says} as says from {self._built(name)}) "
                f"as rows_of_build inner join {self._cuts(known, begins)} "
                "on rows_of_build.symbol = cuts.of_symbol "
                "and says > cuts.begins_after and says <= cuts.ends_at"
            )
        at = self.cuts[0].at
        of_symbol = ""
        if table.has_symbol and not self.kind.market:
            of_symbol = f" and symbol = {text(self.cuts[0].symbol)}"
        return (
            f"select * from {self._built(name)} "
            f"where {known.between(begins(at), at)}{of_symbol}"
        )

    def _constant(self, name: str) -> str:
        """Return a table that no cut concerns, with copies for cuts side by side."""
        table, built = self.plan.tables[name], self._built(name)
        if not self.kind.stacked or not (table.has_symbol or table.has_profile):
            return f"from {built}"
        renamed = []
        condition = "true"
        if table.has_symbol:
            # A row of no symbol is of all of them.
            renamed.append("if(symbol is null, null, cuts.name) as symbol")
            condition = (
                "coalesce(rows_of_build.symbol, cuts.of_symbol) = cuts.of_symbol"
            )
        if table.has_profile:
            renamed.append("profile || '@' || cuts.name as profile")
        if table.columns.get("symbols", "").endswith("[]"):
            renamed.append("[cuts.name] as symbols")
            condition += " and list_has_any(symbols, [cuts.of_symbol, '*'])"
        cuts = ", ".join(f"({text(cut.name)}, {text(cut.symbol)})" for cut in self.cuts)
        return (
            f"from {built} union all by name select rows_of_build.* "
            f"replace ({', '.join(renamed)}) from {built} as rows_of_build inner join "
            f"(values {cuts}) as cuts(name, of_symbol) on {condition}"
        )

    def _source(self, name: str, sql: str) -> str:
        """Return rows of a source that were known; all, where it does not say when."""
        known = KNOWN_IN_FILES.get(name)
        if known is None:
            found = self.connection.execute(f"describe select * from {sql}").fetchall()
            if "known_at" not in {row[0] for row in found}:
                return sql
            known = KNOWN_IN_TABLES["known_at"]
        at = self.cuts[0].at
        where = known.between(self.kind.starts(at), at)
        if name in SYMBOL_IN_FILES and not self.kind.market:
            where += f" and {SYMBOL_IN_FILES[name]} = {text(self.cuts[0].symbol)}"
        return f"(select * from {sql} where {where})"


def worker(path: Path, plan: Plan, threads: int) -> duckdb.DuckDBPyConnection:
    """Return a connection that statements of a build can run on, beside it."""
    connection = duckdb.connect()
    attach(connection, path)
    register(connection)
    connection.execute(f"set threads = {threads}")
    # Sources are relative to the project, wherever this runs.
    connection.execute(f"set file_search_path = {text(str(paths.project_dir()))}")
    for catalog in {model.place().catalog for model in plan.models.values()}:
        connection.execute(f"attach ':memory:' as \"{catalog}\"")
    return connection
