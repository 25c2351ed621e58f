"""The one place that compiles: numba's `njit` with a cache that knows our sources.

numba keys its on-disk cache on the file of the function alone, so a change in an
imported file would leave stale machine code. The cache folder is therefore named after
a hash of every source file that may be compiled, and of the settings that make a record
of it.
"""

import hashlib
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Protocol, TypeVar

import platformdirs

from barsieve.core.paths import PACKAGE

_COMPILED_SOURCES = [
    PACKAGE / "profiles/profile.schema.json",
    PACKAGE / "profiles/schema.py",
    PACKAGE / "profiles/rules.py",
    *(PACKAGE / "replay").glob("*.py"),
    *(PACKAGE / "signals").glob("*.py"),
    PACKAGE / "regime/filter.py",
    PACKAGE / "market/hourly.py",
    PACKAGE / "bench/peers/own.py",
    *(
        PACKAGE / f"sweep/{name}.py"
        for name in ("grids", "buffers", "kernel", "figures", "wallet_figures")
    ),
]


def sources_hash() -> str:
    """Return a hash of every source file that may be compiled."""
    digest = hashlib.sha256()
    for path in sorted(_COMPILED_SOURCES):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


if "NUMBA_CACHE_DIR" not in os.environ:
    os.environ["NUMBA_CACHE_DIR"] = str(
        Path(platformdirs.user_cache_dir("barsieve")) / f"numba-{sources_hash()}"
    )

# numba reads the variable when it is imported.
from numba import njit, types  # noqa: E402
from numba.core import cgutils  # noqa: E402
from numba.extending import intrinsic, overload  # noqa: E402

__all__ = ["cgutils", "compiled", "compiled_apart", "intrinsic", "overloaded", "types"]

F = TypeVar("F", bound=Callable[..., Any])


class Compiler(Protocol):
    """A decorator that keeps what a function takes and returns.

    numba has no types of its own: to the type checker the plain source is what runs.
    """

    def __call__(self, function: F, /) -> F:
        """Return the function, compiled at its first call."""


compiled: Compiler = njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
"""Decorator: the same plain Python source, as machine code.

No fast-math: an addition has one order and one result. `forceinline` keeps the state in
registers instead of copying it through memory at every call.
"""

compiled_apart: Compiler = njit(cache=True, nogil=True, error_model="numpy")
"""Decorator: the same, called instead of inlined, for the large parts of a function.

The state of each stays in registers, and the whole compiles in half the time.
"""

overloaded: Callable[[Callable[..., Any]], Callable[[F], F]] = partial(
    overload, strict=False, jit_options={"forceinline": True}
)
"""Decorator: makes what is compiled for a Python function, by the types of a call."""
