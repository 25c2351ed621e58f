"""Walks as rows of the table `regime_runs`."""

from datetime import UTC, datetime, time
from itertools import groupby
from operator import itemgetter
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from barsieve.core import schemas
from barsieve.core.extras import empty_without
from barsieve.regime import (
    EXPANDING,
    HMM,
    KMEANS,
    NAMES,
    SHORT_HISTORY_DAYS,
    VIX_BANDS,
)
from barsieve.regime.features import COLUMNS, Observations, read_observations
from barsieve.regime.hysteresis import in_force, most_likely
from barsieve.regime.kmeans import vix_bands
from barsieve.regime.stress import Scale, read_scale
from barsieve.regime.walk_forward import Fit, Walk, names_of, walk_forward


def _midnight(day: np.datetime64) -> datetime:
    return datetime.combine(day.astype("datetime64[D]").item(), time(), UTC)


def _number(value: float | None) -> float | None:
    return None if value is None or not np.isfinite(value) else float(value)


def _state(fit: Fit, position: int) -> dict[str, float | None] | None:
    """Return share of days and means under a name, in original units.

    A name that no day has keeps a share of (next to) 0 and has no means.
    """
    if fit.occupancy is None or fit.state_means is None:
        return None
    means = fit.state_means[position]
    named = {name: _number(means[k]) for k, name in enumerate([*COLUMNS, "dxy"])}
    return {"occupancy": _number(fit.occupancy[position]), **named}


def _fit_row(fit: Fit, seen: Observations) -> dict[str, Any]:
    has_days = fit.days > 0
    return {
        "fit_at": _midnight(fit.fit_at),
        "first_day": seen.day[fit.first].item() if has_days else None,
        "last_day": seen.day[fit.first + fit.days - 1].item() if has_days else None,
        "days": fit.days,
        "outcome": fit.outcome,
        "reason": fit.reason,
        "columns_used": names_of(fit.in_force.used) if fit.in_force else [],
        "columns_left_out": fit.left_out,
        "log_likelihood": _number(fit.log_likelihood),
        "is_short_history": fit.days < SHORT_HISTORY_DAYS,
        "agreement_with_last": _number(fit.agreement_with_last),
        "state_stress": fit.in_force.stress.tolist() if fit.in_force else [],
    } | {name: _state(fit, k) for k, name in enumerate(NAMES)}


def _day_rows(walk: Walk, seen: Observations) -> list[dict[str, Any]]:
    likely = most_likely(walk.beliefs)
    held = in_force(walk.beliefs)
    names = [*NAMES, None]
    rows = []
    for k, day in enumerate(seen.day):
        row = {
            "day": day.item(),
            "fit_at": _midnight(walk.fits[walk.fit_of_day[k]].fit_at)
            if walk.fits
            else None,
            "most_likely": names[likely[k]],
            "regime": names[held[k]],
            "predictive_log_likelihood": _number(walk.evidence[k]),
        }
        row |= {
            f"p_{n}": _number(p) for n, p in zip(NAMES, walk.beliefs[k], strict=True)
        }
        rows.append(row)
    return rows


def walk_of_bands(seen: Observations, scale: Scale) -> Walk:
    """Return the fixed bands of the VIX as a walk that is never fitted."""
    beliefs = vix_bands(seen.values[:, COLUMNS.index("vix")], scale.edges("vix"))
    n_days = len(seen.day)
    return Walk([], beliefs, np.full(n_days, np.nan), np.zeros(n_days, int))


def _run(
    classifier: str, fit_window: str, seen: Observations, walk: Walk, is_of_all: bool
) -> dict[str, Any]:
    return {
        "classifier": classifier,
        "fit_window": fit_window,
        "reference_symbol": seen.reference_symbol,
        "is_of_all": is_of_all,
        "fits": [_fit_row(fit, seen) for fit in walk.fits],
        "days": _day_rows(walk, seen),
    }


def _asked(profiles: duckdb.DuckDBPyRelation) -> list[tuple[str, str, bool]]:
    """Return the reference symbols, and windows of their fits, that profiles ask for.

    And whether a run is of every symbol: one that trades many symbols, each with its
    own reference, asks where it uses a classifier, and of that symbol alone.
    """
    is_shared = "(symbol != reference_symbol or n_symbols = 1)"
    runs = profiles.filter(f"classifier != 'off' or {is_shared}").aggregate(
        f"reference_symbol, fit_window, bool_or{is_shared} as is_of_all"
    )
    return [tuple(row) for row in runs.order("all").fetchall()]


@empty_without("ml", schemas.REGIME_RUNS)
def regime_runs(profiles, observations, policy) -> pa.Table:
    """Run every classifier that a profile may ask for, and the baselines beside it.

    Parameters are relations of the built database: `config_symbols`,
    `regime_observations` and the seed `regime_policy`. A reference symbol without
    observations has no run.
    """
    scale = read_scale(policy)
    runs = []
    for symbol, same in groupby(_asked(profiles), key=itemgetter(0)):
        seen = read_observations(observations, symbol, scale)
        if not len(seen.day):
            continue
        windows = {fit_window: is_of_all for _, fit_window, is_of_all in same}
        for fit_window, is_of_all in windows.items():
            for classifier in (HMM, KMEANS):
                walk = walk_forward(seen, classifier, fit_window)
                runs.append(_run(classifier, fit_window, seen, walk, is_of_all))
        # Bands are not fitted: one window stands for all.
        bands = walk_of_bands(seen, scale)
        runs.append(_run(VIX_BANDS, EXPANDING, seen, bands, any(windows.values())))
    return pa.Table.from_pylist(runs, schema=schemas.REGIME_RUNS)
