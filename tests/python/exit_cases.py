"""What tests of learned exits share: models of random numbers, and planted paths."""

import numpy as np

from barsieve.learning.exits.models import Fit, fit_boosting
from barsieve.learning.exits.paths import Paths
from barsieve.learning.exits.walk import month_row
from barsieve.replay.learned import OF_POSITION, Learned
from barsieve.replay.learned_tables import models_of

HOUR_US = 3_600_000_000
N_SEEN = 6
NAMES = [*OF_POSITION, "fusion_score", "score_a", "net_veto", "adx_14_4h", "p_neutral"]
N_FEATURES = len(NAMES)


def random_closes(rng: np.random.Generator, n_trades: int):
    """Return features with unknowns, rests and starts of random trades."""
    lengths = rng.integers(1, 40, n_trades)
    starts = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    features = rng.normal(0, 1, (starts[-1], N_FEATURES))
    features[rng.random(features.shape) < 0.1] = np.nan
    rest = np.nan_to_num(features[:, 0]) * 0.3 + rng.normal(0, 1, starts[-1])
    return features, rest, starts


def random_lstm(rng: np.random.Generator, n_features: int, n_units: int = 4) -> Fit:
    """Return an LSTM of random numbers, as if it had been fitted."""
    numbers = {
        "inputs": rng.normal(0, 0.3, (n_features, 4 * n_units)),
        "recurrent": rng.normal(0, 0.3, (n_units, 4 * n_units)),
        "bias": rng.normal(0, 0.3, 4 * n_units),
        "output": rng.normal(0, 1.0, n_units),
        "mean": rng.normal(0, 0.1, n_features),
        "spread": rng.uniform(0.5, 2.0, n_features),
    }
    return Fit("lstm", 0.05, numbers)


class Row:
    """A month of `exit_learned`, made by hand."""

    def __init__(self, number: int, fit: Fit):
        self.month, self.trades, self.rows = f"2024-{number + 1:02d}", 60, 600
        self.fitted_on, self.fit = "", fit


def random_learned(rng: np.random.Generator, n_bars: int, model: str) -> Learned:
    """Return two models beside random bars, in force in turn, and none at first."""
    fits = [random_lstm(rng, N_FEATURES) for _ in range(2)]
    if model == "boosting":
        fits = [fit_boosting(*random_closes(rng, 60)) for _ in range(2)]
    rows = [month_row("p", Row(number, fit)) for number, fit in enumerate(fits)]
    seen = rng.uniform(0, 1, (n_bars, N_SEEN))
    seen[rng.random(seen.shape) < 0.05] = np.nan
    thirds = np.arange(n_bars) * 3 // max(n_bars, 1)
    return models_of(rows, N_FEATURES)._replace(
        in_force=(thirds - 1).astype(np.int64), seen=seen, n_scores=2
    )


def planted_paths(
    rng: np.random.Generator, n_trades: int, edge: float, age: int = 12
) -> Paths:
    """Return paths of trades whose momentum decays at an age: from then on it turns.

    A trade gains `edge` R a bar until `age`, loses as much after, and is left by the
    rules after 30 bars; without an edge it is noise alone. Costs are none.
    """
    length = 30
    moves = rng.normal(0, 0.1, (n_trades, length + 1))
    moves += np.where(np.arange(length + 1) < age, edge, -edge)
    profit = np.cumsum(moves, axis=1)[:, :-1]
    end = moves.sum(axis=1, keepdims=True)
    held = np.tile(np.arange(1.0, length + 1), (n_trades, 1))
    best = np.maximum.accumulate(np.maximum(profit, 0), axis=1)
    worst = np.minimum.accumulate(np.minimum(profit, 0), axis=1)
    noise = rng.normal(0, 1, (n_trades, length, N_FEATURES - 4))
    columns = [profit, best, worst, held]
    features = np.concatenate([np.stack(columns, axis=2), noise], axis=2)
    starts = np.arange(n_trades + 1) * length
    decided = (np.arange(n_trades) * 31 * HOUR_US).astype(np.int64)
    return Paths(
        names=NAMES,
        features=features.reshape(-1, N_FEATURES),
        # At the last close the rules have ordered the exit: nothing is to come.
        rest=np.where(held == length, 0.0, end - profit).ravel(),
        trade=np.repeat(np.arange(n_trades), length),
        starts=starts.astype(np.int64),
        decided_at=decided,
        ended_at=decided + 31 * HOUR_US,
        is_own=np.ones(n_trades, bool),
        is_known=np.ones(n_trades, bool),
    )
