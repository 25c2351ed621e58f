"""Refit month by month; every day is read by parameters that were fitted before it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from barsieve.regime import (
    FIRST_FIT_DAYS,
    HMM,
    KMEANS,
    ROLLING,
    SHORT_HISTORY_DAYS,
    clusters,
    markov,
)
from barsieve.regime.columns import COLUMNS, Observations, usable
from barsieve.regime.markov import Attempt
from barsieve.regime.naming import by_stress, most_likely

SEEDS, RETRY_SEEDS = (0, 1, 2), (3, 4, 5)
LEAST_SHARE = 0.02
"""Share of the days that each state must hold."""

FITTERS: dict[str, Callable[..., Attempt]] = {HMM: markov.fit, KMEANS: clusters.fit}


class Scaled(NamedTuple):
    """A fitted model with what it was standardised by, its states in order of stress.

    `moments`: mean and sd of the days fitted on, shape (d,) each.
    """

    model: Any
    used: np.ndarray
    moments: tuple[np.ndarray, np.ndarray]
    order: np.ndarray

    def beliefs(self, read: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return beliefs by stress (n, k) and log p(day | past) in the read units."""
        mean, sd = self.moments
        beliefs, evidence = self.model.beliefs((read[:, self.used] - mean) / sd)
        n_known = np.isfinite(read[:, self.used])
        return beliefs[:, self.order], evidence - (n_known * np.log(sd)).sum(axis=1)


@dataclass(frozen=True)
class Fit:
    """One refit: what it saw, what came of it, and what is in force from then on.

    `outcome`: `fitted`, `kept` (the last good parameters stay) or `none`.
    """

    fit_at: np.datetime64
    first: int
    days: int
    outcome: str
    in_force: Scaled | None
    reason: str | None = None
    left_out: str | None = None
    start: str | None = None
    starts_tried: int = 0
    log_likelihood: float | None = None
    agreement_with_last: float | None = None
    occupancy: np.ndarray | None = None
    state_means: np.ndarray | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Walk:
    """A classifier over all of history.

    `beliefs`: shape (n, k), states by stress, NaN before the first fit; `evidence`: log
    p(day | past), shape (n,), NaN where undefined; `fit_of_day`: position in `fits`.
    """

    fits: list[Fit]
    beliefs: np.ndarray
    evidence: np.ndarray
    fit_of_day: np.ndarray


def months(day: np.ndarray) -> Iterator[tuple[np.datetime64, int, int]]:
    """Yield each month's first day and the positions where it begins and ends."""
    month = day.astype("datetime64[M]")
    for start in np.unique(month):
        begin, end = np.searchsorted(month, [start, start + 1])
        yield start.astype("datetime64[D]"), int(begin), int(end)


def _standardised(window: np.ndarray, used: np.ndarray):
    complete = window[:, used]
    complete = complete[np.isfinite(complete).all(axis=1)]
    moments = complete.mean(axis=0), complete.std(axis=0)
    return complete, moments


def _attempts(fitter, z, n_states, warm) -> list[Attempt]:
    """Try the seeds and the last parameters; further seeds if none of them is sound."""
    starts = [*SEEDS, *([warm] if warm is not None else [])]
    made = [fitter(z, n_states, start, LEAST_SHARE) for start in starts]
    if all(attempt.fault for attempt in made):
        made += [fitter(z, n_states, start, LEAST_SHARE) for start in RETRY_SEEDS]
    return made


def _best(attempts: list[Attempt]) -> Attempt:
    """Return the likeliest sound attempt, else the likeliest."""
    sound = [attempt for attempt in attempts if attempt.fault is None]
    return max(sound or attempts, key=lambda attempt: attempt.score)


def _warm(last: Scaled | None, used: np.ndarray, moments):
    if last is None or not np.array_equal(last.used, used):
        return None
    return last.model.rescaled(last.moments, moments)


def _agreement(now: Scaled, last: Scaled | None, read: np.ndarray) -> float | None:
    """Return the share of days that two fits give the same name."""
    if last is None:
        return None
    names = [most_likely(scaled.beliefs(read)[0]) for scaled in (now, last)]
    return float((names[0] == names[1]).mean())


def _state_means(beliefs: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return the mean of each column in each state, shape (k, columns)."""
    known = np.isfinite(values)
    sums = beliefs.T @ np.where(known, values, 0.0)
    weights = beliefs.T @ known
    with np.errstate(invalid="ignore", divide="ignore"):
        return sums / weights


def _refit(fitter, seen: Observations, window: slice, n_states, last, fit_at) -> Fit:
    """Fit on a window of past days, or keep what is in force."""
    read = seen.read[window]
    n_days = window.stop - window.start
    kept = {
        "fit_at": fit_at, "first": window.start, "days": n_days, "in_force": last,
        "outcome": "none" if last is None else "kept",
    }  # fmt: skip
    if window.stop < FIRST_FIT_DAYS:
        return Fit(**kept, reason=f"{window.stop} days, expected {FIRST_FIT_DAYS}")
    used, left_out = usable(read)
    if not len(used):
        return Fit(**kept, reason="no column can be used", left_out=left_out)
    complete, moments = _standardised(read, used)
    if len(complete) < FIRST_FIT_DAYS // 2 or not (moments[1] > 0).all():
        reason = f"{len(complete)} days on which every column is known"
        return Fit(**kept, reason=reason, left_out=left_out)
    z = (complete - moments[0]) / moments[1]
    attempts = _attempts(fitter, z, n_states, _warm(last, used, moments))
    best = _best(attempts)
    tried = {"left_out": left_out, "starts_tried": len(attempts), "start": best.start}
    if best.fault:
        return Fit(**kept, reason=best.fault, **tried)
    order = by_stress(best.model.means, used)
    made = Scaled(best.model, used, moments, order)
    beliefs, _ = made.beliefs(read)
    return Fit(
        **(kept | {"outcome": "fitted", "in_force": made}),
        **tried,
        log_likelihood=best.score / len(z),
        agreement_with_last=_agreement(made, last, read),
        occupancy=beliefs.mean(axis=0),
        state_means=_state_means(
            beliefs, np.column_stack([seen.values[window], seen.dxy[window]])
        ),
    )


def walk_forward(
    seen: Observations, classifier: str, fit_window: str, n_states: int = 4
) -> Walk:
    """Classify every day by parameters fitted on the days before its month.

    `classifier`: `hmm` or `kmeans`. `fit_window`: `expanding` or `rolling`. One thread:
    on such small matrices more of them only wait for each other, and their sums would
    depend on how many there are.
    """
    from threadpoolctl import threadpool_limits

    n_days = len(seen.day)
    beliefs = np.full((n_days, n_states), np.nan)
    evidence, fit_of_day = np.full(n_days, np.nan), np.zeros(n_days, int)
    fits: list[Fit] = []
    last: Scaled | None = None
    with threadpool_limits(limits=1):
        for fit_at, begin, end in months(seen.day):
            first = max(0, begin - SHORT_HISTORY_DAYS) if fit_window == ROLLING else 0
            window = slice(first, begin)
            fit = _refit(FITTERS[classifier], seen, window, n_states, last, fit_at)
            last = fit.in_force
            fit_of_day[begin:end] = len(fits)
            fits.append(fit)
            if last is not None:
                believed, explained = last.beliefs(seen.read[first:end])
                beliefs[begin:end] = believed[begin - first :]
                evidence[begin:end] = explained[begin - first :]
    return Walk(fits, beliefs, evidence, fit_of_day)


def names_of(used: np.ndarray) -> list[str]:
    """Return the names of columns by their positions."""
    return [COLUMNS[position] for position in used]
