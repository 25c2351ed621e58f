"""Names that a profile gives: domains, sentinels, macro signals that must exist."""

from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from barsieve.core.errors import Problem
from barsieve.core.model_lists import LISTS, ModelLists
from barsieve.profiles.shape import LEGACY_NAMES
from barsieve.profiles.words import shown


def _named(profile: dict[str, Any]) -> Iterator[tuple[str, str, Iterable[str]]]:
    """Yield which list the names of a key are of, the key, and the names."""
    yield "domains", "weights", profile["weights"]
    if "weights" in (boxed := profile["screen"]["envelope"] or {}):
        yield "domains", "screen.envelope.weights", boxed["weights"]
    yield "macro_signals", "macro_signals", profile["macro_signals"] or []
    for section in ("entry", "screen"):
        sentinels = profile[section]["sentinels"]
        yield "sentinels", f"{section}.sentinels", sentinels or []


def _fix(name: str, kind: str, known: tuple[str, ...]) -> str:
    if LEGACY_NAMES.get(name) in known:
        return f"the legacy name '{name}' is '{LEGACY_NAMES[name]}' here"
    near = get_close_matches(name, known, n=1)
    if near:
        return f"did you mean '{near[0]}'?"
    own, prefix = LISTS[kind]
    return f"remove it, or add the model {prefix}{name} and its name to {own}"


def name_problems(
    path: Path, profile: dict[str, Any], lists: ModelLists
) -> list[Problem]:
    """Return which names of a profile of the right shape stand for no model."""
    problems = []
    for kind, key, names in _named(profile):
        known = getattr(lists, kind)
        for name in names:
            if name not in known:
                is_key = isinstance(names, Mapping)
                problems.append(
                    Problem(
                        str(path),
                        f"unknown key '{key}.{name}'" if is_key else f"key '{key}'",
                        expected=f"one of {', '.join(known)}",
                        found=shown(
                            names[name] if isinstance(names, Mapping) else name
                        ),
                        fix=_fix(name, kind, known),
                    )
                )
    return problems
