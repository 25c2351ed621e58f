"""Small LSTM over the bars since entry: what is still to come of a trade, in R.

Keras on JAX fits it, in float64 and on one thread; a fit is a function of its rows,
its settings and the versions of the libraries, and has a hash of them. What is fitted
is one vector of numbers, which `replay/recurrent.py` evaluates.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from typing import Any, NamedTuple

import numpy as np

from barsieve.core.errors import MissingExtraError
from barsieve.core.extras import needed
from barsieve.learning import SEED
from barsieve.replay.recurrent import FARTHEST, MOST_UNITS, n_numbers

EXTRA = "deep"
LEAST_TRADES = 40
"""Trades with a known rest below which nothing is fitted."""
ONE_THREAD = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"


class Paths(NamedTuple):
    """Bars of trades, trade by trade in order of entry.

    `features` has shape (n_rows, n_features), NaN where unknown; `lengths` is the
    number of bars of each trade, shape (n_trades,); `target` is what was still to come
    after each bar, R, NaN where unknown.
    """

    features: np.ndarray
    lengths: np.ndarray
    target: np.ndarray


class Settings(NamedTuple):
    """Settings of a fit.

    `n_warm_epochs` is the most that a fit makes which starts from an earlier one, and
    `n_epochs` the most of any other. `held_back` is the share of trades, the last in
    time, that say when to stop, and `patience` the epochs without a gain there.
    """

    n_units: int = 8
    n_epochs: int = 40
    n_warm_epochs: int = 6
    batch_trades: int = 64
    learning_rate: float = 0.005
    held_back: float = 0.2
    patience: int = 3
    seed: int = SEED


class Fit(NamedTuple):
    """A fitted network: its numbers, its shape, and a hash of what it was fitted on."""

    numbers: np.ndarray
    n_features: int
    n_units: int
    fitted_on: str


@cache
def _keras() -> Any:
    """Return Keras on JAX, set up once for float64 and one thread."""
    if "jax" not in os.environ.setdefault("KERAS_BACKEND", "jax"):
        raise MissingExtraError(
            "an LSTM is fitted by Keras on JAX, and KERAS_BACKEND is "
            f"{os.environ['KERAS_BACKEND']}: unset it, or set it to jax"
        )
    flags = os.environ.get("XLA_FLAGS", "")
    if "intra_op_parallelism_threads" not in flags:
        os.environ["XLA_FLAGS"] = f"{flags} {ONE_THREAD}".strip()
    needed("jax", EXTRA, "an LSTM").config.update("jax_enable_x64", True)
    return needed("keras", EXTRA, "an LSTM")


@contextmanager
def _double(keras: Any) -> Iterator[None]:
    """Within it Keras computes in float64."""
    before = keras.config.floatx()
    keras.config.set_floatx("float64")
    try:
        yield
    finally:
        keras.config.set_floatx(before)


def hash_of(paths: Paths, settings: Settings, start: Fit | None = None) -> str:
    """Return a hash of all that a fit depends on."""
    digest = hashlib.sha256()
    for values in (paths.features, paths.lengths, paths.target):
        digest.update(f"{values.dtype}{values.shape}".encode())
        digest.update(np.ascontiguousarray(values).tobytes())
    versions = [version(name) for name in ("keras", "jax", "numpy")]
    digest.update(repr((tuple(settings), LEAST_TRADES, FARTHEST, versions)).encode())
    digest.update((start.fitted_on if start else "").encode())
    return digest.hexdigest()


def scales_of(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return means and deviations of columns, NaN left out; of a constant, 0 and inf.

    A column that is always missing counts as constant.
    """
    known = np.isfinite(values)
    n = np.maximum(known.sum(axis=0), 1)
    means = np.where(known, values, 0.0).sum(axis=0) / n
    spreads = np.sqrt((np.where(known, values - means, 0.0) ** 2).sum(axis=0) / n)
    return means, np.where(spreads > 1e-12, spreads, np.inf)


def _standardised(values: np.ndarray, means: np.ndarray, scales: np.ndarray):
    return np.clip(np.nan_to_num((values - means) / scales), -FARTHEST, FARTHEST)


class _Batch(NamedTuple):
    features: np.ndarray
    target: np.ndarray
    weight: np.ndarray


def _batches(paths: Paths, trades: np.ndarray, size: int) -> list[_Batch]:
    """Lay trades of like length side by side, padded to powers of two.

    Padding has no weight, and neither has a bar whose rest is unknown.
    """
    ends = np.cumsum(paths.lengths)
    lengths = np.maximum(paths.lengths[trades], 1)
    rooms = 2 ** np.maximum(np.ceil(np.log2(lengths)).astype(int), 3)
    made = []
    for room in np.unique(rooms):
        members = trades[rooms == room]
        for first in range(0, len(members), size):
            shape = (size, int(room))
            features = np.zeros((*shape, paths.features.shape[1]))
            target, weight = np.zeros((*shape, 1)), np.zeros(shape)
            for i, trade in enumerate(members[first : first + size]):
                n = paths.lengths[trade]
                rows = slice(ends[trade] - n, ends[trade])
                known = np.isfinite(paths.target[rows])
                features[i, :n] = paths.features[rows]
                target[i, :n, 0] = np.where(known, paths.target[rows], 0.0)
                weight[i, :n] = known
            made.append(_Batch(features, target, weight))
    return made


@dataclass
class _Network:
    """A Keras model of one shape, whose step is compiled once for all fits."""

    model: Any
    first: list[np.ndarray]

    def start(self, weights: list[np.ndarray], learning_rate: float) -> None:
        """Take weights, and an optimiser that has seen nothing."""
        self.model.set_weights(weights)
        optimizer = self.model.optimizer
        for variable in optimizer.variables:
            variable.assign(np.zeros(variable.shape, dtype=variable.dtype))
        optimizer.learning_rate = learning_rate


