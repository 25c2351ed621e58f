"""Probability and payoff of a trade: three linear models of a few numbers.

The probability is a logistic regression (Cox, 1958), calibrated on what it predicted of
months before (Platt, 1999); the mean win and the mean loss, in R, are ridge
regressions. All shrink towards the mean of all trades.
"""

from typing import NamedTuple

import numpy as np

from barsieve.learning.models import Scale, scale_of

PENALTY = 20.0
"""The penalty counts as much as so many trades."""
FARTHEST = 3.0
"""Deviations beyond which a number counts as no farther."""
LEAST_R, MOST_R = 0.05, 5.0
"""Ends of a mean win or loss, R."""


class Linear(NamedTuple):
    """Constant, and the weights of scaled numbers."""

    constant: float
    weights: np.ndarray

    def __call__(self, scaled: np.ndarray) -> np.ndarray:
        """Return what it gives; `scaled` has shape (n, n_columns)."""
        given: np.ndarray = self.constant + scaled @ self.weights
        return given


class Expected(NamedTuple):
    """Expectation of trades: probability to win, mean win, mean loss, in R."""

    probability: np.ndarray
    win_r: np.ndarray
    loss_r: np.ndarray

    @property
    def kelly(self) -> np.ndarray:
        """Return the share at risk with the best growth (Kelly, 1956).

        p / L - q / W of a bet that wins W or loses L times what is at risk; below 0
        where none should be made.
        """
        share: np.ndarray = (
            self.probability / self.loss_r - (1 - self.probability) / self.win_r
        )
        return share


class SizeModel(NamedTuple):
    """Fitted model; `slope` and `shift` calibrate the log odds."""

    scale: Scale
    odds: Linear
    win: Linear
    loss: Linear
    slope: float = 1.0
    shift: float = 0.0

    def scaled(self, values: np.ndarray) -> np.ndarray:
        """Return what is seen in deviations, held within `FARTHEST`."""
        return np.clip(self.scale(values), -FARTHEST, FARTHEST)

    def log_odds(self, values: np.ndarray) -> np.ndarray:
        """Return the log odds of a win before they are calibrated."""
        return self.odds(self.scaled(values))

    def expect(self, values: np.ndarray) -> Expected:
        """Return what trades with these numbers, shape (n, n_columns), would do."""
        scaled = self.scaled(values)
        odds = self.slope * self.odds(scaled) + self.shift
        return Expected(
            1.0 / (1.0 + np.exp(-odds)),
            np.clip(self.win(scaled), LEAST_R, MOST_R),
            np.clip(self.loss(scaled), LEAST_R, MOST_R),
        )


def _ridge(scaled: np.ndarray, target: np.ndarray) -> Linear:
    if not len(target):
        return Linear(1.0, np.zeros(scaled.shape[1]))
    mean, centre = target.mean(), scaled.mean(axis=0)
    moved = scaled - centre
    gram = moved.T @ moved + PENALTY * np.eye(scaled.shape[1])
    weights = np.linalg.solve(gram, moved.T @ (target - mean))
    return Linear(float(mean - centre @ weights), weights)


def _logistic(scaled: np.ndarray, is_win: np.ndarray, penalty: float) -> Linear:
    """Fit a logistic regression by Newton's steps; the constant is not penalised."""
    columns = np.column_stack([np.ones(len(scaled)), scaled])
    ridge = np.full(columns.shape[1], penalty)
    ridge[0] = 1e-9
    weights = np.zeros(columns.shape[1])
    for _ in range(25):
        probability = 1.0 / (1.0 + np.exp(-columns @ weights))
        slope = columns.T @ (is_win - probability) - ridge * weights
        bend = (columns.T * (probability * (1 - probability))) @ columns
        weights = weights + np.linalg.solve(bend + np.diag(ridge + 1e-9), slope)
    return Linear(float(weights[0]), weights[1:])


def fit(values: np.ndarray, results: np.ndarray) -> SizeModel:
    """Fit to trades: what was seen, shape (n, n_columns), and their results, R.

    A trade wins above 0. Needs both kinds.
    """
    scale = scale_of(values)
    scaled = np.clip(scale(values), -FARTHEST, FARTHEST)
    is_win = results > 0
    return SizeModel(
        scale,
        _logistic(scaled, is_win.astype(float), PENALTY),
        _ridge(scaled[is_win], results[is_win]),
        _ridge(scaled[~is_win], -results[~is_win]),
    )


def calibrated(model: SizeModel, log_odds: np.ndarray, is_win: np.ndarray) -> SizeModel:
    """Return a model whose odds are those that earlier ones turned out to have.

    `log_odds`, shape (n,): predicted out of sample; the slope is held within 0 and 1.
    """
    columns = np.column_stack([log_odds - log_odds.mean()])
    found = _logistic(columns, is_win.astype(float), 1.0)
    slope = float(np.clip(found.weights[0], 0.0, 1.0))
    shift = found.constant - slope * float(log_odds.mean())
    return model._replace(slope=slope, shift=float(shift))
