"""Backtests of what was learned, out of sample, beside those who learned nothing.

All strategies trade the same bars by the same profile; only weights and threshold
differ, month by month. The replay starts with the first month that has a proposal.
"""

from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from barsieve.core.arrow import matching, numbers
from barsieve.learning import EQUAL, LAST_BEST
from barsieve.learning.proposals import box_of
from barsieve.profiles.settings import Profile
from barsieve.replay.runs import FULL, Inputs, Run, replay
from barsieve.signals.bars import InForce as Settings
from barsieve.signals.bars import signalled
from barsieve.signals.market import Market
from barsieve.sweep.grids import WEIGHT

LEARNED, OWN = "learned", "own_settings"
STRATEGIES = (LEARNED, OWN, EQUAL, LAST_BEST)


class InForce(NamedTuple):
    """Weights and threshold in force at each bar of a learned profile, (n_bars, ...).

    `settings` as `proposed_settings` of its domains; `month` as `datetime64[M]`.
    """

    settings: np.ndarray
    month: np.ndarray


def read_in_force(fusion_scores, profile: dict[str, Any]) -> InForce:
    """Read the rows of `fusion_scores` of a profile, a row of `config_symbols`."""
    own = {name: profile[name] for name in ("profile", "symbol")}
    rows = matching(fusion_scores, **own).order("bar_index")
    weights = ", ".join(f"weights['{d}'] as {WEIGHT}{d}" for d in profile["weights"])
    found = rows.select(f"bar_ts, {weights}, entry_threshold").to_arrow_table()
    opens = found["bar_ts"].cast(pa.int64()).to_numpy()
    return InForce(
        np.column_stack([numbers(column) for column in found.columns[1:]]),
        opens.astype("datetime64[us]").astype("datetime64[M]"),
    )


def with_settings(
    market: Market, base: dict[str, Any], settings: np.ndarray, may_trade: np.ndarray
) -> Inputs:
    """Return the inputs of a replay with settings of its own at each bar.

    `settings` of shape (n_bars, n_domains + 1), of the domains of the profile; no entry
    where `may_trade` is false.
    """
    weights = np.zeros((len(settings), len(market.domains)))
    weights[:, [market.domains.index(d) for d in base["weights"]]] = settings[:, :-1]
    bars = signalled(market, base, Settings(weights, settings[:, -1])).bars
    bars.is_eligible &= may_trade
    return Inputs(
        profile=Profile.from_row(base),
        bars=bars,
        bar_ts=market.bar_ts.combine_chunks(),
        known_at=market.known_at.combine_chunks(),
        is_in_study=market.is_in_study,
        entry_bars=np.flatnonzero(bars.is_eligible).astype(np.int64),
    )


def settings_by_bar(
    name: str, base: dict[str, Any], in_force: InForce, last_best: dict[str, np.ndarray]
) -> np.ndarray:
    """Return the settings of a strategy at each bar, shape (n_bars, n_domains + 1).

    Equal weights count over the domains that the profile may use.
    """
    if name == LEARNED:
        return in_force.settings
    box = box_of(base)
    made = np.repeat(box.own[None, :], len(in_force.month), axis=0)
    if name == EQUAL:
        used = box.high[:-1] > 0
        made[:, :-1] = used / used.sum()
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
                may_trade,
            ),
            FULL,
        )
        for name in STRATEGIES
    }
