"""Plan of an advance: which tables grow, by what, and how far back a model looks.

A table grows by rows that became known after the last close that it had (*timed*: by
`known_at` or `bar_ts`, or what `meta.known_at` says), by rows of bars after it
(*counted*: `meta.appends_by` names the column with a bar's number), or is made anew
(*whole*). The proof of no lookahead is what holds timed tables to it: nothing that was
known changes.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import NamedTuple

import duckdb

from barsieve.core.errors import refuse
from barsieve.database.models import Model, Models
from barsieve.proof.plan import Known, Plan, plan_of

STORED = "stored"
"""Catalog under which the file that is advanced is attached."""

LOOK_BACK = 2_600
"""Bars that a model looks back that does not say how many: `meta.looks_back`."""

WHOLE = "whole"
# Models behind the candidates that follow the market; the rest of these layers look
# back on a build, and stay as it left them.
FOLLOWING = "replay"
# Views of what is learned of trades, which the replay reads.
OF_SHADOW = ("shadow_end", "shadow_bars", "shadow_seen")
WINDOWS = "candidate_windows"
RUNS = "replay_runs"


class Growth(NamedTuple):
    """Growth of a table.

    `known`: when a row of it was known; None for one that is counted or whole.
    `counted_by`: its column with the number of a bar. `settles_after`: for so many
    bars, or hours, a row may still change. `partition`: the column whose values have a
    history each, if any.
    """

    name: str
    model: Model
    columns: tuple[str, ...]
    known: Known | None
    counted_by: str | None
    settles_after: int
    partition: str | None

    @property
    def is_view(self) -> bool:
        """True where the file has no rows of it."""
        return self.model.materialized == "view"

    @property
    def is_of_trades(self) -> bool:
        """True where its rows are of trades: those of open ones are replaced."""
        return self.model.layer == FOLLOWING and "trade_id" in self.columns

    @property
    def is_whole(self) -> bool:
        """True where all of its rows are made anew."""
        return self.known is None and self.counted_by is None

    @property
    def stored(self) -> str:
        """Name of its table in the file, as SQL."""
        return str(self.model.place()._replace(catalog=STORED))


class GrowthPlan(NamedTuple):
    """The tables that grow, each after those that it reads.

    `first`: up to the candidates; `learned`: what is learned anew as a month begins.
    """

    tables: dict[str, Growth]
    models: Models
    first: list[str]
    learned: list[str]

    def views_below(self, name: str) -> Iterator[str]:
        """Yield the tables that a model reads, through views, and the views."""
        for parent in self.models.inputs(name):
            if parent in self.models:
                if parent in self.tables and self.tables[parent].is_view:
                    yield from self.views_below(parent)
                yield parent


def _growth(plan: Plan, name: str) -> Growth:
    table = plan.tables[name]
    by, known = table.model.appends_by, table.known
    if table.model.layer == FOLLOWING and "trade_id" in table.columns:
        known = None
    if by is not None:
        known = None
    columns = tuple(table.columns)
    if by not in (None, WHOLE, *columns):
        refuse(
            table.model.file,
            "meta.appends_by",
            expected=f"'{WHOLE}', or a column of its table with the number of a bar",
            found=f"'{by}'",
            fix="name one of its columns, or leave it out where rows say when they "
            "were known",
        )
    partition = next((c for c in ("symbol", "series") if c in columns), None)
    return Growth(
        name=name,
        model=table.model,
        columns=columns,
        known=known,
        counted_by=None if by == WHOLE else by,
        settles_after=table.model.settles_after,
        partition=partition,
    )


def growth_plan(connection: duckdb.DuckDBPyConnection, models: Models) -> GrowthPlan:
    """Return how the tables of a file grow that is attached as `stored`.

    Raises InputError for a model whose rows do not say when they were known.
    """
    plan = plan_of(connection, STORED, models)
    following = [
        name
        for name, model in models.items()
        if model.layer == FOLLOWING or name in OF_SHADOW
    ]
    first = [*plan.proven, WINDOWS]
    names = [*first, *plan.models.in_order(following)]
    tables = {name: _growth(plan, name) for name in names}
    for name in plan.proven:
        growth = tables[name]
        if growth.is_whole and growth.model.appends_by is None:
            refuse(
                growth.model.file,
                f"model {name}",
                expected="rows that say when they were known, so that later ones can "
                "be added to them",
                found="no column known_at or bar_ts, and no meta.appends_by",
                fix="select bar_ts, or say meta: {appends_by: a column with the number "
                "of a bar}",
            )
    learned = [
        name
        for name in plan.models.between(["features"], ["fusion_settings"])
        if name in plan.held
    ]
    return GrowthPlan(tables, plan.models, first, learned)


def hours(number: int) -> timedelta:
    """Return a span of hours."""
    return timedelta(hours=number)
