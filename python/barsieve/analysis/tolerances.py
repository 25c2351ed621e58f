"""Tolerances of the promise `within`, unless others are asked for."""

TRADES_TOLERANCE = 0.05
"""Greatest difference in the number of trades, a share of those of the first run."""
WIN_RATE_TOLERANCE = 0.02
"""Greatest difference in win rate, a fraction."""
