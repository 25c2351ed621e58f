"""A small LSTM over the closes since the entry, fitted by keras on jax in float64.

Every close of a trade is a step, and what was still to come there its target; a trade
is a sequence. The step carries the same cell from bar to bar (`replay.learned`).
"""

import os
from typing import Any

import numpy as np

from barsieve.core.numba_cache import compiled_apart
from barsieve.learning.exits import FARTHEST_R, LSTM, SEED
from barsieve.learning.exits.models import Fit
from barsieve.learning.models import scale_of
from barsieve.replay.learned import HIDDEN, Learned, begin_memory, lstm_says
from barsieve.replay.learned_tables import models_of

UNITS, EPOCHS, BATCH, RATE = 8, 12, 128, 0.01
MOST_TRADES = 1_024
"""Trades that it learns from, the last ones: a fixed number, so jax compiles once."""
MOST_CLOSES = 96
"""Closes of a trade that it learns from."""
SPREAD_OF_NOTHING = 1e300
"""Divides what never varies, so that it says nothing."""


def keras_on_jax() -> Any:
    """Import keras on jax, in float64. Raises ImportError without the extra `deep`."""
    os.environ.setdefault("KERAS_BACKEND", "jax")
    import jax

    jax.config.update("jax_enable_x64", True)
    import keras

    keras.config.set_floatx("float64")
    return keras


def network(n_features: int) -> Any:
    """Return the network that has learned nothing yet, its weights by the seed."""
    keras = keras_on_jax()
    # keras's own tanh goes through single precision, whatever it is given.
    from jax.numpy import tanh

    keras.utils.set_random_seed(SEED)
    made = keras.Sequential(
        [
            keras.Input((MOST_CLOSES, n_features)),
            keras.layers.LSTM(UNITS, activation=tanh, return_sequences=True),
            keras.layers.Dense(1),
        ]
    )
    made.compile(keras.optimizers.Adam(RATE), "mse")
    return made


def _padded(values: np.ndarray, starts: np.ndarray, n_trades: int) -> np.ndarray:
    """Return trades as sequences of equal length, 0 after their end."""
    found = np.zeros((n_trades, MOST_CLOSES, *values.shape[1:]))
    for place in range(min(n_trades, len(starts) - 1)):
        own = values[starts[place] : starts[place + 1]][:MOST_CLOSES]
        found[place, : len(own)] = own
    return found


def scaled(features: np.ndarray, mean: np.ndarray, spread: np.ndarray) -> np.ndarray:
    """Return features in deviations, as the step scales them; unknown is the mean."""
    return np.nan_to_num((features - mean) / spread)


def sequences(
    features: np.ndarray, rest: np.ndarray, starts: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return scaled features, targets and weights of the last trades, padded."""
    last = starts[-(MOST_TRADES + 1) :]
    ones = np.ones(len(rest))
    target = np.clip(rest, -FARTHEST_R, FARTHEST_R)
    parts = (features, target, ones)
    x, y, weight = (_padded(part, last, MOST_TRADES) for part in parts)
    return x, y, weight


def fit_lstm(features: np.ndarray, rest: np.ndarray, starts: np.ndarray) -> Fit:
    """Fit the network to trades; the same trades give the same numbers."""
    scale = scale_of(features)
    spread = np.where(np.isfinite(scale.spread), scale.spread, SPREAD_OF_NOTHING)
    made = network(features.shape[1])
    x, y, weight = sequences(scaled(features, scale.mean, spread), rest, starts)
    made.fit(
        x, y[..., None], sample_weight=weight, epochs=EPOCHS, batch_size=BATCH,
        shuffle=False, verbose=0,
    )  # fmt: skip
    cell, dense = made.layers
    inputs, recurrent, bias = (np.asarray(w, np.float64) for w in cell.get_weights())
    output, base = (np.asarray(w, np.float64) for w in dense.get_weights())
    numbers = {
        "inputs": inputs, "recurrent": recurrent, "bias": bias,
        "output": output.ravel(), "mean": scale.mean, "spread": spread,
    }  # fmt: skip
    return Fit(LSTM, float(base[0]), numbers)


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
