"""Regimes of the market: a hidden Markov model that only knows the past.

`stress` is the fixed scale that names states, `features` reads daily observations,
`markov` and `kmeans` are the classifiers, `walk_forward` refits them month by month,
`hysteresis` says which name is in force, `tables` writes the result down, `as_of` reads
it at a moment, `state_count` compares numbers of states, `worth` says what all earns.

Source of the method: Hamilton (1989), A New Approach to the Economic Analysis of
Nonstationary Time Series; Rabiner (1989), A Tutorial on Hidden Markov Models.
"""

NAMES = ("risk_on", "neutral", "risk_off", "crisis")
"""Regimes from the least stress to the most."""

HMM, KMEANS, VIX_BANDS = "hmm", "kmeans", "vix_bands"
EXPANDING, ROLLING = "expanding", "rolling"

FIRST_FIT_DAYS = 365
"""Days of history before the first fit; with fewer there is no regime."""

SHORT_HISTORY_DAYS = 730
"""A fit on fewer days is marked `is_short_history`; the length of a rolling window."""

HYSTERESIS_DAYS = 3
"""Days in a row that a new regime must be the likeliest before it is in force."""

AT_ONCE = 0.8
"""Summed probability of the more stressed regimes that puts one in force at once."""

UNKNOWN = -1
"""Position of a regime that is not known."""
