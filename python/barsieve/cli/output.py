"""Output of every command: consoles, tables, JSON, failures."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import typer
from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from barsieve.core.errors import BarsieveError
from barsieve.core.findings import Finding
from barsieve.core.keys import ALL
from barsieve.core.text import number as number
from barsieve.database.refusals import told_by_database

# A pipe has no width of its own; 80 columns would cut figures off.
out = Console(width=None if sys.stdout.isatty() else 120, emoji=False)
err = Console(stderr=True, emoji=False)

# Exit codes: what was asked for cannot be (a name, a file), or was refused.
REFUSED, NOT_FOUND = 1, 2

TEXT_COLUMNS = {
    "command",
    "profile", "strategy", "layer", "figure", "screen", "promise", "verdict", "parity",
    "entry", "exit", "side", "reason", "classifier", "window", "reference", "regime",
    "input", "target", "source", "file", "format", "mapping", "row", "column",
    "replayed", "decision", "fields", "scenario", "symbol", "gate", "asks", "found",
    "domain", "vote", "signal", "kind", "value", "passed", "time", "engine", "rules",
    "grid", "train", "test", "weights", "name", "sample",
}  # fmt: skip

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]


def print_json(document: Any) -> None:
    """Print a document as JSON; times as text."""
    typer.echo(json.dumps(document, indent=2, default=str))


def fail(message: str, code: int = NOT_FOUND) -> typer.Exit:
    """Print a message to standard error; return the exit to raise."""
    err.print(message, markup=False, highlight=False, soft_wrap=True)
    return typer.Exit(code)


def table(title: str, columns: list[str], rows: list[list[str]]) -> Table:
    """Return a table with text on the left and figures on the right."""
    table = Table(
        title=title,
        title_justify="left",
        title_style="bold",
        header_style="bold",
        box=box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        # A title is wrapped at the width of its table.
        min_width=min(cell_len(title) + 2, out.width),
    )
    for column in columns:
        is_text = column in TEXT_COLUMNS
        table.add_column(column, justify="left" if is_text else "right", no_wrap=True)
    for row in rows:
        table.add_row(*[escape(cell) for cell in row])
    return table


def print_findings(findings: list[Finding]) -> None:
    """Print findings, one a line: what it is about, its kind, what it means."""
    for found in findings:
        # What is of all symbols needs none named.
        is_of_one = found.symbol not in (None, "", ALL)
        about = f"{found.symbol} " * is_of_one + found.subject
        out.print(
            f"  {about}, {found.finding}: {found.meaning}",
            style="bold red" if found.finding == "broken_promise" else None,
            markup=False,
            highlight=False,
            soft_wrap=True,
        )


@contextmanager
def refusing(code: int = NOT_FOUND) -> Iterator[None]:
    """Turn refused input into its message and an exit code, without a stack trace."""
    try:
        yield
    except (BarsieveError, FileNotFoundError) as error:
        raise fail(str(error), code) from None
    except Exception as error:
        told = told_by_database(error)
        if told is None:
            raise
        raise fail(told, code) from None
