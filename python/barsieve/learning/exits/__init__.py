"""Learning when to leave: what is still to come of an open position, in R.

Reading order: `paths` (what is learned from: a trade and a close that it was held
through), `models` (who learns, behind one interface), `walk` (each month's model, of
trades that had ended before it), `policies` (what leaving by a rule would have given),
`evaluation` (the report).
"""

LEAST_TRADES = 60
"""Trades to learn from before the first model."""

MOST_ROWS = 60_000
"""Closes that a model learns from at most: the last ones."""

FARTHEST_R = 3.0
"""R beyond which what came counts as no more: one trade must not teach alone."""

BOOSTING, LSTM = "boosting", "lstm"
MODELS = (BOOSTING, LSTM)
SEED = 20_260_101
