"""Walk over months, each predicted from the months before it, and nothing else."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np

from barsieve.core.remembered import Kept, packed, recall, unpacked
from barsieve.learning import (
    BASELINES,
    EQUAL,
    LEARNERS,
    LEAST_MONTHS,
    PICKED_SHARE,
    SEED,
)
from barsieve.learning.dataset import BELIEFS, CONFIGURATION, STATE_GROUPS, Rows
from barsieve.learning.models import (
    crossed,
    learner,
    ranked_by_rule,
    scaled_states,
    setting_columns,
    state_columns,
)

BY = "by regime: "
"""What names of remembered predictions by regime begin with."""

SHUFFLES = 2
"""How often each group is put out of order."""


class Score(NamedTuple):
    """One model in one month, against what came.

    Sums are over configurations: `squared_error`, `total` and `total_squares` of the
    target. `rank_correlation` is NaN where the model or the month ranks nothing;
    `same_threshold` is that among configurations of one threshold: what is left when
    trading less is not counted as skill.
    `picked` and `average`: mean result (R) of the decile of the best predictions and of
    all. `shuffled`: squared error with a group out of order.
    """

    model: str
    squared_error: float
    total: float
    total_squares: float
    rank_correlation: float
    same_threshold: float
    picked: float
    average: float
    shuffled: dict[str, float]


class Month(NamedTuple):
    """A predicted month.

    `known`: positions of the months that were learned from. `by_regime`: for each
    learner the predicted results if a regime were certain, shape (n_regimes,
    n_configs), regimes as in `BELIEFS`.
    """

    position: int
    known: np.ndarray
    scores: list[Score]
    by_regime: dict[str, np.ndarray]


def rank_correlation(predicted: np.ndarray, found: np.ndarray) -> float:
    """Return Spearman's correlation; NaN when either is constant."""
    from scipy.stats import rankdata

    if np.ptp(predicted) == 0 or np.ptp(found) == 0:
        return float("nan")
    return float(np.corrcoef(rankdata(predicted), rankdata(found))[0, 1])


def best_of(ranking: np.ndarray, share: float) -> np.ndarray:
    """Return the positions of the best share, one at least; ties by position."""
    n = max(1, int(np.ceil(share * len(ranking))))
    return np.argsort(-ranking, kind="stable")[:n]


def less_threshold(rows: Rows, values: np.ndarray) -> np.ndarray:
    """Return values less the mean of the configurations of the same threshold."""
    _, group = np.unique(rows.settings.entry_threshold, return_inverse=True)
    means = np.bincount(group, values) / np.bincount(group)
    left = values - means[group]
    return np.where(np.abs(left) > 1e-9, left, 0.0)


def score(rows, model, predicted, found, ranking=None, shuffled=None) -> Score:
    """Score a prediction; `ranking` says what is better where it does not."""
    ranking = predicted if ranking is None else ranking
    return Score(
        model,
        float(((found - predicted) ** 2).sum()),
        float(found.sum()),
        float((found**2).sum()),
        rank_correlation(ranking, found),
        rank_correlation(less_threshold(rows, ranking), less_threshold(rows, found)),
        float(found[best_of(ranking, PICKED_SHARE)].mean()),
        float(found.mean()),
        shuffled or {},
    )


def _certain(states: np.ndarray) -> np.ndarray:
    """Return the state of a month as if each regime in turn were certain."""
    made = np.repeat(states[None, :], len(BELIEFS), axis=0)
    made[:, : len(BELIEFS)] = np.eye(len(BELIEFS))
    return made


def _shuffled_features(settings, states, month, known, rng) -> Iterator[tuple]:
    """Yield each group's name and the month's rows with the group out of order.

    Settings are exchanged between configurations, states with those of a month learned
    from: nothing of a later month is needed.
    """
    for group, names in STATE_GROUPS.items():
        for other in rng.choice(known, SHUFFLES):
            made = states[month].copy()
            made[state_columns(names)] = states[other][state_columns(names)]
            yield group, crossed(settings, made[None, :])
    for _ in range(SHUFFLES):
        mixed = settings[rng.permutation(len(settings))]
        yield CONFIGURATION, crossed(mixed, states[month][None, :])


