"""Intervals that hold together find nothing in noise, and find what was planted."""

import numpy as np

from barsieve.metrics.bootstrap import interval, simultaneous

N_DAYS, N_FIGURES, N_DRAWS, N_SEEDS = 200, 30, 400, 80
DRAWN = np.random.default_rng(7).integers(0, N_DAYS, (N_DRAWS, N_DAYS))


def means(seed: int, effect: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Correlated figures of days without an effect, but for the first; and draws."""
    rng = np.random.default_rng(seed)
    days = rng.standard_normal((N_DAYS, N_FIGURES)) + rng.standard_normal((N_DAYS, 1))
    days[:, 0] += effect
    return days.mean(axis=0), days[DRAWN].mean(axis=1).T


def excludes_zero(points: np.ndarray, draws: np.ndarray) -> np.ndarray:
    low, high, _ = simultaneous(points, draws, np.full(len(points), N_DAYS))
    return (low > 0) | (high < 0)


def test_among_many_intervals_of_nothing_one_excludes_zero_in_a_twentieth():
    together = alone = 0
    for seed in range(N_SEEDS):
        observed, draws = means(seed)
        together += excludes_zero(observed, draws).any()
        ends = [interval(row) for row in draws]
        alone += any(low > 0 or high < 0 for low, high in ends)
    # Binomial(80, 0.05): more than 9 in one of a hundred runs.
    assert together <= 9
    assert alone >= N_SEEDS / 4, "the test has nothing to correct"


def test_a_planted_difference_is_found_and_no_other():
    # 0.6 of a day's deviation over 200 days: six standard errors.
    found = np.zeros(N_FIGURES)
    for seed in range(20):
        observed, draws = means(seed, effect=0.6 * np.sqrt(2))
        found += excludes_zero(observed, draws)
    assert found[0] == 20
    assert found[1:].sum() <= 4


def test_what_is_seldom_defined_has_no_interval_and_widens_no_other():
    observed, draws = means(3)
    days = np.full(N_FIGURES, N_DAYS)
    without = simultaneous(observed[1:], draws[1:], days[1:])
    draws[0, : N_DRAWS // 5] = np.nan
    draws[0, -1] = 1e9
    low, high, n = simultaneous(observed, draws, days)
    assert np.isnan([low[0], high[0]]).all()
    assert n == without[2]
    np.testing.assert_array_equal(low[1:], without[0])
    np.testing.assert_array_equal(high[1:], without[1])


def test_a_difference_that_never_varies_is_no_comparison():
    low, high, n = simultaneous(np.zeros(1), np.zeros((1, 50)), np.array([N_DAYS]))
    assert (low[0], high[0], n) == (0.0, 0.0, 0)
