"""What was learned, replayed out of sample beside those who learned nothing.

All strategies trade the same bars by the same profile; only weights and threshold
differ, month by month. The replay starts with the first month that has a proposal.
"""

from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from barsieve.core.arrow import matching
from barsieve.learning import EQUAL, LAST_BEST
from barsieve.learning.dataset import WEIGHTS
from barsieve.learning.proposals import SETTINGS, box_of
from barsieve.profiles.schema import DOMAINS
from barsieve.profiles.settings import Profile
from barsieve.replay.runs import FULL, Inputs, Run, replay
from barsieve.replay.state import FLAT, LONG, SHORT
from barsieve.sweep.inputs import Market
from barsieve.sweep.screen import ALIGNED, UNALIGNED

LEARNED, OWN = "learned", "own_settings"
STRATEGIES = (LEARNED, OWN, EQUAL, LAST_BEST)


class InForce(NamedTuple):
    """What `fusion_scores` used at each bar of a learned profile, shape (n_bars, ...).

    `settings` in the order of `SETTINGS`; `shift` of the regime; `month` as
    `datetime64[M]`.
    """

    settings: np.ndarray
    shift: np.ndarray
    month: np.ndarray


def read_in_force(fusion_scores, profile: str) -> InForce:
    """Read a profile's rows of `fusion_scores`."""
    rows = matching(fusion_scores, profile=profile).order("bar_index")
    found = rows.select("bar_ts", *SETTINGS, "regime_shift").to_arrow_table()
    opens = found["bar_ts"].cast(pa.int64()).to_numpy()
    return InForce(
        np.column_stack([found[name].to_numpy() for name in SETTINGS]),
        found["regime_shift"].to_numpy(),
        opens.astype("datetime64[us]").astype("datetime64[M]"),
    )


def fusion_score(market: Market, weights: np.ndarray) -> np.ndarray:
    """Return the fusion score of each bar by weights of shape (n_bars, n_domains).

    The operations of the macro `fusion_score`, in its order.
    """
    total, known = np.zeros(len(weights)), np.zeros(len(weights))
    for k in range(len(DOMAINS)):
        score = market.scores[k]
        total += weights[:, k] * np.nan_to_num(score)
        known += np.where(np.isfinite(score), weights[:, k], 0.0)
    with np.errstate(invalid="ignore"):
        mean = total / np.where(known > 0, known, np.nan)
    factor = np.where(market.is_aligned, ALIGNED, UNALIGNED)
    return np.where(market.is_known, 0.5 + factor * (mean - 0.5), np.nan)


def _is_eligible(market: Market, base: dict[str, Any], may_trade: np.ndarray):
    passes = (
        (market.atr_rank >= base["atr_rank_floor"])
        & (market.atr_rank <= base["atr_rank_cap"])
        & (market.is_aligned | (not base["alignment_required"]))
        & market.is_in_study
    )
    if base["cadence"] == "4h":
        at = np.flatnonzero(passes)
        first = at[np.unique(market.block[at], return_index=True)[1]]
        passes = np.zeros_like(passes)
        passes[first] = True
    return passes & may_trade


def with_settings(
    market: Market, base: dict[str, Any], settings, shift, may_trade
) -> Inputs:
    """Return the inputs of a replay with settings of its own at each bar.

    `settings` of shape (n_bars, len(SETTINGS)); no entry where `may_trade` is false.
    """
    bars = market.bars.copy()
    score = fusion_score(market, settings[:, :-1])
    is_long = (market.margin > 0) | ((market.margin == 0) & (score > 0.52))
    is_short = (market.margin < 0) | ((market.margin == 0) & (score < 0.48))
    is_sided = np.isfinite(score)
    bars.side = np.where(is_long, LONG, np.where(is_short, SHORT, FLAT)) * is_sided
    bars.confidence = np.where(
        bars.side == LONG, score, np.where(bars.side == SHORT, 1 - score, np.nan)
    )
    bars.threshold = settings[:, -1] + shift
    bars.is_eligible = _is_eligible(market, base, may_trade)
    bar_ts = market.bar_ts.combine_chunks()
    entries = np.flatnonzero(bars.is_eligible).astype(np.int64)
    return Inputs(Profile.from_row(base), bars, bar_ts, entries)


def settings_by_bar(
    name: str, base: dict[str, Any], in_force: InForce, last_best: dict[str, np.ndarray]
) -> np.ndarray:
    """Return the settings of a strategy at each bar, shape (n_bars, len(SETTINGS)).

    Equal weights count over the domains that the profile may use.
    """
    if name == LEARNED:
        return in_force.settings
    box = box_of(base)
    made = np.repeat(box.own[None, :], len(in_force.month), axis=0)
    if name == EQUAL:
        used = box.high[: len(WEIGHTS)] > 0
        made[:, : len(WEIGHTS)] = used / used.sum()
    if name == LAST_BEST:
        for month, settings in last_best.items():
            made[in_force.month == np.datetime64(month)] = settings
    return made


def replay_strategies(market, base, in_force, last_best) -> dict[str, Run]:
    """Replay every strategy from the first month that has a proposal."""
    first = min(last_best)
    may_trade = in_force.month >= np.datetime64(first)
    return {
        name: replay(
            with_settings(
                market,
                base,
                settings_by_bar(name, base, in_force, last_best),
                in_force.shift,
                may_trade,
            ),
            FULL,
        )
        for name in STRATEGIES
    }
