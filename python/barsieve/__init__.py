"""barsieve: a trading-research engine that proves its backtests."""

__version__ = "0.1.0"