@cache
def _network(n_features: int, n_units: int, seed: int) -> _Network:
    keras = _keras()
    with _double(keras):
        model = keras.Sequential(
            [
                keras.Input((None, n_features)),
                keras.layers.LSTM(
                    n_units,
                    return_sequences=True,
                    kernel_initializer=keras.initializers.GlorotUniform(seed),
                    recurrent_initializer=keras.initializers.Orthogonal(seed=seed + 1),
                ),
                keras.layers.Dense(1, kernel_initializer="zeros"),
            ]
        )
        model.compile(
            keras.optimizers.Adam(clipnorm=1.0),
            keras.losses.MeanSquaredError(reduction="mean_with_sample_weight"),
        )
        model.optimizer.build(model.trainable_variables)
        return _Network(model, model.get_weights())


def _weights_of(fit: Fit, centre: float, spread: float) -> list[np.ndarray]:
    """Return Keras' weights of a network; its head in deviations of the target."""
    f, g = fit.n_features, 4 * fit.n_units
    sizes = [2 * f, f * g, fit.n_units * g, g, fit.n_units, 1]
    _, kernel, recurrent, bias, head, constant = np.split(
        fit.numbers, np.cumsum(sizes)[:-1]
    )
    return [
        kernel.reshape(f, g),
        recurrent.reshape(fit.n_units, g),
        bias,
        head.reshape(-1, 1) / spread,
        (constant - centre) / spread,
    ]


def _epochs(model: Any, learned: list[_Batch], held: list[_Batch], n: int, settings):
    """Train until the trades held back gain no more; leave the best weights.

    The start counts too: what gains nothing is left as it was.
    """

    def loss_held() -> float:
        total = weight = 0.0
        for batch in held:
            share = float(batch.weight.sum())
            model.reset_metrics()
            total += share * float(model.test_on_batch(*batch))
            weight += share
        return total / weight

    rng = np.random.default_rng(settings.seed)
    best, best_weights, waited = loss_held(), model.get_weights(), 0
    for _ in range(n):
        for i in rng.permutation(len(learned)):
            model.train_on_batch(*learned[i])
        loss = loss_held()
        if loss < best:
            best, best_weights, waited = loss, model.get_weights(), 0
        else:
            waited += 1
        if waited > settings.patience:
            break
    model.set_weights(best_weights)


def fit(
    paths: Paths, settings: Settings = Settings(), start: Fit | None = None
) -> Fit | None:
    """Fit a network to trades, from an earlier one where given; None for too few.

    The same arguments give the same bits, in any process with the same libraries.
    Raises MissingExtraError where Keras or JAX is not installed.
    """
    if not 1 <= settings.n_units <= MOST_UNITS:
        raise ValueError(f"n_units: expected 1 to {MOST_UNITS}: {settings.n_units}")
    ends = np.cumsum(paths.lengths)
    is_known = np.isfinite(paths.target)
    known_before = np.concatenate([[0], np.cumsum(is_known)])
    has_known = known_before[ends] > known_before[ends - paths.lengths]
    trades = np.flatnonzero(has_known)
    if len(trades) < LEAST_TRADES:
        return None
    keras = _keras()
    n_features = paths.features.shape[1]
    n_held = max(1, int(settings.held_back * len(trades)))
    n_rows = ends[trades[-n_held - 1]]
    means, scales = scales_of(paths.features[:n_rows])
    learned_target = paths.target[:n_rows][is_known[:n_rows]]
    centre, spread = float(learned_target.mean()), float(learned_target.std())
    spread = spread if spread > 1e-12 else 1.0
    scaled = Paths(
        _standardised(paths.features, means, scales),
        paths.lengths,
        (paths.target - centre) / spread,
    )
    network = _network(n_features, settings.n_units, settings.seed)
    with _double(keras):
        network.start(
            _weights_of(start, centre, spread) if start else network.first,
            settings.learning_rate,
        )
        _epochs(
            network.model,
            _batches(scaled, trades[:-n_held], settings.batch_trades),
            _batches(scaled, trades[-n_held:], settings.batch_trades),
            settings.n_warm_epochs if start else settings.n_epochs,
            settings,
        )
        kernel, recurrent, bias, head, constant = network.model.get_weights()
    numbers = np.concatenate(
        [
            means,
            scales,
            kernel.ravel(),
            recurrent.ravel(),
            bias,
            head.ravel() * spread,
            constant * spread + centre,
        ]
    )
    assert len(numbers) == n_numbers(n_features, settings.n_units)
    return Fit(numbers, n_features, settings.n_units, hash_of(paths, settings, start))


def predict(fitted: Fit, paths: Paths) -> np.ndarray:
    """Return Keras' own prediction after each bar, R, shape (n_rows,)."""
    keras = _keras()
    f = fitted.n_features
    means, scales = fitted.numbers[:f], fitted.numbers[f : 2 * f]
    network = _network(f, fitted.n_units, SEED)
    n_trades, n_bars = len(paths.lengths), int(paths.lengths.max(initial=0))
    is_bar = np.arange(n_bars) < paths.lengths[:, None]
    features = np.zeros((n_trades, n_bars, f))
    features[is_bar] = _standardised(paths.features, means, scales)
    with _double(keras):
        network.model.set_weights(_weights_of(fitted, 0.0, 1.0))
        return network.model.predict_on_batch(features)[is_bar][:, 0]
