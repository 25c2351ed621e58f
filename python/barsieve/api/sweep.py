"""A sweep in memory: every configuration of a grid, replayed over all bars."""

import os
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from barsieve.core.arrow import numbers
from barsieve.core.errors import MissingExtraError
from barsieve.core.extras import needed
from barsieve.core.text import Page, Shown, number

if TYPE_CHECKING:
    from barsieve.api.frames import Frame

MOST_SHOWN = 10
SHOWN = {
    "trades": ("trades", ",d"),
    "return_share": ("return", "+.1%"),
    "sharpe": ("Sharpe", ".2f"),
    "max_drawdown": ("drawdown", ".1%"),
}
FOUND_AFTER = "The best of many tries is no forecast: it was chosen after the fact."


class Sweep(Shown):
    """The configurations of a grid over one profile, and what each came to.

    Each has exactly the trades of its own full replay. It is in memory alone: nothing
    is written.

    Attributes
    ----------
    profile, symbol, grid : str
        The base profile, its symbol (`*` of a wallet that several share), and what the
        grid is called.
    settings : tuple of str
        Columns of the settings that vary.
    """

    def __init__(
        self, profile: str, symbol: str, grid: str, configs: pa.Table, results: pa.Table
    ):
        """Keep the rows of `sweep_configs` and of `sweep_results`."""
        self.profile, self.symbol, self.grid = profile, symbol, grid
        configs = _with_weights(configs)
        self._configs, self._results = configs, results
        about = {"grid", "config", "symbol", "profile", "violation"}
        self.settings = tuple(
            name
            for name in configs.column_names
            if name not in about and _varies(configs[name])
        )

    @property
    def results(self) -> "Frame":
        """A configuration a row, in the order of the grid, those not run last.

        Columns: `config` (its name), the settings that vary, its figures over the whole
        history (those of `sweep_results`: USD, fractions, ratios annualised by √365),
        `violation` (why it was not run). Raises MissingExtraError without pandas.
        """
        from barsieve.api.frames import frame_of

        return frame_of(self._wholes)

    @property
    def months(self) -> "Frame":
        """A configuration and calendar month a row, with the figures of that month."""
        from barsieve.api.frames import frame_of

        return frame_of(self.table("months"))

    def table(self, name: str = "results") -> pa.Table:
        """Return `results` or `months` as an Arrow table."""
        if name == "results":
            return self._wholes
        return _of_fold(self._results, is_whole=False)

    @cached_property
    def _wholes(self) -> pa.Table:
        chosen = self._configs.select(["config", *self.settings, "violation"])
        wholes = _of_fold(self._results, is_whole=True).drop_columns(["fold"])
        figures = wholes.column_names[1:]
        joined = chosen.append_column("place", pa.array(range(len(chosen)))).join(
            wholes, "config", join_type="left outer"
        )
        return joined.sort_by("place").select(
            ["config", *self.settings, *figures, "violation"]
        )

    @cached_property
    def luck(self) -> Mapping[str, Any]:
        """Share of the search in the best Sharpe ratio, from monthly returns.

        Figures by name, as in the table `evaluation_sweep`: `best_sharpe` and
        `needed_sharpe` (per month), `deflated_sharpe` (share of searches without any
        skill whose best shows less), `overfitting` (PBO); only `months` and `trials`
        where there are too few of either. Raises MissingExtraError without the extra
        `ml`.
        """
        needed("scipy.stats", "ml", by="Sweep.luck")
        from barsieve.sweep.folds import months_of
        from barsieve.sweep.overfit import judge

        rows = self.table("months")
        columns = {
            name: np.array(rows[name].to_pylist()) for name in ("config", "fold")
        }
        columns["return_share"] = numbers(rows["return_share"])
        _, names, (returns,) = months_of(columns, "return_share")
        return MappingProxyType(judge(names, returns))

    def page(self) -> Page:
        """Return the configurations with the best Sharpe ratio, and what luck says."""
        ran = [row for row in self._wholes.to_pylist() if row["violation"] is None]
        best = sorted(ran, key=lambda row: -(row["sharpe"] or -np.inf))[:MOST_SHOWN]
        rows = [
            (
                *(number(row[name], "g") for name in self.settings),
                *(number(row[name], pattern) for name, (_, pattern) in SHOWN.items()),
            )
            for row in best
        ]
        refused = len(self._configs) - len(ran)
        title = f"{self.profile}, {self.symbol}: {len(ran):,} configurations"
        title += f", {refused:,} more break a constraint" * bool(refused)
        columns = (*self.settings, *(label for label, _ in SHOWN.values()))
        return Page(title, columns, rows, (self._verdict(), FOUND_AFTER))

    def _verdict(self) -> str:
        try:
            luck = self.luck
        except MissingExtraError as error:
            return f"Not judged for luck: {error}"
        if "deflated_sharpe" not in luck:
            return (
                f"{luck['trials']} trials of {luck['months']} months: too few to judge."
            )
        return (
            f"Deflated Sharpe ratio {luck['deflated_sharpe']:.2f}, probability of "
            f"backtest overfitting {luck['overfitting']:.0%}."
        )


def run_sweep(
    database: Path,
    profile: str,
    grid: str | Mapping[str, Sequence[float | None]],
    n: int,
    seed: int,
    threads: int | None,
    symbol: str | None = None,
) -> Sweep:
    """Run a grid over a profile of a built database; see `Database.sweep`."""
    from barsieve.database.connect import open_database
    from barsieve.profiles.settings import ALL
    from barsieve.sweep.prepared import prepared_sweeps, symbol_of
    from barsieve.sweep.run import configs_table, measure, results_table

    with open_database(database) as connection:
        chosen = symbol_of(connection, profile, symbol)
        symbols = None if chosen == ALL else [chosen]
        [sweep] = prepared_sweeps(connection, grid, n, seed, symbols, profile)
    figures, hashes = measure(sweep, threads or os.cpu_count() or 1)
    chunk = range(len(sweep.grid.configs))
    results = results_table(sweep, chunk, figures, hashes)
    return Sweep(profile, chosen, sweep.grid.name, configs_table(sweep), results)


def _with_weights(configs: pa.Table) -> pa.Table:
    """Return configurations with a column for the weight of each domain."""
    rows = [dict(weights) for weights in configs["weights"].to_pylist()]
    domains = dict.fromkeys(domain for row in rows for domain in row)
    configs = configs.drop_columns(["weights"])
    for domain in domains:
        weights = pa.array([row.get(domain) for row in rows], pa.float64())
        configs = configs.append_column(f"weight_{domain}", weights)
    return configs


def _varies(values: pa.ChunkedArray) -> bool:
    return len(values.unique()) > 1


def _of_fold(results: pa.Table, is_whole: bool) -> pa.Table:
    """Return the rows of whole histories or of months, without what is the same."""
    from barsieve.sweep.run import WHOLE

    folds = np.array(results["fold"].to_pylist())
    chosen = np.flatnonzero((folds == WHOLE) == is_whole)
    plain = results.take(pa.array(chosen)).drop_columns(["grid", "symbol"])
    kinds = [
        pa.string() if pa.types.is_dictionary(field.type) else field.type
        for field in plain.schema
    ]
    return plain.cast(pa.schema(zip(plain.column_names, kinds, strict=True)))
