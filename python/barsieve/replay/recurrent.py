"""LSTM cell of a learned exit: one bar in, what is still to come out, in float64.

A fitted network is one flat vector of numbers, as a column of a table holds it: means
and scales of the features, weights of the bar and of the hidden state, biases, head.
The gates are those of Hochreiter and Schmidhuber (1997) with the forget gate of Gers et
al. (2000), in the order of Keras: input, forget, candidate, output.
"""

from math import exp, tanh

import numpy as np

from barsieve.core.numba_cache import compiled, compiled_apart

MOST_UNITS = 16
"""Units that the memory of a position has room for."""
MEMORY = 6 * MOST_UNITS
"""Length of the memory: hidden state, cell state, and the four gates of the bar."""
FARTHEST = 5.0
"""Deviations beyond which a feature counts as no farther."""


@compiled
def n_numbers(n_features: int, n_units: int) -> int:
    """Return the length of the vector of a network of so many features and units."""
    return 2 * n_features + 4 * n_units * (n_features + n_units + 1) + n_units + 1


@compiled
def standardised(value: float, mean: float, scale: float) -> float:
    """Return a feature in deviations from its mean; what is missing is the mean."""
    deviations = (value - mean) / scale
    if not deviations == deviations:
        return 0.0
    return min(max(deviations, -FARTHEST), FARTHEST)


@compiled
def sigmoid(value: float) -> float:
    """Return the logistic function of a value."""
    return 1.0 / (1.0 + exp(-value))


def empty_memory() -> np.ndarray:
    """Return the memory of a position of which no bar has been seen, float64."""
    return np.zeros(MEMORY)


@compiled
def forget(memory: np.ndarray) -> None:
    """Empty a memory, as a new position needs it."""
    for i in range(MEMORY):
        memory[i] = 0.0


@compiled_apart
def see_bar(
    numbers: np.ndarray, n_units: int, features: np.ndarray, memory: np.ndarray
) -> float:
    """Take one bar into the memory; return the prediction after it, R.

    `numbers` is the flat vector of the network, `features` those of the bar, shape
    (n_features,), `memory` float64 of shape (MEMORY,), changed in place.
    """
    n_features, n_gates = len(features), 4 * n_units
    weights = 2 * n_features
    recurrent = weights + n_features * n_gates
    bias = recurrent + n_units * n_gates
    head = bias + n_gates
    hidden, cell, gates = 0, MOST_UNITS, 2 * MOST_UNITS
    for j in range(n_gates):
        memory[gates + j] = numbers[bias + j]
    for k in range(n_features):
        value = standardised(features[k], numbers[k], numbers[n_features + k])
        row = weights + k * n_gates
        for j in range(n_gates):
            memory[gates + j] += value * numbers[row + j]
    for k in range(n_units):
        value = memory[hidden + k]
        row = recurrent + k * n_gates
        for j in range(n_gates):
            memory[gates + j] += value * numbers[row + j]
    predicted = numbers[head + n_units]
    for u in range(n_units):
        let_in = sigmoid(memory[gates + u])
        kept = sigmoid(memory[gates + n_units + u])
        candidate = tanh(memory[gates + 2 * n_units + u])
        shown = sigmoid(memory[gates + 3 * n_units + u])
        memory[cell + u] = kept * memory[cell + u] + let_in * candidate
        memory[hidden + u] = shown * tanh(memory[cell + u])
        predicted += numbers[head + u] * memory[hidden + u]
    return predicted


@compiled_apart
def predict_paths(
    numbers: np.ndarray, n_units: int, features: np.ndarray, lengths: np.ndarray
) -> np.ndarray:
    """Return the prediction after each bar of many trades, R, shape (n_rows,).

    `features` has shape (n_rows, n_features), trade by trade, and `lengths` the number
    of bars of each.
    """
    predicted = np.empty(len(features))
    memory = np.zeros(MEMORY)
    row = 0
    for trade in range(len(lengths)):
        forget(memory)
        for _ in range(lengths[trade]):
            predicted[row] = see_bar(numbers, n_units, features[row], memory)
            row += 1
    return predicted
