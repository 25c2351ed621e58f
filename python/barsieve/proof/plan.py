"""Plan of a proof: which tables are proven, when a row is known, what a cut leaves.

A table is *moving* when it is made of the market, *timed* when its rows say when they
were known. A model is proven on what its inputs said at a cut: the rows of timed tables
known by then. A table without a time has no such rows; it is made again of what its own
inputs said. So each model is shown not to look ahead by itself, and together they do
not, from the market's files to the candidates.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

import duckdb

from barsieve.core.errors import refuse
from barsieve.database.flow import flow_of
from barsieve.database.models import Model, Models

SYMBOL_IN_FILES = {
    "market.bars": "parse_filename(filename, true)",
    "market.funding": "symbol",
}
# Whose rows a model reads, as its `meta.reads` says.
SYMBOL, MARKET = "symbol", "market"


class Known(NamedTuple):
    """Moment at which a row was known: that much later than an expression of it says.

    Bounds are moved to what a row says, and not that to them: of a plain column DuckDB
    finds the rows between two bounds before it reads any other.
    """

    says: str
    later: timedelta = timedelta(0)

    def bound(self, at: datetime) -> str:
        """Return as SQL what a row says that was known at a moment."""
        return f"timestamptz '{at - self.later}'"

    def between(self, after: datetime | None, until: datetime) -> str:
        """Return as SQL whether a row was known after a moment, and until another."""
        in_time = f"{self.says} <= {self.bound(until)}"
        if after is None:
            return in_time
        return f"{self.says} > {self.bound(after)} and {in_time}"


# When rows of the market's files were known, and of tables that have one of these
# columns. A settlement is stamped to the second.
KNOWN_IN_FILES = {
    "market.bars": Known("ts", timedelta(hours=1)),
    "market.macro": Known("known_at"),
    "market.funding": Known("ts", timedelta(minutes=1)),
}
KNOWN_IN_TABLES = {
    "known_at": Known("known_at"),
    "bar_ts": Known("bar_ts", timedelta(hours=1)),
}


class Table(NamedTuple):
    """A table of the build. `known`: when a row of it was; None for no time."""

    model: Model
    columns: dict[str, str]
    known: Known | None

    @property
    def has_symbol(self) -> bool:
        """True where its rows are of symbols."""
        return "symbol" in self.columns

    @property
    def has_profile(self) -> bool:
        """True where its rows are of profiles."""
        return "profile" in self.columns


class Plan(NamedTuple):
    """The tables of a build, and those to prove, each after those that it reads.

    `moving`: made of the market. `held`: moving, without a time and not to prove: they
    stand as built.
    """

    tables: dict[str, Table]
    models: Models
    proven: list[str]
    moving: set[str]
    held: set[str]

    def inputs(self, name: str) -> Iterator[str]:
        """Yield the tables and sources whose rows are cut off when a model is proven.

        Those of its inputs without a time are made of their own inputs, and so on.
        """
        for read in self.models.inputs(name):
            if self.is_made_again(read):
                yield from self.inputs(read)
            elif read not in self.models or self.is_cut(read):
                yield read

    def is_cut(self, name: str) -> bool:
        """Tell whether a table stands as far as it was known at a cut."""
        table = self.tables[name]
        if name in self.moving:
            return table.known is not None
        return "known_at" in table.columns or table.model.known_at is not None

    def is_made_again(self, name: str) -> bool:
        """Tell whether a table, for it has no time, is made of what was known."""
        return (
            name in self.moving
            and name not in self.held
            and self.tables[name].known is None
        )

    def made_through(self, name: str) -> Iterator[str]:
        """Yield a model and those without a time that it is made of."""
        yield name
        for read in self.models.inputs(name):
            if self.is_made_again(read):
                yield from self.made_through(read)

    def reads_market(self, name: str) -> bool:
        """Tell whether a model needs all symbols: it says so, or its rows name none."""
        if any(self.models[made].reads == MARKET for made in self.made_through(name)):
            return True
        return not self.tables[name].has_symbol and any(
            self.names_symbols(read) for read in self.inputs(name)
        )

    def names_symbols(self, name: str) -> bool:
        """Tell whether rows of a table or source are of symbols."""
        if name in self.tables:
            return self.tables[name].has_symbol
        return name in SYMBOL_IN_FILES

    def can_stack(self, name: str) -> bool:
        """Tell whether cut histories may stand beside each other as symbols."""
        made = set(self.made_through(name))
        cut = list(self.inputs(name))
        return (
            not self.reads_market(name)
            and all(self.tables[table].has_symbol for table in made)
            and all(read in self.tables and self.names_symbols(read) for read in cut)
        )


def _known(model: Model, columns: dict[str, str]) -> Known | None:
    if model.known_at:
        return Known(f"({model.known_at})::timestamptz")
    return next(
        (KNOWN_IN_TABLES[name] for name in KNOWN_IN_TABLES if name in columns), None
    )


def plan_of(
    connection: duckdb.DuckDBPyConnection, catalog: str, models: Models
) -> Plan:
    """Return the plan for the models of a build that is attached as a catalog.

    Raises InputError when a model declares a time that its rows do not have.
    """
    rows = connection.execute(
        "select table_name, column_name, data_type from duckdb_columns() "
        "where database_name = ? order by column_index",
        [catalog],
    ).fetchall()
    columns: dict[str, dict[str, str]] = {}
    for table, column, kind in rows:
        columns.setdefault(table, {})[column] = kind
    tables = {
        name: Table(model, columns[model.place().name], _known(model, columns[name]))
        for name, model in models.items()
        if name in columns
    }
    present = Models({name: models[name] for name in tables})
    flow = flow_of(present)
    untimed = {name for name in flow.behind if tables[name].known is None}
    return Plan(tables, present, flow.between, flow.moving, untimed)


def check_times(
    connection: duckdb.DuckDBPyConnection, plan: Plan, catalog: str
) -> None:
    """Refuse a declared time that DuckDB cannot read of the rows."""
    for name in plan.proven:
        table = plan.tables[name]
        if table.model.known_at is None:
            continue
        place = table.model.place()._replace(catalog=catalog)
        try:
            connection.execute(
                f"select ({table.model.known_at})::timestamptz from {place} limit 0"
            )
        except duckdb.Error as error:
            refuse(
                table.model.file,
                "meta.known_at",
                expected="SQL of the moment at which a row was known, of its columns",
                found=str(error).splitlines()[0],
                fix="name a column or an expression, like bar_ts + interval '1 hour'",
            )
