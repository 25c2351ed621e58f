"""The fixed scale of stress: where a VIX and a MOVE lie, whatever the sample.

The scale counts names: 0 is where `risk_on` is anchored, 3 is `crisis`. Between the
anchors of a series a value lies by its logarithm; a day lies at the mean of its series.
The anchors are rows of the seed `regime_policy` and come from decades of both series.
"""

from typing import NamedTuple

import duckdb
import numpy as np

from barsieve.core.errors import refuse
from barsieve.regime import NAMES

SERIES = ("vix", "move")
"""Series that have anchors; without both of them there is no stress, and no regime."""

BEYOND = 1.0
"""How far beyond its outer anchors a value counts, in steps of the scale."""


class Scale(NamedTuple):
    """Anchors of each series, index points, ascending, shape (4,) each."""

    vix: np.ndarray
    move: np.ndarray

    def position(self, series: str, values: np.ndarray) -> np.ndarray:
        """Return where values of a series lie; NaN where there is none above 0."""
        anchors = np.log(getattr(self, series))
        with np.errstate(divide="ignore", invalid="ignore"):
            logs = np.log(np.asarray(values, float))
        step = np.clip(np.searchsorted(anchors, logs, "right") - 1, 0, len(anchors) - 2)
        along = step + (logs - anchors[step]) / np.diff(anchors)[step]
        kept = np.clip(along, -BEYOND, len(anchors) - 1 + BEYOND)
        return np.where(np.isfinite(logs), kept, np.nan)

    def edges(self, series: str) -> np.ndarray:
        """Return the values at which a series changes its name, shape (3,)."""
        anchors = np.log(getattr(self, series))
        return np.exp((anchors[1:] + anchors[:-1]) / 2)


def read_scale(policy: duckdb.DuckDBPyRelation) -> Scale:
    """Return the scale of the seed `regime_policy`.

    Raises InputError when the table is one of before there were anchors.
    """
    missing = [f"{s}_anchor" for s in SERIES if f"{s}_anchor" not in policy.columns]
    if missing:
        refuse(
            "regime_policy",
            "columns",
            expected="an anchor of each series",
            found=f"no {', no '.join(missing)}",
            fix="build again: `barsieve build`",
        )
    ordered = policy.order("stress_rank").to_arrow_table()
    return Scale(*(ordered[f"{series}_anchor"].to_numpy() for series in SERIES))


def level(positions: np.ndarray) -> np.ndarray:
    """Return the stress of each day: the mean of the positions known on it, shape (n,).

    `positions`: shape (n, series). NaN on a day on which none is known.
    """
    known = np.isfinite(positions)
    counts = known.sum(axis=1)
    with np.errstate(invalid="ignore"):
        return np.where(known, positions, 0.0).sum(axis=1) / np.where(
            counts, counts, np.nan
        )


def named(stress: np.ndarray) -> np.ndarray:
    """Return the position in `NAMES` of the nearest name; the calmer below a half."""
    return np.clip(np.floor(stress + 0.5), 0, len(NAMES) - 1).astype(int)


def centres(n_states: int) -> np.ndarray:
    """Return where states are expected: spread evenly over the span of the names."""
    return (np.arange(n_states) + 0.5) * len(NAMES) / n_states - 0.5
