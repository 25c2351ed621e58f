"""Fits of exit models, remembered by the closes of trades that they are made of."""

import numpy as np

from barsieve.core.remembered import Kept, recall
from barsieve.learning.exits.models import FITTERS, Fit, hash_of

BASE = "base"


def fitted(
    model: str, features: np.ndarray, rest: np.ndarray, starts: np.ndarray
) -> tuple[Fit, str]:
    """Return a fit, remembered or made now, and the digest of what it was fitted on."""

    def make() -> Kept:
        made = FITTERS[model](features, rest, starts)
        return made.numbers | {BASE: np.array(made.base)}

    kept = dict(recall(f"exits {model}", (features, rest, starts), make))
    base = float(kept.pop(BASE))
    return Fit(model, base, kept), hash_of(features, rest, starts)
