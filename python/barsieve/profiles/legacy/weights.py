"""The weights of a legacy config: which section decided, and its shares."""

from math import isfinite
from pathlib import Path
from typing import Any

from barsieve.core.errors import InputError
from barsieve.profiles.diff import KeyPath
from barsieve.profiles.legacy.keys import (
    NO_DOMAIN,
    WEIGHT_NAMES,
    WEIGHT_NOTES,
    WEIGHT_SECTIONS,
    value_at,
)
from barsieve.profiles.legacy.rows import (
    CARRIED,
    DECISION,
    NO_EFFECT,
    NORMALISED,
    RENAMED,
    Row,
    fault,
)
from barsieve.profiles.weights import WEIGHT_SUM_TOLERANCE

# Every domain of a legacy config has a weight here, 0 where the file gives none.
LEGACY_DOMAINS = tuple(dict.fromkeys(WEIGHT_NAMES.values()))


def weight_paths(document: dict[str, Any]) -> dict[KeyPath, str]:
    """Return the keys of the section that decided, with the name of each weight.

    v1.8 read `fusion.weights`; older files have them elsewhere.
    """
    for section in WEIGHT_SECTIONS:
        found = value_at(document, section)
        if isinstance(found, dict) and set(found) & set(WEIGHT_NAMES):
            return {(*section, name): name for name in found}
    domains = document.get("domains")
    if not isinstance(domains, dict):
        return {}
    return {
        ("domains", name, "weight"): name
        for name, settings in domains.items()
        if isinstance(settings, dict) and "weight" in settings
    }


def is_other_weight(path: KeyPath, document: dict[str, Any]) -> bool:
    """Tell whether a key lies in a section of weights that did not decide."""
    decided = {weight[:-1] for weight in weight_paths(document)}
    return any(
        path[: len(section)] == section and section not in decided
        for section in WEIGHT_SECTIONS
    )


def _chosen(paths: dict[KeyPath, str]) -> dict[str, KeyPath]:
    """Return the key that gives each domain; its own name before an alias."""
    chosen: dict[str, KeyPath] = {}
    for path, name in paths.items():
        domain = WEIGHT_NAMES.get(name)
        if domain and (domain not in chosen or name == domain):
            chosen[domain] = path
    return chosen


def _read(file: Path, document: dict[str, Any], path: KeyPath) -> float:
    value = value_at(document, path)
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
        raise InputError(
            [fault(file, path, "a weight: a number that is not negative", value)]
        )
    return value


def read_weights(
    file: Path, document: dict[str, Any]
) -> tuple[dict[str, float], list[Row]]:
    """Return the weights of all domains, summing to 1, and a row for each old key.

    Empty where the document has none. Raises InputError for weights that are no
    numbers, negative, or all zero.
    """
    paths = weight_paths(document)
    chosen = _chosen(paths)
    if not chosen:
        return {}, [_left_out(path, value_at(document, path)) for path in paths]
    given = {domain: _read(file, document, path) for domain, path in chosen.items()}
    total = sum(given.values())
    if not (total > 0 and isfinite(total)):
        section = next(iter(paths))[:-1]
        raise InputError([fault(file, section, "weights that sum to over 0", given)])
    is_sound = abs(total - 1) <= WEIGHT_SUM_TOLERANCE and max(given.values()) <= 1
    divisor = 1 if is_sound else total
    weights = {d: given.get(d, 0.0) / divisor for d in LEGACY_DOMAINS}
    rows = []
    for path in paths:
        domain = WEIGHT_NAMES.get(paths[path])
        if domain and chosen[domain] == path:
            rows.append(_taken(path, domain, given[domain], weights[domain], total))
        else:
            rows.append(_left_out(path, value_at(document, path), domain))
    return weights, rows


def _taken(path: KeyPath, domain: str, old: float, new: float, total: float) -> Row:
    to = (f"weights.{domain}",)
    note = WEIGHT_NOTES.get(domain, "")
    if new != old:
        done = f"divided by their sum {total:.6g}"
        note = f"{done}; {note}" if note else done
        return Row(path, old, NORMALISED, to, new, note)
    return Row(path, old, CARRIED if path[-1] == domain else RENAMED, to, new, note)


def _left_out(path: KeyPath, value: Any, domain: str | None = None) -> Row:
    name = path[-1] if path[-1] != "weight" else path[-2]
    if name in NO_DOMAIN:
        return Row(path, value, NO_EFFECT, (), None, NO_DOMAIN[name])
    why = (
        f"weights.{domain} has the value of '{domain}'"
        if domain
        else "no such domain; the others share its weight"
    )
    return Row(path, value, DECISION, (), None, why)
