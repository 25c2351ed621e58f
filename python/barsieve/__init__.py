"""barsieve: a trading-research engine that proves its backtests.

>>> import barsieve as bs
>>> db = bs.open("barsieve.duckdb")
>>> run = db.replay("btc_live", set={"exits.stop_atr": 2.5}, start="2023-01-01")
>>> run.trades, run.equity, run.metrics
"""

__version__ = "0.1.0"

__all__ = [
    "BarsieveError",
    "BuildFailedError",
    "BuildRefusedError",
    "Comparison",
    "Database",
    "DatabaseError",
    "Explanation",
    "InputError",
    "MissingExtraError",
    "NoProjectError",
    "Proof",
    "Run",
    "Score",
    "Signal",
    "Sweep",
    "__version__",
    "build",
    "open",
    "store",
]

# Type checkers read it as true; to import `typing` for it takes longer than all else.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from barsieve.api.build import build
    from barsieve.api.comparison import Comparison
    from barsieve.api.database import Database
    from barsieve.api.database import open_database as open
    from barsieve.api.documents import Explanation, Signal
    from barsieve.api.proof import Proof
    from barsieve.api.run import Run
    from barsieve.api.score import Score
    from barsieve.api.sweep import Sweep
    from barsieve.core.errors import (
        BarsieveError,
        DatabaseError,
        InputError,
        MissingExtraError,
        NoProjectError,
    )
    from barsieve.database import store
    from barsieve.database.build import BuildFailedError, BuildRefusedError

# Where each public name is: nothing is imported before it is named.
HOMES = {
    "barsieve.api.build": ("build",),
    "barsieve.api.comparison": ("Comparison",),
    "barsieve.api.database": ("Database", "open"),
    "barsieve.api.documents": ("Explanation", "Signal"),
    "barsieve.api.proof": ("Proof",),
    "barsieve.api.run": ("Run",),
    "barsieve.api.score": ("Score",),
    "barsieve.api.sweep": ("Sweep",),
    "barsieve.core.errors": (
        "BarsieveError", "DatabaseError", "InputError", "MissingExtraError",
        "NoProjectError",
    ),
    "barsieve.database.build": ("BuildFailedError", "BuildRefusedError"),
}  # fmt: skip
# What would hide a name of Python where it is defined.
NAMED_THERE = {"open": "open_database"}


def __getattr__(name: str) -> object:
    """Import a public name when it is first asked for."""
    from importlib import import_module

    if name == "store":
        return import_module("barsieve.database.store")
    for home, names in HOMES.items():
        if name in names:
            found = getattr(import_module(home), NAMED_THERE.get(name, name))
            globals()[name] = found
            return found
    raise AttributeError(f"module 'barsieve' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
