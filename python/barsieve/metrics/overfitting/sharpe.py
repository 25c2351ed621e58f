"""The deflated Sharpe ratio: the best of many, against the best of luck.

The formulas are those of the paper, for trials of which only the number and the spread
are known. That spread is one of luck alone where no trial is better than another in
truth; settings do differ, so `deflated_sharpe` takes luck from the trials themselves
(`null`) where their returns are at hand.

Source: Bailey and López de Prado (2014), The Deflated Sharpe Ratio: Correcting for
Selection Bias, Backtest Overfitting and Non-Normality, Journal of Portfolio Management
40(5), 94-107 (below: DSR); https://www.davidhbailey.com/dhbpapers/deflated-sharpe.pdf.
"""

from dataclasses import dataclass

import numpy as np
from scipy.stats import kurtosis, norm, skew

from barsieve.metrics.overfitting.null import best_without_skill
from barsieve.metrics.overfitting.returns import checked_returns

LEVEL = 0.95
"""Share of sweeps without skill that the best trial must beat."""
POWER = 0.8
"""Probability with which a trial of the visible ratio is seen."""


@dataclass(frozen=True)
class DeflatedSharpe:
    """The best of many trials, and what is left of it.

    Sharpe ratios are per period. `deflated` is the share of sweeps without any skill
    whose best shows less; `expected_maximum` is their average best, `needed` the one
    that `LEVEL` of them stay below, and `visible` the least true ratio of a trial that
    would be beyond it with a probability of `POWER`. `probabilistic` is the probability
    that the true ratio lies above 0, as if there were one trial. `effective_trials`
    only describes.
    """

    best: int
    sharpe: float
    n_rows: int
    skewness: float
    kurtosis: float
    n_trials: int
    mean_correlation: float
    effective_trials: float
    expected_maximum: float
    needed: float
    visible: float
    probabilistic: float
    deflated: float


def sharpe_ratios(returns: np.ndarray) -> np.ndarray:
    """Return mean over deviation per period of each trial, shape (n_trials,)."""
    ratios: np.ndarray = returns.mean(axis=0) / returns.std(axis=0, ddof=1)
    return ratios


def probabilistic_sharpe_ratio(
    sharpe: float,
    benchmark: float,
    n_rows: int,
    skewness: float = 0.0,
    kurtosis: float = 3.0,
) -> float:
    """Return the probability that the true Sharpe ratio exceeds a benchmark.

    Both ratios are per period; `kurtosis` is 3 for the normal distribution. Raises
    ValueError for moments that no distribution has. Source: DSR, equation 2.
    """
    if n_rows < 2:
        raise ValueError(f"n_rows: expected at least 2, found {n_rows}")
    # Of a trial that earned in one period alone the two are equal, but for rounding.
    if not kurtosis >= (1.0 + skewness**2) * (1.0 - 1e-9):
        raise ValueError(
            f"kurtosis: expected at least 1 + skewness^2 = {1 + skewness**2:g}, found "
            f"{kurtosis:g}; give it as 3 for the normal distribution, not as 0"
        )
    spread = 1.0 - skewness * sharpe + (kurtosis - 1.0) / 4.0 * sharpe**2
    if not spread > 0.0:
        raise ValueError(
            f"sharpe {sharpe:g}, skewness {skewness:g} and kurtosis {kurtosis:g}: "
            "expected an estimate with a variance above 0"
        )
    return float(norm.cdf((sharpe - benchmark) * np.sqrt((n_rows - 1) / spread)))


def expected_maximum_sharpe(n_trials: float, sharpe_variance: float) -> float:
    """Return the best Sharpe ratio that so many skill-less trials are expected to show.

    `sharpe_variance` is the variance of the trials' ratios, in the square of their
    unit. The number may be a fraction, for it is mostly an estimate; the approximation
    is below 0 for less than about 1.4 trials and is held at 0, what a single trial is
    expected to show. Source: DSR, equation 1 with a mean of 0.
    """
    if not n_trials >= 1.0:
        raise ValueError(f"n_trials: expected at least 1, found {n_trials}")
    if not sharpe_variance >= 0.0:
        raise ValueError(
            f"sharpe_variance: expected 0 or more, found {sharpe_variance}"
        )
    if n_trials == 1.0:
        return 0.0
    first = norm.isf(1.0 / n_trials)
    second = norm.isf(1.0 / (n_trials * np.e))
    scale = (1.0 - np.euler_gamma) * first + np.euler_gamma * second
    return float(np.sqrt(sharpe_variance) * max(scale, 0.0))


