"""Learning from a sweep which configuration pays when, without fooling oneself.

Reading order: `dataset` (what is learned from: configuration x month), `models` (who
learns), `walk` (each month predicted from the months before it), `proposals` (weights
and threshold for a month and regime), `tables` (the table `sweep_walks`). What it is
worth: `backtests` (replays out of sample), `evaluation` (the report), `rolling` (train
on k months, test on the next).

Names of the states that a month is known by lie in `dataset`, sizes of the models in
`models`.
"""

LEAST_MONTHS = 6
"""Months to learn from before the first prediction."""

TOP_SHARE = 0.03
"""Share of the configurations, those of the best predictions, that make a proposal."""

PICKED_SHARE = 0.1
"""Share of the configurations whose lift is reported: the decile of the best."""

LEAST_CONFIDENCE = 0.1
"""Least weight of a proposal against the profile's own settings."""

RIDGE, FOREST, BOOSTING = "ridge", "random_forest", "boosting"
LAST_BEST, EQUAL = "last_best", "equal_weights"
LEARNERS = (RIDGE, FOREST, BOOSTING)
BASELINES = (LAST_BEST, EQUAL)

SEED = 20_260_101
