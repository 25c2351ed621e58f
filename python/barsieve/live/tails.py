"""Tails: models run over the last bars, beside the file that they are added to.

The file is attached as `stored`. What statements read stands in catalogs of the names
that the build had: views of the stored rows of the last bars, and of the rows that were
just made, which are kept in memory until all of them are sound.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import duckdb

from barsieve.core.arrow import row_of
from barsieve.database.functions import register
from barsieve.database.models import Model, create, put
from barsieve.live.news import News
from barsieve.live.overlap import OVERLAP_BARS, check_overlap
from barsieve.live.plan import LOOK_BACK, RUNS, STORED, Growth, GrowthPlan
from barsieve.proof.plan import SYMBOL_IN_FILES

ALL_OF_IT = 1_000_000
"""Bars to look back that are all there are."""


def quoted(name: str) -> str:
    """Return a name as SQL."""
    return '"' + name.replace('"', '""') + '"'


class Tails:
    """Models of a file run over its last bars and what is new.

    `made` counts the rows that were added to each table.
    """

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        plan: GrowthPlan,
        news: News,
        sources: Mapping[str, str],
    ):
        """Work on a connection to which the file is attached as `stored`."""
        self.connection, self.plan, self.news = connection, plan, news
        self.sources = dict(sources)
        self.made: dict[str, int] = {}
        self._starts: dict[tuple[int, str | None], str] = {}
        self.bars = plan.tables["bars_1h"].stored
        register(connection)
        for catalog in {model.place().catalog for model in plan.models.values()}:
            connection.execute(f"attach ':memory:' as {quoted(catalog)}")
        for place in {model.place()[:2] for model in plan.models.values()}:
            connection.execute(
                f"create schema if not exists {quoted(place[0])}.{quoted(place[1])}"
            )
        connection.execute("create schema memory.fresh")
        connection.execute(
            "create table memory.main.ends as select symbol, "
            "max(bar_index) as last_index, max(known_at) as last_known_at, "
            f"min(bar_ts) as first_ts from {self.bars} group by symbol"
        )

    def fresh(self, name: str) -> str:
        """Return where the rows lie that were made for a table, as SQL."""
        return f"memory.fresh.{quoted(name)}"

    def stored(self, name: str) -> str:
        """Return where a table lies in the file, as SQL."""
        return str(self.plan.models[name].place()._replace(catalog=STORED))

    def run(self, name: str, shown: Mapping[str, str] | None = None) -> None:
        """Make the new rows of a table, and check the last ones that it has.

        `shown`: what stands for some of the tables that it reads, as SQL. Raises
        InputError where the last rows come out otherwise.
        """
        growth = self.plan.tables[name]
        if not growth.is_view and not self.has_news(growth.model):
            return
        self.prepare(growth.model)
        for parent, rows in (shown or {}).items():
            place = self.plan.models[parent].place()
            self.connection.execute(f"create or replace view {place} as {rows}")
        if growth.is_view:
            self.define(name)
            return
        self.make(growth.model)
        self.keep(growth)

    def define(self, name: str) -> None:
        """Let a view stand where statements look for it, over whatever stands there."""
        model = self.plan.models[name]
        self.connection.execute(f"create view {model.place()} as {model.compiled_code}")

    def has_news(self, model: Model) -> bool:
        """Tell whether anything is new of what a model reads."""
        read = set(self.plan.views_below(model.model))
        return bool(model.sources) or any(self.made.get(name) for name in read)

    def prepare(self, model: Model, look_back: int | None = None) -> None:
        """Let a model read the last bars of what it is made of."""
        n_bars = self._bars_of(model) if look_back is None else look_back
        for parent in dict.fromkeys(self.plan.views_below(model.model)):
            growth = self.plan.tables.get(parent)
            if growth is None or not growth.is_view:
                self.show(parent, n_bars)
        self.show_left_out(model)

    def show_left_out(self, model: Model) -> None:
        """Let a model read tables that the build left out, and has no statement of."""
        below = [self.plan.models[name] for name in self.plan.views_below(model.model)]
        for one in [model, *(m for m in below if m.materialized == "view")]:
            for parent in one.parents:
                if parent not in self.plan.models:
                    place = one.place()._replace(name=parent)
                    stored = place._replace(catalog=STORED)
                    self.connection.execute(
                        f"create or replace view {place} as from {stored}"
                    )

    def make(self, model: Model) -> None:
        """Run a model, into the table that its statement is of."""
        sources = {
            read: self._source(read, sql, self._bars_of(model))
            for read, sql in self.sources.items()
            if read in model.sources
        }
        self.connection.execute(f"drop view if exists {model.place()}")
        create(self.connection, model, sources)

    def show(self, name: str, n_bars: int = ALL_OF_IT) -> None:
        """Let statements read the last bars of a table, and what is new of it."""
        place = self.plan.models[name].place()
        self.connection.execute(
            f"create or replace view {place} as {self.rows(name, n_bars)}"
        )

    def rows(self, name: str, n_bars: int = ALL_OF_IT) -> str:
        """Return as SQL the last rows of a table, with what is new of it."""
        growth = self.plan.tables.get(name)
        fresh = f"from {self.fresh(name)}" if name in self.made else ""
        if growth is None:
            return fresh or f"from {self.stored(name)}"
        if growth.is_of_trades and fresh:
            return (
                f"from {growth.stored} anti join memory.main.reopened "
                f"using (replayed, profile, symbol, trade_id) union all by name {fresh}"
            )
        if growth.is_whole:
            return fresh or f"from {growth.stored}"
        kept = self.settled(growth, n_bars)
        return f"{kept} union all by name {fresh}" if fresh else kept

    def settled(self, growth: Growth, n_bars: int) -> str:
        """Return as SQL the stored rows of a table that stay as they are."""
        begins = self._begins(growth, n_bars)
        where = self.is_past(growth)
        if begins is None:
            return f"select * from {growth.stored} as kept where {where}"
        starts, says = begins
        return (
            f"select kept.* from {growth.stored} as kept inner join {starts} as starts "
            f"on kept.{growth.partition} = starts.part "
            f"where {says} and {where}"
        )

    def is_past(self, growth: Growth, sooner: int = 0) -> str:
        """Return as SQL whether a row, of the alias `kept`, is settled.

        And was, `sooner` hours or bars before.
        """
        back = growth.settles_after + sooner
        if growth.known:
            at = self.news.until - timedelta(hours=back)
            return f"{growth.known.says} <= {growth.known.bound(at)}"
        return (
            f"kept.{growth.counted_by} <= (select last_index - {back} "
            "from memory.main.ends where ends.symbol = kept.symbol)"
        )

    def keep(self, growth: Growth) -> None:
        """Keep what is new of a table that was just made, and check the rest of it."""
        place = growth.model.place()
        made = self._counted_on(growth) if growth.model.counts else f"(from {place})"
        if growth.is_whole:
            new = f"from {made} as kept"
        else:
            new = f"select * from {made} as kept where not ({self.is_past(growth)})"
            checked = self._is_checked(growth)
            check_overlap(
                self.connection,
                growth,
                f"select * from {made} as kept where {checked}",
                f"select * from {growth.stored} as kept where {checked}",
            )
        self.keep_rows(growth, new)
        self.connection.execute(f"drop table {place}")

    def keep_rows(self, growth: Growth, rows: str) -> None:
        """Keep rows, SQL, as what is new of a table."""
        fresh = self.fresh(growth.name)
        self.connection.execute(
            f"create table {fresh} as select * from {growth.stored} limit 0"
        )
        self.connection.execute(f"insert into {fresh} by name {rows}")
        self.made[growth.name] = row_of(
            self.connection.execute(f"select count(*) from {fresh}")
        )[0]

    def make_of_trades(self, growth: Growth, n_bars: int) -> None:
        """Make the rows of the trades that are new, or were open."""
        model = growth.model
        for parent in self.plan.views_below(model.model):
            if parent not in (RUNS, "replay_positions"):
                self.show(parent, n_bars)
        self.make(model)
        self.keep_rows(growth, f"from {model.place()}")
        self.connection.execute(f"drop table {model.place()}")

    def put(self, name: str, rows: Any) -> None:
        """Let rows stand where statements look for a table."""
        place = self.plan.models[name].place()
        self.connection.execute(f"drop view if exists {place}")
        put(self.connection, place, rows)

    def _is_checked(self, growth: Growth) -> str:
        """Return as SQL whether a row, of the alias `kept`, is made again."""
        settled = self.is_past(growth)
        parents = [self.plan.tables.get(name) for name in growth.model.parents]
        if all(parent and parent.is_whole for parent in parents) and parents:
            return settled
        return f"{settled} and not ({self.is_past(growth, OVERLAP_BARS)})"

    def _counted_on(self, growth: Growth) -> str:
        """Return what was made, as SQL, its count of rows going on from the file's.

        A tail is counted from 1; so much was counted before it (`bars_before`).
        """
        assert growth.known is not None
        column, place = quoted(growth.model.counts or ""), growth.model.place()
        says = growth.known.says
        return (
            f"(select made.* replace (made.{column} + "
            f"coalesce(bars_before.n, 0) as {column}) from {place} as made "
            "left join (select made.symbol, "
            f"arg_max(kept.{column} - made.{column}, made.{says}) as n "
            f"from {place} as made inner join {growth.stored} as kept "
            f"on made.symbol = kept.symbol and made.{says} = kept.{says} "
            "group by made.symbol) as bars_before using (symbol))"
        )

    def _bars_of(self, model: Model) -> int:
        """Return how many bars a model looks back."""
        growth = self.plan.tables.get(model.model)
        if growth is None or growth.is_whole:
            return ALL_OF_IT
        n_bars = LOOK_BACK if model.looks_back is None else model.looks_back
        if model.looks_back_each is None:
            return n_bars
        # So many rows of each value: as many bars as hold them, of whatever symbol.
        return int(
            row_of(
                self.connection.execute(
                    "select coalesce(max(last_index - bar_index) + 1, 0) from ("
                    f"select symbol, bar_index from {self.bars} qualify "
                    f"row_number() over (partition by symbol, {model.looks_back_each} "
                    "order by bar_ts desc) "
                    f"= {n_bars}) inner join memory.main.ends using (symbol)"
                )
            )[0]
        )

    def _begins(self, growth: Growth, n_bars: int) -> tuple[str, str] | None:
        """Return where a tail of a table begins: a table of starts, and SQL with it."""
        if n_bars >= ALL_OF_IT or growth.partition is None:
            return None
        if growth.counted_by:
            starts = self.starts_of_symbols(n_bars)
            return starts, f"kept.{growth.counted_by} > starts.start_index"
        assert growth.known is not None
        says, is_dense = growth.known.says, "bar_ts" in growth.columns
        if growth.partition == "symbol" and is_dense:
            starts = self.starts_of_symbols(n_bars)
        else:
            starts = self._starts_of_rows(growth, n_bars)
        later = growth.known.later
        bound = f"starts.start_at - interval '{later.total_seconds():.0f} seconds'"
        sign = ">" if is_dense else ">="
        return starts, f"{says} {sign} {bound}"

    def starts_of_symbols(self, n_bars: int) -> str:
        """Return a table of when each symbol had so many bars left, and which."""
        key = (n_bars, None)
        if key not in self._starts:
            table = f"memory.main.starts_{n_bars}"
            self.connection.execute(
                f"create table {table} as select ends.symbol as part, "
                "coalesce(bars.known_at, '-infinity'::timestamptz) as start_at, "
                "coalesce(bars.bar_index, 0) as start_index from memory.main.ends "
                f"as ends left join {self.bars} as bars on ends.symbol = bars.symbol "
                f"and bars.bar_index = ends.last_index - {n_bars + OVERLAP_BARS}"
            )
            self._starts[key] = table
        return self._starts[key]

    def _starts_of_rows(self, growth: Growth, n_bars: int) -> str:
        """Return a table of the last rows before so many bars, which hold there."""
        key = (n_bars, growth.name)
        if key not in self._starts:
            assert growth.known is not None
            says, part = growth.known.says, quoted(growth.partition or "")
            table = f'memory.main."starts_{n_bars}_{growth.name}"'
            if growth.partition == "symbol":
                # A symbol that is gone has its tail before that of the others.
                starts = self.starts_of_symbols(n_bars)
                before = (
                    f"inner join {starts} as starts on kept.{part} = starts.part "
                    f"where {says} <= starts.start_at"
                )
            else:
                at = self.news.until - timedelta(hours=n_bars + OVERLAP_BARS)
                before = f"where {says} <= timestamptz '{at}'"
            self.connection.execute(
                f"create table {table} as select part, "
                "coalesce(start_at, '-infinity'::timestamptz) as start_at "
                f"from (select distinct {part} as part from {growth.stored}) left join "
                f"(select kept.{part} as part, max({says}) as start_at "
                f"from {growth.stored} as kept {before} group by kept.{part}) "
                "using (part)"
            )
            self._starts[key] = table
        return self._starts[key]

    def _source(self, name: str, sql: str, n_bars: int) -> str:
        """Return as SQL the last rows of a source that has bars of symbols."""
        if name != "market.bars":
            return sql
        starts = self.starts_of_symbols(n_bars)
        return (
            f"(select rows_read.* from {sql} as rows_read "
            f"inner join {starts} as starts "
            f"on {SYMBOL_IN_FILES[name]} = starts.part "
            "where ts >= starts.start_at)"
        )
