"""Deflated Sharpe and CSCV: published examples, a slow second way, properties."""

from itertools import combinations, pairwise
from math import log

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from barsieve.metrics.overfitting import (
    backtest_overfitting,
    cscv,
    deflated_sharpe,
    deflated_sharpe_ratio,
    effective_trials,
    expected_maximum_sharpe,
    mean_correlation,
    probabilistic_sharpe_ratio,
)
from barsieve.metrics.overfitting.null import (
    best_without_skill,
    block_rows,
    drawn_counts,
)

# The worked example of Bailey and López de Prado (2014), "A numerical example": five
# years of 250 days, annualised Sharpe 2.5, variance of the trials' annualised ratios
# 1/2. https://www.davidhbailey.com/dhbpapers/deflated-sharpe.pdf
DAYS, YEARS = 250, 5
SHARPE, VARIANCE = 2.5 / DAYS**0.5, 0.5 / DAYS


def noise(seed, n_rows=200, n_trials=20):
    return np.random.default_rng(seed).normal(0.0, 0.01, (n_rows, n_trials))


def test_the_paper_s_example_deflates_to_its_published_figures():
    assert expected_maximum_sharpe(100, VARIANCE) == pytest.approx(0.1132, abs=5e-5)
    deflated = deflated_sharpe_ratio(SHARPE, DAYS * YEARS, 100, VARIANCE, -3.0, 10.0)
    assert deflated == pytest.approx(0.9004, abs=5e-5)


@pytest.mark.parametrize(
    ("n_trials", "skewness", "kurtosis"), [(46, -3.0, 10.0), (88, 0.0, 3.0)]
)
def test_the_paper_s_example_would_stand_after_fewer_trials_or_under_normality(
    n_trials, skewness, kurtosis
):
    rest = (VARIANCE, skewness, kurtosis)
    deflated = deflated_sharpe_ratio(SHARPE, DAYS * YEARS, n_trials, *rest)
    assert deflated == pytest.approx(0.9505, abs=5e-5)
    assert deflated_sharpe_ratio(SHARPE, DAYS * YEARS, n_trials + 1, *rest) < 0.9505


@pytest.mark.parametrize("n_trials", [10, 100, 1000])
def test_the_expected_maximum_is_that_of_simulated_trials(n_trials):
    drawn = np.random.default_rng(5).normal(0.0, 0.2, (4_000, n_trials)).max(axis=1)
    error = drawn.std() / len(drawn) ** 0.5
    expected = expected_maximum_sharpe(n_trials, 0.04)
    # The formula is an approximation for many trials: 2 % off at ten.
    assert expected == pytest.approx(drawn.mean(), abs=4 * error + 0.03 * expected)


@given(
    st.floats(1.0, 1e6),
    st.floats(1.0, 1e6),
    st.floats(-0.3, 0.5),
    st.integers(12, 5_000),
)
def test_a_deflated_ratio_falls_with_the_number_of_trials(one, other, sharpe, n_rows):
    few, many = sorted((one, other))
    deflated = [deflated_sharpe_ratio(sharpe, n_rows, n, 0.01) for n in (few, many)]
    assert deflated[0] >= deflated[1]
    assert deflated[0] <= probabilistic_sharpe_ratio(sharpe, 0.0, n_rows)


def test_one_trial_is_not_deflated():
    found = deflated_sharpe(noise(1, n_trials=1) + 0.002)
    # A thousand draws of 200 rows: a mean of 0 to 0.007, a share to 0.016.
    assert found.expected_maximum == pytest.approx(0.0, abs=0.02)
    assert found.effective_trials == 1.0
    assert found.deflated == pytest.approx(found.probabilistic, abs=0.05)


def test_the_probability_of_the_own_ratio_is_a_half_and_grows_with_history():
    assert probabilistic_sharpe_ratio(0.1, 0.1, 500) == 0.5
    grows = [probabilistic_sharpe_ratio(0.1, 0.0, n) for n in (20, 100, 1_000)]
    assert grows == sorted(grows)
    fat = probabilistic_sharpe_ratio(0.1, 0.0, 100, -2.0, 12.0)
    assert fat < probabilistic_sharpe_ratio(0.1, 0.0, 100)


def test_the_average_correlation_is_that_of_the_matrix_of_all_pairs():
    shared = noise(2, n_trials=1)
    returns = noise(3) + shared
    pairs = np.corrcoef(returns.T)[np.triu_indices(20, 1)]
    assert mean_correlation(returns) == pytest.approx(pairs.mean(), abs=1e-12)


