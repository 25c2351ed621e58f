"""Delimited text as a table of cells: its encoding, its delimiter, its lines.

Nothing is guessed that could be read in two ways: what does not fit is refused with the
line, and every choice can be named by the user instead.
"""

import codecs
import csv
import io
import re
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

# Of two that cut every line alike, the rarer within a cell counts.
DELIMITERS = ("\t", ";", "|", ",")
NAMES = {"\t": "tab", ";": "semicolon", "|": "bar", ",": "comma", " ": "space"}
SNIFFED_LINES = 500
BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# Lines above a header: the address of a site, a remark, the delimiter for Excel.
PREAMBLE = re.compile(r"(?i)\s*(https?://|www\.|cryptodatadownload|#|sep=.$)")
NUMBER = re.compile(r"[-+]?[\d.,: ]*\d[\d.,:]*([eE][-+]?\d+)?")


class TableError(ValueError):
    """A table that cannot be read: the place, what was expected, found, the fix."""

    def __init__(self, where: str, expected: str, found: str, fix: str):
        """Keep the four parts of what is wrong."""
        super().__init__(found)
        self.where, self.expected, self.found, self.fix = where, expected, found, fix


class Cells(NamedTuple):
    """The cells of a delimited text: rows of equal width, each with its line."""

    names: list[str]
    has_header: bool
    rows: list[list[str]]
    lines: list[int]
    encoding: str
    delimiter: str


def decoded(content: bytes, encoding: str | None = None) -> tuple[str, str]:
    """Return a text and its encoding: the stated one, that of its marks, or UTF-8.

    Raises TableError for a text that is none.
    """
    found = encoding or _marked(content) or "utf-8"
    try:
        return content.decode(found).removeprefix("\ufeff"), found
    except LookupError:
        raise TableError(
            "", "a known encoding", f"--encoding {encoding}", "such as utf-8 or cp1252"
        ) from None
    except UnicodeError as error:
        start = getattr(error, "start", 0)
        line = content[:start].count(b"\n") + 1
        raise TableError(
            f"line {line}",
            f"text in {found}",
            f"the byte {content[start : start + 1]!r}",
            "name the encoding: --encoding cp1252 (or utf-16, latin-1, …)",
        ) from None  # fmt: skip


def _marked(content: bytes) -> str | None:
    """Return the encoding that a text's first bytes show, or None."""
    for mark, encoding in BOMS:
        if content.startswith(mark):
            return encoding
    head = content[:400]
    if b"\0" in head[1::2] and b"\0" not in head[::2]:
        return "utf-16-le"
    if b"\0" in head[::2] and b"\0" not in head[1::2]:
        return "utf-16-be"
    return None


def read_cells(
    content: bytes, encoding: str | None = None, delimiter: str | None = None
) -> Cells:
    """Return the cells of a text; raise TableError where a line misfits."""
    text, found = decoded(content, encoding)
    chosen = delimiter or _sniffed(text)
    rows, lines = [], []
    for line, row in _lines(text, chosen):
        rows.append(row)
        lines.append(line)
    if not rows:
        raise TableError("", "rows", "no rows in it", "export it again")
    width = len(rows[0])
    _refuse_other_widths(rows, lines, width, chosen)
    rows = [row[:width] for row in rows]
    has_header = not any(NUMBER.fullmatch(cell) for cell in rows[0])
    numbered = [f"column {i + 1}" for i in range(width)]
    names = _unique(rows[0]) if has_header else numbered
    start = 1 if has_header else 0
    return Cells(names, has_header, rows[start:], lines[start:], found, chosen)


def _lines(text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows of a text with their lines; blank and leading lines are none."""
    # A byte of 0 is in no table; the parser would stop at it or drop it.
    if "\0" in text:
        line = text[: text.index("\0")].count("\n") + 1
        raise TableError(f"line {line}", "text", "a byte of 0", "name --encoding")
    stream = io.StringIO(text, newline="")
    reader = csv.reader(stream, delimiter=delimiter, strict=True)
    is_above = True
    try:
        for row in reader:
            is_above = (
                is_above
                and not any(row[1:])
                and bool(not row or not row[0] or PREAMBLE.match(row[0]))
            )
            if any(cell.strip() for cell in row) and not is_above:
                yield reader.line_num, [cell.strip() for cell in row]
    except csv.Error as error:
        raise TableError(
            f"line {reader.line_num}",
            f"cells between {NAMES.get(delimiter, delimiter)}s",
            str(error), "correct the quotes at their source",
        ) from None  # fmt: skip


def _sniffed(text: str) -> str:
    """Return the delimiter that cuts every line into as many cells."""
    stated = re.match(r"(?i)sep=(.)\r?\n", text)
    if stated:
        return stated.group(1)
    widest, at_most = ",", 1
    for delimiter in DELIMITERS:
        try:
            rows = [row for _, row in islice(_lines(text, delimiter), SNIFFED_LINES)]
        except TableError:
            continue
        if rows and len(rows[0]) > 1 and all(_fits(r, len(rows[0])) for r in rows):
            return delimiter
        if rows and len(rows[0]) > at_most:
            widest, at_most = delimiter, len(rows[0])
    return widest


def _fits(row: list[str], width: int) -> bool:
    return len(row) >= width and not any(row[width:])


def _refuse_other_widths(
    rows: list[list[str]], lines: list[int], width: int, delimiter: str
) -> None:
    name = NAMES.get(delimiter, repr(delimiter))
    shown = " " if delimiter == "\t" else delimiter
    if width == 1:
        raise TableError(
            f"line {lines[0]}", "cells between tabs, semicolons, bars or commas",
            f"the line {rows[0][0][:80]!r}", "name the delimiter: --delimiter ' '",
        )  # fmt: skip
    for row, line in zip(rows, lines, strict=True):
        if not _fits(row, width):
            raise TableError(
                f"line {line}", f"{width} cells between {name}s, as in line {lines[0]}",
                f"{len(row)}: {shown.join(row)[:80]}",
                "export it again, or name the delimiter: --delimiter",
            )  # fmt: skip


def _unique(names: list[str]) -> list[str]:
    """Return names with a number behind those that occur again."""
    return [
        name if names[:i].count(name) == 0 else f"{name} ({names[:i].count(name) + 1})"
        for i, name in enumerate(names)
    ]
