"""The hidden Markov model: Gaussian states, fitted by `hmmlearn`, filtered by us.

States are tied to the scale of stress, so that a refit finds the same ones: each is
expected at its own place on it, as firmly as `STRESS_DAYS` days there would say.
Without that, states wander to whatever splits a sample best (volatility, an era of the
dollar) and a name that follows them means something else each month. The estimate is
that of the greatest posterior: Gauvain and Lee (1994), Maximum a Posteriori Estimation
for Multivariate Gaussian Mixture Observations of Markov Chains.
"""

import logging
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from barsieve.core.remembered import Kept, packed, recall, unpacked
from barsieve.regime import NAMES
from barsieve.regime.filter import filtered

MAX_ITERATIONS = 100
TOLERANCE = 1e-2
"""Gain of total log-likelihood below which a fit counts as converged."""

STRESS_DAYS = 1000
"""Days that the expected stress of a state weighs, its mean and its spread."""

STRESS_SD = 0.25
"""Expected spread of the stress within a state, as a share of its part of the scale."""

OTHER_DAYS = 10
"""Days that an ordinary state (mean 0, sd 1) weighs in the other columns."""

MOVE_DAYS = 30
"""Days that the expected moves out of a state weigh."""

STAY = 0.95
"""Expected probability that a state lasts another day."""


class HiddenStates(NamedTuple):
    """Parameters; the first column is the stress, the others are standardised.

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


class Attempt(NamedTuple):
    """Outcome of a fit, its total log-likelihood, its fault if any."""

    model: Any
    score: float
    fault: str | None


def recalled(
    kind: str,
    fitter: Callable[[np.ndarray, np.ndarray], Attempt],
    model: Callable[..., Any],
    z: np.ndarray,
    stress: np.ndarray,
) -> Attempt:
    """Return what a fitter makes of days and places: the numbers of a `model`."""

    def make() -> Kept:
        made = fitter(z, stress)
        parts = {} if made.model is None else made.model._asdict()
        return parts | {"made": packed([made.score, made.fault])}

    kept = dict(recall(kind, (z, stress), make))
    score, fault = unpacked(kept.pop("made"))
    return Attempt(model(**kept) if kept else None, score, fault)


def _expected_moves(n_states: int) -> np.ndarray:
    """Return the expected transitions: to neighbours rather than far, shape (k, k)."""
    distances = np.abs(np.subtract.outer(np.arange(n_states), np.arange(n_states)))
    moves = np.where(distances > 0, 1 / (1 + distances), 0.0)
    moves /= moves.sum(axis=1, keepdims=True)
    return STAY * np.eye(n_states) + (1 - STAY) * moves


def _expectation(stress: np.ndarray, n_columns: int):
    """Return means (k, d), variances (1, d), and the days that both weigh (1, d)."""
    means = np.zeros((len(stress), n_columns))
    means[:, 0] = stress
    variances = np.ones((1, n_columns))
    variances[0, 0] = (STRESS_SD * len(NAMES) / len(stress)) ** 2
    weights = np.full((1, n_columns), float(OTHER_DAYS))
    weights[0, 0] = STRESS_DAYS
    return means, variances, weights


def _model(stress: np.ndarray, n_columns: int):
    """Return an unfitted model that starts at, and is drawn to, what is expected."""
    from hmmlearn.hmm import GaussianHMM

    means, variances, weights = _expectation(stress, n_columns)
    n_states = len(stress)
    moves = _expected_moves(n_states)

    class Anchored(GaussianHMM):
        """As the library's, which takes one weight for all columns of a spread."""

        def _do_mstep(self, stats):
            super()._do_mstep(stats)
            days = stats["post"][:, None]
            squares = (
                weights * (self.means_ - means) ** 2
                + stats["obs**2"]
                - 2 * self.means_ * stats["obs"]
                + self.means_**2 * days
            )
            self._covars_ = (weights * variances + squares) / (weights + days)

    model = Anchored(
        n_states, "diag", n_iter=MAX_ITERATIONS, tol=TOLERANCE, init_params="",
        startprob_prior=2.0, transmat_prior=1 + MOVE_DAYS * moves,
        means_prior=means, means_weight=weights,
    )  # fmt: skip
    model.startprob_, model.transmat_ = np.full(n_states, 1 / n_states), moves
    model.means_, model.covars_ = means.copy(), np.repeat(variances, n_states, axis=0)
    return model


def fit(z: np.ndarray, stress: np.ndarray) -> Attempt:
    """Return what `fitted_now` makes of the same two, remembered or made now."""
    return recalled("markov", fitted_now, HiddenStates, z, stress)


def fitted_now(z: np.ndarray, stress: np.ndarray) -> Attempt:
    """Fit states to days, each drawn to its expected place on the scale of stress.

    `z`: days without gaps, shape (n, d), the first column their stress in steps of the
    scale, the others standardised. `stress`: expected places, shape (k,). A function of
    these two alone: there is one start, and no memory of an earlier fit.
    """
    # What it would warn of is a fault that the attempt reports.
    logging.getLogger("hmmlearn").setLevel(logging.CRITICAL)
    fitted = _model(stress, z.shape[1])
    with np.errstate(all="ignore"):
        fitted.fit(z)
    variances = np.array([np.diag(covariance) for covariance in fitted.covars_])
    states = HiddenStates(fitted.startprob_, fitted.transmat_, fitted.means_, variances)
    if not all(np.isfinite(part).all() for part in states):
        return Attempt(None, -np.inf, "parameters that are no numbers")
    monitor = fitted.monitor_
    gains = np.diff(list(monitor.history)[-2:])
    fault = None
    if monitor.iter >= MAX_ITERATIONS and not (len(gains) and gains[-1] < TOLERANCE):
        fault = f"no convergence in {MAX_ITERATIONS} iterations"
    return Attempt(states, float(fitted.score(z)), fault)
