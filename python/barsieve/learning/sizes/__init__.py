"""Learning how much to risk: how often and how much a trade is expected to win.

Reading order: `model` (a few numbers, fitted to results), `walk` (each month of the
trades before it: `sizing_learned`), `evaluation` (the report).
"""

LEAST_TRADES = 60
"""Trades to learn from before the first model."""

LEAST_CALIBRATED = 60
"""Predictions out of sample before they are used to calibrate."""

SEEN = (
    "confidence", "atr_rank_100", "adx_14_4h", "volume_z_20", "realized_vol_168",
    "net_veto",
)  # fmt: skip
"""What a size may depend on: known at the close of the decision."""
