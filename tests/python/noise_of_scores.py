"""Markets of noise in memory, and scores that know nothing of what follows in them."""

from collections.abc import Iterator
from datetime import UTC, datetime

import numpy as np

from barsieve.metrics.worth.hours import HOUR_US, Hours, places
from barsieve.metrics.worth.subjects import (
    COLUMN,
    DOMAIN,
    SENTINEL,
    SIGNAL,
    Subject,
)

FIRST_US = int(datetime(2021, 3, 1, tzinfo=UTC).timestamp()) * 1_000_000
REGIMES = ["risk_off", "risk_on"]


def persistent(rng: np.random.Generator, n: int, memory: float) -> np.ndarray:
    """Return an autoregression with mean 0 and standard deviation 1, shape (n,)."""
    from scipy.signal import lfilter

    shocks = rng.standard_normal(n) * np.sqrt(1 - memory * memory)
    shocks[0] = rng.standard_normal()
    found: np.ndarray = lfilter([1.0], [1.0, -memory], shocks)
    return found


def noise(rng: np.random.Generator, n: int) -> np.ndarray:
    """Return hourly returns of fat tails, calm and wild by days and weeks; no more."""
    wild = np.exp(0.4 * persistent(rng, n, 0.99) + 0.3 * persistent(rng, n, 0.998))
    found: np.ndarray = 0.006 * wild * rng.standard_t(5, n) * np.sqrt(3 / 5)
    return found


def hours_of(rng: np.random.Generator, returns: np.ndarray) -> Hours:
    """Return the hours of a market, a few of them missing, with two regimes."""
    exists = rng.random(len(returns)) > 0.001
    open_us = (FIRST_US + np.arange(len(returns)) * HOUR_US)[exists]
    day, days = places(open_us // (24 * HOUR_US))
    month, months = places(open_us.astype("M8[us]").astype("M8[M]").astype(str))
    regime = (persistent(rng, len(returns), 0.998) > 0).astype(np.int16)[exists]
    close = 1000 * np.exp(np.cumsum(returns))[exists]
    return Hours(
        "X", open_us, close, day, len(days), month, months, regime,
        REGIMES,
    )  # fmt: skip


def scores_of(rng: np.random.Generator, hours: Hours) -> Iterator[Subject]:
    """Yield what looks at the past, and what looks at nothing, quick and slow."""
    n = len(hours.close)
    log = np.log(hours.close)

    def change(k: int) -> np.ndarray:
        return log - np.concatenate([np.full(k, np.nan), log[:-k]])

    windows = np.lib.stride_tricks.sliding_window_view(log, 480)
    place = (log[479:] - windows.min(1)) / (windows.max(1) - windows.min(1))
    slow = np.concatenate([np.full(479, np.nan), place])
    yield Subject(DOMAIN, "momentum", change(14), 0.0)
    yield Subject(DOMAIN, "range", np.where(slow > 0.8, 0.3, 0.5), 0.5)
    yield Subject(COLUMN, "place in the range", slow, 0.5)
    yield Subject(COLUMN, "white", rng.standard_normal(n), 0.0)
    yield Subject(COLUMN, "a week", persistent(rng, n, 0.994), 0.0)
    yield Subject(COLUMN, "a month", persistent(rng, n, 0.9985), 0.0)
    rare = (rng.random(n) < 0.01) * rng.choice([-1.0, 1.0], n)
    yield Subject(SENTINEL, "rare", rare, 0.0)
    moved = np.nan_to_num(np.abs(change(1)))
    wild = (moved > np.quantile(moved, 0.95)) * np.sign(np.nan_to_num(change(1)))
    yield Subject(SENTINEL, "jump", wild, 0.0)
    yield Subject(SIGNAL, "state", (persistent(rng, n, 0.999) > 0.7) * 1.0, 0.0)
