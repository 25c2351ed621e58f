"""Keys and values of configs, as problems show them."""

import json
from collections.abc import Iterable
from typing import Any


def dotted(path: Iterable[Any], key: str | None = None) -> str:
    """Return a path of keys as one key with dots."""
    parts = [str(part) for part in path] + ([key] if key is not None else [])
    return ".".join(parts) or "(top level)"


def shown(value: Any) -> str:
    """Return a value as JSON, shortened."""
    text = json.dumps(value)
    return text if len(text) <= 80 else text[:77] + "..."


def number(value: float) -> str:
    """Return a number with digits enough to tell it from the bound that it breaks."""
    return f"{value:.12g}"
