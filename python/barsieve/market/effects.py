"""Effects planted in a simulated market for what learns of trades to find.

`exits`: momentum that decays at a known age. Every shock goes on in its direction for
so many hours and comes back in as many after those. Who enters on a move should leave
at that age, and not when the rules say.

`sizing`: a payoff that depends on volatility. Times are calm or wild; what rises goes
on rising where it is calm, and turns where it is wild. Who follows the price should
risk much in calm times and little in wild ones.
"""

from typing import Any, NamedTuple

import numpy as np

EXITS, SIZING = "exits", "sizing"
KINDS = (EXITS, SIZING)

DAYS_OF_A_STATE = 15
"""Mean length of a calm or a wild time."""
ANNUAL_VOLATILITY = (0.4, 1.0)
"""Of a calm and of a wild day."""
AGE_HOURS = 4


class Planted(NamedTuple):
    """An effect: which, and how strong, in hourly standard deviations of the return.

    `exits`: times this, an hour's return has the sum of the shocks of the last
    `age_hours` hours less that of as many before, over the root of their number.
    `sizing`: it has the momentum part of the domain score (RSI only, -0.4 to 0.4) on
    calm days, and less that on wild ones; age says nothing. 0 plants nothing, in a
    market of the same kind.
    """

    kind: str
    strength: float
    age_hours: int = AGE_HOURS


DEFAULT_STRENGTH = {EXITS: 0.7, SIZING: 3.0}
"""By kind: enough to be found in two years."""

ENTRIES = {
    "entry_threshold": 0.55, "cadence": "1h", "alignment_required": False,
    "atr_rank_floor": 0.0, "atr_rank_cap": 1.0,
}  # fmt: skip
PROFILES: dict[str, dict[str, Any]] = {
    EXITS: {
        "profile": "planted_exits",
        "extends": "eth_exits_learned",
        "entry": ENTRIES,
        "exits": {
            "target_r": None, "partial_at_r": None, "volume_trap_z": None,
            "time_stop_bars": 24,
        },
    },
    SIZING: {"profile": "planted_sizes", "extends": "eth_sized", "entry": ENTRIES},
}  # fmt: skip
"""Profiles that an effect concerns: their entries follow the price of the last hours.

The exits of the first hold on beyond the age at which momentum turns."""


def planted(kind: str, strength: float | None = None) -> Planted:
    """Return an effect of a kind, of its default strength where none is given."""
    return Planted(kind, DEFAULT_STRENGTH[kind] if strength is None else strength)


class Moves(NamedTuple):
    """Moves that an effect makes in the walk of a symbol; by hour, and by day.

    `drift` is added, in hourly standard deviations, and `momentum` times the momentum
    part. `volatility` a year stands in place of that of the regime; NaN leaves it.
    """

    drift: np.ndarray
    momentum: np.ndarray
    volatility: np.ndarray


def moves_of(effect: Planted, rng: np.random.Generator, shocks: np.ndarray) -> Moves:
    """Return what an effect does to a symbol whose hours have these shocks.

    `shocks`: shape (n_hours,), whole days, in standard deviations.
    """
    n_days = len(shocks) // 24
    if effect.kind == EXITS:
        drift = effect.strength * decaying(shocks, effect.age_hours)
        return Moves(drift, np.zeros(n_days), np.full(n_days, np.nan))
    is_wild = np.cumsum(rng.random(n_days) < 1 / DAYS_OF_A_STATE) % 2 == 1
    return Moves(
        np.zeros(len(shocks)),
        np.where(is_wild, -effect.strength, effect.strength),
        np.array(ANNUAL_VOLATILITY)[is_wild.astype(int)],
    )


def decaying(shocks: np.ndarray, age: int) -> np.ndarray:
    """Return, for each hour, the sum of shocks before it less that of older ones.

    Of the `age` hours before, and of as many before those, over the root of `age`. Sums
    are exact, of shocks rounded to 2^-20: the same bits on every machine.
    """
    units = np.rint(shocks * 2**20)
    before, n = np.cumsum(units) - units, len(shocks)
    sums = np.concatenate([np.zeros(2 * age), before])
    now, once, twice = sums[2 * age :], sums[age : age + n], sums[:n]
    found: np.ndarray = ((now - once) - (once - twice)) / 2**20 / np.sqrt(age)
    return found