def test_copies_count_as_one_trial_and_strangers_as_all():
    copies = np.repeat(noise(4, n_trials=1), 30, axis=1)
    assert deflated_sharpe(copies).effective_trials == pytest.approx(1.0, abs=1e-9)
    strangers = deflated_sharpe(noise(4, n_rows=5_000, n_trials=30))
    assert strangers.effective_trials == pytest.approx(30, abs=1)
    assert effective_trials(30, -0.02) == 30


def test_deflated_sharpe_of_a_matrix_is_that_of_its_best_trial():
    returns = noise(6, n_rows=400) * [1.0 + i / 10 for i in range(20)]
    found = deflated_sharpe(returns)
    rows = [column.tolist() for column in returns.T]
    means = [sum(r) / 400 for r in rows]
    central = [
        [sum((x - m) ** k for x in r) / 400 for k in (2, 3, 4)]
        for r, m in zip(rows, means, strict=True)
    ]
    ratios = [
        m / (c[0] * 400 / 399) ** 0.5 for m, c in zip(means, central, strict=True)
    ]
    best = ratios.index(max(ratios))
    second, third, fourth = central[best]
    assert found.best == best
    assert found.sharpe == pytest.approx(ratios[best], abs=1e-12)
    assert found.skewness == pytest.approx(third / second**1.5, abs=1e-12)
    assert found.kurtosis == pytest.approx(fourth / second**2, abs=1e-12)
    luck = drawn_one_by_one(returns)
    np.testing.assert_allclose(best_without_skill(returns), luck, rtol=1e-9)
    assert found.deflated == 1 - (np.count_nonzero(luck >= found.sharpe) + 1) / 1001
    assert found.expected_maximum == pytest.approx(luck.mean(), rel=1e-9)


def drawn_one_by_one(returns: np.ndarray) -> np.ndarray:
    """Return the best studentised mean of each draw, by its rows one after another."""
    n_rows = len(returns)
    centred, own = returns - returns.mean(axis=0), returns.std(axis=0, ddof=1)
    scale = ((n_rows - 1) / (n_rows - block_rows(n_rows))) ** 0.5
    best = []
    for counts in drawn_counts(n_rows).astype(int):
        rows = centred[np.repeat(np.arange(n_rows), counts)]
        deviations = np.maximum(rows.std(axis=0, ddof=1), 0.5 * own)
        best.append((rows.mean(axis=0) * scale / deviations).max())
    return np.array(best)


def test_the_best_of_noise_is_deflated_to_nothing_remarkable():
    deflated = [deflated_sharpe(noise(s, 250, 50)).deflated for s in range(60)]
    naive = [deflated_sharpe(noise(s, 250, 50)).probabilistic for s in range(60)]
    assert np.mean(np.array(naive) > 0.95) > 0.8
    assert np.mean(np.array(deflated) > 0.95) < 0.1
    assert 0.3 < np.mean(deflated) < 0.7


def slow_sharpe(values):
    mean = sum(values) / len(values)
    square = sum((v - mean) ** 2 for v in values)
    return mean / (square / (len(values) - 1)) ** 0.5 if square > 0.0 else 0.0


