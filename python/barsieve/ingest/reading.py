"""Read an exported file as it is, before anybody says what its columns mean."""

import csv
import json
import re
import tempfile
import zipfile
from pathlib import Path
from typing import NamedTuple

import duckdb
import pyarrow as pa

from barsieve.ingest.formats import Columns
from barsieve.locations import parquet_rows, quoted_path
from barsieve.problems import InputError, Problem

KNOWN = ".csv, .zip (one CSV in it), .parquet, .feather, .json (freqtrade)"


FAULTS = (duckdb.Error, pa.ArrowException, zipfile.BadZipFile, OSError, ValueError)


class Export(NamedTuple):
    """A file as read: its rows (text, or typed as stored), and its outward marks."""

    path: Path
    rows: pa.Table
    columns: Columns


def unreadable(path: Path, found: str, fix: str) -> InputError:
    """Return the refusal of a file that cannot be read."""
    return InputError([Problem(str(path), "", f"a file of {KNOWN}", found, fix)])


def read_export(path: Path) -> Export:
    """Read a file; raise InputError when it is none of the known kinds."""
    readers = {
        ".csv": lambda: _read_csv(path, path.read_bytes()),
        ".zip": lambda: _read_zip(path),
        ".parquet": lambda: _typed(path, _read_parquet(path)),
        ".feather": lambda: _typed(path, _read_feather(path)),
        ".json": lambda: _read_json(path),
    }
    reader = readers.get(path.suffix.lower())
    if reader is None or not path.is_file():
        found = "no such file" if not path.exists() else f"'{path.name}'"
        raise unreadable(path, found, "name an exported file")
    try:
        return reader()
    except FAULTS as error:
        raise unreadable(path, str(error).splitlines()[0], "export it again") from None


def _read_parquet(path: Path) -> pa.Table:
    with duckdb.connect() as session:
        session.execute("set timezone = 'UTC'")
        return session.sql(f"from {parquet_rows(path)}").to_arrow_table()


def _read_feather(path: Path) -> pa.Table:
    from pyarrow import feather

    return feather.read_table(path)


def _typed(path: Path, rows: pa.Table) -> Export:
    """Return an export of typed columns; times in microseconds, as all of ours are."""
    fields = [
        field.with_type(pa.timestamp("us", field.type.tz))
        if pa.types.is_timestamp(field.type)
        else field
        for field in rows.schema
    ]
    rows = rows.cast(pa.schema(fields))
    first = tuple(str(column[0]) for column in rows.columns) if len(rows) else ()
    return Export(path, rows, Columns(tuple(rows.column_names), True, first))


def _read_json(path: Path) -> Export:
    """Read freqtrade's JSON: a list of [ms, open, high, low, close, volume]."""
    rows = json.loads(path.read_text())
    if not isinstance(rows, list) or any(
        not isinstance(row, list) or len(row) != 6 for row in rows
    ):
        raise ValueError("no list of rows of six")
    names = ("date", "open", "high", "low", "close", "volume")
    columns = list(zip(*rows, strict=True)) or [()] * 6
    table = pa.table([list(map(_plain, c)) for c in columns], names=names)
    return _typed(path, table)


def _plain(value: object) -> str | None:
    return None if value is None else str(value)


def _read_zip(path: Path) -> Export:
    with zipfile.ZipFile(path) as archive:
        names = [n for n in archive.namelist() if n.lower().endswith(".csv")]
        if len(names) != 1:
            raise ValueError(f"{len(names)} CSV files in the archive, expected one")
        return _read_csv(path, archive.read(names[0]))


def _read_csv(path: Path, content: bytes) -> Export:
    text = content.decode("utf-8-sig")
    lines = text.splitlines()
    if lines and re.match(r"(?i)(https?://|www\.|cryptodatadownload)", lines[0]):
        lines = lines[1:]
    lines = [line for line in lines if line.strip()]
    if not lines:
        raise ValueError("no rows in it")
    first = [cell.strip() for cell in next(csv.reader(lines[:1]))]
    has_header = not re.fullmatch(r"-?[\d.]+", first[0])
    numbered = [f"column {i + 1}" for i in range(len(first))]
    names = _unique(first) if has_header else numbered
    rows = _parse("\n".join(lines[1:] if has_header else lines), names)
    shown = tuple(column[0].as_py() or "" for column in rows.columns) if rows else ()
    # Names as written: two of the same name are for the user to tell apart.
    return Export(path, rows, Columns(tuple(names), has_header, shown))


def _unique(names: list[str]) -> list[str]:
    """Return names with a number behind those that occur again."""
    return [
        name if names[:i].count(name) == 0 else f"{name} ({names[:i].count(name) + 1})"
        for i, name in enumerate(names)
    ]


def _parse(text: str, names: list[str]) -> pa.Table:
    """Return the rows of a CSV as text; DuckDB wants a file to read."""
    if not text:
        return pa.table({name: pa.array([], pa.string()) for name in names})
    with tempfile.TemporaryDirectory() as folder, duckdb.connect() as session:
        file = Path(folder) / "rows.csv"
        with open(file, "w", newline="") as stream:
            stream.write(text + "\n")
        typed = ", ".join(f"{_literal(name)}: 'VARCHAR'" for name in names)
        return session.sql(
            f"from read_csv({quoted_path(file)}, header = false, delim = ',', "
            f"quote = '\"', auto_detect = false, columns = {{{typed}}})"
        ).to_arrow_table()


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
