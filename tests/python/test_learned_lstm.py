"""LSTM of a learned exit: what keras says of it, its fits, and what they find."""

import subprocess
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from barsieve.core.errors import InputError, MissingExtraError
from barsieve.core.extras import missing
from barsieve.learning.exits.lstm import (
    HELD_BACK,
    fit_lstm,
    keras_on_jax,
    learned_of_lstm,
    said_by_keras,
)
from barsieve.learning.exits.models import Fit, predict
from barsieve.learning.exits.walk import walk
from barsieve.replay.learned import HIDDEN, begin_memory, lstm_says
from exit_cases import planted_paths, random_closes, random_lstm

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        missing("deep") is not None, reason="the extra deep is not installed"
    ),
]
N_FEATURES = 4


def closes(seed: int, n_trades: int, effect: float):
    """Trades whose rest depends on the sign of a feature of their first close."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(2, 8, n_trades)
    starts = np.concatenate([[0], np.cumsum(lengths)])
    features = rng.normal(size=(starts[-1], N_FEATURES))
    first = np.repeat(features[starts[:-1], 0], lengths)
    rest = effect * np.sign(first) + rng.normal(size=len(features))
    features[rng.random(features.shape) < 0.02] = np.nan
    return features, rest, starts


def close_by_close(features, rest, starts):
    """The same closes, each as if nothing had come before it."""
    return features, rest, np.arange(len(rest) + 1)


def worth(fit: Fit, mean: float, features, rest, starts) -> float:
    """R² of a fit, against a mean known before."""
    left = rest - predict(fit, features, starts)
    return float(1 - (left**2).sum() / ((rest - mean) ** 2).sum())


def noise_worth(seed: int) -> float:
    before = closes(seed, 300, effect=0.0)
    after = closes(seed + 10_000, 300, effect=0.0)
    return worth(fit_lstm(*before), float(before[1].mean()), *after)


def bits(fit: Fit) -> list[str]:
    return [repr(fit.base), *(n.tobytes().hex() for n in fit.numbers.values())]


@pytest.mark.parametrize(("n_features", "n_units"), [(1, 1), (11, 8), (16, 16)])
def test_the_step_says_what_keras_says(n_features: int, n_units: int):
    rng = np.random.default_rng(n_units)
    lengths = rng.integers(1, 60, 30)
    starts = np.concatenate([[0], np.cumsum(lengths)])
    features = 3 * rng.standard_t(2, size=(starts[-1], n_features))
    features[rng.random(features.shape) < 0.05] = np.nan
    fit = random_lstm(rng, n_features, n_units)
    theirs = said_by_keras(fit, features, starts)
    assert np.ptp(theirs) > 0.05
    said = predict(fit, features, starts)
    np.testing.assert_allclose(said, theirs, rtol=0, atol=1e-9)


def test_what_an_earlier_close_said_is_learned():
    before, after = closes(1, 600, effect=1.0), closes(2, 600, effect=1.0)
    fit, mean = fit_lstm(*before), float(before[1].mean())
    np.testing.assert_allclose(
        predict(fit, after[0], after[2]),
        said_by_keras(fit, after[0], after[2]),
        rtol=0,
        atol=1e-9,
    )
    alone = fit_lstm(*close_by_close(*before))
    remembering = worth(fit, mean, *after)
    # Half of the variance is of the first close, and a fifth of the closes are first.
    assert remembering > 0.35
    assert worth(alone, mean, *close_by_close(*after)) < remembering - 0.2


def test_momentum_that_decays_at_an_age_is_learned():
    paths = planted_paths(np.random.default_rng(10), 300, 0.1)
    after = planted_paths(np.random.default_rng(11), 300, 0.1)
    fit = fit_lstm(paths.features, paths.rest, paths.starts)
    parts = after.features, after.rest, after.starts
    assert worth(fit, float(paths.rest.mean()), *parts) > 0.3


def test_noise_is_hardly_learned():
    # A fit that learned nothing says the mean: what it seems worth is its chance.
    assert np.mean([noise_worth(seed) for seed in range(4)]) < 0.005


@pytest.mark.proofs
def test_noise_is_not_learned_in_a_hundred_markets():
    found = np.array([noise_worth(seed) for seed in range(100)])
    assert found.mean() <= 0.0
    assert (found > 0.005).sum() <= 5


def test_a_constant_or_unknown_feature_says_nothing():
    features, rest, starts = closes(3, 100, effect=1.0)
    features[:, 1], features[:, 2] = 3.0, np.nan
    fit = fit_lstm(features, rest, starts)
    said = predict(fit, features, starts)
    assert np.isfinite(said).all()
    features[:, 1], features[:, 2] = 4e6, 5.0
    known = predict(fit, features, starts)
    features[:, 1] = 3.0
    assert np.array_equal(predict(fit, features, starts), known)


def test_what_is_held_back_says_when_to_stop_and_no_more():
    features, rest, starts = closes(4, 100, effect=0.0)
    first_held = starts[len(starts) - 1 - int(HELD_BACK * 100)]
    fit = fit_lstm(features, rest, starts)
    features[first_held:] *= 100.0
    again = fit_lstm(features, rest, starts)
    for name in ("mean", "spread"):
        assert np.array_equal(fit.numbers[name], again.numbers[name])


IN_A_PROCESS = """
from test_learned_lstm import bits, closes, fit_lstm
print(bits(fit_lstm(*closes(5, 80, 1.0))))
"""


def test_two_processes_fit_the_same_bits():
    # What was fitted before, in the same network, must not matter.
    fit_lstm(*closes(6, 80, 0.0))
    there = subprocess.run(
        [sys.executable, "-c", IN_A_PROCESS],
        cwd=Path(__file__).parent,
        capture_output=True,
        text=True,
        check=True,
    )
    assert there.stdout.strip() == str(bits(fit_lstm(*closes(5, 80, 1.0))))


def test_a_memory_goes_on_where_it_was_kept():
    rng = np.random.default_rng(7)
    learned = learned_of_lstm(random_lstm(rng, 5, 4))
    bars, sight = rng.normal(size=(40, 5)), np.empty(5 + 16)

    def says(memory: np.ndarray, bar: np.ndarray) -> float:
        sight[:5] = bar
        return lstm_says(learned, 0, sight, memory, 5)

    whole, memory = np.zeros(HIDDEN + 8), np.zeros(HIDDEN + 8)
    for each in (whole, memory):
        begin_memory(each, 0)
    expected = [says(whole, bar) for bar in bars]
    before = [says(memory, bar) for bar in bars[:17]]
    # As a state keeps it, and gives it back.
    resumed = np.array(tuple(memory.tolist()))
    assert before + [says(resumed, bar) for bar in bars[17:]] == expected
    begin_memory(memory, 0)
    assert says(memory, bars[17]) != expected[17], "the memory matters"


def test_new_months_alone_are_fitted(monkeypatch, tmp_path):
    from barsieve.learning.exits import remembered

    monkeypatch.setenv("BARSIEVE_REMEMBERED", str(tmp_path))
    fitted = []

    def counted(features, rest, starts):
        fitted.append(len(starts) - 1)
        return fit_lstm(features, rest, starts)

    monkeypatch.setitem(remembered.FITTERS, "lstm", counted)
    paths = planted_paths(np.random.default_rng(8), 140, 0.1)
    asked = partial(walk, paths, "lstm")
    last = int(paths.decided_at[-1])
    month = 31 * 24 * 3_600_000_000
    early = list(asked(last - month))
    n_early = len(fitted)
    assert n_early == len(early) > 1
    whole = list(asked(last))
    assert len(fitted) == len(whole) == n_early + 1
    for old, new in zip(early, whole[:n_early], strict=True):
        assert bits(old.fit) == bits(new.fit)


def test_without_the_extra_one_sentence_says_so(monkeypatch):
    monkeypatch.setitem(sys.modules, "keras", None)
    keras_on_jax.cache_clear()
    with pytest.raises(MissingExtraError, match=r"'barsieve\[deep\]'"):
        fit_lstm(*random_closes(np.random.default_rng(9), 20))
    keras_on_jax.cache_clear()


def test_another_backend_is_refused(monkeypatch):
    monkeypatch.setattr(keras_on_jax().backend, "backend", lambda: "torch")
    keras_on_jax.cache_clear()
    with pytest.raises(InputError, match="found torch"):
        fit_lstm(*random_closes(np.random.default_rng(9), 20))
    keras_on_jax.cache_clear()
