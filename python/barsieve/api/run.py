"""A replay as it was asked for: its trades, its account, its figures."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from barsieve.core.arrow import column, texts
from barsieve.core.errors import refuse
from barsieve.core.text import Page, Shown
from barsieve.metrics.labels import few, figure_rows
from barsieve.replay.runs import Inputs

if TYPE_CHECKING:
    from barsieve.analysis.replay import ReplayReport
    from barsieve.api.frames import Frame

# The tables of a run, by the models that make them.
MODELS = {
    "trades": "replay_trades",
    "legs": "replay_legs",
    "stops": "replay_stops",
    "equity": "replay_profile_equity",
    "equity_by_symbol": "replay_equity",
}
PRICES = ("open", "high", "low", "close")
ORDERED_BY = {
    "trades": "entry_ts, account, trade_id",
    "legs": "account, trade_id, leg",
    "stops": "symbol, trade_id, bar_ts",
    "equity": "bar_ts",
    "equity_by_symbol": "symbol, bar_ts",
}


@dataclass(frozen=True, repr=False, eq=False)
class Run(Shown):
    """One replay of a profile; `Database.replay` makes it, and nothing changes it.

    It has all of its rows and needs the database no more.

    Attributes
    ----------
    profile, symbol, mode : str
        What was replayed, and how: `full` or `focused`. The symbol is `*` where the
        profile trades several.
    settings : mapping
        Settings that differ from the profile as built, by dotted key.
    metrics : mapping of str to float, int, datetime or None
        Figures by name, those of the table `report_performance` and some more; money in
        USD, shares as fractions, ratios annualised by √365; None where one has no
        value. `long` and `short` are mappings of those of a side, `drawdowns` the
        deepest, a mapping each.
    visited : mapping of str to int
        Bars visited and skipped, candidates and windows.
    fate_of_signals : mapping of str to int, or None
        What became of signals that were given; None without any.
    """

    profile: str
    symbol: str
    mode: str
    settings: Mapping[str, Any]
    metrics: Mapping[str, Any]
    visited: Mapping[str, Any]
    fate_of_signals: Mapping[str, Any] | None
    _tables: Mapping[str, pa.Table] = field(repr=False)

    @property
    def trades(self) -> "Frame":
        """A trade a row, of shape (n_trades, n_columns), as the table `trades` has it.

        A new frame each time. Raises MissingExtraError without pandas.
        """
        return self._frame("trades")

    @property
    def legs(self) -> "Frame":
        """A fill or funding payment a row, as in the table `trade_legs`."""
        return self._frame("legs")

    @property
    def stops(self) -> "Frame":
        """A move of a stop a row, as in the table `trade_stops`."""
        return self._frame("stops")

    @property
    def equity(self) -> "Frame":
        """An hour a row, of shape (n_hours, n_columns), as in `profile_equity`.

        `bar_ts` is the open of the bar, `equity` all accounts in USD at its close.
        """
        return self._frame("equity")

    @property
    def equity_by_symbol(self) -> "Frame":
        """A bar of a symbol a row, as in the table `equity`."""
        return self._frame("equity_by_symbol")

    @property
    def prices(self) -> "Frame":
        """A bar of a symbol a row: the prices that were replayed, in USD."""
        return self._frame("prices")

    def table(self, name: str) -> pa.Table:
        """Return one of the tables above, by its name, as an Arrow table.

        Raises InputError for another name.
        """
        if name not in self._tables:
            known = ", ".join(self._tables)
            refuse(
                "the run",
                "table",
                expected=f"one of {known}",
                found=f"'{name}'",
                fix="correct the name",
            )
        return self._tables[name]

    def _frame(self, name: str) -> "Frame":
        from barsieve.api.frames import frame_of

        return frame_of(self._tables[name])

    def plot(self) -> Any:
        """Return a plotly figure of price with trades, equity, and drawdown.

        Raises MissingExtraError without the extra `notebook`.
        """
        from barsieve.api.plot import figure_of

        return figure_of(self)

    @property
    def title(self) -> str:
        """Title of the replay, a line."""
        given = ", ".join(f"{key}={value}" for key, value in self.settings.items())
        with_settings = f" with {given}" if given else ""
        on_signals = " on signals given" if self.fate_of_signals is not None else ""
        replayed = f"{self.mode} replay{on_signals}{with_settings}"
        return f"{self.profile}, {self.symbol}, {replayed}"

    def page(self) -> Page:
        """Return a few of the figures."""
        return Page(self.title, ("", ""), figure_rows(few(), self.metrics))


def _fixed(found: Any) -> Any:
    """Return mappings and lists, and those in them, as ones that cannot be changed."""
    if isinstance(found, Mapping):
        return MappingProxyType({name: _fixed(part) for name, part in found.items()})
    return tuple(map(_fixed, found)) if isinstance(found, list) else found


def _prices(inputs: Inputs) -> pa.Table:
    """Return the prices of an account's bars, by symbol."""
    names = [
        part.symbol for part in inputs.symbols for _ in range(part.start, part.stop)
    ]
    prices = {name: column(inputs.bars[name]) for name in PRICES}
    return pa.table({"symbol": texts(names), "bar_ts": inputs.bar_ts, **prices})


def _tables_of(report: "ReplayReport") -> dict[str, pa.Table]:
    scratch = report.study.scratch
    scratch.make(*MODELS.values())
    tables = {}
    for name, model in MODELS.items():
        rows = scratch.connection.sql(
            f"select * exclude (replayed) from {model} order by {ORDERED_BY[name]}"
        )
        tables[name] = rows.to_arrow_table()
    if report.signals:
        # No weight of the profile led to these trades.
        place = tables["trades"].schema.get_field_index("weights")
        field = tables["trades"].schema.field(place)
        nulls = pa.nulls(len(tables["trades"]), field.type)
        tables["trades"] = tables["trades"].set_column(place, field, nulls)
    tables["prices"] = pa.concat_tables(map(_prices, report.study.accounts))
    return tables


def run_of(report: "ReplayReport") -> Run:
    """Return a replay with all that its scratch database holds of it."""
    return Run(
        report.study.profile,
        report.study.symbol,
        report.replayed,
        _fixed(report.changes),
        _fixed(report.summary),
        _fixed(report.batch),
        _fixed(report.signals) if report.signals else None,
        MappingProxyType(_tables_of(report)),
    )
