"""Tables of text, as the commands about configs print them."""

import json
from typing import Any

from rich.table import Table

from barsieve.cli.output import table


def text_table(title: str, columns: list[str], rows: list[list[str]]) -> Table:
    """Return a table of text, whose last column wraps."""
    made = table(title, columns, rows)
    for column in made.columns:
        column.justify = "left"
        column.overflow = "fold"
    made.columns[-1].no_wrap = False
    return made


def shown(value: Any, width: int = 24) -> str:
    """Return a value as short JSON; JSON output is where the exact numbers are."""
    is_long = isinstance(value, float) and len(repr(value)) > 12
    text = f"{value:.6g}" if is_long else json.dumps(value)
    return text if len(text) <= width else text[: width - 3] + "..."
