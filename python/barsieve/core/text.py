"""Figures and tables as text, for a terminal and for a notebook."""

import re
from collections.abc import Sequence
from html import escape
from typing import NamedTuple

GAP = "  "
FIGURE = re.compile(r"[-+]?[\d,.]*%?|nan")
"""What is aligned on the right: a number, a share, a dash."""


def number(value: float | str | None, pattern: str) -> str:
    """Format a figure; a dash where there is none."""
    return "-" if value is None else format(value, pattern)


class Page(NamedTuple):
    """A small table with a title, and sentences below it."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    notes: Sequence[str] = ()

    def text(self) -> str:
        """Return it as lines of text."""
        lines = [self.columns, *self.rows] if any(self.columns) else list(self.rows)
        aligned = zip(*map(_aligned, zip(*lines, strict=True)), strict=True)
        rows = [GAP.join(cells).rstrip() for cells in aligned]
        return "\n".join([self.title, *rows, *self.notes])

    def html(self) -> str:
        """Return it as HTML."""
        head = "".join(f"<th>{escape(name)}</th>" for name in self.columns)
        body = "".join(
            "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>"
            for row in self.rows
        )
        head = f"<thead><tr>{head}</tr></thead>" if any(self.columns) else ""
        notes = "".join(f"<p>{escape(note)}</p>" for note in self.notes)
        title = f"<caption>{escape(self.title)}</caption>"
        return f"<table>{title}{head}<tbody>{body}</tbody></table>{notes}"


def _aligned(cells: Sequence[str]) -> list[str]:
    """Return the cells of a column in one width; below its name are figures or text."""
    width = max(map(len, cells))
    is_figures = all(FIGURE.fullmatch(cell) for cell in cells[1:])
    return [cell.rjust(width) if is_figures else cell.ljust(width) for cell in cells]


class Shown:
    """Whatever shows itself as a page: in a terminal as text, in a notebook as HTML."""

    def page(self) -> Page:
        """Return what is shown of it."""
        raise NotImplementedError

    def __repr__(self) -> str:
        return self.page().text()

    def _repr_html_(self) -> str:
        return self.page().html()
