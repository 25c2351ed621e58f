"""JSON configs: where they are, their leaves by name, the differences of two."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from barsieve.core import paths
from barsieve.core.errors import refuse

KeyPath = tuple[str, ...]


def leaves(document: Any, path: KeyPath = ()) -> Iterator[tuple[KeyPath, Any]]:
    """Yield every value that is no section, with the keys that lead to it, in order.

    A list is one value; so is a section without keys, which would be lost otherwise.
    """
    if isinstance(document, dict) and (document or not path):
        for key, value in document.items():
            yield from leaves(value, (*path, key))
    else:
        yield path, document


def dotted(path: KeyPath) -> str:
    """Return the dotted name of a key; odd names are quoted, so no two look alike."""
    return ".".join(
        key
        if key and key.isprintable() and not set(key) & set('."\\')
        else json.dumps(key)
        for key in path
    )


class Difference(NamedTuple):
    """A key whose values differ; `only_in` is `a` or `b` where one has no such key."""

    key: str
    a: Any
    b: Any
    only_in: str | None


def _same(a: Any, b: Any) -> bool:
    """Compare as JSON: 5 and 5.0 are one number, true and 1 are not one value."""
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(_same, a, b))
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(_same(a[key], b[key]) for key in a)
    return isinstance(a, bool) == isinstance(b, bool) and a == b


def differences(a: dict[str, Any], b: dict[str, Any]) -> list[Difference]:
    """Return what differs between two documents, in the order of the first."""
    ours, theirs = dict(leaves(a)), dict(leaves(b))
    found = []
    for path in ours | theirs:
        if path not in theirs:
            found.append(Difference(dotted(path), ours[path], None, "a"))
        elif path not in ours:
            found.append(Difference(dotted(path), None, theirs[path], "b"))
        elif not _same(ours[path], theirs[path]):
            found.append(Difference(dotted(path), ours[path], theirs[path], None))
    return found


def find_profile(name: str) -> Path:
    """Return the file of a profile, given as a path or by the name it has in configs.

    Raises InputError when there is none.
    """
    path = Path(name)
    if path.suffix == ".json" or len(path.parts) > 1:
        found = [path]
    else:
        folder = paths.project_dir()
        folders = (folder / paths.configs_dir(), folder / "configs")
        found = [folder / f"{name}.json" for folder in folders]
    for path in found:
        if path.is_file():
            return path
    known = sorted(path.stem for path in found[0].parent.glob("*.json"))
    refuse(
        str(found[0]),
        expected="a profile, as a file or by its name",
        found="no such file",
        fix=f"name one of {', '.join(known)}" if known else "correct the path",
    )
