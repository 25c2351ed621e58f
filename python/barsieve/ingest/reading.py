"""Cells of exported files as they are, before anybody says what columns mean."""

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, NoReturn

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from barsieve.core.errors import refuse
from barsieve.ingest import containers
from barsieve.ingest.containers import KNOWN, TEXT, Member, members_of
from barsieve.ingest.dialects import NAMES, TableError, read_cells
from barsieve.ingest.formats import Columns
from barsieve.ingest.hints import Hints

FAULTS = (
    duckdb.Error, pa.ArrowException, OSError, ValueError, *containers.FAULTS,
)  # fmt: skip


class Export(NamedTuple):
    """A table as read: its rows (text, or typed as stored), and its outward marks.

    `lines` has the line (of text) or the number of each row, `dialect` says how the
    text was cut (nothing for typed files), `delimiter` by what.
    """

    path: Path
    label: str
    name: str
    rows: pa.Table
    columns: Columns
    lines: np.ndarray
    dialect: str = ""
    delimiter: str = ""

    def refuse(self, where: str, *, expected: str, found: str, fix: str) -> NoReturn:
        """Refuse this table for a fault in it."""
        refuse(self.label, where, expected=expected, found=found, fix=fix)

    def refuse_cell(
        self, row: int, column: str, *, expected: str, fix: str
    ) -> NoReturn:
        """Refuse this table for a cell, which is shown; `row` counts from 0."""
        cell = (
            self.rows[column][row].as_py() if column in self.rows.column_names else ""
        )
        found = repr(cell) if isinstance(cell, str) else str(cell)
        self.refuse(self.place(row, column), expected=expected, found=found, fix=fix)

    def place(self, row: int, column: str) -> str:
        """Return the words for a cell."""
        kind = "line" if self.dialect else "row"
        return f"{kind} {self.lines[row]}, column '{column}'"


def read_exports(path: Path, hints: Hints | None = None) -> Iterator[Export]:
    """Yield the tables of a file; raise InputError when it is of no known kind."""
    if not path.is_file():
        found = "no such file" if not path.exists() else f"'{path.name}', no file"
        _refuse_file(str(path), found, "name an exported file")
    label = str(path)
    try:
        for member in members_of(path):
            label = member.label
            yield _read(member, hints or Hints())
    except TableError as error:
        refuse(
            label,
            error.where,
            expected=error.expected,
            found=error.found,
            fix=error.fix,
        )
    except FAULTS as error:
        found = (str(error).splitlines() or [type(error).__name__])[0]
        _refuse_file(label, found, "export it again")


def _refuse_file(label: str, found: str, fix: str) -> NoReturn:
    refuse(label, expected=f"a file of {KNOWN}", found=found, fix=fix)


def _read(member: Member, hints: Hints) -> Export:
    if member.suffix == ".parquet":
        return _typed(member, pq.ParquetFile(io.BytesIO(member.content)).read())
    if member.suffix == ".feather":
        from pyarrow import feather

        return _typed(member, feather.read_table(io.BytesIO(member.content)))
    if member.suffix == ".json":
        return _read_json(member)
    if member.suffix not in TEXT:
        raise ValueError(f"'{member.name}'")
    return _read_text(member, hints)


def _typed(member: Member, rows: pa.Table) -> Export:
    """Return an export of typed columns; times in microseconds, as all of ours are."""
    fields = [
        field.with_type(pa.timestamp("us", field.type.tz))
        if pa.types.is_timestamp(field.type)
        else field
        for field in rows.schema
    ]
    rows = rows.cast(pa.schema(fields))
    first = tuple(str(column[0]) for column in rows.columns) if len(rows) else ()
    columns = Columns(tuple(rows.column_names), True, first)
    lines = np.arange(1, len(rows) + 1)
    return Export(member.path, member.label, member.name, rows, columns, lines)


def _read_json(member: Member) -> Export:
    """Read freqtrade's JSON: a list of [ms, open, high, low, close, volume]."""
    rows = json.loads(member.content)
    if not isinstance(rows, list) or any(
        not isinstance(row, list) or len(row) != 6 for row in rows
    ):
        raise ValueError("no list of rows of six")
    names = ("date", "open", "high", "low", "close", "volume")
    columns = list(zip(*rows, strict=True)) or [()] * 6
    table = pa.table([list(map(_plain, c)) for c in columns], names=names)
    return _typed(member, table)


def _plain(value: object) -> str | None:
    return None if value is None else str(value)


def _read_text(member: Member, hints: Hints) -> Export:
    cells = read_cells(member.content, hints.encoding, hints.delimiter)
    columns = list(zip(*cells.rows, strict=True)) or [()] * len(cells.names)
    table = pa.table(
        [pa.array(column, pa.string()) for column in columns], names=cells.names
    )
    first = tuple(cells.rows[0]) if cells.rows else ()
    # Names as written: two of the same name are for the user to tell apart.
    outward = Columns(tuple(cells.names), cells.has_header, first)
    delimiter = NAMES.get(cells.delimiter, repr(cells.delimiter))
    return Export(
        member.path, member.label, member.name, table, outward, np.array(cells.lines),
        f"{cells.encoding.removesuffix('-sig')}, {delimiter}s", cells.delimiter,
    )  # fmt: skip
