"""A grid over every symbol of the built database, as the table `sweep_runs`.

And over every shared wallet that asks for it: a row of its own, of the symbol `*`.
"""

from collections.abc import Iterable
from operator import itemgetter
from typing import Any, NamedTuple

import duckdb
import pyarrow as pa

from barsieve.core import schemas
from barsieve.core.arrow import rows_of
from barsieve.core.errors import refuse
from barsieve.database.connect import built_tables
from barsieve.profiles.settings import ALL, with_boxes
from barsieve.signals.market import domains_of
from barsieve.sweep.grids import expand
from barsieve.sweep.run import Rooms, Sweep, measure_chunk, prepare, runs_table
from barsieve.sweep.wallets import prepare_wallet

Base = dict[str, Any]
"""A row of `config_symbols`, as `with_boxes` has it."""


def of_symbol(profiles: Iterable[Base], symbol: str) -> list[Base]:
    """Return the profiles that trade a symbol, as if with an account of its own.

    By name; those that share an account with other symbols come last.
    """
    own = [row for row in profiles if row["symbol"] == symbol]
    own.sort(key=lambda row: (row["account"] == ALL, row["profile"]))
    return [row | {"account": symbol} for row in own]


def own_base(profiles: list[Base], symbol: str) -> Base | None:
    """Return the base profile of a symbol; None where no profile is of it.

    Its first, of those that name the domains of its first one that learns: what is
    learned, is learned of a sweep of the same domains.
    """
    own = of_symbol(profiles, symbol)
    learners = [row for row in own if row["learned"]] or own
    same = [row for row in own if set(row["weights"]) == set(learners[0]["weights"])]
    return next(iter(same), None)


def bases_of(profiles: list[Base], symbol: str) -> list[Base]:
    """Return the profiles of a symbol that a build sweeps, each of other domains.

    One for each set of domains that something learns of, by the name of what learns:
    a profile learns only of its own domains, and none takes them from another. Where
    none learns, one; none where no profile asks for a sweep.

    One that shares its account learns of each symbol apart, as if that had one of its
    own. What it asks for by `swept` is a sweep of the wallet: see `wallets_of`.
    """
    own = of_symbol(profiles, symbol)
    learners = sorted((row for row in own if row["learned"]), key=itemgetter("profile"))
    sets = dict.fromkeys(frozenset(row["weights"]) for row in learners)
    bases = [
        next(row for row in own if set(row["weights"]) == domains) for domains in sets
    ]
    is_asked = any(
        row["swept"] and row["account"] != ALL
        for row in profiles
        if row["symbol"] == symbol
    )
    return bases or ([base_of(profiles, symbol, None)] if is_asked else [])


def wallet_of(profiles: Iterable[Base], name: str) -> list[Base]:
    """Return the rows of a profile with one account for several symbols, by symbol.

    None of any other profile.
    """
    shared = [
        row for row in profiles if row["profile"] == name and row["account"] == ALL
    ]
    return sorted(shared, key=itemgetter("symbol"))


def wallets_of(profiles: list[Base]) -> list[list[Base]]:
    """Return the shared wallets that a build sweeps: what asks for it, by name."""
    asking = sorted({row["profile"] for row in profiles if row["swept"]})
    return [found for name in asking if (found := wallet_of(profiles, name))]


def base_of(profiles: list[Base], symbol: str, name: str | None) -> Base:
    """Return the base profile of a symbol: the one named, else its own.

    A named one may be of other symbols. Raises InputError when there is none.
    """
    if name is None:
        found = own_base(profiles, symbol)
    else:
        named = [row for row in profiles if row["profile"] == name]
        found = next(iter([*of_symbol(named, symbol), *named]), None)
    if found is not None:
        return found
    given = f"'{name}'" if name is not None else f"none of symbol '{symbol}'"
    fix = "name a profile as the base of the sweep (--profile)"
    expected = f"one of {', '.join(sorted({row['profile'] for row in profiles}))}"
    refuse("config_profiles", "profile", expected=expected, found=given, fix=fix)


def _run_whole(sweep: Sweep) -> pa.Table:
    figures, hashes = measure_chunk(sweep, Rooms(sweep), range(len(sweep.grid.configs)))
    return runs_table(sweep, figures, hashes)


def sweep_runs(profiles, weights, grids, sweep_bars, regimes, grid: str) -> pa.Table:
    """Run a grid over every symbol, its own bases, and every shared wallet.

    As `bases_of` and `wallets_of` name them. A base that leaves the grid no
    configuration has no rows.

    Parameters are relations of the built database: `config_symbols`, `config_weights`,
    `sweep_grids`, `sweep_bars` and `regimes`.
    """
    bases, rows = with_boxes(profiles, weights), rows_of(grids)
    domains = domains_of(sweep_bars.columns)
    tables = [schemas.SWEEP_RUNS.empty_table()]
    for symbol in sorted({base["symbol"] for base in bases}):
        for base in bases_of(bases, symbol):
            expanded = expand(grid, rows, base, domains)
            # The weights of a profile's other domains may leave the grid no room.
            if len(expanded.configs):
                alone = prepare(sweep_bars, regimes, base, symbol, expanded)
                tables.append(_run_whole(alone))
    for wallet in wallets_of(bases):
        expanded = expand(grid, rows, wallet[0], domains)
        if len(expanded.configs):
            shared = prepare_wallet(sweep_bars, regimes, wallet, expanded)
            tables.append(_run_whole(shared))
    return pa.concat_tables(tables)


class Tables(NamedTuple):
    """The relations of the built database that a sweep reads."""

    profiles: duckdb.DuckDBPyRelation
    weights: duckdb.DuckDBPyRelation
    grids: duckdb.DuckDBPyRelation
    sweep_bars: duckdb.DuckDBPyRelation
    regimes: duckdb.DuckDBPyRelation

    @property
    def bases(self) -> list[dict[str, Any]]:
        """Return the profiles that a sweep may begin with, as `with_boxes` has them."""
        return with_boxes(self.profiles, self.weights)


def tables_of(connection: duckdb.DuckDBPyConnection) -> Tables:
    """Return the relations that a sweep reads.

    Raises InputError when the database was built before there was a sweep.
    """
    names = (
        "config_symbols", "config_weights", "sweep_grids", "sweep_bars", "regimes",
    )  # fmt: skip
    return Tables(*built_tables(connection, names))


def known_symbol(sweep_bars, symbol: str) -> None:
    """Raise InputError when the market has no such symbol."""
    symbols = [s for (s,) in sweep_bars.select("symbol").distinct().fetchall()]
    if symbol not in symbols:
        expected = f"one of {', '.join(sorted(symbols))}"
        fix = "correct the name, or add its bars and dbt build"
        refuse("bars_1h", "symbol", expected=expected, found=f"'{symbol}'", fix=fix)
