"""Rows of the table that a migration prints: what became of each key."""

import json
from pathlib import Path
from typing import Any, NamedTuple

from barsieve.core.errors import Problem
from barsieve.profiles.diff import KeyPath, dotted

CARRIED, RENAMED, NORMALISED = "carried over", "renamed", "normalised"
DECISION, NO_EFFECT = "needs a decision", "no effect"
# In the order in which a reader wants them: what to act on comes last.
STATUSES = (NO_EFFECT, CARRIED, RENAMED, NORMALISED, DECISION)


class Row(NamedTuple):
    """A key of the old file: its value, what became of it, where, as what, and why."""

    path: KeyPath
    value: Any
    status: str
    to: tuple[str, ...]
    written: Any
    note: str

    @property
    def key(self) -> str:
        """The dotted name of the key."""
        return dotted(self.path)


class Added(NamedTuple):
    """A key of the profile that the old file lacks, and where its value is from."""

    key: str
    value: Any
    source: str


def shown(value: Any) -> str:
    """Return a value as short JSON."""
    text = json.dumps(value)
    return text if len(text) <= 80 else text[:77] + "..."


def fault(file: Path, path: KeyPath, expected: str, found: Any) -> Problem:
    """Return what is wrong with a key of the old file."""
    return Problem(
        str(file),
        f"key '{dotted(path)}'",
        expected=expected,
        found=shown(found),
        fix="correct it, or take the key out and decide in the profile",
    )
