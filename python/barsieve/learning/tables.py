"""Walks as rows of the table `sweep_walks`."""

from typing import Any

import numpy as np
import pyarrow as pa

from barsieve.core import schemas
from barsieve.core.extras import empty_without
from barsieve.learning.dataset import Rows, SweepTables, read_rows
from barsieve.learning.proposals import box_of, learners_of, propose
from barsieve.learning.walk import Month, in_sample_r2, walk


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _score_rows(rows: Rows, walked: list[Month]) -> list[dict[str, Any]]:
    return [
        {
            "month": rows.months[month.position],
            "months_known": len(month.known),
            "configs": len(rows.configs),
            **score._asdict(),
            "rank_correlation": _number(score.rank_correlation),
            "same_threshold": _number(score.same_threshold),
            "shuffled": [
                {"feature": name, "squared_error": error}
                for name, error in score.shuffled.items()
            ],
        }
        for month in walked
        for score in month.scores
    ]


def _proposal_rows(rows: Rows, walked: list[Month], profile: dict) -> list[dict]:
    box = box_of(profile)
    return [
        {
            "profile": profile["profile"],
            "month": p.month,
            "regime": p.regime,
            "domain": domain,
            "weight": float(weight),
            "threshold": float(p.settings[-1]),
            "confidence": p.skill.confidence,
            "reason": p.reason,
        }
        for p in propose(rows, walked, box)
        for domain, weight in zip(box.domains, p.settings, strict=False)
    ]


def walk_row(rows: Rows, walked: list[Month], profiles: list[dict]) -> dict[str, Any]:
    """Return a symbol's walk as a row of `sweep_walks`; scores and proposals nested.

    `profiles` are those that learn, as `learners_of` has them.
    """
    learned = [p for p in profiles if p["symbol"] == rows.symbol]
    return {
        "symbol": rows.symbol,
        "domains": list(rows.domains),
        "months": len(rows.months),
        "configs": len(rows.configs),
        "longest_hours": rows.longest_hours,
        "in_sample": [
            {"model": model, "r2": _number(r2)}
            for model, r2 in in_sample_r2(rows).items()
        ],
        "scores": _score_rows(rows, walked),
        "proposals": [r for p in learned for r in _proposal_rows(rows, walked, p)],
    }


@empty_without("ml", schemas.SWEEP_WALKS)
def sweep_walks(profiles, envelopes, weights, sweep: SweepTables) -> pa.Table:
    """Walk every symbol of the sweep forward, and every set of domains.

    `profiles`, `envelopes` and `weights` are the relations `config_symbols`,
    `config_envelopes` and `config_weights`. A symbol without results has no row.
    """
    known = learners_of(profiles, envelopes, weights)
    made = []
    for kind in sweep.kinds:
        rows = read_rows(sweep, *kind)
        made.append(walk_row(rows, walk(rows), known))
    return pa.Table.from_pylist(made, schema=schemas.SWEEP_WALKS)