def deflated_sharpe_ratio(
    sharpe: float,
    n_rows: int,
    n_trials: float,
    sharpe_variance: float,
    skewness: float = 0.0,
    kurtosis: float = 3.0,
) -> float:
    """Return the probability that the best of so many trials has any skill.

    Ratios per period, `n_trials` independent ones. Source: DSR, section "The deflated
    Sharpe ratio": the probabilistic ratio against the expected maximum.
    """
    benchmark = expected_maximum_sharpe(n_trials, sharpe_variance)
    return probabilistic_sharpe_ratio(sharpe, benchmark, n_rows, skewness, kurtosis)


def mean_correlation(returns: np.ndarray) -> float:
    """Return the average correlation over all pairs of trials; 1 for one trial.

    The sum over all pairs is the square of the sum of the standardised trials, so that
    no matrix of trials x trials is needed.
    """
    n_rows, n_trials = returns.shape
    if n_trials == 1:
        return 1.0
    standard = (returns - returns.mean(axis=0)) / returns.std(axis=0)
    total = np.square(standard.sum(axis=1)).sum() / n_rows
    return float((total - n_trials) / (n_trials * (n_trials - 1)))


def effective_trials(n_trials: int, correlation: float) -> float:
    """Return how many independent trials so many correlated ones amount to.

    rho + (1 - rho) * n: 1 where all are the same, n where none resembles another; an
    average below 0 counts as 0, for there were no more trials than were run. A rough
    interpolation that knows only the average: many groups of equal trials count as more
    than their number, which deflates more, not less. Source: DSR, appendix 3.
    """
    rho = min(max(correlation, 0.0), 1.0)
    return rho + (1.0 - rho) * n_trials


def visible_sharpe(needed: float, n_rows: int, power: float = POWER) -> float:
    """Return the least true ratio whose estimate exceeds `needed` with a probability.

    Ratios per period of normal returns, whose estimate has a variance of
    (1 + ratio^2 / 2) / (n_rows - 1). Source: Lo (2002), The Statistics of Sharpe
    Ratios, Financial Analysts Journal 58(4), 36-52.
    """
    reach = norm.ppf(power) ** 2 / (n_rows - 1)
    if reach >= 2.0:
        return float("inf")
    # (ratio - needed)^2 = reach (1 + ratio^2 / 2), the greater root.
    curve = 1.0 - reach / 2.0
    root = np.sqrt(needed**2 - curve * (needed**2 - reach))
    return float((needed + root) / curve)


def deflated_sharpe(returns: np.ndarray) -> DeflatedSharpe:
    """Judge the best Sharpe ratio of a sweep by what the sweep shows without skill.

    Parameters
    ----------
    returns : array of shape (n_rows, n_trials)
        Returns per period of every trial that was run, the bad ones too.

    Raises
    ------
    ValueError
        For missing values, too few rows, or trials without variance.
    """
    matrix = checked_returns(returns)
    ratios = sharpe_ratios(matrix)
    best, correlation = int(np.argmax(ratios)), mean_correlation(matrix)
    (n_rows, n_run), sharpe = matrix.shape, float(ratios[best])
    shape = (
        float(skew(matrix[:, best])),
        float(kurtosis(matrix[:, best], fisher=False)),
    )
    luck = best_without_skill(matrix)
    needed = float(np.quantile(luck, LEVEL))
    # The sweep itself is one of those that might have been.
    as_good = (np.count_nonzero(luck >= sharpe) + 1) / (len(luck) + 1)
    return DeflatedSharpe(
        best=best,
        sharpe=sharpe,
        n_rows=n_rows,
        skewness=shape[0],
        kurtosis=shape[1],
        n_trials=n_run,
        mean_correlation=correlation,
        effective_trials=effective_trials(n_run, correlation),
        expected_maximum=float(luck.mean()),
        needed=needed,
        visible=visible_sharpe(needed, n_rows),
        probabilistic=probabilistic_sharpe_ratio(sharpe, 0.0, n_rows, *shape),
        deflated=float(1.0 - as_good),
    )
