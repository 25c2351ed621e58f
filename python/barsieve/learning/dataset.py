"""Dataset of the learning: configuration x month of one symbol, and what was known."""

from collections.abc import Iterable
from typing import NamedTuple

import duckdb
import numpy as np

from barsieve.core.arrow import fields_of, matching
from barsieve.database.connect import built_tables
from barsieve.profiles.settings import ALL
from barsieve.regime import NAMES
from barsieve.sweep.folds import months_of
from barsieve.sweep.grids import CODES, VARIED, WEIGHT

HOUR_US = 3_600_000_000
BELIEFS = (*(f"p_{name}" for name in NAMES), "p_unknown")
READINGS = (
    "vix", "move", "dxy", "realized_vol_168", "net_veto_long", "net_veto_short",
)  # fmt: skip
STATES = (*BELIEFS, *READINGS)

# What is put out of order together, to see what it was worth.
STATE_GROUPS = {
    "regime probabilities": BELIEFS,
    "VIX": ("vix",),
    "MOVE": ("move",),
    "DXY": ("dxy",),
    "realised volatility": ("realized_vol_168",),
    "net macro veto": ("net_veto_long", "net_veto_short"),
}
CONFIGURATION = "configuration parameters"


class SweepTables(NamedTuple):
    """The relations of a built database that are learned from."""

    configs: duckdb.DuckDBPyRelation
    results: duckdb.DuckDBPyRelation
    months: duckdb.DuckDBPyRelation
    regime_shares: duckdb.DuckDBPyRelation

    @classmethod
    def of(cls, connection: duckdb.DuckDBPyConnection) -> "SweepTables":
        """Return those of an open database.

        Raises InputError when other models made it.
        """
        names = [f"sweep_{name}" for name in cls._fields]
        return cls(*built_tables(connection, names))

    @property
    def kinds(self) -> list[tuple[str, tuple[str, ...]]]:
        """Return what there are results of: symbols, and the domains that vote.

        Those of the first base by name come first. Nothing learns of the sweep of a
        shared wallet.
        """
        found = self.configs.join(
            self.results.select("grid, config, symbol").distinct(),
            "grid, config, symbol",
        ).filter(f"symbol <> '{ALL}'")
        named = found.aggregate(
            "symbol, map_keys(weights) as domains, min(profile) as base"
        )
        kinds = named.order("symbol, base, domains").fetchall()
        return [(symbol, tuple(domains)) for symbol, domains, _ in kinds]

    @property
    def judged(self) -> dict[str, tuple[str, ...]]:
        """Return the domains that a symbol's sweep is judged by: those that come first.

        Of the others only what a profile learned is.
        """
        return dict(reversed(self.kinds))


class Rows(NamedTuple):
    """A symbol's sweep by month; NaN where a state is not known.

    `months` as `2024-08`; `starts` and `ends` in microseconds, shape (n_months,).
    `domains`: those that vote in its configurations. `settings`: record array with
    `entry_threshold`, `weight_<domain>` and whatever else a grid varies, shape
    (n_configs,). `states`: shape
    (n_months, len(STATES)), as known at the start. `shares`: shape (n_months,
    len(BELIEFS)), the mean belief over the month, known when it has ended. `r_sum` and
    `returns` (share of the equity): shape (n_months, n_configs).
    """

    symbol: str
    domains: tuple[str, ...]
    months: list[str]
    starts: np.ndarray
    ends: np.ndarray
    configs: list[str]
    settings: np.recarray
    states: np.ndarray
    shares: np.ndarray
    r_sum: np.ndarray
    returns: np.ndarray

    @property
    def weights(self) -> list[str]:
        """Return the names of the settings that are weights."""
        return weight_names(self.domains)

    @property
    def longest_hours(self) -> int:
        """Longest time that a configuration may hold a position, as far as it says."""
        return int(self.settings.time_stop_bars.max())

    def known_before(self, month: int) -> np.ndarray:
        """Return the positions of the months that a prediction may learn from.

        Purged: a month must have ended the longest holding time before, so that no
        trade of it was still open when the predicted one began.
        """
        purge = self.longest_hours * HOUR_US
        return np.flatnonzero(self.ends + purge <= self.starts[month])

    def lived(self, months: np.ndarray) -> np.ndarray:
        """Return the states of months that have ended, shape (n, len(STATES)).

        Regimes are those that a month lived through, not those it began in: a result is
        owed to them. To be learned from only; a month to come has none.
        """
        of_start = self.states[months, len(BELIEFS) :]
        return np.column_stack([self.shares[months], of_start])

    def until(self, n_months: int) -> "Rows":
        """Return the rows of the first months alone."""
        return self._replace(
            months=self.months[:n_months],
            **{
                name: getattr(self, name)[:n_months]
                for name in ("starts", "ends", "states", "shares", "r_sum", "returns")
            },
        )


