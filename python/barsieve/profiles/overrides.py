"""Settings changed for one replay: `section.key=value`, held to what a build accepts.

A changed profile is checked by the same schema and rules as a file in `configs/`, so a
replay with a setting and a build of a profile that has it accept the same values.
"""

import copy
import json
from collections.abc import Iterable, Mapping
from datetime import date
from difflib import get_close_matches
from math import isfinite
from pathlib import Path
from typing import Any

from barsieve.core.errors import InputError, Problem, refuse
from barsieve.core.model_lists import ModelLists
from barsieve.core.times import moment
from barsieve.profiles.check import check_document
from barsieve.profiles.former import FORMER
from barsieve.profiles.resolution import complete
from barsieve.profiles.schema import is_list_of_text, leaves, load_schema
from barsieve.profiles.shape import LEGACY_NAMES

MOST_SHOWN = 3
# Sections whose keys are names of domains.
NAMED = ("weights", "screen.envelope.weights")


def _not_finite(text: str) -> float:
    raise ValueError(text)


def _value(text: str) -> Any:
    """Return a value as JSON reads it, else as the text that it is."""
    try:
        value = json.loads(text, parse_constant=_not_finite)
    except (ValueError, RecursionError):
        return text
    is_endless = isinstance(value, float) and not isfinite(value)
    return text if is_endless else value


def _near(key: str, known: list[str]) -> list[str]:
    """Return the keys that may have been meant: a slip, else one of their last part."""
    if key in FORMER:
        return [FORMER[key].key]
    slips = get_close_matches(key, known, 1, 0.85)
    if slips:
        return slips
    last = key.split(".")[-1]
    last = LEGACY_NAMES.get(last, last)
    near = get_close_matches(last, {k.split(".")[-1] for k in known}, 3, 0.75)
    by_last = [k for name in near for k in known if k.split(".")[-1] == name]
    whole = get_close_matches(key, known, 3, 0.6)
    return list(dict.fromkeys(by_last + whole))[:MOST_SHOWN]


def _parsed(setting: str, known: list[str]) -> tuple[str, Any]:
    key, sign, text = setting.partition("=")
    key = key.strip()
    if not sign or not key:
        refuse(
            f"--set {setting}",
            expected="section.key=value",
            found="no such pair",
            fix="write it like --set exits.stop_atr=2.5",
        )
    _refuse_unknown(key, known, f"--set {setting}")
    return key, _listed(key, _value(text.strip()))


def _listed(key: str, value: Any) -> Any:
    """Return the value of a key: where it is a list of names, text is names by comma.

    So `symbols=BTC,ETH` is what `symbols=["BTC", "ETH"]` is, which a shell mangles.
    """
    part = leaves(load_schema("profile")).get(key, {})
    if isinstance(value, str) and is_list_of_text(part):
        return [name.strip() for name in value.split(",")]
    return value


def _known_keys() -> list[str]:
    """Return the keys that may be changed: what a profile is called is none."""
    return [key for key in leaves(load_schema("profile")) if key != "profile"]


def _refuse_unknown(key: str, known: list[str], where: str) -> None:
    """Raise InputError for a key that the schema does not have."""
    sections = {k.rsplit(".", 1)[0] for k in known if "." in k}
    is_of_names = key.rpartition(".")[0] in NAMED
    if key in known or is_of_names or key in sections & {"screen.envelope"}:
        return
    near = [] if key in sections else _near(key, known)
    refuse(
        where,
        expected="a key of the profile schema",
        found=f"'{key}'",
        fix=f"did you mean {' or '.join(near)}?"
        if near
        else "keys look like exits.stop_atr; see the files in configs/",
    )


def parse(settings: Iterable[str]) -> dict[str, Any]:
    """Return changed settings by dotted key, in the order in which they were given.

    Raises InputError for text that is no `key=value`, and for a key that the schema
    does not have: it then names the keys that come near.
    """
    known = _known_keys()
    return dict(_parsed(setting, known) for setting in settings)


def settings_of(changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return changed settings given by dotted key, as `parse` does those in text.

    Raises InputError for a key that the schema does not have.
    """
    known = _known_keys()
    for key, value in changes.items():
        _refuse_unknown(key, known, f"set {key}={value}")
    return {key: _listed(key, _plain(value)) for key, value in changes.items()}


def _plain(value: Any) -> Any:
    """Return a value of Python or numpy as JSON has it; one that it lacks as text."""
    if isinstance(value, Mapping):
        return {key: _plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    value = getattr(value, "item", lambda: value)()
    if isinstance(value, date):
        return moment(value, "set").isoformat()
    is_endless = isinstance(value, float) and not isfinite(value)
    known = (str, int, float, type(None))
    return value if isinstance(value, known) and not is_endless else str(value)


def changed(document: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """Return a profile's document with some settings exchanged."""
    made = copy.deepcopy(document)
    for dotted, value in changes.items():
        *sections, key = dotted.split(".")
        holder = made
        for section in sections:
            if not isinstance(holder.get(section), dict):
                holder[section] = {}
            holder = holder[section]
        holder[key] = copy.deepcopy(value)
    return made


def _with_hint(problem: Problem, changes: dict[str, Any], weights: Any) -> Problem:
    """Return a problem; where some weights were set, say that all go together."""
    if "'weights'" not in problem.where or "weights" in changes:
        return problem
    left = [d for d in weights if f"weights.{d}" not in changes]
    rest = ", ".join(f"weights.{d}" for d in left)
    return Problem(
        problem.file,
        problem.where,
        expected=problem.expected,
        found=problem.found,
        fix=f"set others as well ({rest}), so that the sum is 1",
    )


def apply(
    document: dict[str, Any], changes: dict[str, Any], lists: ModelLists
) -> dict[str, Any]:
    """Return the changed profile, resolved, checked as a build checks a file.

    `lists` are the models that there are. Raises InputError for a type or a range that
    the schema forbids, a name of no model and settings that contradict each other.
    """
    made = changed(document, changes)
    given = " ".join(f"{key}={json.dumps(value)}" for key, value in changes.items())
    path = Path(f"{document['profile']} with {given}" if given else made["profile"])
    problems = check_document(path, made, lists)
    if problems:
        raise InputError([_with_hint(p, changes, made["weights"]) for p in problems])
    return complete(made)
