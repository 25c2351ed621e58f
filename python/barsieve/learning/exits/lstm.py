"""A small LSTM over the closes since the entry, fitted by keras on jax in float64.

Every close of a trade is a step, and what was still to come there its target; a trade
is a sequence. The step carries the same cell from bar to bar (`replay.learned`).
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from threading import Lock
from typing import Any, NamedTuple

import numpy as np

from barsieve.core.errors import refuse
from barsieve.core.extras import needed
from barsieve.core.numba_cache import compiled_apart
from barsieve.learning.exits import FARTHEST_R, LSTM, SEED
from barsieve.learning.exits.models import Fit
from barsieve.learning.models import scale_of
from barsieve.replay.learned import HIDDEN, Learned, begin_memory, lstm_says
from barsieve.replay.learned_tables import models_of

UNITS, EPOCHS, BATCH, RATE = 8, 40, 16, 0.01
HELD_BACK, PATIENCE = 0.2, 4
"""Share of the trades, the last ones, that say when to stop, and after how many epochs
without a gain there."""
LEAST_ROOM = 8
"""Closes that the shortest sequences are padded to; others to a power of two."""
SPREAD_OF_NOTHING = 1e300
"""Divides what never varies, so that it says nothing."""
ONE_THREAD = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"

_ALONE = Lock()


@cache
def keras_on_jax() -> Any:
    """Import keras on jax, in float64 and on one thread.

    Raises MissingExtraError without the extra `deep`, InputError where keras runs on
    something else.
    """
    os.environ.setdefault("KERAS_BACKEND", "jax")
    flags = os.environ.get("XLA_FLAGS", "")
    if "intra_op_parallelism_threads" not in flags:
        os.environ["XLA_FLAGS"] = f"{flags} {ONE_THREAD}".strip()
    needed("jax", "deep", "an LSTM").config.update("jax_enable_x64", True)
    keras = needed("keras", "deep", "an LSTM")
    if keras.backend.backend() != "jax":
        refuse(
            "keras",
            "KERAS_BACKEND",
            expected="jax, on which an LSTM is fitted",
            found=keras.backend.backend(),
            fix="unset KERAS_BACKEND, or set it to jax",
        )
    return keras


@contextmanager
def in_double() -> Iterator[None]:
    """Within it keras computes in float64, and for one thread of ours alone."""
    keras = keras_on_jax()
    with _ALONE:
        before = keras.config.floatx()
        keras.config.set_floatx("float64")
        try:
            yield
        finally:
            keras.config.set_floatx(before)


@cache
def _network(n_features: int, n_units: int) -> tuple[Any, list[np.ndarray]]:
    """Return a network and its first weights, by the seed; jax compiles it once.

    It is cached, and used within `in_double`. It says the mean until it has learned.
    """
    keras = keras_on_jax()
    # keras's own tanh goes through single precision, whatever it is given.
    from jax.numpy import tanh

    begin = keras.initializers
    cell = keras.layers.LSTM(
        n_units,
        activation=tanh,
        return_sequences=True,
        kernel_initializer=begin.GlorotUniform(SEED),
        recurrent_initializer=begin.Orthogonal(seed=SEED + 1),
    )
    dense = keras.layers.Dense(1, kernel_initializer="zeros")
    made = keras.Sequential([keras.Input((None, n_features)), cell, dense])
    loss = keras.losses.MeanSquaredError(reduction="mean_with_sample_weight")
    made.compile(keras.optimizers.Adam(RATE, clipnorm=1.0), loss)
    made.optimizer.build(made.trainable_variables)
    return made, made.get_weights()


def scaled(features: np.ndarray, mean: np.ndarray, spread: np.ndarray) -> np.ndarray:
    """Return features in deviations, as the step scales them; unknown is the mean."""
    return np.nan_to_num((features - mean) / spread)


class Batch(NamedTuple):
    """Trades side by side, padded: shapes (BATCH, n, n_features), (BATCH, n, 1) and
    (BATCH, n). What is padding has no weight."""

    features: np.ndarray
    target: np.ndarray
    weight: np.ndarray


def batches(features: np.ndarray, target: np.ndarray, starts: np.ndarray) -> list:
    """Lay trades of like length side by side, so that little of it is padding."""
    lengths = np.diff(starts)
    powers = np.ceil(np.log2(np.maximum(lengths, LEAST_ROOM))).astype(int)
    made = []
    for power in np.unique(powers):
        members = np.flatnonzero(powers == power)
        for first in range(0, len(members), BATCH):
            shape = BATCH, 2 ** int(power)
            batch = Batch(
                np.zeros((*shape, features.shape[1])),
                np.zeros((*shape, 1)),
                np.zeros(shape),
            )
            for place, trade in enumerate(members[first : first + BATCH]):
                own, n = slice(starts[trade], starts[trade + 1]), lengths[trade]
                batch.features[place, :n] = features[own]
                batch.target[place, :n, 0] = target[own]
                batch.weight[place, :n] = 1.0
            made.append(batch)
    return made


def _loss(made: Any, held: list[Batch]) -> float:
    """Return the mean squared error of batches, every close counting alike."""
    total = 0.0
    for batch in held:
        # keras's own figure is a mean of all since it was last reset.
        made.reset_metrics()
        total += float(made.test_on_batch(*batch)) * batch.weight.sum()
    return total / sum(batch.weight.sum() for batch in held)


def _train(made: Any, learned: list[Batch], held: list[Batch]) -> None:
    """Train until what is held back gains no more; the best weights are left.

    Those at the start count too: where nothing is gained, nothing is learned.
    """
    rng = np.random.default_rng(SEED)
    best, weights, waited = _loss(made, held), made.get_weights(), 0
    for _ in range(EPOCHS):
        for place in rng.permutation(len(learned)):
            made.train_on_batch(*learned[place])
        loss = _loss(made, held)
        waited = 0 if loss < best else waited + 1
        if loss < best:
            best, weights = loss, made.get_weights()
        if waited >= PATIENCE:
            break
    made.set_weights(weights)


def fit_lstm(features: np.ndarray, rest: np.ndarray, starts: np.ndarray) -> Fit:
    """Fit the network to trades; the same trades give the same numbers.

    Scales and the mean are those of the trades that are not held back.
    """
    n_trades = len(starts) - 1
    cut = n_trades - max(1, int(HELD_BACK * n_trades))
    scale = scale_of(features[: starts[cut]])
    spread = np.where(np.isfinite(scale.spread), scale.spread, SPREAD_OF_NOTHING)
    target = np.clip(rest, -FARTHEST_R, FARTHEST_R)
    centre = target[: starts[cut]].mean()
    x = scaled(features, scale.mean, spread)
    with in_double():
        made, first = _network(features.shape[1], UNITS)
        made.set_weights(first)
        for variable in made.optimizer.variables:
            # The rate is one of them, and what was seen before are the others.
            if variable is not made.optimizer.learning_rate:
                variable.assign(np.zeros(variable.shape, variable.dtype))
        _train(
            made,
            batches(x, target - centre, starts[: cut + 1]),
            batches(x, target - centre, starts[cut:]),
        )
        inputs, recurrent, bias, output, base = made.get_weights()
    numbers = {
        "inputs": inputs, "recurrent": recurrent, "bias": bias,
        "output": output.ravel(), "mean": scale.mean, "spread": spread,
    }  # fmt: skip
    return Fit(LSTM, float(base[0] + centre), numbers)


def said_by_keras(fit: Fit, features: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """Return what keras itself makes of a fit at each close, R, shape (n_rows,)."""
    numbers, n_units = fit.numbers, len(fit.numbers["output"])
    lengths = np.diff(starts)
    is_close = np.arange(lengths.max()) < lengths[:, None]
    x = np.zeros((*is_close.shape, features.shape[1]))
    x[is_close] = scaled(features, numbers["mean"], numbers["spread"])
    weights = [numbers[name] for name in ("inputs", "recurrent", "bias")]
    with in_double():
        made, _ = _network(features.shape[1], n_units)
        made.set_weights([*weights, numbers["output"][:, None], np.array([fit.base])])
        said: np.ndarray = made.predict_on_batch(x)[is_close][:, 0]
    return said


def learned_of_lstm(fit: Fit) -> Learned:
    """Return a fit as the step evaluates it, beside no bars."""
    numbers = {name: np.ravel(values) for name, values in fit.numbers.items()}
    row = {"model": LSTM, "base": fit.base, **numbers}
    return models_of([row], len(numbers["mean"]))


@compiled_apart
def _say_all(
    learned: Learned,
    features: np.ndarray,
    starts: np.ndarray,
    memory: np.ndarray,
    sight: np.ndarray,
    said: np.ndarray,
) -> None:
    n_seen = features.shape[1]
    for trade in range(len(starts) - 1):
        begin_memory(memory, 0)
        for row in range(starts[trade], starts[trade + 1]):
            sight[:n_seen] = features[row]
            said[row] = lstm_says(learned, 0, sight, memory, n_seen)


def say_all(
    learned: Learned, features: np.ndarray, starts: np.ndarray, said: np.ndarray
) -> None:
    """Write what an LSTM expects at each close, trade by trade, R."""
    n_units = learned.output.shape[1]
    memory = np.zeros(HIDDEN + 2 * n_units)
    sight = np.empty(features.shape[1] + 4 * n_units)
    _say_all(learned, np.ascontiguousarray(features), starts, memory, sight, said)
