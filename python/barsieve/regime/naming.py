"""Names for states by their economics, and when a new name comes into force."""

import numpy as np

from barsieve.regime import UNKNOWN
from barsieve.regime.columns import STRESS


def by_stress(means: np.ndarray, used: np.ndarray) -> np.ndarray:
    """Return the order of states from the least stress to the most, shape (k,).

    Stress is the mean of the standardised VIX, MOVE and realised volatility, those of
    them that were used; all columns where none was. It is the assignment of states to
    names with the least squared distance along that one axis, and has no memory, so a
    refit that finds the same states in another order gives them the same names.

    `means`: standardised, shape (k, d). `used`: positions in `COLUMNS`, shape (d,).
    """
    is_stress = np.isin(used, list(STRESS))
    chosen = means[:, is_stress] if is_stress.any() else means
    return np.argsort(chosen.mean(axis=1), kind="stable")


def most_likely(beliefs: np.ndarray) -> np.ndarray:
    """Return the position of the greatest probability; UNKNOWN where there is none."""
    known = np.isfinite(beliefs).all(axis=1)
    labels = np.full(len(beliefs), UNKNOWN)
    labels[known] = beliefs[known].argmax(axis=1)
    return labels


def in_force(labels: np.ndarray, hold_days: int) -> np.ndarray:
    """Return the label in force on each day, shape (n,).

    A label comes into force on the last of `hold_days` days in a row; until then the
    one before it stays. A day without a label ends a run and changes nothing.
    """
    current, run_label, run_length = UNKNOWN, UNKNOWN, 0
    result = np.empty(len(labels), int)
    for day, label in enumerate(labels):
        run_length = run_length + 1 if label == run_label else 1
        run_label = label
        if label != UNKNOWN and run_length >= hold_days:
            current = label
        result[day] = current
    return result
