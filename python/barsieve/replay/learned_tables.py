"""Learned exits as they lie in tables, read into the arrays that the step evaluates."""

from typing import Any, NamedTuple

import numpy as np
from duckdb import DuckDBPyRelation

from barsieve.core.arrow import matching, numbers, rows_of
from barsieve.core.errors import DatabaseError
from barsieve.replay.learned import LSTM, NOTHING, OF_POSITION, TREES, Learned

KINDS = {"boosting": TREES, "lstm": LSTM}
KEYS = ("profile", "symbol", "bar_ts", "known_at", "bar_index")
VETOES = ("net_veto_long", "net_veto_short")


class LearnedTables(NamedTuple):
    """Relations of what exits learned: `exit_learned`, and `shadow_seen`."""

    models: DuckDBPyRelation
    seen: DuckDBPyRelation


def seen_columns(seen: DuckDBPyRelation) -> list[str]:
    """Return the columns of `shadow_seen` that a model sees, in their order."""
    return [name for name in seen.columns if name not in KEYS]


def n_scores(columns: list[str]) -> int:
    """Return how many of the columns seen are scores: they come first."""
    return columns.index(VETOES[0])


def feature_names(columns: list[str]) -> list[str]:
    """Return what a model sees, in its order: of the vetoes the own side's."""
    n = n_scores(columns)
    return [*OF_POSITION, *columns[:n], "net_veto", *columns[n + len(VETOES) :]]


def _numbers_of(rows: list[dict[str, Any]], n_features: int) -> dict[str, Any]:
    """Return the numbers of models one after the other, as `Learned` has them."""

    def stacked(name: str, *shape: int) -> np.ndarray:
        parts = [np.array(row[name], np.float64).reshape(shape) for row in rows]
        return np.ascontiguousarray(np.stack(parts))

    def listed(name: str, kind: type) -> np.ndarray:
        return np.concatenate([np.array(row[name], kind) for row in rows])

    base = np.array([row["base"] for row in rows])
    n_units = len(rows[0]["output"])
    if n_units:
        return {
            "base": base,
            "inputs": stacked("inputs", n_features, 4 * n_units),
            "recurrent": stacked("recurrent", n_units, 4 * n_units),
            "bias": stacked("bias", 4 * n_units),
            "output": stacked("output", n_units),
            "mean": stacked("mean", n_features),
            "spread": stacked("spread", n_features),
        }
    sizes = [len(row["feature"]) for row in rows]
    trees = [len(row["root"]) for row in rows]
    first_node = np.concatenate([[0], np.cumsum(sizes)])[:-1].astype(np.int64)
    return {
        "base": base,
        "first_tree": np.concatenate([[0], np.cumsum(trees)]).astype(np.int64),
        "root": listed("root", np.int64) + np.repeat(first_node, trees),
        "feature": listed("feature", np.int64),
        "value": listed("value", np.float64),
        "left": listed("left", np.int64) + np.repeat(first_node, sizes),
        "right": listed("right", np.int64) + np.repeat(first_node, sizes),
        "is_left": listed("is_left", np.bool_),
    }


def models_of(rows: list[dict[str, Any]], n_features: int) -> Learned:
    """Return models, rows of `exit_learned` of one kind, beside no bars."""
    if not rows:
        return NOTHING
    kind = KINDS[rows[0]["model"]]
    return NOTHING._replace(kind=kind, **_numbers_of(rows, n_features))


def read_learned(
    tables: LearnedTables, wanted: dict[str, str], opens: np.ndarray
) -> Learned:
    """Read the exit models of a profile, and what they see of its bars.

    `wanted`: the profile, and its symbol where it is one; `opens`: when its bars open,
    in µs, by symbol. A bar without a model of its month has none in force. Raises
    DatabaseError where the bars seen are not those of the replay.
    """
    rows = rows_of(matching(tables.models, profile=wanted["profile"]).order("month"))
    if not rows:
        return NOTHING
    names = seen_columns(tables.seen)
    listed = ", ".join(f"{name}::double as {name}" for name in names)
    ordered = matching(tables.seen, **wanted).order("symbol, bar_index")
    table = ordered.select(listed).to_arrow_table()
    if table.num_rows != len(opens):
        raise DatabaseError(
            f"table shadow_seen: expected {len(opens)} bars of {wanted}, found "
            f"{table.num_rows}\n    fix: dbt build, all of it"
        )
    months = np.array([row["month"] for row in rows], "datetime64[M]")
    of_bars = opens.astype("datetime64[us]").astype("datetime64[M]")
    place = np.searchsorted(months, of_bars)
    known = np.append(months, np.datetime64("NaT"))[place] == of_bars
    models = models_of(rows, len(feature_names(names)))
    return models._replace(
        in_force=np.where(known, place, -1).astype(np.int64),
        seen=np.column_stack([numbers(table[name]) for name in names]),
        n_scores=n_scores(names),
    )