def _shuffled_errors(model, settings, states, month, known, found) -> dict[str, float]:
    rng = np.random.default_rng([SEED, month])
    names, features = zip(
        *_shuffled_features(settings, states, month, known, rng), strict=True
    )
    predicted = model.predict(np.concatenate(features)).reshape(len(names), -1)
    errors = ((predicted - found) ** 2).sum(axis=1)
    return {
        name: float(np.mean(errors[[n == name for n in names]]))
        for name in dict.fromkeys(names)
    }


def _rule_score(name: str, rows: Rows, month: int, known: np.ndarray) -> Score:
    ranking, found = ranked_by_rule(name, rows, known), rows.r_sum[month]
    if name == EQUAL:
        mean = np.full(len(found), rows.r_sum[known].mean())
        return score(rows, name, mean, found, ranking)
    return score(rows, name, ranking, found)


def predict_month(rows: Rows, month: int) -> Month | None:
    """Predict a month from those before it; None where there are too few."""
    known = rows.known_before(month)
    if len(known) < LEAST_MONTHS:
        return None
    settings = setting_columns(rows)
    past, found = rows.lived(known), rows.r_sum[month]
    states = scaled_states(rows.states[: month + 1], past)
    certain = crossed(settings, scaled_states(_certain(rows.states[month]), past))
    features = crossed(settings, scaled_states(past, past))
    scores, by_regime = [], {}
    for name in LEARNERS:
        model = learner(name, *settings.shape)
        model.fit(features, rows.r_sum[known].ravel())
        predicted = model.predict(crossed(settings, states[[month]]))
        shuffled = _shuffled_errors(model, settings, states, month, known, found)
        scores.append(score(rows, name, predicted, found, shuffled=shuffled))
        by_regime[name] = model.predict(certain).reshape(len(BELIEFS), -1)
    scores += [_rule_score(name, rows, month, known) for name in BASELINES]
    return Month(month, known, scores, by_regime)


def _kept(month: Month | None) -> Kept:
    if month is None:
        return {}
    scores = [score._asdict() for score in month.scores]
    return {
        "position": np.array(month.position),
        "known": month.known,
        "scores": packed(scores),
        **{f"{BY}{name}": predicted for name, predicted in month.by_regime.items()},
    }


def _month(kept: Kept) -> Month | None:
    if not kept:
        return None
    return Month(
        int(kept["position"]),
        kept["known"],
        [Score(**score) for score in unpacked(kept["scores"])],
        {name.removeprefix(BY): a for name, a in kept.items() if name.startswith(BY)},
    )


def _alone(rows: Rows, month: int) -> Month | None:
    """Predict with one thread of each library: sums have one order.

    Remembered by all that was there when the month had ended.
    """
    from threadpoolctl import threadpool_limits

    rows = rows.until(month + 1)

    def make() -> Kept:
        with threadpool_limits(1):
            return _kept(predict_month(rows, month))

    return _month(recall("month of a walk", (rows, month), make))


def walk(rows: Rows, n_threads: int = 2) -> list[Month]:
    """Predict every month that has enough months before it, in order of time."""
    with ThreadPoolExecutor(n_threads) as pool:
        months = pool.map(lambda m: _alone(rows, m), range(len(rows.months)))
        return [month for month in months if month is not None]


def in_sample_r2(rows: Rows) -> dict[str, float]:
    """Return the R² of each learner on the rows that it has learned from."""

    def make() -> Kept:
        return {name: np.array(r2) for name, r2 in _in_sample_r2(rows).items()}

    found = recall("in-sample R2 of a walk", rows, make)
    return {name: float(r2) for name, r2 in found.items()}


def _in_sample_r2(rows: Rows) -> dict[str, float]:
    from threadpoolctl import threadpool_limits

    target = rows.r_sum.ravel()
    if len(target) < 2 or np.ptp(target) == 0:
        return dict.fromkeys(LEARNERS, float("nan"))
    settings = setting_columns(rows)
    states = rows.lived(np.arange(len(rows.months)))
    features = crossed(settings, scaled_states(states, states))
    found = {}
    with threadpool_limits(1):
        for name in LEARNERS:
            model = learner(name, *settings.shape).fit(features, target)
            error = ((target - model.predict(features)) ** 2).sum()
            found[name] = float(1 - error / ((target - target.mean()) ** 2).sum())
    return found
