"""Resolution of profiles: what a file says, what it extends, the schema's defaults.

A section is merged key by key. `weights` and `screen.envelope` are one value each, so
that a profile never trades on half of its own weights and half of another's.
"""

import copy
from collections.abc import Sequence
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from barsieve.core.errors import InputError, Problem
from barsieve.profiles.json_file import read_json
from barsieve.profiles.schema import load_schema
from barsieve.profiles.shape import shape_problems

DEFAULT = "default"
# What a file says about itself, and not about its trades.
OF_A_FILE = ("$schema", "profile", "extends")
# What a profile gives whole or not at all.
WHOLE = {("weights",), ("screen", "envelope"), ("origin",)}


class Layer(NamedTuple):
    """Layer of a profile, what one source says: its settings, and where they stand."""

    source: str
    document: dict[str, Any]


class Resolved(NamedTuple):
    """A profile with every setting given, by the layers that gave them, weakest first.

    `document` is what a database stores.
    """

    document: dict[str, Any]
    layers: list[Layer]

    def source_of(self, *keys: str) -> str:
        """Return which layer gave the value at some keys; "" where none did."""
        for source, document in reversed(self.layers):
            found: Any = document
            for depth, key in enumerate(keys):
                if depth and keys[:depth] in WHOLE:
                    return source
                if not isinstance(found, dict) or key not in found:
                    break
                found = found[key]
            else:
                return source
        return ""


@cache
def _defaults() -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, part in load_schema("profile")["properties"].items():
        if "default" in part:
            found[key] = part["default"]
        inner = part.get("properties", {}).items()
        if given := {name: own["default"] for name, own in inner if "default" in own}:
            found[key] = given
    return found


def defaults() -> dict[str, Any]:
    """Return what the schema gives to a profile that says nothing."""
    return copy.deepcopy(_defaults())


def merged(
    weak: dict[str, Any], strong: dict[str, Any], at: tuple[str, ...] = ()
) -> dict[str, Any]:
    """Return one document over another: sections key by key, `WHOLE` ones exchanged."""
    made = dict(weak)
    for key, value in strong.items():
        here = (*at, key)
        is_section = isinstance(value, dict) and isinstance(weak.get(key), dict)
        if is_section and here not in WHOLE:
            value = merged(weak[key], value, here)
        made[key] = value
    return made


def _in_order(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """Return a document, its keys in the order of its schema."""
    parts = schema["properties"]
    made = {key: document[key] for key in parts if key in document}
    for key, value in made.items():
        if isinstance(value, dict) and "properties" in parts[key]:
            made[key] = _in_order(value, parts[key])
    return made | {key: document[key] for key in document if key not in parts}


def complete(document: dict[str, Any]) -> dict[str, Any]:
    """Return a profile's own settings over the defaults of the schema, in its order."""
    made = merged(defaults(), copy.deepcopy(document))
    return _in_order(made, load_schema("profile"))


def _cycle(path: Path, chain: Sequence[Path]) -> Problem:
    names = [known.stem for known in chain[chain.index(path) :]]
    return Problem(
        str(chain[-1]),
        "key 'extends'",
        expected="a profile that does not extend this one",
        found=" extends ".join([*names, path.stem]),
        fix="take one of these keys out",
    )


def _unknown(path: Path, name: str, folders: Sequence[Path]) -> Problem:
    places = (path.parent, *folders)
    known = sorted({p.stem for folder in places for p in folder.glob("*.json")})
    others = [other for other in known if other != path.stem]
    near = get_close_matches(name, others, n=1)
    return Problem(
        str(path),
        "key 'extends'",
        expected=f"a profile beside it ({', '.join(others) or 'there is none'})",
        found=f"'{name}'",
        fix=f"did you mean '{near[0]}'?" if near else "name one of them",
    )


def parent_of(path: Path, name: str, folders: Sequence[Path] = ()) -> Path:
    """Return the file of a profile that the one at `path` extends.

    It lies beside it, else in one of `folders`. Raises InputError where there is none.
    """
    for folder in (path.parent, *folders):
        if (place := folder / f"{name}.json").is_file():
            return place
    raise InputError([_unknown(path, name, folders)])


def read_chain(
    path: Path, folders: Sequence[Path] = ()
) -> tuple[list[Layer], list[Problem]]:
    """Return a profile's file and those that it extends, the furthest first.

    A parent lies beside its child, else in one of `folders`. The layers are empty where
    a file is refused, itself or for its place in the chain.
    """
    layers: list[Layer] = []
    chain: list[Path] = []
    while True:
        document, problems = read_json(path)
        problems = problems or shape_problems(path, document, "profile")
        if problems:
            return [], problems
        chain.append(path)
        layers.insert(0, Layer(str(path), document))
        if "extends" not in document:
            return layers, []
        try:
            path = parent_of(path, document["extends"], folders)
        except InputError as error:
            return [], error.problems
        if path in chain:
            return [], [_cycle(path, chain)]


def is_profile(document: Any) -> bool:
    """Tell whether a document is meant to be a profile."""
    is_named = isinstance(document, dict) and "profile" in document
    return is_named and bool({"extends", "weights"}.intersection(document))


def resolve(path: Path, folders: Sequence[Path] = ()) -> Resolved:
    """Return a profile of a file with every setting given.

    Raises InputError for a file, or one that it extends, that is refused; see
    `read_chain`. Whether its settings contradict each other is not asked here.
    """
    layers, problems = read_chain(path, folders)
    if problems:
        raise InputError(problems)
    settings: dict[str, Any] = {}
    for layer in layers:
        settings = merged(settings, layer.document)
    own = {k: v for k, v in settings.items() if k not in OF_A_FILE}
    document = complete({"profile": layers[-1].document["profile"]} | own)
    return Resolved(document, [Layer(DEFAULT, defaults()), *layers])


def resolved_profiles(folder: Path) -> list[dict[str, Any]]:
    """Return every profile of a folder, by file, as a database stores it.

    Raises InputError where one is refused.
    """
    return [resolve(path).document for path in sorted(folder.glob("*.json"))]
