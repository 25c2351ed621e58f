"""The best of a sweep against the best without skill: noise, skill, and its power."""

import numpy as np
import pytest
from scipy.stats import kstest

from barsieve.metrics.overfitting import deflated_sharpe
from barsieve.metrics.overfitting.sharpe import LEVEL, POWER

N_MONTHS, N_TRIALS = 60, 120
ANNUAL = 12**0.5


def losing_settings(seed: int, annual_loss: float = 4.0) -> np.ndarray:
    """Return months of settings that share a market and really lose differently.

    Shape (N_MONTHS, N_TRIALS): the worst of them have an annual Sharpe ratio of
    minus `annual_loss`, the best of 0. None has skill.
    """
    rng = np.random.default_rng(seed)
    shared, own = rng.standard_normal((N_MONTHS, 1)), (N_MONTHS, N_TRIALS)
    noise = 0.7 * shared + 0.7 * rng.standard_normal(own)
    return noise - np.linspace(0, annual_loss, N_TRIALS) / ANNUAL


def pure_noise(seed: int) -> np.ndarray:
    """Return months of correlated settings whose true Sharpe ratio is 0."""
    return losing_settings(seed, annual_loss=0.0)


def with_skill(seed: int, annual_sharpe: float) -> np.ndarray:
    """Return losing settings of which one has skill; it is the best but by chance."""
    months = losing_settings(seed)
    months[:, 7] = np.random.default_rng([seed, 1]).standard_normal(N_MONTHS)
    months[:, 7] += annual_sharpe / ANNUAL
    return months


def assert_uniform(values: list[float]) -> None:
    assert kstest(values, "uniform").pvalue > 0.01
    # 100 markets: more than 10 beyond the 5 % point is one case in a hundred.
    assert np.mean(np.array(values) > LEVEL) <= 0.1


def test_the_best_of_noise_is_no_find():
    assert_uniform([deflated_sharpe(pure_noise(seed)).deflated for seed in range(40)])


@pytest.mark.proofs
def test_the_best_of_noise_is_no_find_in_two_hundred_markets():
    assert_uniform([deflated_sharpe(pure_noise(seed)).deflated for seed in range(200)])


def test_settings_that_only_lose_differently_are_no_find():
    found = [deflated_sharpe(losing_settings(seed)).deflated for seed in range(30)]
    assert np.mean(np.array(found) > LEVEL) <= 0.1


def test_an_annual_sharpe_of_three_over_five_years_is_seen():
    found = [deflated_sharpe(with_skill(seed, 3.0)) for seed in range(20)]
    assert {luck.best for luck in found} == {7}
    assert min(luck.deflated for luck in found) >= LEVEL


def test_how_much_losing_settings_differ_does_not_hide_skill():
    """By the spread between settings, the old null, the same edge looks like luck."""
    months = with_skill(3, 3.0)
    spread = months.mean(axis=0) / months.std(axis=0, ddof=1)
    assert 2.5 * spread.std(ddof=1) > spread[7], "the old null would have seen it too"
    assert deflated_sharpe(months).deflated >= LEVEL


def seen(annual_sharpe: float, seeds: range) -> float:
    return float(
        np.mean([deflated_sharpe(with_skill(s, annual_sharpe)).deflated >= LEVEL
                 for s in seeds])
    )  # fmt: skip


@pytest.mark.proofs
def test_the_visible_sharpe_ratio_is_seen_as_often_as_is_said():
    visible = np.median(
        [deflated_sharpe(with_skill(seed, 0.0)).visible for seed in range(10)]
    )
    share = seen(visible * ANNUAL, range(200))
    # Three standard errors of 200 markets, and what the normal approximation costs.
    assert share == pytest.approx(POWER, abs=0.1)
    assert seen(visible * ANNUAL / 2, range(60)) < 0.5
