"""Intervals that hold together find nothing in noise, and find what was planted."""

import numpy as np
import pytest

from barsieve.bootstrap import interval, simultaneous_intervals

N_DAYS, N_FIGURES, N_DRAWS, N_SEEDS = 200, 30, 400, 80
DRAWN = np.random.default_rng(7).integers(0, N_DAYS, (N_DRAWS, N_DAYS))


def means(seed: int, effect: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Correlated figures of days without an effect, but for the first; and draws."""
    rng = np.random.default_rng(seed)
    days = rng.standard_normal((N_DAYS, N_FIGURES)) + rng.standard_normal((N_DAYS, 1))
    days[:, 0] += effect
    return days.mean(axis=0), days[DRAWN].mean(axis=1).T


def excludes_zero(ends) -> bool:
    low, high = ends
    return low is not None and (low > 0 or high < 0)


def test_among_many_intervals_of_nothing_one_excludes_zero_in_a_twentieth():
    together = alone = 0
    for seed in range(N_SEEDS):
        observed, draws = means(seed)
        together += any(map(excludes_zero, simultaneous_intervals(observed, draws)))
        alone += any(excludes_zero(interval(row)) for row in draws)
    # Binomial(80, 0.05): more than 9 in one of a hundred runs.
    assert together <= 9
    assert alone >= N_SEEDS / 4, "the test has nothing to correct"


def test_a_planted_difference_is_found_and_no_other():
    # 0.6 of a day's deviation over 200 days: six standard errors.
    found = np.zeros(N_FIGURES)
    for seed in range(20):
        observed, draws = means(seed, effect=0.6 * np.sqrt(2))
        found += [excludes_zero(e) for e in simultaneous_intervals(observed, draws)]
    assert found[0] == 20
    assert found[1:].sum() <= 4


def test_what_is_not_defined_has_no_interval_and_widens_no_other():
    observed, draws = means(3)
    expected = simultaneous_intervals(observed[1:], draws[1:])
    draws[0, : N_DRAWS // 5] = np.nan
    draws[0, N_DRAWS // 5 :] *= 1e9
    assert simultaneous_intervals(observed, draws) == [(None, None), *expected]
    observed[0] = np.nan
    assert simultaneous_intervals(observed, draws)[0] == (None, None)


def test_a_difference_that_never_varies_has_an_interval_without_width():
    ends = simultaneous_intervals(np.zeros(1), np.zeros((1, 50)))
    assert ends == [(0.0, 0.0)]
    assert simultaneous_intervals(np.zeros(0), np.zeros((0, 50))) == []


@pytest.mark.parametrize("n_figures", [1, 30])
def test_more_figures_make_wider_intervals(n_figures):
    observed, draws = means(5)
    one = simultaneous_intervals(observed[:1], draws[:1])[0]
    many = simultaneous_intervals(observed[:n_figures], draws[:n_figures])[0]
    assert (many[1] - many[0] > one[1] - one[0]) == (n_figures > 1)
