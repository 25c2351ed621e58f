"""Members of JSON objects by where they stand in a text, so that one can be changed.

A file written anew from its document would lose how its owner laid it out, and how the
numbers are written. Only sound JSON comes here.
"""

import json
import re
from typing import NamedTuple

_BLANK = re.compile(r"[ \t\r\n]*")
_SCAN = json.JSONDecoder()


class Member(NamedTuple):
    """A member of an object: its key, and where key and value begin and end."""

    key: str
    start: int
    key_end: int
    value_start: int
    end: int

    def value(self, text: str) -> str:
        """Return the text of the value."""
        return text[self.value_start : self.end]


def _after_blank(text: str, at: int) -> int:
    found = _BLANK.match(text, at)
    return found.end() if found else at


def members(text: str, at: int = 0) -> list[Member]:
    """Return the members of the object that begins at a place, in their order."""
    found: list[Member] = []
    at = _after_blank(text, _after_blank(text, at) + 1)
    while text[at] != "}":
        key, key_end = _SCAN.raw_decode(text, at)
        value_start = _after_blank(text, _after_blank(text, key_end) + 1)
        _, end = _SCAN.raw_decode(text, value_start)
        found.append(Member(key, at, key_end, value_start, end))
        at = _after_blank(text, end)
        if text[at] == ",":
            at = _after_blank(text, at + 1)
    return found


def blank_before(text: str, at: int) -> str:
    """Return the blanks and line ends that stand before a place."""
    return text[len(text[:at].rstrip(" \t\r\n")) : at]


def without(text: str, found: list[Member], key: str) -> str:
    """Return a text without one of several members of an object."""
    number = [member.key for member in found].index(key)
    if number + 1 < len(found):
        return text[: found[number].start] + text[found[number + 1].start :]
    return text[: found[number - 1].end] + text[found[number].end :]
