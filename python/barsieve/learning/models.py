"""Models that learn: three of scikit-learn, and two rules that learn nothing.

All are made to be small: there are dozens of months, however many configurations, and
all rows of a month share its luck.
"""

from typing import NamedTuple

import numpy as np

from barsieve.core.arrow import fields_of
from barsieve.learning import BOOSTING, EQUAL, FOREST, LAST_BEST, RIDGE, SEED
from barsieve.learning.dataset import BELIEFS, STATES, Rows

RIDGE_MONTHS = 12
"""The penalty of the ridge counts as much as the rows of so many months."""
TREES, DEPTH, TREE_SHARE = 20, 5, 0.15
ROUNDS, LEAVES, RATE = 30, 8, 0.1
BELIEF_SPREAD = 0.5
"""Unit of a probability: one that hardly varied must not be blown up when it does."""
FARTHEST = 3.0
"""Deviations beyond which a state counts as no farther: none was learned from there."""


class Scale(NamedTuple):
    """Mean and deviation of the training months; what is missing becomes the mean."""

    mean: np.ndarray
    spread: np.ndarray

    def __call__(self, values: np.ndarray) -> np.ndarray:
        """Return the values in deviations from the mean."""
        return np.nan_to_num((values - self.mean) / self.spread)


def scale_of(values: np.ndarray) -> Scale:
    """Return the scale of values of shape (n, n_columns); constants become 0."""
    known = np.isfinite(values)
    n = np.maximum(known.sum(axis=0), 1)
    mean = np.where(known, values, 0.0).sum(axis=0) / n
    spread = np.sqrt((np.where(known, values - mean, 0.0) ** 2).sum(axis=0) / n)
    return Scale(mean, np.where(spread > 1e-12, spread, np.inf))


def scaled_states(states: np.ndarray, known: np.ndarray):
    """Return states in deviations of those known, held within `FARTHEST`."""
    scale = scale_of(known)
    scale.spread[: len(BELIEFS)] = BELIEF_SPREAD
    return np.clip(scale(states), -FARTHEST, FARTHEST)


def varied_settings(rows: Rows) -> list[str]:
    """Return the names of the settings that differ between configurations."""
    names = fields_of(rows.settings.dtype)
    return [name for name in names if np.ptp(rows.settings[name]) > 0]


def setting_columns(rows: Rows) -> np.ndarray:
    """Return the settings that vary, standardised, shape (n_configs, n_settings)."""
    names = varied_settings(rows)
    values = np.column_stack(
        [np.empty((len(rows.settings), 0)), *(rows.settings[n] for n in names)]
    )
    return scale_of(values)(values)


def crossed(settings: np.ndarray, states: np.ndarray) -> np.ndarray:
    """Return a row for each state and configuration, states in the outer loop.

    Shape (n_states * n_configs, n_settings + n_state_columns).
    """
    n_configs, n_states = len(settings), len(states)
    return np.column_stack(
        [np.tile(settings, (n_states, 1)), np.repeat(states, n_configs, axis=0)]
    )


def with_interactions(features: np.ndarray, n_settings: int) -> np.ndarray:
    """Append each setting times each regime probability."""
    settings = features[:, :n_settings]
    beliefs = features[:, n_settings : n_settings + len(BELIEFS)]
    products = settings[:, :, None] * beliefs[:, None, :]
    return np.column_stack([features, products.reshape(len(features), -1)])


class Ridge:
    """A linear model with configuration x regime interactions."""

    def __init__(self, n_configs: int, n_settings: int):
        """Set the penalty by the number of configurations."""
        from sklearn.linear_model import Ridge as Linear

        self.n_settings = n_settings
        self.model = Linear(alpha=RIDGE_MONTHS * n_configs, solver="cholesky")

    def fit(self, features: np.ndarray, target: np.ndarray) -> "Ridge":
        """Learn from rows."""
        self.model.fit(with_interactions(features, self.n_settings), target)
        return self

    def predict(self, features: np.ndarray) -> np.ndarray:
        """Return the predicted results."""
        return self.model.predict(with_interactions(features, self.n_settings))


def learner(name: str, n_configs: int, n_settings: int):
    """Return a model of that name that has learned nothing yet."""
    from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestRegressor

    if name == RIDGE:
        return Ridge(n_configs, n_settings)
    if name == FOREST:
        return RandomForestRegressor(
            TREES, max_depth=DEPTH, min_samples_leaf=20, max_features=0.5,
            max_samples=TREE_SHARE, random_state=SEED, n_jobs=1,
        )  # fmt: skip
    if name == BOOSTING:
        return HistGradientBoostingRegressor(
            max_iter=ROUNDS, max_leaf_nodes=LEAVES, learning_rate=RATE,
            min_samples_leaf=n_configs // 4 + 1, early_stopping=False,
            random_state=SEED,
        )  # fmt: skip
    raise ValueError(f"learner: expected ridge, random_forest or boosting: {name}")


def ranked_by_rule(name: str, rows: Rows, known: np.ndarray) -> np.ndarray:
    """Return what a rule that learns nothing thinks of each configuration.

    `last_best`: its last known month. `equal_weights`: the nearer to equal, the better.
    """
    if name == LAST_BEST:
        return rows.r_sum[known[-1]]
    if name == EQUAL:
        weights = np.column_stack([rows.settings[name] for name in rows.weights])
        return -np.abs(weights - 1 / len(rows.weights)).sum(axis=1)
    raise ValueError(f"rule: expected last_best or equal_weights, found {name}")


def state_columns(group: tuple[str, ...]) -> list[int]:
    """Return the positions of named states among `STATES`."""
    return [STATES.index(name) for name in group]
