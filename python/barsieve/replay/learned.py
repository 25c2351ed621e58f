"""Learned exits in the step: what is still to come in R, by numbers fitted before.

What a model sees at a close is what the step knows: the position, and the bar. The
numbers lie beside the bars, as flat arrays: trees of boosting, and the cell of an LSTM
(Hochreiter and Schmidhuber, 1997). What it remembers of an open position is a row of
float64 of fixed length, so that a state can hold it.
"""

from math import exp
from typing import NamedTuple

import numpy as np

from barsieve.core.numba_cache import compiled, compiled_apart
from barsieve.replay.state import LONG, Bar, Position

NO_MODEL, TREES, LSTM = 0, 1, 2

OF_POSITION = ("profit_r", "best_r", "worst_r", "bars_held", "stop_r", "has_partial")
"""What is seen of a position, before what is seen of the bar."""

MODEL, BEST, WORST, HIDDEN = 0, 1, 2, 3
"""Places in a position's memory: its model, its extremes in R, what an LSTM carries."""


class Learned(NamedTuple):
    """Numbers of exit models beside the bars, and what the models see of a bar.

    `kind`: NO_MODEL, TREES or LSTM. `in_force`, shape (n_bars,): the model that serves
    a trade decided at a bar; -1 where none was fitted yet. `seen`, shape (n_bars,
    n_seen): first `n_scores` scores, 1 less each for a short; then the net vetoes of a
    long and of a short, of which the own counts; then what has no side.

    Trees: model m has those from `first_tree[m]` to `first_tree[m + 1]`, tree t begins
    at node `root[t]`; a node whose `feature` is -1 is a leaf of that `value`, one that
    is not goes `left` where the feature is at most its `value`, or is NaN and `is_left`
    says so. `base`, shape (n_models,), is added.

    LSTM of n_units: `inputs` of shape (n_models, n_features, 4 n_units), `recurrent`
    (n_models, n_units, 4 n_units), gates in the order of keras (input, forget, cell,
    output); `bias`, `output` (n_models, n_units) with `base`. `mean`, `spread`,
    (n_models, n_features), scale what is seen; NaN counts as the mean.
    """

    kind: int
    in_force: np.ndarray
    seen: np.ndarray
    n_scores: int
    base: np.ndarray
    first_tree: np.ndarray
    root: np.ndarray
    feature: np.ndarray
    value: np.ndarray
    left: np.ndarray
    right: np.ndarray
    is_left: np.ndarray
    inputs: np.ndarray
    recurrent: np.ndarray
    bias: np.ndarray
    output: np.ndarray
    mean: np.ndarray
    spread: np.ndarray


def _none(*shape: int, dtype: type = np.float64) -> np.ndarray:
    return np.empty(shape, dtype)


NOTHING = Learned(
    kind=NO_MODEL,
    in_force=_none(0, dtype=np.int64),
    seen=_none(0, 0),
    n_scores=0,
    base=_none(0),
    first_tree=_none(0, dtype=np.int64),
    root=_none(0, dtype=np.int64),
    feature=_none(0, dtype=np.int64),
    value=_none(0),
    left=_none(0, dtype=np.int64),
    right=_none(0, dtype=np.int64),
    is_left=_none(0, dtype=np.bool_),
    inputs=_none(0, 0, 0),
    recurrent=_none(0, 0, 0),
    bias=_none(0, 0),
    output=_none(0, 0),
    mean=_none(0, 0),
    spread=_none(0, 0),
)
"""No model: nothing is asked, and nothing is remembered."""


def at_bars(learned: Learned, rows: np.ndarray) -> Learned:
    """Return the same models beside some of the bars, by their positions."""
    if learned.kind == NO_MODEL:
        return learned
    return learned._replace(
        in_force=learned.in_force[rows], seen=np.ascontiguousarray(learned.seen[rows])
    )


def n_features(learned: Learned) -> int:
    """Return how many numbers a model sees: of two vetoes one counts."""
    return len(OF_POSITION) + int(learned.seen.shape[1]) - 1


def make_memory(learned: Learned, n_symbols: int) -> np.ndarray:
    """Return what is remembered of the positions of some symbols, a row each.

    Of no length without a model.
    """
    n = HIDDEN + 2 * learned.output.shape[1] if learned.kind != NO_MODEL else 0
    return np.zeros((n_symbols, n))


def make_sight(learned: Learned) -> np.ndarray:
    """Return room for what a model sees, and for the gates of an LSTM."""
    if learned.kind == NO_MODEL:
        return np.empty(0)
    return np.empty(n_features(learned) + 4 * learned.output.shape[1])