def slow_overfitting(returns, n_blocks, figure=slow_sharpe):
    """CSCV in plain Python, from the paper: no sums of blocks, no mirror."""
    columns = [column.tolist() for column in returns.T]
    n_rows, n_trials = returns.shape
    size, extra = divmod(n_rows, n_blocks)
    starts = [b * size + min(b, extra) for b in range(n_blocks + 1)]
    blocks = [range(a, b) for a, b in pairwise(starts)]
    logits, inside, outside = [], [], []
    for chosen in combinations(range(n_blocks), n_blocks // 2):
        here = [i for b in chosen for i in blocks[b]]
        there = [i for b in range(n_blocks) if b not in chosen for i in blocks[b]]
        at_home = [figure([c[i] for i in here]) for c in columns]
        away = [figure([c[i] for i in there]) for c in columns]
        best = max(range(n_trials), key=at_home.__getitem__)
        rank = sum(a <= away[best] for a in away)
        share = rank / (n_trials + 1)
        logits.append(log(share / (1 - share)))
        inside.append(at_home[best])
        outside.append(away[best])
    mean_in, mean_out = sum(inside) / len(inside), sum(outside) / len(outside)
    rise = [
        (x - mean_in) * (y - mean_out) for x, y in zip(inside, outside, strict=True)
    ]
    slope = sum(rise) / sum((x - mean_in) ** 2 for x in inside)
    return {
        "logits": logits,
        "in_sample": inside,
        "out_of_sample": outside,
        "probability": sum(x <= 0 for x in logits) / len(logits),
        "slope": slope,
        "intercept": mean_out - slope * mean_in,
        "loss_probability": sum(y < 0 for y in outside) / len(outside),
    }


def assert_same(found, slow, within=1e-12):
    for name, expected in slow.items():
        np.testing.assert_allclose(
            getattr(found, name), expected, rtol=0, atol=within, err_msg=name
        )


@pytest.mark.parametrize(
    ("n_rows", "n_trials", "n_blocks"),
    [(60, 7, 8), (61, 12, 10), (67, 3, 8), (36, 2, 2), (40, 5, 4)],
)
def test_cscv_agrees_with_a_slow_second_implementation(n_rows, n_trials, n_blocks):
    returns = noise(n_rows, n_rows, n_trials)
    slow = slow_overfitting(returns, n_blocks)
    assert_same(backtest_overfitting(returns, n_blocks), slow)


def test_another_performance_agrees_too():
    returns = noise(8, 48, 6)

    def worst(rows):
        return rows.min(axis=0) + rows.mean(axis=0)

    def slow_worst(values):
        return min(values) + sum(values) / len(values)

    slow = slow_overfitting(returns, 6, slow_worst)
    assert_same(backtest_overfitting(returns, 6, worst), slow)


def test_sharpe_by_sums_of_blocks_is_sharpe_by_rows():
    returns = noise(9, 50, 9)

    def by_rows(rows):
        return rows.mean(axis=0) / rows.std(axis=0, ddof=1)

    fast, slow = (
        backtest_overfitting(returns, 8),
        backtest_overfitting(returns, 8, by_rows),
    )
    np.testing.assert_allclose(fast.logits, slow.logits, atol=1e-12)
    np.testing.assert_allclose(fast.out_of_sample, slow.out_of_sample, atol=1e-12)


def test_chunks_change_nothing(monkeypatch):
    returns = noise(10, 64, 11)
    whole = backtest_overfitting(returns, 12)
    monkeypatch.setattr(cscv, "CHUNK_CELLS", 100)
    parts = backtest_overfitting(returns, 12)
    np.testing.assert_array_equal(whole.logits, parts.logits)
    np.testing.assert_array_equal(whole.out_of_sample, parts.out_of_sample)


def test_overfitting_of_pure_noise_is_a_half_on_average():
    found = [backtest_overfitting(noise(s, 120, 30), 8) for s in range(120)]
    probability = np.array([f.probability for f in found])
    error = probability.std() / len(found) ** 0.5
    assert error < 0.03
    assert probability.mean() == pytest.approx(0.5, abs=4 * error)
    # What was won in one half was lost in the other: it sums to nothing.
    assert np.mean([f.slope for f in found]) < 0.0
    assert np.mean([f.loss_probability for f in found]) == pytest.approx(0.5, abs=0.1)


def test_a_trial_that_is_truly_better_is_found_again():
    returns = noise(11, 240, 50)
    returns[:, 17] += 0.006
    found = backtest_overfitting(returns)
    assert found.n_combinations == 12_870
    assert found.probability < 0.01
    assert found.loss_probability < 0.01


def test_a_trial_that_only_lived_in_one_half_is_seen_through():
    returns = noise(12, 240, 40) * 0.1
    for trial in range(40):
        rng = np.random.default_rng(trial)
        good = rng.permutation(16) < 8
        returns[:, trial] += 0.002 * np.repeat(np.where(good, 1, -1), 15)
    assert backtest_overfitting(returns).probability > 0.8


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1), st.booleans())
def test_the_order_of_columns_says_nothing(seed, has_ties):
    rng = np.random.default_rng(seed)
    returns = rng.normal(0.0, 0.01, (32, 9))
    if has_ties:
        returns[:, 3] = returns[:, 7]
        returns[:20, :5] = 0.0
        returns[:, 5:] -= 0.05
    order = rng.permutation(9)
    one, other = (backtest_overfitting(r, 8) for r in (returns, returns[:, order]))
    np.testing.assert_allclose(one.logits, other.logits, atol=1e-12)
    np.testing.assert_allclose(one.out_of_sample, other.out_of_sample, atol=1e-12)
    assert one.probability == other.probability
    there, here = deflated_sharpe(returns), deflated_sharpe(returns[:, order])
    assert here.deflated == pytest.approx(there.deflated, abs=1e-12)


def test_the_scale_of_returns_says_nothing():
    returns = noise(13, 64, 8)
    one, other = (
        backtest_overfitting(returns, 8),
        backtest_overfitting(1e4 * returns, 8),
    )
    np.testing.assert_allclose(one.logits, other.logits, atol=1e-12)
    assert deflated_sharpe(returns).deflated == pytest.approx(
        deflated_sharpe(1e4 * returns).deflated, abs=1e-12
    )


