"""Walk-forward refits: each day is read by parameters fitted before it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from barsieve.regime import (
    FIRST_FIT_DAYS,
    HMM,
    KMEANS,
    NAMES,
    ROLLING,
    SHORT_HISTORY_DAYS,
    UNKNOWN,
    kmeans,
    markov,
)
from barsieve.regime.features import (
    COLUMNS,
    STRESS,
    Observations,
    condensed,
    has_stress,
    usable,
)
from barsieve.regime.hysteresis import most_likely
from barsieve.regime.markov import Attempt
from barsieve.regime.stress import centres, named

FITTERS: dict[str, Callable[..., Attempt]] = {HMM: markov.fit, KMEANS: kmeans.fit}


FARTHEST = 4.0
"""Standard deviations beyond which a column other than the stress says no more: else
one leap would make whichever state happens to have the widest spread."""


def _standardised(seen: np.ndarray, moments: tuple[np.ndarray, np.ndarray]):
    """Return days as a model reads them; the stress, its first column, is as it is."""
    mean, sd = moments
    z = (seen - mean) / sd
    z[:, 1:] = np.clip(z[:, 1:], -FARTHEST, FARTHEST)
    return z


class Scaled(NamedTuple):
    """A fitted model with the columns it reads and what they were standardised by.

    `moments`: mean and sd, shape (d,) each; those of the stress are 0 and 1, since its
    scale is fixed.
    """

    model: Any
    used: np.ndarray
    moments: tuple[np.ndarray, np.ndarray]

    @property
    def stress(self) -> np.ndarray:
        """Means of the states on the scale of stress, shape (k,)."""
        return self.model.means[:, 0]

    def beliefs(self, read: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return beliefs by name (n, 4) and log p(day | past) in the read units.

        States with one name add up. A day without VIX and MOVE has no belief.
        """
        seen = condensed(read, self.used)
        of_states, evidence = self.model.beliefs(_standardised(seen, self.moments))
        beliefs = of_states @ np.eye(len(NAMES))[named(self.stress)]
        beliefs[~np.isfinite(seen[:, 0])] = np.nan
        return beliefs, evidence - (np.isfinite(seen) * np.log(self.moments[1])).sum(
            axis=1
        )


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
    log_likelihood: float | None = None
    agreement_with_last: float | None = None
    occupancy: np.ndarray | None = None
    state_means: np.ndarray | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Walk:
    """A classifier over all of history.

    `beliefs`: by name, shape (n, 4), NaN before the first fit and on days without VIX
    and MOVE; `evidence`: log p(day | past), shape (n,), NaN where undefined;
    `fit_of_day`: position in `fits`.
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


def _first_with_stress(read: np.ndarray) -> int:
    """Return the first day on which VIX or MOVE is known; the end if there is none."""
    known = np.isfinite(read[:, STRESS]).any(axis=1)
    return int(known.argmax()) if known.any() else len(read)


def _complete(window: np.ndarray, used: np.ndarray):
    """Return the days without a gap as a fit sees them, and their moments."""
    seen = condensed(window, used)
    seen = seen[np.isfinite(seen).all(axis=1)]
    mean, sd = seen.mean(axis=0), seen.std(axis=0)
    mean[0], sd[0] = 0.0, 1.0
    return seen, (mean, sd)


def _agreement(now: Scaled, last: Scaled | None, read: np.ndarray) -> float | None:
    """Return the share of the days with a name that two fits name alike."""
    if last is None:
        return None
    names = [most_likely(scaled.beliefs(read)[0]) for scaled in (now, last)]
    both = (names[0] != UNKNOWN) & (names[1] != UNKNOWN)
    return float((names[0] == names[1])[both].mean()) if both.any() else None


def _state_means(beliefs: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return the mean of each column under each name, shape (4, columns)."""
    known = np.isfinite(values)
    sums = beliefs.T @ np.where(known, values, 0.0)
    weights = beliefs.T @ known
    with np.errstate(invalid="ignore", divide="ignore"):
        return sums / weights


def _refit(fitter, seen: Observations, window: slice, stress, last, fit_at) -> Fit:
    """Fit on a window of past days, or keep what is in force."""
    known_from = _first_with_stress(seen.read[: window.stop])
    window = slice(max(window.start, known_from), window.stop)
    read = seen.read[window]
    n_days = window.stop - window.start
    kept = {
        "fit_at": fit_at, "first": window.start, "days": n_days, "in_force": last,
        "outcome": "none" if last is None else "kept",
    }  # fmt: skip
    n_known = window.stop - known_from
    if window.stop and not n_known:
        return Fit(**kept, reason="neither VIX nor MOVE is known")
    if n_known < FIRST_FIT_DAYS:
        return Fit(**kept, reason=f"{n_known} days, expected {FIRST_FIT_DAYS}")
    used, left_out = usable(read)
    if not has_stress(used):
        return Fit(**kept, reason="neither VIX nor MOVE can be used", left_out=left_out)
    complete, moments = _complete(read, used)
    if len(complete) < FIRST_FIT_DAYS // 2 or not (moments[1] > 0).all():
        reason = f"{len(complete)} days on which every column is known"
        return Fit(**kept, reason=reason, left_out=left_out)
    made = fitter(_standardised(complete, moments), stress)
    if made.fault:
        return Fit(**kept, reason=made.fault, left_out=left_out)
    fitted = Scaled(made.model, used, moments)
    beliefs, _ = fitted.beliefs(read)
    named_days = np.isfinite(beliefs).all(axis=1)
    values = np.column_stack([seen.values[window], seen.dxy[window]])
    return Fit(
        **(kept | {"outcome": "fitted", "in_force": fitted}),
        left_out=left_out,
        log_likelihood=made.score / len(complete),
        agreement_with_last=_agreement(fitted, last, read),
        occupancy=beliefs[named_days].mean(axis=0),
        state_means=_state_means(beliefs[named_days], values[named_days]),
    )


def walk_forward(
    seen: Observations, classifier: str, fit_window: str, n_states: int = len(NAMES)
) -> Walk:
    """Classify every day by parameters fitted on the days before its month.

    `classifier`: `hmm` or `kmeans`. `fit_window`: `expanding` or `rolling`. One thread:
    on such small matrices more of them only wait for each other, and their sums would
    depend on how many there are.
    """
    from threadpoolctl import threadpool_limits

    n_days, stress = len(seen.day), centres(n_states)
    beliefs = np.full((n_days, len(NAMES)), np.nan)
    evidence, fit_of_day = np.full(n_days, np.nan), np.zeros(n_days, int)
    fits: list[Fit] = []
    last: Scaled | None = None
    with threadpool_limits(limits=1):
        for fit_at, begin, end in months(seen.day):
            first = max(0, begin - SHORT_HISTORY_DAYS) if fit_window == ROLLING else 0
            window = slice(first, begin)
            fit = _refit(FITTERS[classifier], seen, window, stress, last, fit_at)
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
