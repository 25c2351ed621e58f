"""JSON documents as rows: the leaves, their dotted names, the differences of two."""

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

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
        else _quoted(key)
        for key in path
    )


def _quoted(key: str) -> str:
    return json.dumps(key)


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


def differences(a: dict, b: dict) -> list[Difference]:
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
