"""Proposals of weights and a threshold, as far as past predictions deserve."""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np
from duckdb import DuckDBPyRelation

from barsieve.learning import LEARNERS, LEAST_CONFIDENCE, RIDGE, TOP_SHARE
from barsieve.learning.dataset import BELIEFS, Rows, weight_names
from barsieve.learning.walk import Month, best_of
from barsieve.profiles.settings import with_boxes

LEAST_SCORED = 3
"""Predicted months that must have been scored before a model is preferred."""


def proposed_settings(domains: Iterable[str]) -> list[str]:
    """Return the order of every array of settings here: weights, then the threshold."""
    return [*weight_names(domains), "entry_threshold"]


class Box(NamedTuple):
    """Box of a profile, what it may be made to be; arrays of shape (n_domains + 1,)."""

    domains: tuple[str, ...]
    own: np.ndarray
    low: np.ndarray
    high: np.ndarray


class Skill(NamedTuple):
    """A model and its mean rank correlation over the months scored so far."""

    model: str
    correlation: float
    n_months: int

    @property
    def confidence(self) -> float:
        """Return how far its proposals are followed, in [`LEAST_CONFIDENCE`, 1]."""
        found = self.correlation if np.isfinite(self.correlation) else 0.0
        return float(np.clip(found, LEAST_CONFIDENCE, 1.0))


class Proposal(NamedTuple):
    """Weights and threshold, as `proposed_settings`, for a month and regime."""

    month: str
    regime: str
    settings: np.ndarray
    skill: Skill
    reason: str


def learners_of(
    profiles: DuckDBPyRelation, envelopes: DuckDBPyRelation, weights: DuckDBPyRelation
) -> list[dict[str, Any]]:
    """Return the profiles that learn, each with its envelope, by symbol and name.

    Parameters are the relations `config_symbols`, `config_envelopes` and
    `config_weights`.
    """
    learning = profiles.filter("learned").join(envelopes, "profile")
    return with_boxes(learning, weights)


def box_of(profile: dict[str, Any]) -> Box:
    """Return the box of a profile, as `with_boxes` has it.

    The threshold may rise as far as 1 and fall as low as the envelope says: the screen
    covers the lowest.
    """
    low, high = np.array([*profile["box"].values()]).T
    return Box(
        domains=tuple(profile["box"]),
        own=np.array([*profile["weights"].values(), profile["entry_threshold"]]),
        low=np.append(low, profile["lowest_threshold"]),
        high=np.append(high, 1.0),
    )


def skill_before(walked: list[Month], known: np.ndarray) -> Skill:
    """Return the model that ranked best in the months of `known`, and how well.

    Months without a rank correlation say nothing. Before `LEAST_SCORED` months it is
    the plainest one, without any skill.
    """
    is_known, found = set(known.tolist()), []
    past = [month for month in walked if month.position in is_known]
    for model in LEARNERS:
        ranks = [s.rank_correlation for m in past for s in m.scores if s.model == model]
        finite = [rank for rank in ranks if np.isfinite(rank)]
        if len(finite) >= LEAST_SCORED:
            found.append(Skill(model, float(np.mean(finite)), len(finite)))
    return max(found, key=lambda s: s.correlation, default=Skill(RIDGE, np.nan, 0))


def shrunk(box: Box, wanted: np.ndarray, confidence: float) -> np.ndarray:
    """Return what is wanted, drawn to the profile's own and held in its box."""
    return np.clip(box.own + confidence * (wanted - box.own), box.low, box.high)


def _reason(skill: Skill, n_best: int) -> str:
    if not skill.n_months:
        return f"{skill.model}: mean of the best {n_best}; too few months scored yet"
    return (
        f"{skill.model}: mean of the best {n_best}; rank correlation "
        f"{skill.correlation:+.3f} over {skill.n_months} months"
    )


def _settings(rows: Rows) -> np.ndarray:
    """Return what may be proposed of each configuration, shape (n, n_domains + 1)."""
    names = proposed_settings(rows.domains)
    return np.column_stack([rows.settings[name] for name in names])


def propose(rows: Rows, walked: list[Month], box: Box) -> Iterator[Proposal]:
    """Yield a proposal for every predicted month and every regime.

    A month's proposal reads the predictions for it and the scores of the months that it
    was learned from; never those of a later month. A sweep of other domains than the
    box's proposes nothing.
    """
    if rows.domains != box.domains:
        return
    settings = _settings(rows)
    for month in walked:
        skill = skill_before(walked, month.known)
        for k, belief in enumerate(BELIEFS):
            best = best_of(month.by_regime[skill.model][k], TOP_SHARE)
            yield Proposal(
                rows.months[month.position],
                belief.removeprefix("p_"),
                shrunk(box, settings[best].mean(axis=0), skill.confidence),
                skill,
                _reason(skill, len(best)),
            )


def last_best(rows: Rows, walked: list[Month]) -> dict[str, np.ndarray]:
    """Return, by month, the settings that were best in the last month known."""
    settings = _settings(rows)
    return {
        rows.months[m.position]: settings[rows.r_sum[m.known[-1]].argmax()]
        for m in walked
    }
