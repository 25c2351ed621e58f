"""barsieve: a trading-research engine that proves its backtests."""

__version__ = "0.1.0"


def __getattr__(name: str) -> object:
    """Import `barsieve.store` when it is first named: ibis takes a second."""
    if name == "store":
        from importlib import import_module

        return import_module("barsieve.database.store")
    raise AttributeError(f"module 'barsieve' has no attribute '{name}'")
