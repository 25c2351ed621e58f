"""Sweeps of a built database, ready to run: grids by name, or choices by setting."""

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any

import duckdb

from barsieve.core.arrow import rows_of
from barsieve.core.errors import refuse
from barsieve.profiles.schema import settings
from barsieve.profiles.settings import ALL
from barsieve.signals.market import domains_of
from barsieve.sweep.grids import CODES, WEIGHT, Grid, expand
from barsieve.sweep.run import Sweep, prepare
from barsieve.sweep.tables import Base, base_of, known_symbol, tables_of, wallet_of
from barsieve.sweep.wallets import prepare_wallet

# What a grid is called that has no name of its own.
CHOICES = "choices"
Choices = Mapping[str, Sequence[float | str | None]]
"""The values to try of each setting; by its column or its dotted key."""


def _column(key: str) -> str:
    """Return how a grid names a setting that was given by its dotted key."""
    section, _, name = key.rpartition(".")
    if section == "weights":
        return WEIGHT + name
    by_key = {setting.key: setting.column for setting in settings()}
    return by_key.get(key, key)


def _values(setting: str, values: Any) -> str:
    is_named = _column(setting) in CODES and not isinstance(values, str)
    if is_named and all(isinstance(value, str) for value in values):
        return " ".join(dict.fromkeys(values))
    try:
        found = [None if value is None else float(value) for value in values]
    except (TypeError, ValueError, OverflowError):
        found = []
    is_finite = all(value is None or isfinite(value) for value in found)
    if isinstance(values, str) or not found or not is_finite:
        refuse(
            "grid",
            setting,
            expected="a list of numbers, or None to switch it off",
            found=f"{values!r}",
            fix="name the values to try, such as [0.6, 0.65, 0.7]",
        )
    # A value given twice is tried once.
    once = dict.fromkeys("null" if value is None else repr(value) for value in found)
    return " ".join(once)


def grid_of_choices(choices: Choices) -> list[dict[str, Any]]:
    """Return choices as rows of `sweep_grids`, the grid `CHOICES`.

    Raises InputError for values that are no list of numbers, and without any.
    """
    if not isinstance(choices, Mapping) or not choices:
        refuse(
            "grid",
            expected="a setting and the values to try of it",
            found=f"{choices!r}",
            fix="write it like {'entry_threshold': [0.6, 0.65, 0.7]}",
        )
    named = [_column(str(key)) for key in choices]
    if twice := next((name for name in named if named.count(name) > 1), None):
        refuse(
            "grid",
            twice,
            expected="each setting once",
            found="two names of it",
            fix="put its values into one list",
        )
    return [
        {
            "grid": CHOICES, "setting": _column(key), "method": "values",
            "low": None, "high": None, "step": None, "choices": _values(key, values),
            "description": None,
        }
        for key, values in choices.items()
    ]  # fmt: skip


def _refuse_empty(grid: Grid, symbol: str) -> None:
    if not len(grid.configs):
        broken = ", ".join(dict.fromkeys(grid.violations))
        refuse(
            f"grid {grid.name}",
            symbol,
            expected=f"a configuration that keeps every constraint ({broken})",
            found="every configuration breaks a constraint",
            fix="name other values; weights that change are to sum to 1",
        )


def _symbols_of(bases: list[Base], profile: str | None) -> list[str]:
    """Return what is swept where no symbols are named."""
    if profile is None:
        return sorted({base["symbol"] for base in bases})
    own = [base["symbol"] for base in bases if base["profile"] == profile]
    return own or [base_of(bases, "", profile)["symbol"]]


def prepared_sweeps(
    connection: duckdb.DuckDBPyConnection,
    grid: str | Choices,
    n: int,
    seed: int,
    symbols: Sequence[str] | None,
    profile: str | None,
) -> list[Sweep]:
    """Read the database once; return the sweep of each symbol, or of a shared wallet.

    `grid` is one of the table `sweep_grids`, or choices; `n` and `seed` are of sampled
    grids. Without symbols those of the profile are taken, in one sweep where they share
    an account. Without either all symbols that have a profile are, each with its own
    base. A symbol that is named is swept as if it had an account of its own. Raises
    InputError for a name or a setting that does not exist.
    """
    tables = tables_of(connection)
    bases, grids, name = tables.bases, rows_of(tables.grids), grid
    if not isinstance(grid, str):
        grids, name = grid_of_choices(grid), CHOICES
    domains, found = domains_of(tables.sweep_bars.columns), list[Sweep]()

    def expanded_on(base: Base, symbol: str) -> Grid:
        expanded = expand(str(name), grids, base, domains, n, seed)
        _refuse_empty(expanded, symbol)
        return expanded

    wallet = wallet_of(bases, profile) if profile and not symbols else []
    if wallet:
        made = expanded_on(wallet[0], ALL)
        return [prepare_wallet(tables.sweep_bars, tables.regimes, wallet, made)]
    for symbol in symbols or _symbols_of(bases, profile):
        known_symbol(tables.sweep_bars, symbol)
        base = base_of(bases, symbol, profile)
        made = expanded_on(base, symbol)
        found.append(prepare(tables.sweep_bars, tables.regimes, base, symbol, made))
    return found


def symbol_of(
    connection: duckdb.DuckDBPyConnection, profile: str, symbol: str | None
) -> str:
    """Return the symbol of a profile to sweep, or `ALL` of the wallet that it shares.

    Raises InputError for another name, for a symbol that it does not trade, and where
    each of several has an account of its own and none is named.
    """
    bases = tables_of(connection).bases
    own = _symbols_of(bases, profile)
    if symbol is None and wallet_of(bases, profile):
        return ALL
    if symbol is None and len(own) == 1:
        return own[0]
    if symbol not in own:
        refuse(
            profile,
            "symbol",
            expected=f"one of {', '.join(own)}",
            found="none" if symbol is None else f"'{symbol}'",
            fix="name one of them: each is a sweep of its own",
        )
    return symbol