def test_order_within_a_block_and_of_blocks_says_nothing():
    returns = noise(14, 64, 8)
    rng = np.random.default_rng(0)
    within = np.concatenate([8 * b + rng.permutation(8) for b in range(8)])
    blocks = np.concatenate([8 * b + np.arange(8) for b in rng.permutation(8)])
    whole = backtest_overfitting(returns, 8)
    for order in (within, blocks):
        found = backtest_overfitting(returns[order], 8)
        assert found.probability == whole.probability
        assert found.slope == pytest.approx(whole.slope, abs=1e-9)


def test_rows_of_independent_returns_may_be_shuffled_without_a_bias():
    returns = noise(15, 96, 20)
    whole = backtest_overfitting(returns, 8).probability
    rng = np.random.default_rng(1)
    found = [
        backtest_overfitting(returns[rng.permutation(96)], 8).probability
        for _ in range(100)
    ]
    assert min(found) <= whole <= max(found)
    deflated = [
        deflated_sharpe(returns[rng.permutation(96)]).deflated for _ in range(30)
    ]
    assert min(deflated) <= deflated_sharpe(returns).deflated <= max(deflated)


def test_equal_trials_share_their_rank_and_leave_nothing_to_choose():
    found = backtest_overfitting(np.repeat(noise(16, 64, 1), 5, axis=1), 8)
    np.testing.assert_allclose(found.logits, 0.0, atol=1e-12)


def test_a_half_without_trades_earns_nothing_and_risks_nothing():
    returns = noise(17, 64, 4) - 0.05
    returns[:48, 2] = 0.0
    returns[48:, 2] = 0.01 * np.arange(16)
    found = backtest_overfitting(returns, 4)
    assert np.isfinite(found.in_sample).all()
    # Three of six halves hold the last block; in the others the idle trial still wins.
    assert sorted(found.in_sample)[:3] == [0.0, 0.0, 0.0]
    assert found.probability == 0.0


def test_sixteen_blocks_of_a_sweep_fit_in_little_memory():
    import tracemalloc

    returns = noise(18, 60, 594)
    tracemalloc.start()
    found = backtest_overfitting(returns)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found.n_combinations == 12_870
    assert peak < 200e6


def with_value(value):
    returns = noise(19, 40, 4)
    returns[5, 2] = value
    return returns


@pytest.mark.parametrize("judge", [deflated_sharpe, backtest_overfitting])
@pytest.mark.parametrize(
    ("returns", "words"),
    [
        (with_value(np.nan), "found nan in row 5 of trial 2"),
        (with_value(np.inf), "found inf in row 5 of trial 2"),
        (np.c_[noise(1), np.zeros(200), np.full(200, 0.01)], "trial 20, 21"),
        (noise(1, n_rows=11), "at least 12 rows, found 11"),
        (noise(1)[:, 0], "rows x trials"),
        (noise(1)[:, :0], "at least"),
    ],
)
def test_bad_returns_are_refused_in_words(judge, returns, words):
    with pytest.raises(ValueError, match=words):
        judge(returns)


@pytest.mark.parametrize(
    ("n_blocks", "words"), [(7, "even"), (0, "even"), (22, "to 20"), (14, "at most 12")]
)
def test_bad_blocks_are_refused_in_words(n_blocks, words):
    with pytest.raises(ValueError, match=words):
        backtest_overfitting(noise(1, n_rows=27), n_blocks)


def test_the_number_of_blocks_that_a_refusal_names_is_taken():
    assert backtest_overfitting(noise(1, n_rows=27), 12).n_combinations == 924


def test_one_trial_has_nothing_to_be_chosen_from():
    with pytest.raises(ValueError, match="at least 2 trials"):
        backtest_overfitting(noise(1, n_trials=1))


def test_a_half_of_equal_returns_is_refused_in_words():
    returns = noise(1, 40, 3)
    returns[:30, 1] = 0.3
    with pytest.raises(ValueError, match="trial 1"):
        backtest_overfitting(returns, 4)


def test_a_performance_of_the_wrong_shape_is_refused():
    with pytest.raises(ValueError, match="each of 20 trials"):
        backtest_overfitting(noise(1), 4, lambda rows: rows.mean(axis=1))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: probabilistic_sharpe_ratio(0.1, 0.0, 100, 0.0, 0.0), "not as 0"),
        (lambda: probabilistic_sharpe_ratio(0.1, 0.0, 1), "n_rows"),
        (lambda: probabilistic_sharpe_ratio(2.0, 0.0, 100, 1.0, 2.0), "above 0"),
        (lambda: expected_maximum_sharpe(0.5, 0.1), "n_trials"),
        (lambda: expected_maximum_sharpe(np.nan, 0.1), "n_trials"),
        (lambda: expected_maximum_sharpe(5, -0.1), "sharpe_variance"),
    ],
)
def test_impossible_numbers_are_refused_in_words(call, words):
    with pytest.raises(ValueError, match=words):
        call()
