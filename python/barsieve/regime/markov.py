"""The hidden Markov model: Gaussian states, fitted by `hmmlearn`, filtered by us."""

import logging
from typing import NamedTuple

import numpy as np

from barsieve.regime.filter import filtered

MAX_ITERATIONS = 100
TOLERANCE = 1e-2
"""Gain of total log-likelihood below which a fit counts as converged."""

LEAST_VARIANCE = 1e-4
"""In standardised units; a state below it has collapsed onto a point."""

EMPTY_STATE = "a state was left without a day"


class HiddenStates(NamedTuple):
    """Parameters in standardised units.

    `start` (k,), `transitions` (k, k), `means` (k, d), `variances` (k, d): covariances
    are diagonal, since full ones found no regime that was planted and were less stable.
    """

    start: np.ndarray
    transitions: np.ndarray
    means: np.ndarray
    variances: np.ndarray

    def beliefs(self, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return filtered probabilities (n, k) and log p(day | past), shape (n,).

        A value that is missing on a day says nothing about the state on that day.
        """
        return filtered(self.start, self.transitions, self._log_emissions(z))

    def _log_emissions(self, z: np.ndarray) -> np.ndarray:
        distances = (z[:, None, :] - self.means) ** 2 / self.variances
        densities = -0.5 * (distances + np.log(2 * np.pi * self.variances))
        return np.where(np.isfinite(densities), densities, 0.0).sum(axis=2)

    def rescaled(self, from_moments, to_moments) -> "HiddenStates":
        """Return the same states in the units of other moments (mean, sd)."""
        (mean, sd), (new_mean, new_sd) = from_moments, to_moments
        return self._replace(
            means=(self.means * sd + mean - new_mean) / new_sd,
            variances=self.variances * (sd / new_sd) ** 2,
        )


class Attempt(NamedTuple):
    """One start of a fit: what came out, its total log-likelihood, its fault if any."""

    model: object
    score: float
    start: str
    fault: str | None


def _fault(fitted, states: HiddenStates, z: np.ndarray, least_share: float):
    monitor = fitted.monitor_
    gains = np.diff(list(monitor.history)[-2:])
    if monitor.iter >= MAX_ITERATIONS and not (len(gains) and gains[-1] < TOLERANCE):
        return f"no convergence in {MAX_ITERATIONS} iterations"
    if states.variances.min() < LEAST_VARIANCE:
        return "singular covariance"
    share = fitted.predict_proba(z).mean(axis=0).min()
    if share < least_share:
        return f"a state holds {share:.1%} of the days, expected {least_share:.0%}"
    return None


def _states(fitted) -> HiddenStates:
    variances = np.array([np.diag(covariance) for covariance in fitted.covars_])
    return HiddenStates(fitted.startprob_, fitted.transmat_, fitted.means_, variances)


def fit(
    z: np.ndarray,
    n_states: int,
    start: int | HiddenStates,
    least_share: float,
) -> Attempt:
    """Fit by expectation maximisation from a seed, or from earlier parameters.

    `z`: standardised days without gaps, shape (n, d).
    """
    from hmmlearn.hmm import GaussianHMM

    # What it would warn of is a fault that the attempt reports.
    logging.getLogger("hmmlearn").setLevel(logging.CRITICAL)
    is_warm = isinstance(start, HiddenStates)
    fitted = GaussianHMM(
        n_states,
        "diag",
        n_iter=MAX_ITERATIONS,
        tol=TOLERANCE,
        random_state=None if is_warm else start,
        init_params="" if is_warm else "stmc",
    )
    if is_warm:
        fitted.startprob_, fitted.transmat_ = start.start, start.transitions
        fitted.means_, fitted.covars_ = start.means, start.variances
    label = "warm" if is_warm else f"seed {start}"
    with np.errstate(all="ignore"):
        try:
            fitted.fit(z)
        except ValueError:
            # It checks its own parameters on the way, and they were none.
            return Attempt(None, -np.inf, label, EMPTY_STATE)
    states = _states(fitted)
    if not all(np.isfinite(part).all() for part in states):
        return Attempt(None, -np.inf, label, EMPTY_STATE)
    fault = _fault(fitted, states, z, least_share)
    return Attempt(states, float(fitted.score(z)), label, fault)
