"""What keeps a command quick."""

import sys


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
