"""Rolling optimizer, the plainest there is: train on k months, test on the next."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa

from barsieve.core import schemas
from barsieve.core.extras import empty_without
from barsieve.learning.dataset import Rows, SweepTables, read_rows
from barsieve.sweep.grids import WEIGHT

TRAIN_MONTHS, TEST_MONTHS = 12, 1


def _window(rows: Rows, known: np.ndarray, tested: np.ndarray) -> dict[str, Any]:
    """Pick the best of the months known, and say what it did in those tested.

    The first by name where several tie.
    """
    inside, outside = rows.r_sum[known].mean(axis=0), rows.r_sum[tested].mean(axis=0)
    best = int(inside.argmax())
    beaten = (outside < outside[best]).sum() + 0.5 * (
        (outside == outside[best]).sum() - 1
    )
    settings = rows.settings[best]
    return {
        "symbol": rows.symbol,
        "train_from": rows.months[known[0]],
        "train_until": rows.months[known[-1]],
        "test_from": rows.months[tested[0]],
        "test_until": rows.months[tested[-1]],
        "config": rows.configs[best],
        "weights": {d: float(settings[WEIGHT + d]) for d in rows.domains},
        "entry_threshold": float(settings["entry_threshold"]),
        "in_sample_r": float(inside[best]),
        "out_of_sample_r": float(outside[best]),
        "average_r": float(outside.mean()),
        "share_beaten": float(beaten / max(1, len(outside) - 1)),
    }


def roll(rows: Rows, train: int, test: int) -> Iterator[dict[str, Any]]:
    """Yield a window for each test that has enough months before it.

    Results are means per month, in R after costs. Months learned from are purged: they
    ended the longest holding time before the test begins. The last test may be short.
    """
    n_months, start = len(rows.months), 0
    while start < n_months:
        known = rows.known_before(start)
        if len(known) < train:
            start += 1
            continue
        tested = np.arange(start, min(start + test, n_months))
        yield _window(rows, known[-train:], tested)
        start += test


@empty_without("ml", schemas.WALK_FORWARD)
def walk_forward_table(sweep: SweepTables, train: int, test: int) -> pa.Table:
    """Roll over every symbol of the sweep, by the domains that it is judged by."""
    made = [
        window
        for kind in sorted(sweep.judged.items())
        for window in roll(read_rows(sweep, *kind), train, test)
    ]
    return pa.Table.from_pylist(made, schema=schemas.WALK_FORWARD)
