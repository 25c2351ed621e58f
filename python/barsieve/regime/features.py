"""Daily observations as a matrix, and which of its columns a fit can use."""

from typing import NamedTuple

import duckdb
import numpy as np

from barsieve.core.arrow import matching
from barsieve.core.errors import refuse
from barsieve.regime.stress import SERIES, Scale, level

COLUMNS = (
    *SERIES, "realized_vol_72", "dxy_gap_91", "vix_change", "move_change", "dxy_change",
)  # fmt: skip

STRESS = range(len(SERIES))
"""Positions of the columns that make the stress of a day."""

LOGGED = COLUMNS.index("realized_vol_72")
"""Above zero with a long right tail: read as a logarithm."""

LEAST_KNOWN_SHARE = 0.5
"""A column known on fewer of the days of a window is left out of its fit."""


class Observations(NamedTuple):
    """Days of one reference symbol, in order.

    `day`: datetime64[D], shape (n,). `values`: original units, shape (n, columns), NaN
    where unknown; `read`: the same, VIX and MOVE as positions on the scale of stress,
    volatility as a logarithm. `dxy`: index points, for reports.
    """

    reference_symbol: str
    day: np.ndarray
    values: np.ndarray
    read: np.ndarray
    dxy: np.ndarray


def _refuse_duplicates(symbol: str, day: np.ndarray) -> None:
    days, counts = np.unique(day, return_counts=True)
    if (counts > 1).any():
        found = ", ".join(str(d) for d in days[counts > 1][:3])
        refuse(
            "regime_observations",
            f"reference symbol '{symbol}', column 'day'",
            expected="each day once",
            found=f"{found} more than once",
            fix="remove the repeated days from what feeds the table",
        )


def observations(symbol: str, table, scale: Scale) -> Observations:
    """Return the observations of an Arrow table with `day`, `dxy` and `COLUMNS`.

    Rows may come in any order. Raises InputError when a day is there twice.
    """
    order = np.argsort(table["day"].to_numpy(), kind="stable")
    day = table["day"].to_numpy()[order].astype("datetime64[D]")
    _refuse_duplicates(symbol, day)
    values = np.column_stack(
        [table[name].to_numpy().astype(float)[order] for name in COLUMNS]
    )
    read = values.copy()
    for position, series in enumerate(SERIES):
        read[:, position] = scale.position(series, values[:, position])
    with np.errstate(divide="ignore", invalid="ignore"):
        read[:, LOGGED] = np.log(read[:, LOGGED])
    read[~np.isfinite(read)] = np.nan
    return Observations(
        symbol, day, values, read, table["dxy"].to_numpy().astype(float)[order]
    )


def read_observations(
    relation: duckdb.DuckDBPyRelation, symbol: str, scale: Scale
) -> Observations:
    """Return the observations of a reference symbol from `regime_observations`."""
    of_symbol = matching(relation, reference_symbol=symbol)
    return observations(symbol, of_symbol.to_arrow_table(), scale)


def usable(window: np.ndarray) -> tuple[np.ndarray, str | None]:
    """Return the positions of the columns that a fit can use, and what is left out.

    `window`: shape (n_days, columns). The text names each column left out and why.
    """
    known = np.isfinite(window)
    used, left_out = [], []
    for position, name in enumerate(COLUMNS):
        values = window[known[:, position], position]
        if len(values) < LEAST_KNOWN_SHARE * len(window):
            share = len(values) / max(len(window), 1)
            left_out.append(f"{name} (known on {share:.0%} of days)")
        elif values.min() == values.max():
            left_out.append(f"{name} (constant)")
        else:
            used.append(position)
    return np.array(used, int), ", ".join(left_out) or None


def has_stress(used: np.ndarray) -> bool:
    """Tell whether VIX or MOVE is among the columns used."""
    return bool(np.isin(used, list(STRESS)).any())


def condensed(read: np.ndarray, used: np.ndarray) -> np.ndarray:
    """Return what a fit sees: the stress of each day, then the other columns used.

    `read`: shape (n, columns). Returns shape (n, 1 + others).
    """
    is_stress = np.isin(used, list(STRESS))
    stress = level(read[:, used[is_stress]])
    return np.column_stack([stress, read[:, used[~is_stress]]])