def weight_names(domains: Iterable[str]) -> list[str]:
    """Return the names of the settings that are weights of domains."""
    return [WEIGHT + domain for domain in domains]


def settings_dtype(domains: Iterable[str]) -> np.dtype:
    """Return what a configuration is made of here: a field for each setting."""
    first, *rest = VARIED
    names = (first, *weight_names(domains), *rest)
    return np.dtype([(name, np.float64) for name in names])


def _with_off_beyond(column: np.ndarray) -> np.ndarray:
    """Return the values of a setting; switched off counts as twice the greatest."""
    given = np.ma.masked_invalid(column)
    found: np.ndarray = given.filled(2 * given.max() if given.count() else 0)
    return found


def _settings(
    relation: duckdb.DuckDBPyRelation, domains: tuple[str, ...], configs: list[str]
) -> np.recarray:
    weights = [f"weights['{d}'] as {WEIGHT}{d}" for d in domains]
    rows = relation.select(", ".join(["config", *VARIED, *weights]))
    found = rows.distinct().order("config").fetchnumpy()
    at = np.searchsorted(found["config"].astype(str), configs)
    settings = np.empty(len(configs), settings_dtype(domains))
    for name in fields_of(settings.dtype):
        values = found[name][at]
        if name in CODES:
            values = np.array([CODES[name][choice] for choice in values])
        settings[name] = _with_off_beyond(values)
    return settings.view(np.recarray)


def _states(months: duckdb.DuckDBPyRelation) -> np.ndarray:
    names = [name for name in STATES if name != "p_unknown"]
    found = months.select(*names).to_arrow_table()
    states = np.full((found.num_rows, len(STATES)), np.nan)
    for name in names:
        states[:, STATES.index(name)] = found[name].to_numpy().astype(np.float64)
    beliefs = states[:, : len(BELIEFS)]
    beliefs[:, -1] = np.isnan(beliefs[:, 0])
    beliefs[np.isnan(beliefs)] = 0.0
    return states


def _of_months(relation, symbol: str, labels: list[str]):
    """Return the rows of a symbol's months, in their order."""
    is_one = duckdb.ColumnExpression("month").isin(
        *(duckdb.ConstantExpression(label) for label in labels or [""])
    )
    return matching(relation, symbol=symbol).filter(is_one).order("month")


def _shares(relation: duckdb.DuckDBPyRelation) -> np.ndarray:
    names = [f"share_{belief.removeprefix('p_')}" for belief in BELIEFS]
    found = relation.select(*names).fetchnumpy()
    return np.column_stack([found[name] for name in names])


def read_rows(sweep: SweepTables, symbol: str, domains: tuple[str, ...]) -> Rows:
    """Read a symbol's sweep of some domains, the months that all configurations have.

    A configuration that lies in several grids counts once. They are in the order of
    their settings, since what is learned depends on the order: it must not change with
    a name.
    """
    listed = ", ".join(f"'{domain}'" for domain in domains)
    own = matching(sweep.configs, symbol=symbol).filter(
        f"map_keys(weights) = [{listed}]"
    )
    folds = matching(sweep.results, symbol=symbol).filter("fold <> 'all'")
    folds = folds.join(own.select("grid, config, symbol"), "grid, config, symbol")
    columns = ("fold", "config", "r_sum", "return_share")
    found = folds.select(*columns).distinct().fetchnumpy()
    labels, configs, (r_sum, returns) = months_of(found, "r_sum", "return_share")
    settings = _settings(own, domains, configs)
    names = reversed(fields_of(settings.dtype))
    ordered = np.lexsort([settings[name] for name in names])
    starts = np.array(labels, "datetime64[M]")
    return Rows(
        symbol,
        domains,
        labels,
        starts.astype("datetime64[us]").astype(np.int64),
        (starts + 1).astype("datetime64[us]").astype(np.int64),
        [configs[at] for at in ordered],
        settings[ordered].view(np.recarray),
        _states(_of_months(sweep.months, symbol, labels)),
        _shares(_of_months(sweep.regime_shares, symbol, labels)),
        np.take(r_sum, ordered, axis=1),
        np.take(returns, ordered, axis=1),
    )
