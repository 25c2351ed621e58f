"""Fits remembered: the same days are fitted once, however often they are asked for."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from barsieve.regime.walk_forward import FITTERS


def _bytes(argument: Any) -> object:
    if isinstance(argument, np.ndarray):
        return argument.shape, argument.tobytes()
    if isinstance(argument, tuple):
        return tuple(_bytes(part) for part in argument)
    return argument


def remembered(fitter: Callable[..., Any]) -> Callable[..., Any]:
    """Return a fitter that remembers what it gave for the same bytes.

    A fit is a function of its arguments alone. Threads may share it.
    """
    known: dict[object, Any] = {}
    lock = threading.Lock()

    def fit(*arguments: Any) -> Any:
        key = _bytes(arguments)
        with lock:
            if key not in known:
                known[key] = fitter(*arguments)
            return known[key]

    return fit


@contextmanager
def fits_remembered() -> Iterator[None]:
    """Within it, no classifier is fitted twice to the same days."""
    before = dict(FITTERS)
    FITTERS.update({name: remembered(fitter) for name, fitter in before.items()})
    try:
        yield
    finally:
        FITTERS.update(before)
