"""The built database, read-only, as ibis tables.

>>> with barsieve.store.open() as store:
...     trades = store.trades(profile="btc_live").to_pandas()
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from barsieve.core import paths
from barsieve.core.errors import InputError, refuse
from barsieve.core.extras import needed
from barsieve.core.times import Moment, moment
from barsieve.database.connect import open_database, require_table, table_names

try:
    import ibis
    import ibis.expr.types as ir
    from ibis.backends.duckdb import Backend as DuckDB
except ImportError:
    needed("ibis.backends.duckdb", "read", by="barsieve.store")
    raise

Names = str | Sequence[str] | None
Edge = Moment | None

# Where the names are that a column may hold.
NAMED_IN = {"profile": "config_profiles", "symbol": "config_universe"}
REPLAYED = ("full", "focused")


class _Backend(DuckDB):
    """ibis 12 asks a connection for results under names that DuckDB 2 dropped there.

    Relations have them still.
    """

    def raw_sql(self, query: str | Any, **_: Any) -> Any:
        """Return a query as a relation."""
        return self.con.sql(query if isinstance(query, str) else query.sql("duckdb"))

    def to_polars(self, expr: Any, /, **choice: Any) -> Any:
        """Return an expression as polars has it: ibis knows no maps of polars."""
        polars = needed("polars", "polars", by="to_polars")
        return polars.from_arrow(self.to_pyarrow(expr.as_table(), **choice))

    def list_tables(self, *, like: str | None = None, database: Any = None):
        """Return the names of the tables."""
        return self._filter_with_like(table_names(self.con), like)


class StoreTable(ir.Table):
    """An ibis table of the store: the whole of it, until it is called with a choice.

    A name that the database does not know raises InputError; it would otherwise look
    like a result without rows.
    """

    def _known(self, column: str) -> Sequence[str]:
        if column == "replayed":
            return REPLAYED
        named = self._find_backend().table(NAMED_IN[column])
        return sorted(named[column].as_table().distinct().to_pyarrow()[0].to_pylist())

    def _refuse_unknown(self, column: str, names: Sequence[str]) -> None:
        known = self._known(column)
        for name in names:
            if name not in known:
                refuse(
                    "the database",
                    column,
                    expected=f"one of {', '.join(known)}",
                    found=f"'{name}'",
                    fix="correct the name",
                )

    def _chosen(self, start: Edge, end: Edge, time: str, **names: Names) -> ir.Table:
        chosen: ir.Table = self
        for column, given in names.items():
            if given is not None:
                wanted = [given] if isinstance(given, str) else list(given)
                self._refuse_unknown(column, wanted)
                chosen = chosen.filter(chosen[column].isin(wanted))
        if start is not None:
            chosen = chosen.filter(chosen[time] >= ibis.literal(moment(start, "start")))
        if end is not None:
            chosen = chosen.filter(chosen[time] < ibis.literal(moment(end, "end")))
        return chosen


class BarTable(StoreTable):
    """Rows of a symbol and an hour."""

    def __call__(
        self, symbol: Names = None, start: Edge = None, end: Edge = None
    ) -> ir.Table:
        """Return the rows of symbols whose bar opens in [start, end)."""
        return self._chosen(start, end, "bar_ts", symbol=symbol)


class ProfileTable(StoreTable):
    """Rows of a profile and an hour."""

    def __call__(
        self,
        profile: Names = None,
        start: Edge = None,
        end: Edge = None,
        symbol: Names = None,
    ) -> ir.Table:
        """Return the rows of profiles whose bar opens in [start, end)."""
        return self._chosen(start, end, "bar_ts", profile=profile, symbol=symbol)


class ReplayTable(StoreTable):
    """Rows of the full and of the focused replay; in time as the full one's table."""

    def __call__(
        self,
        profile: Names = None,
        replayed: Names = None,
        start: Edge = None,
        end: Edge = None,
        symbol: Names = None,
    ) -> ir.Table:
        """Return the rows of profiles in [start, end), of both replays or of one."""
        time = next(name for name in ("entry_ts", "ts", "bar_ts") if name in self)
        of = {"profile": profile, "replayed": replayed, "symbol": symbol}
        return self._chosen(start, end, time, **of)


class TradeTable(StoreTable):
    """Trades of the full replay; in time by their entry."""

    def __call__(
        self,
        profile: Names = None,
        start: Edge = None,
        end: Edge = None,
        symbol: Names = None,
    ) -> ir.Table:
        """Return the trades of profiles that were entered in [start, end)."""
        return self._chosen(start, end, "entry_ts", profile=profile, symbol=symbol)


class LegTable(StoreTable):
    """Legs of trades of the full replay; in time by their fill."""

    def __call__(
        self,
        profile: Names = None,
        start: Edge = None,
        end: Edge = None,
        symbol: Names = None,
    ) -> ir.Table:
        """Return the legs of profiles that filled in [start, end)."""
        return self._chosen(start, end, "ts", profile=profile, symbol=symbol)


TYPES: dict[str, type[StoreTable]] = {
    **dict.fromkeys(
        ("bars_1h", "features", "scores", "sentinels", "macro_signals"), BarTable
    ),
    **dict.fromkeys(("fusion_scores", "candidates", "equity"), ProfileTable),
    "trades": TradeTable,
    "trade_legs": LegTable,
    **dict.fromkeys(("replay_trades", "replay_legs", "replay_equity"), ReplayTable),
}


class Store:
    """A built database as it was when it was opened; `open` makes one.

    Every table is an attribute; those of bars and of replays can be called with a
    choice of rows. Builds that end later are seen by the next store.
    """

    bars_1h: BarTable
    features: BarTable
    scores: BarTable
    sentinels: BarTable
    macro_signals: BarTable
    fusion_scores: ProfileTable
    candidates: ProfileTable
    equity: ProfileTable
    trades: TradeTable
    trade_legs: LegTable
    replay_trades: ReplayTable
    replay_legs: ReplayTable
    replay_equity: ReplayTable

    def __init__(self, path: Path):
        """Open the database at `path`; see `open`."""
        self.path = path
        self.connection = open_database(path)
        self.backend = _Backend.from_connection(self.connection)

    @property
    def tables(self) -> list[str]:
        """Names of the tables."""
        return table_names(self.connection)

    @property
    def build(self) -> dict[str, Any]:
        """Build of the database, what it was made from: the row of `build_info`."""
        return self.table("build_info").to_pyarrow().to_pylist()[0]

    def table(self, name: str) -> StoreTable:
        """Return a table; raises InputError, naming the others, when there is none."""
        require_table(self.connection, name)
        return TYPES.get(name, StoreTable)(self.backend.table(name).op())

    def sql(self, query: str) -> ir.Table:
        """Return a query in DuckDB's SQL as an ibis table."""
        return self.backend.sql(query)

    def __getattr__(self, name: str) -> StoreTable:
        if name.startswith("_") or name in ("connection", "backend"):
            raise AttributeError(name)
        try:
            return self.table(name)
        except InputError as error:
            raise AttributeError(str(error.problems[0])) from None

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *self.tables})

    def __repr__(self) -> str:
        return f"<barsieve store {self.path}>"

    def __enter__(self) -> "Store":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file; tables of this store can no longer be read."""
        self.connection.close()


def open(path: str | Path | None = None) -> Store:
    """Open a built database, `BARSIEVE_DATABASE` of the project by default.

    Raises InputError when there is none, when it is locked, or when its last build did
    not run to its end, and NoProjectError outside of a project without a path.
    """
    return Store(Path(path) if path is not None else paths.database_file())
