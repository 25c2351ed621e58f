"""The loss streak of the replay, as the trades tell it."""

import numpy as np

from barsieve.report.source import Source


def streaks_at(
    moments: np.ndarray, exits: np.ndarray, net_pnl: np.ndarray
) -> np.ndarray:
    """Return how many trades in a row had lost at each moment.

    A trade counts from the bar of its exit on, whose close already knows it. Moments
    and exits are Unix seconds; exits ascend. A net result of 0 is a loss.
    """
    after = np.zeros(len(exits) + 1, int)
    for k, net in enumerate(net_pnl):
        after[k + 1] = 0 if net > 0 else after[k] + 1
    return after[np.searchsorted(exits, moments, side="right")]


def threshold_shift(source: Source, profile: dict, moments: np.ndarray) -> np.ndarray:
    """Return what a streak of losses adds to the entry threshold at each moment."""
    trades = source.arrays(
        "select epoch(exit_ts) as exit_at, net_pnl from trades "
        "where replayed = 'full' and profile = $profile order by trade_id",
        profile=profile["profile"],
    )
    streaks = streaks_at(moments, trades["exit_at"], trades["net_pnl"])
    is_streak = streaks >= profile["loss_streak_trades"]
    return np.where(is_streak, profile["loss_streak_shift"], 0.0)
