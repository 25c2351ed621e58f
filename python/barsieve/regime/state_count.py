"""Number of states: walks of 2 to 6 of them, compared by what they foresaw."""

from typing import Any

import numpy as np

from barsieve.metrics.bootstrap import drawn_days, interval
from barsieve.regime import HMM
from barsieve.regime.features import Observations
from barsieve.regime.hysteresis import most_likely
from barsieve.regime.walk_forward import Walk, walk_forward

COUNTS = (2, 3, 4, 5, 6)
POLICY_STATES = 4


def _row(n_states: int, walk: Walk, judged, reference, drawn) -> dict[str, Any]:
    gain = walk.evidence[judged] - reference
    low, high = interval(gain[drawn].mean(axis=1))
    labels = most_likely(walk.beliefs[judged])
    outcomes = [fit.outcome for fit in walk.fits]
    agreements = [f.agreement_with_last for f in walk.fits if f.agreement_with_last]
    return {
        "states": n_states,
        "days": int(judged.sum()),
        "predictive_log_likelihood": float(walk.evidence[judged].mean()),
        "gain": float(gain.mean()),
        "gain_low": low,
        "gain_high": high,
        "fits": outcomes.count("fitted"),
        "kept": outcomes.count("kept"),
        "agreement": float(np.mean(agreements)) if agreements else None,
        "switches_per_year": float((np.diff(labels) != 0).mean() * 365.25),
    }


def compare_state_counts(seen: Observations, fit_window: str) -> list[dict[str, Any]]:
    """Return a row per number of states, judged on the days that all of them foresaw.

    `gain` is the mean log-likelihood of a day over that of `POLICY_STATES` states, with
    a block-bootstrap interval; `agreement` the mean share of days that a refit names as
    the one before. Returns no row when nothing could be fitted.
    """
    walks = {n: walk_forward(seen, HMM, fit_window, n) for n in COUNTS}
    judged = np.all([np.isfinite(walk.evidence) for walk in walks.values()], axis=0)
    if not judged.any():
        return []
    drawn = drawn_days(int(judged.sum()))
    reference = walks[POLICY_STATES].evidence[judged]
    return [_row(n, walk, judged, reference, drawn) for n, walk in walks.items()]
