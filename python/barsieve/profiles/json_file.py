"""JSON files: read with every fault named (keys twice, no numbers), and written.

dbt would read a duplicate key as an opaque error, so none may reach it.
"""

import json
from collections.abc import Iterator
from math import isfinite
from pathlib import Path
from typing import Any

from barsieve.core.errors import Problem
from barsieve.profiles.words import dotted

# No setting lies deeper than four levels; beyond this, recursion could fail.
GREATEST_DEPTH = 20


class _DuplicateKeyError(Exception):
    def __init__(self, key: str):
        self.key = key
        super().__init__(key)


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise _DuplicateKeyError(key)
        found[key] = value
    return found


def _integer(text: str) -> int | float:
    """Return an integer, or an infinity where no double is that large."""
    value = float(text)
    return int(text) if isfinite(value) else value


def _unusable_values(path: Path, document: Any) -> Iterator[Problem]:
    """Yield numbers that are none (Python reads NaN and 1e999), and endless nesting."""
    queue: list[tuple[tuple[Any, ...], Any]] = [((), document)]
    for keys, value in queue:
        if len(keys) > GREATEST_DEPTH:
            yield _too_deep(path)
            return
        if isinstance(value, dict):
            queue += [((*keys, key), part) for key, part in value.items()]
        elif isinstance(value, list):
            queue += [((*keys, number), part) for number, part in enumerate(value)]
        elif isinstance(value, float) and not isfinite(value):
            yield Problem(
                str(path),
                f"key '{dotted(keys)}'",
                expected="a finite number (up to 1.8e308)",
                found=json.dumps(value),
                fix="write a number, or null where null is allowed",
            )


def _too_deep(path: Path) -> Problem:
    return Problem(
        str(path),
        expected=f"at most {GREATEST_DEPTH} levels of nesting",
        found="more",
        fix="remove the nesting: no setting lies that deep",
    )


def read_json(path: Path) -> tuple[Any, list[Problem]]:
    """Return the document of a JSON file, and what is wrong with the file."""
    try:
        text = path.read_text(encoding="utf-8")
        if text.startswith("\ufeff"):
            return None, [
                Problem(
                    str(path),
                    "line 1, column 1",
                    expected="UTF-8 without a byte order mark",
                    found="a byte order mark",
                    fix="save the file without it",
                )
            ]
        document = json.loads(text, object_pairs_hook=_unique_keys, parse_int=_integer)
        return document, list(_unusable_values(path, document))
    except _DuplicateKeyError as error:
        return None, [
            Problem(
                str(path),
                f"key '{error.key}'",
                expected="each key once",
                found="it twice",
                fix="remove one of the two",
            )
        ]
    except json.JSONDecodeError as error:
        found = f"a fault there: {error.msg}" if text.strip() else "an empty file"
        return None, [
            Problem(
                str(path),
                f"line {error.lineno}, column {error.colno}",
                expected="valid JSON",
                found=found,
                fix="mend the syntax there",
            )
        ]
    except RecursionError:
        return None, [_too_deep(path)]
    except UnicodeDecodeError as error:
        return None, [
            Problem(
                str(path),
                f"byte {error.start + 1}",
                expected="UTF-8 text",
                found=f"the byte {error.object[error.start]:#04x}",
                fix="save the file as UTF-8",
            )
        ]
    except OSError as error:
        return None, [
            Problem(
                str(path),
                expected="a readable file",
                found=error.strerror or str(error),
                fix="put the file there; the shipped ones lie in configs/",
            )
        ]


def as_text(document: dict[str, Any]) -> str:
    """Return a document as a file holds it: a line for each key, and for a list one."""
    return _text(document, "") + "\n"


def _text(value: Any, indent: str) -> str:
    if not isinstance(value, dict) or not value:
        return json.dumps(value)
    deeper = f"{indent}  "
    lines = [
        f"{deeper}{json.dumps(key)}: {_text(part, deeper)}"
        for key, part in value.items()
    ]
    return "{\n" + ",\n".join(lines) + f"\n{indent}}}"
