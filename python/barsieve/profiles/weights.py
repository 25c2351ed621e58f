"""Weights of the domains: what they sum to, what confidence they can reach."""

# The least and greatest score that a domain can give (0 and 1 where not listed).
SCORE_RANGES = {"wyckoff": (0.28, 0.72)}

# Decimal weights such as 0.215 do not add up in binary; real slips are far larger.
WEIGHT_SUM_TOLERANCE = 1e-9


def highest_confidence(weights: dict[str, float]) -> float:
    """Return the greatest confidence that weights (summing to 1) can reach.

    For a long every domain gives its highest score, for a short its lowest; the better
    of the two counts.
    """
    pairs = [(w, SCORE_RANGES.get(d, (0.0, 1.0))) for d, w in weights.items()]
    long = sum(weight * high for weight, (_, high) in pairs)
    short = 1 - sum(weight * low for weight, (low, _) in pairs)
    return max(long, short)
