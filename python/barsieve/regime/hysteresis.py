"""Hysteresis of names: which one a day has, and when a new one comes into force."""

import numpy as np

from barsieve.regime import AT_ONCE, HYSTERESIS_DAYS, NAMES, UNKNOWN


def most_likely(beliefs: np.ndarray) -> np.ndarray:
    """Return the position of the greatest probability; UNKNOWN where there is none."""
    known = np.isfinite(beliefs).all(axis=1)
    labels = np.full(len(beliefs), UNKNOWN)
    labels[known] = beliefs[known].argmax(axis=1)
    return labels


def _at_once(belief: np.ndarray, current: int) -> int | None:
    """Return the likeliest of the more stressed names if they are all but certain.

    Where no name is in force, those more stressed than `neutral` count: what is in
    force then is no shift, which is the shift of `neutral`.
    """
    calmer = NAMES.index("neutral") if current == UNKNOWN else current
    stressed = belief[calmer + 1 :]
    if stressed.sum() < AT_ONCE:
        return None
    return calmer + 1 + int(stressed.argmax())


def in_force(beliefs: np.ndarray, hold_days: int = HYSTERESIS_DAYS) -> np.ndarray:
    """Return the name in force on each day, positions in `NAMES`, shape (n,).

    More stress is in force at once when its names are certain enough (`AT_ONCE`);
    otherwise a name comes into force on the last of `hold_days` days in a row on which
    it is the likeliest. A day without a belief has no name; what was in force before
    comes back after it, unless as many days in a row had none.

    `beliefs`: probabilities by name, shape (n, 4), NaN on days without a belief.
    """
    current, run_label, run_length = UNKNOWN, UNKNOWN, 0
    result = np.full(len(beliefs), UNKNOWN)
    for day, label in enumerate(most_likely(beliefs)):
        run_length = run_length + 1 if label == run_label else 1
        run_label = label
        if label == UNKNOWN:
            current = UNKNOWN if run_length >= hold_days else current
            continue
        stressed = _at_once(beliefs[day], current)
        if stressed is not None:
            current = stressed
        elif run_length >= hold_days:
            current = label
        result[day] = current
    return result
