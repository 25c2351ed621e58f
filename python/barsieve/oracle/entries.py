"""Votes, fusion and the entry predicate, one bar at a time."""

import json
from decimal import Decimal
from typing import Any

from barsieve.oracle.signals import Row

NO_REGIME: Row = {"regime": "unknown", "threshold_shift": 0.0}


def vote_row(
    scores: dict[str, float | None], weights: dict[str, float]
) -> tuple[int, int]:
    """Return how many of the domains that have a weight vote long, and how many short.

    A weight of 0 is one. An hour that a domain leaves out has no score of it.
    """
    named = [scores.get(domain) for domain in weights]
    known = [score for score in named if score is not None]
    return sum(s > 0.55 for s in known), sum(s < 0.45 for s in known)


def alignment(row: Row) -> float | None:
    """Return the sum of the alignment of trends, None where one is unknown."""
    hour, four, day = row["trend_1h"], row["trend_4h"], row["trend_1d"]
    if None in (hour, four, day):
        return None
    total = 0.0
    if four == day != "neutral":
        total += 1
    if hour == four != "neutral":
        total += 1
    mean = row["sma_20_4h"]
    if four not in ("neutral", hour) and abs(row["close"] - mean) <= 0.02 * mean:
        total += 0.5
    return total


def fuse(
    scores: dict[str, float | None], weights: dict[str, float], is_aligned: bool
) -> float | None:
    """Return the weighted mean of the known scores, shrunk where trends differ."""
    known = {d: s for d, s in scores.items() if s is not None}
    weight = sum(weights[d] for d in weights if d in known)
    if weight == 0:
        return None
    mean = sum(weights[d] * known[d] for d in weights if d in known) / weight
    return 0.5 + (1.0 if is_aligned else 0.8) * (mean - 0.5)


def weight_columns(weights: dict[str, float]) -> Row:
    """Return weights by domain as columns, each compared on its own."""
    return {f"weight_{domain}": weight for domain, weight in weights.items()}


def box_of(profile: Row) -> dict[str, tuple[float, float]]:
    """Return the least and greatest weight of each domain in a profile's envelope."""
    varied = envelope_of(profile).get("weights") or {}
    return {d: tuple(varied.get(d, [w, w])) for d, w in profile["weights"].items()}


def envelope_of(profile: Row) -> dict[str, Any]:
    """Return the envelope of a row of `config_profiles`, empty where it has none."""
    return json.loads(profile["envelope"] or "null") or {}


def _settings(profile: Row, learned: dict[Any, Any], month: str, regime: str) -> Row:
    """Return threshold and weights in force: learned ones stay in the envelope.

    What was learned of other domains is nothing to the profile.
    """
    settings = dict(profile["weights"])
    threshold = profile["entry_threshold"]
    proposed = learned.get((profile["profile"], profile["symbol"], month, regime), {})
    if profile["learned"] and set(proposed) == set(settings):
        lowest = envelope_of(profile).get("entry_threshold", threshold)
        threshold = max(next(iter(proposed.values()))["threshold"], lowest)
        for domain, (low, high) in box_of(profile).items():
            weight = proposed[domain]["weight"]
            settings[domain] = min(max(weight, low), high)
    return {"entry_threshold": threshold, "weights": settings}


def _side(score: float | None, votes_long: int, votes_short: int) -> str | None:
    if score is None:
        return None
    if votes_long != votes_short:
        return "long" if votes_long > votes_short else "short"
    return "long" if score > 0.52 else "short" if score < 0.48 else None


def is_traded(side: str | None, profile: Row) -> bool:
    """Tell whether a profile trades a side."""
    return side is not None and profile["sides"] in ("both", side)


def _is_at_least(value: float | None, limit: float | None) -> bool:
    return value is not None and limit is not None and value >= limit


def entry_row(
    row: Row,
    scores: dict[str, Any],
    vetoes: Row,
    profile: Row,
    belief: Row | None,
    learned: dict[Any, Any],
    fired: list[str],
) -> Row:
    """Return what `fusion_scores` holds of a bar, but for what its block decides.

    `row`: features; `vetoes`: the row of `macro_vetoes`; `belief`: the row of
    `regimes` that the profile reads, None where there is none; `learned`: proposals by
    (profile, month, regime), then by domain; `fired`: the sentinels that did.
    """
    belief = belief or NO_REGIME
    month = f"{row['bar_ts']:%Y-%m}"
    settings = _settings(profile, learned, month, belief["regime"] or "unknown")
    weights, shift = settings["weights"], belief["threshold_shift"] or 0.0
    aligned = alignment(row)
    is_aligned = aligned is not None and aligned >= 1
    score = None if aligned is None else fuse(scores, weights, is_aligned)
    votes_long, votes_short = vote_row(scores, weights)
    side = _side(score, votes_long, votes_short)
    net_veto = None if side is None else vetoes[f"net_veto_{side}"]
    asked = Decimal(repr(settings["entry_threshold"])) + Decimal(repr(shift))
    is_in_band = row["atr_rank_100"] is not None and (
        profile["atr_rank_floor"] <= row["atr_rank_100"] <= profile["atr_rank_cap"]
    )
    start, end = profile["study_start"], profile["study_end"]
    is_in_study = (start is None or row["known_at"] > start) and (
        end is None or row["known_at"] <= end
    )
    confidence = score
    if side != "long":
        confidence = None if side is None or score is None else 1 - score
    return {
        "fusion_score": score,
        "domains_used": sum(
            scores.get(d) is not None and w > 0 for d, w in weights.items()
        ),
        "alignment": aligned,
        "is_aligned": is_aligned,
        "votes_long": votes_long,
        "votes_short": votes_short,
        "side": side,
        "confidence": confidence,
        **weight_columns(weights),
        "entry_threshold": settings["entry_threshold"],
        "regime": "off" if profile["classifier"] == "off" else belief["regime"],
        "regime_shift": shift,
        "threshold": float(round(asked, 12)),
        "net_veto_long": vetoes["net_veto_long"],
        "net_veto_short": vetoes["net_veto_short"],
        "net_veto": net_veto,
        "macro_coverage": vetoes["macro_coverage"],
        "is_in_atr_band": is_in_band,
        "is_in_study": is_in_study,
        "passes_gates": is_in_band
        and is_in_study
        and (is_aligned or not profile["alignment_required"]),
        "has_sentinel": has_one_of(profile["required_sentinels"], fired),
        "is_macro_exit": _is_at_least(row["vix"], profile["vix_exit"])
        or _is_at_least(net_veto, profile["macro_exit_veto"]),
    }


def has_one_of(names: str | None, fired: list[str]) -> bool:
    """Tell whether one of the sentinels of a list, comma-joined, fired; None is any."""
    return names is None or any(name in fired for name in names.split(","))


def decide_block(block: list[Row], profile: Row) -> None:
    """Add to the bars of one 4-hour block which is eligible, and which an entry.

    `block` are rows of `entry_row`, all bars of the block in their order.
    """
    passing = [row for row in block if row["passes_gates"]]
    for row in block:
        is_first = profile["cadence"] == "1h" or row is next(iter(passing), None)
        row["is_eligible"] = row["passes_gates"] and is_first
        row["is_entry"] = (
            row["is_eligible"]
            and is_traded(row["side"], profile)
            and _is_at_least(row["confidence"], row["threshold"])
            and row["has_sentinel"]
            and row["net_veto"] < profile["veto_limit"]
            and not row["is_macro_exit"]
        )
