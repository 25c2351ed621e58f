"""What keeps a command quick."""

import sys
from threading import Thread


def load_step_meanwhile() -> None:
    """Load the step in the background, while DuckDB reads what it is going to need."""
    Thread(target=_load_step, daemon=True).start()


def _load_step() -> None:
    load_numba_without_blas()
    from barsieve.replay.runs import load_step

    load_step()


def load_numba_without_blas() -> None:
    """Load numba without letting it look for scipy's matrices.

    Where scipy is installed, numba imports its linear algebra to learn whether it has a
    BLAS, for a quarter of a second: longer than a replay, whose step has no matrices.
    For a command's own process only: numba has no `dot` in it.
    """
    if "scipy.linalg" in sys.modules or "numba.np.arraymath" in sys.modules:
        return
    sys.modules["scipy.linalg"] = None  # type: ignore[assignment]
    try:
        import numba.np.arraymath  # noqa: F401
    finally:
        del sys.modules["scipy.linalg"]
