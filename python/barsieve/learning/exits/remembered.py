"""Fits remembered on disk by all that they are made of: what was fitted, and by what.

A rebuild pays for new months only. A file is a fit's numbers; without it the fit is
made again, with the same numbers on the same machine.
"""

from functools import cache
from hashlib import blake2b
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np
import platformdirs

from barsieve.core.files import written_whole
from barsieve.core.paths import PACKAGE
from barsieve.learning.exits.models import FITTERS, Fit, hash_of

SOURCES = ("models.py", "lstm.py", "__init__.py")
LIBRARIES = ("scikit-learn", "numpy", "keras", "jax", "jaxlib")


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


@cache
def _made_by() -> bytes:
    """Return a digest of what fits: our sources, and the libraries' versions."""
    digest = blake2b(digest_size=16)
    for name in SOURCES:
        digest.update((PACKAGE / "learning/exits" / name).read_bytes())
    digest.update("".join(_version(name) for name in LIBRARIES).encode())
    return digest.digest()


def place_of(model: str, fitted_on: str) -> Path:
    """Return where a fit is remembered."""
    digest = blake2b(_made_by() + model.encode() + fitted_on.encode(), digest_size=16)
    folder = Path(platformdirs.user_cache_dir("barsieve")) / "exits"
    return folder / f"{digest.hexdigest()}.npz"


def _read(place: Path, model: str) -> Fit | None:
    try:
        with np.load(place) as found:
            numbers = {name: found[name] for name in found.files if name != "base"}
            return Fit(model, float(found["base"]), numbers)
    except (OSError, ValueError, KeyError, EOFError):
        return None


def fitted(
    model: str, features: np.ndarray, rest: np.ndarray, starts: np.ndarray
) -> tuple[Fit, str]:
    """Return a fit, remembered or made now, and the digest of what it was fitted on."""
    fitted_on = hash_of(features, rest, starts)
    place = place_of(model, fitted_on)
    found = _read(place, model)
    if found is None:
        found = FITTERS[model](features, rest, starts)
        place.parent.mkdir(parents=True, exist_ok=True)
        with written_whole(place) as path, path.open("wb") as file:
            np.savez(file, base=np.array(found.base), **found.numbers)  # type: ignore[arg-type]
    return found, fitted_on
