"""Profiles as typed values, made from rows of `config_profiles`."""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any

import duckdb

from barsieve.core.arrow import rows_of
from barsieve.core.errors import DatabaseError
from barsieve.core.keys import ALL as ALL
from barsieve.profiles.rules import Rules, as_rule


@dataclass(frozen=True)
class Profile:
    """Profile on a symbol, as the replay needs it; field = column, `rules` by theirs.

    `account` is the symbol where that has one of its own, and `ALL` where it is one for
    all that the profile trades; then `symbol` is `ALL` as well once they are together.
    """

    profile: str
    symbol: str
    account: str
    start_balance: float
    screen: str
    rules: Rules

    @classmethod
    def from_row(cls, row: dict[str, Any]) -> "Profile":
        """Make a profile from a row of `config_symbols`; further columns are left."""
        own = {f.name: _value(row, f.name) for f in fields(cls) if f.name != "rules"}
        return cls(rules=rules_of(row), **own)


def rules_of(row: dict[str, Any]) -> Rules:
    """Return the rules in a row of `config_symbols`; null switches a rule off.

    Raises DatabaseError where another version wrote the row, without one of them.
    """
    return Rules(**{name: as_rule(name, _value(row, name)) for name in Rules._fields})


def _value(row: dict[str, Any], name: str) -> Any:
    if name not in row:
        raise DatabaseError(
            f"table config_symbols: expected a column {name}, found none: another "
            "version of barsieve built it\n    fix: dbt build, all of it"
        )
    return row[name]


def boxes_of(
    config_weights: duckdb.DuckDBPyRelation,
) -> dict[str, dict[str, tuple[float, float]]]:
    """Return, by profile, the least and greatest weight of its domains."""
    boxes: dict[str, dict[str, tuple[float, float]]] = {}
    for row in rows_of(config_weights.order("profile, domain_number")):
        of_profile = boxes.setdefault(row["profile"], {})
        of_profile[row["domain"]] = (row["low"], row["high"])
    return boxes


def with_boxes(
    config_symbols: duckdb.DuckDBPyRelation, config_weights: duckdb.DuckDBPyRelation
) -> list[dict[str, Any]]:
    """Return the rows of `config_symbols`, by symbol and name, each with its `box`.

    That is what `boxes_of` has of it.
    """
    boxes = boxes_of(config_weights)
    rows = rows_of(config_symbols.order("symbol, profile"))
    return [row | {"box": boxes[row["profile"]]} for row in rows]


def read_profiles(config_symbols: duckdb.DuckDBPyRelation) -> list[Profile]:
    """Return every profile on every symbol of the relation `config_symbols`.

    By name, then by symbol.
    """
    rows = rows_of(config_symbols.order("profile, symbol"))
    return [Profile.from_row(row) for row in rows]


def accounts_of(profiles: Iterable[Profile]) -> list[list[Profile]]:
    """Return profiles on their symbols by the account that they trade with."""
    found: dict[tuple[str, str], list[Profile]] = {}
    for one in profiles:
        found.setdefault((one.profile, one.account), []).append(one)
    return list(found.values())
