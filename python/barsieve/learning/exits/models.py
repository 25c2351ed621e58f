"""Exit models behind one interface: fitted to closes of trades, kept as plain numbers.

A fitted model is arrays alone, of which `replay.learned` predicts as the library does.
"""

from collections.abc import Callable
from hashlib import blake2b
from typing import Any, NamedTuple

import numpy as np

from barsieve.core.numba_cache import compiled_apart
from barsieve.learning.exits import BOOSTING, FARTHEST_R, LSTM, SEED
from barsieve.replay.learned import NOTHING, TREES, Learned, trees_say

ROUNDS, LEAVES, RATE, LEAST_SHARE = 30, 8, 0.1, 0.01

LISTS = (
    "root", "feature", "value", "left", "right", "is_left", "inputs", "recurrent",
    "bias", "output", "mean", "spread",
)  # fmt: skip
"""Numbers of a model, each a flat list in `exit_learned`, beside its `base`."""


class Fit(NamedTuple):
    """A fitted model: `numbers` by the names of LISTS, and the `base` added to all."""

    model: str
    base: float
    numbers: dict[str, np.ndarray]


def hash_of(features: np.ndarray, rest: np.ndarray, starts: np.ndarray) -> str:
    """Return a digest of all that a model is fitted on."""
    digest = blake2b(digest_size=16)
    for part in (features, rest, starts):
        digest.update(np.ascontiguousarray(part).view(np.uint8).data)
    return digest.hexdigest()


def flat_trees(predictors: list[list[Any]]) -> dict[str, np.ndarray]:
    """Return the trees of scikit-learn's histogram boosting as flat arrays."""
    trees = [per_class[0].nodes for per_class in predictors]
    sizes = [len(nodes) for nodes in trees]
    root = np.concatenate([[0], np.cumsum(sizes)])[:-1].astype(np.int64)
    nodes = np.concatenate(trees)
    offset = np.repeat(root, sizes)
    is_leaf = nodes["is_leaf"].astype(bool)
    return {
        "root": root,
        "feature": np.where(is_leaf, -1, nodes["feature_idx"]).astype(np.int64),
        "value": np.where(is_leaf, nodes["value"], nodes["num_threshold"]),
        "left": np.where(is_leaf, -1, nodes["left"] + offset).astype(np.int64),
        "right": np.where(is_leaf, -1, nodes["right"] + offset).astype(np.int64),
        "is_left": nodes["missing_go_to_left"].astype(bool),
    }


def learner(n_rows: int) -> Any:
    """Return boosting of small trees that has learned nothing yet."""
    from sklearn.ensemble import HistGradientBoostingRegressor

    return HistGradientBoostingRegressor(
        max_iter=ROUNDS, max_leaf_nodes=LEAVES, learning_rate=RATE,
        min_samples_leaf=max(40, int(LEAST_SHARE * n_rows)), early_stopping=False,
        random_state=SEED,
    )  # fmt: skip


def fit_boosting(features: np.ndarray, rest: np.ndarray, starts: np.ndarray) -> Fit:
    """Fit boosting (Friedman, 2001) to what was still to come, held within R's ends."""
    from threadpoolctl import threadpool_limits

    target = np.clip(rest, -FARTHEST_R, FARTHEST_R)
    # A column that is nowhere known says nothing: a constant, which no tree splits on.
    is_known = np.isfinite(features).any(axis=0)
    # So few rows are fitted sooner by one thread than by two that wait for each other.
    with threadpool_limits(limits=1):
        made = learner(len(rest)).fit(np.where(is_known, features, 0.0), target)
    base = float(np.ravel(made._baseline_prediction)[0])
    return Fit(BOOSTING, base, flat_trees(made._predictors))


def _fit_lstm(features: np.ndarray, rest: np.ndarray, starts: np.ndarray) -> Fit:
    from barsieve.learning.exits.lstm import fit_lstm

    return fit_lstm(features, rest, starts)


FITTERS: dict[str, Callable[[np.ndarray, np.ndarray, np.ndarray], Fit]] = {
    BOOSTING: fit_boosting,
    LSTM: _fit_lstm,
}
"""By the name of a model, what fits it: features, rest and where trades start."""


def learned_of(fit: Fit) -> Learned:
    """Return a fit as the step evaluates it, beside no bars."""
    if fit.model == BOOSTING:
        n_trees = len(fit.numbers["root"])
        return NOTHING._replace(
            kind=TREES,
            base=np.array([fit.base]),
            first_tree=np.array([0, n_trees], np.int64),
            root=np.ascontiguousarray(fit.numbers["root"]),
            feature=np.ascontiguousarray(fit.numbers["feature"]),
            value=np.ascontiguousarray(fit.numbers["value"]),
            left=np.ascontiguousarray(fit.numbers["left"]),
            right=np.ascontiguousarray(fit.numbers["right"]),
            is_left=np.ascontiguousarray(fit.numbers["is_left"]),
        )
    from barsieve.learning.exits.lstm import learned_of_lstm

    return learned_of_lstm(fit)


@compiled_apart
def _trees_say_all(learned: Learned, features: np.ndarray, said: np.ndarray) -> None:
    for row in range(len(features)):
        said[row] = trees_say(learned, 0, features[row])


def predict(fit: Fit, features: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """Return what a fit expects at each close, by the code of the step, R.

    `features`: shape (n_rows, n_features), trade by trade from `starts`.
    """
    said = np.empty(len(features))
    if fit.model == BOOSTING:
        _trees_say_all(learned_of(fit), np.ascontiguousarray(features), said)
        return said
    from barsieve.learning.exits.lstm import say_all

    say_all(learned_of(fit), features, starts, said)
    return said
