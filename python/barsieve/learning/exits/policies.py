"""Policies of leaving, tried on the paths of trades: what each would have given.

A trade left at the next open after a close gives up what was still to come there, and
no more: `rest` has the costs of both. So a policy is judged on the very trades that the
rules made, one by one, and not on others that it would have made instead.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from barsieve.learning.exits import LEAST_TRADES
from barsieve.learning.exits.models import predict
from barsieve.learning.exits.others import exits_of, first_rows
from barsieve.learning.exits.paths import Paths
from barsieve.learning.exits.walk import Month, known_rows, month_of

RULES, LEARNED, FIXED, AT_RANDOM = "rules", "learned", "best fixed", "at random"
BASELINES = (RULES, FIXED, AT_RANDOM)

PROFIT, BEST, BARS_HELD = 0, 1, 3


class Said(NamedTuple):
    """Expectations of models at each close, shape (n_rows,); NaN where none was fitted.

    By the model of the month of the decision, for the whole trade.
    """

    rest: np.ndarray
    is_judged: np.ndarray


def said_by(paths: Paths, months: list[Month]) -> Said:
    """Return what the month's model expected at each close of the trades."""
    rest = np.full(len(paths.rest), np.nan)
    of_trade = month_of(paths.decided_at)
    for month in months:
        chosen = of_trade == np.datetime64(month.month, "M")
        rows = np.flatnonzero(paths.of_trades(chosen))
        starts = np.concatenate([[0], np.cumsum(np.diff(paths.starts)[chosen])])
        rest[rows] = predict(month.fit, paths.features[rows], starts.astype(np.int64))
    firsts = paths.starts[:-1]
    return Said(rest, np.isfinite(rest[firsts]) & paths.is_known)


def first_of(is_left: np.ndarray, paths: Paths) -> np.ndarray:
    """Return the row at which each trade is left first, -1 where at none.

    `is_left`, shape (n_rows,).
    """
    return first_rows(is_left, paths.starts)


def gains(is_left: np.ndarray, paths: Paths) -> np.ndarray:
    """Return what leaving at these closes gives beyond the rules, R a trade."""
    first = first_of(is_left, paths)
    found: np.ndarray = np.where(first >= 0, -paths.rest[first], 0.0)
    return found


def fixed_exits(paths: Paths) -> dict[str, np.ndarray]:
    """Return, by its name, where each fixed exit would leave, shape (n_rows,)."""
    return exits_of(
        paths.features[:, PROFIT], paths.features[:, BEST], paths.features[:, BARS_HELD]
    )


def best_fixed_gains(paths: Paths, months: np.ndarray) -> np.ndarray:
    """Return what the best fixed exit of the trades known before each month gives.

    `months`: those to judge. R a trade, 0 where too few were known.
    """
    tried = [gains(is_left, paths) for is_left in fixed_exits(paths).values()]
    table, of_trade = np.stack(tried), month_of(paths.decided_at)
    found = np.zeros(len(of_trade))
    for month in months:
        moment = month.astype("datetime64[us]").astype(np.int64)
        known = paths.is_known & (paths.ended_at <= moment)
        if known.sum() >= LEAST_TRADES:
            best = int(table[:, known].mean(axis=1).argmax())
            own = of_trade == month
            found[own] = table[best, own]
    return found


def random_gains(paths: Paths, rate: float) -> np.ndarray:
    """Return what leaving at each close with a probability gives on average, R."""
    nth = paths.features[:, BARS_HELD]
    weights = rate * (1.0 - rate) ** (nth - 1.0)
    found: np.ndarray = np.add.reduceat(-paths.rest * weights, paths.starts[:-1])
    return found


def rate_of(is_left: np.ndarray, paths: Paths, chosen: np.ndarray) -> float:
    """Return the share of the closes, to the one that leaves, at which a trade is left.

    Of chosen trades, shape (n_trades,).
    """
    first = first_of(is_left, paths)
    starts, lengths = paths.starts[:-1], np.diff(paths.starts)
    seen = np.where(first >= 0, first - starts + 1, lengths)
    at_risk = seen[chosen].sum()
    return float((first[chosen] >= 0).sum() / at_risk) if at_risk else 0.0


def in_sample(paths: Paths, month: Month) -> Said:
    """Return what one model expects at every close, those that taught it too."""
    rest = predict(month.fit, paths.features, paths.starts)
    return Said(rest, paths.is_known.copy())


def shuffled_groups(names: list[str]) -> Iterator[tuple[str, list[int]]]:
    """Yield what is put out of order together, and where it lies among features."""
    groups: dict[str, list[int]] = {}
    for place, name in enumerate(names):
        is_score = name.endswith("score") or name.startswith("score_")
        about = "scores" if is_score else name
        about = "regime probabilities" if name.startswith("p_") else about
        groups.setdefault(about, []).append(place)
    yield from groups.items()


def rows_known(paths: Paths) -> np.ndarray:
    """Return all rows of trades whose whole path is known."""
    return known_rows(paths, np.iinfo(np.int64).max)[0]