@compiled
def begin_memory(memory: np.ndarray, model: int) -> None:
    """Forget the position before; `model` is that of the decision's month."""
    memory[:] = 0.0
    memory[MODEL] = model
    memory[BEST] = -np.inf
    memory[WORST] = np.inf


@compiled
def see(
    sight: np.ndarray,
    memory: np.ndarray,
    learned: Learned,
    position: Position,
    bars_held: int,
    bar: Bar,
) -> None:
    """Write into `sight` what is known at a close of an open position.

    `position` is that before the close moves its stop, which was in force in the bar;
    `bars_held` counts the bar.
    """
    side, distance = position.side, position.risk_distance
    best = bar.high if side == LONG else bar.low
    worst = bar.low if side == LONG else bar.high
    entered = position.entry_price
    memory[BEST] = max(memory[BEST], side * (best - entered) / distance)
    memory[WORST] = min(memory[WORST], side * (worst - entered) / distance)
    sight[0] = side * (bar.close - entered) / distance
    sight[1] = memory[BEST]
    sight[2] = memory[WORST]
    sight[3] = bars_held
    sight[4] = side * (bar.close - position.stop) / distance
    sight[5] = position.has_partial
    seen, n_scores = learned.seen, learned.n_scores
    row, at = bar.index, 6
    for k in range(n_scores):
        score = seen[row, k]
        sight[at + k] = score if side == LONG else 1.0 - score
    at += n_scores
    sight[at] = seen[row, n_scores if side == LONG else n_scores + 1]
    for k in range(n_scores + 2, seen.shape[1]):
        sight[at + k - n_scores - 1] = seen[row, k]


@compiled
def trees_say(learned: Learned, model: int, sight: np.ndarray) -> float:
    """Return the sum of a model's trees, in their order."""
    said: float = learned.base[model]
    feature, value, is_left = learned.feature, learned.value, learned.is_left
    left, right = learned.left, learned.right
    # Places are unsigned: of others it would be asked whether they count from the end.
    for tree in range(learned.first_tree[model], learned.first_tree[model + 1]):
        node = np.uint64(learned.root[tree])
        seen = feature[node]
        while seen >= 0:
            x = sight[np.uint64(seen)]
            if x <= value[node] or (x != x and is_left[node]):
                node = np.uint64(left[node])
            else:
                node = np.uint64(right[node])
            seen = feature[node]
        said += value[node]
    return said


@compiled
def _sigmoid(x: float) -> float:
    if x >= 0.0:
        return 1.0 / (1.0 + exp(-x))
    grown = exp(x)
    return grown / (1.0 + grown)


@compiled
def lstm_says(
    learned: Learned, model: int, sight: np.ndarray, memory: np.ndarray, n_seen: int
) -> float:
    """Carry an LSTM through one more bar; return what its output says."""
    n_units = learned.output.shape[1]
    gates = sight[n_seen:]
    gates[:] = learned.bias[model]
    for k in range(n_seen):
        x = (sight[k] - learned.mean[model, k]) / learned.spread[model, k]
        if x == x:
            for j in range(4 * n_units):
                gates[j] += x * learned.inputs[model, k, j]
    for k in range(n_units):
        before = memory[HIDDEN + k]
        for j in range(4 * n_units):
            gates[j] += before * learned.recurrent[model, k, j]
    said: float = learned.base[model]
    for k in range(n_units):
        at = HIDDEN + n_units + k
        kept = _sigmoid(gates[n_units + k]) * memory[at]
        memory[at] = kept + _sigmoid(gates[k]) * np.tanh(gates[2 * n_units + k])
        memory[HIDDEN + k] = _sigmoid(gates[3 * n_units + k]) * np.tanh(memory[at])
        said += memory[HIDDEN + k] * learned.output[model, k]
    return said


@compiled_apart
def still_to_come(
    learned: Learned,
    memory: np.ndarray,
    sight: np.ndarray,
    position: Position,
    bar: Bar,
) -> float:
    """Return what a model expects an open position to bring until the rules leave, R.

    NaN for a trade decided before any was fitted. The bar is counted as held.
    """
    model = int(memory[MODEL])
    if model < 0:
        return np.nan
    see(sight, memory, learned, position, position.bars_held + 1, bar)
    if learned.kind == LSTM:
        n_seen = len(sight) - 4 * learned.output.shape[1]
        return lstm_says(learned, model, sight, memory, n_seen)
    return trees_say(learned, model, sight)
