"""A section of the report: what it needs, what it reads."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from barsieve.report.source import Source


def absent(sentence: str) -> dict[str, Any]:
    """Return what a section says of an entry that it has nothing to show of."""
    return {"absence": sentence}


def always(source: Source) -> bool:
    """Tell that a section is in every report."""
    return True


@dataclass(frozen=True)
class Section:
    """One part of the page.

    Its skeleton is `page/<key>.html`, its drawing `page/<key>.js`. `tables` are needed;
    `collect` turns them into what the drawing reads; `absent` stands in the place of an
    entry that there is nothing to show of. `until` says how tables that are not there
    come to be. A section that is not `is_shown` is left out, title and all.
    """

    key: str
    title: str
    tables: tuple[str, ...]
    collect: Callable[[Source], dict[str, Any]]
    until: str = "Build the database again with the current models."
    is_shown: Callable[[Source], bool] = always

    def absence(self, source: Source) -> str | None:
        """Return the sentence that stands in its place, or None when all is there."""
        missing = [name for name in self.tables if name not in source.tables]
        if not missing:
            return None
        noun = "table" if len(missing) == 1 else "tables"
        names = ", ".join(missing)
        return f"Left out: this database has no {noun} {names}. {self.until}"
