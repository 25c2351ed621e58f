"""Verdict of the figures in one plain sentence; it saves its reader money."""

from typing import Any

from barsieve.learning import LEARNERS
from barsieve.learning.backtests import LEARNED, OWN

LEAST_DEFLATED = 0.95
"""Share of sweeps without skill that the best must beat, or it may be luck."""

MOST_PBO = 0.25
"""Probability of overfitting from which choosing by the past is no better than that."""


def _against_models(found: dict[tuple, dict]) -> list[str]:
    best = max(
        LEARNERS,
        key=lambda m: (
            (found.get(("model", m, "walk_forward_r2")) or {}).get("value")
            or float("-inf")
        ),
    )
    inside = found.get(("model", best, "in_sample_r2"))
    outside = found.get(("model", best, "walk_forward_r2"))
    if not inside or not outside or outside["value"] is None:
        return ["there are too few months to predict any"]
    r2 = f"R² {inside['value']:.2f} in sample, {outside['value']:+.2f} walked forward"
    if outside["value"] <= 0:
        return [f"no model predicts a month (the best, {best}: {r2})"]
    picked = found["model", best, "picked_r"]
    if picked["low"] is None or picked["low"] <= 0:
        return [
            f"the best model ({best}: {r2}) tells what loses less, not what earns: its "
            f"picks made {picked['value']:+.2f} R a month"
        ]
    return []


def _would_have_been_seen(found: dict[tuple, dict]) -> str:
    visible = found.get(("overfitting", "best", "visible_annual"))
    if not visible or visible["value"] is None:
        return ""
    return f"; an annual one of {visible['value']:.1f} would have been seen"


def _against_sweep(found: dict[tuple, dict]) -> list[str]:
    against = []
    deflated = found.get(("overfitting", "best", "deflated_sharpe"))
    if not deflated or deflated["value"] is None:
        against.append("the Sharpe ratio of the best configuration cannot be deflated")
    elif deflated["value"] < LEAST_DEFLATED:
        against.append(
            "the best configuration is no better than the best of so much luck "
            f"(deflated Sharpe {deflated['value']:.2f}, {LEAST_DEFLATED} wanted"
            f"{_would_have_been_seen(found)})"
        )
    pbo = found.get(("overfitting", "sweep", "pbo"))
    if pbo and pbo["value"] is not None and pbo["value"] >= MOST_PBO:
        against.append(
            f"choosing by the past is overfitting (probability {pbo['value']:.0%})"
        )
    profitable = found.get(("sweep", "all", "profitable_share"))
    if profitable and profitable["value"] == 0:
        against.append("not one configuration earned its costs")
    return against


def _against_learned(found: dict[tuple, dict]) -> list[str]:
    earned = found.get(("strategy", LEARNED, "return_share"))
    if not earned:
        return []
    against = []
    if earned["value"] <= 0:
        against.append(f"the learned profile loses ({earned['value']:+.1%})")
    gain = found[("learned_less", OWN, "mean_daily_return")]
    if gain["low"] is None or gain["low"] <= 0:
        against.append("it does not beat its own settings beyond chance")
    return against


def verdict(rows: list[dict[str, Any]]) -> tuple[float, str]:
    """Return 1 or 0, and the sentence: an edge only if nothing speaks against it."""
    found = {(r["section"], r["subject"], r["figure"]): r for r in rows}
    against = [
        *_against_models(found),
        *_against_sweep(found),
        *_against_learned(found),
    ]
    if against:
        return 0.0, f"no edge: {'; '.join(against)}."
    return 1.0, (
        "an edge that survives: predicted out of sample, beyond the luck of the search."
    )
