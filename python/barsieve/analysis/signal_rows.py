"""Signals that a user brings: symbol, ts, side, confidence, a row each.

`ts` names a bar by its open and is known at that bar's close; without a zone it is UTC.
"""

import csv
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

import pyarrow as pa

from barsieve.core.errors import Problem, refuse, refuse_first
from barsieve.core.times import moment_of

COLUMNS = ("symbol", "ts", "side", "confidence")
SIDES = ("long", "short")
PARQUET, CSV = (".parquet", ".pq"), (".csv",)


class Signal(NamedTuple):
    """A signal, and where it stands; `ts` is the open of its bar, UTC."""

    where: str
    symbol: str
    ts: datetime
    side: str
    confidence: float


def _refuse_file(name: str, found: str) -> NoReturn:
    refuse(
        name,
        expected="a readable Parquet or CSV file with symbol, ts, side, confidence",
        found=found,
        fix="write one, with a header if it is CSV",
    )


def _of_parquet(path: Path) -> pa.Table:
    import pyarrow.parquet as pq

    try:
        return pq.ParquetFile(path).read()
    except (OSError, pa.ArrowException) as error:
        _refuse_file(str(path), str(error).splitlines()[0])


def _of_csv(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the place and the cells of each line; one that is too long is refused."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as stream:
            reader = csv.DictReader(stream, restkey="", skipinitialspace=True)
            _require(str(path), list(reader.fieldnames or []))
            for row in reader:
                if "" in row:
                    refuse(
                        str(path),
                        f"line {reader.line_num}",
                        expected=f"{len(reader.fieldnames or [])} cells",
                        found=f"{len(row) - 1 + len(row[''])}",
                        fix="write a decimal point; quotes around a cell with a comma",
                    )
                yield f"line {reader.line_num}", row
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        _refuse_file(str(path), str(error))


def _require(name: str, columns: list[str]) -> None:
    missing = [column for column in COLUMNS if column not in columns]
    if missing:
        refuse(
            name,
            expected=f"the columns {', '.join(COLUMNS)}",
            found=f"no {', '.join(missing)} among {', '.join(columns) or 'none'}",
            fix="name the columns so; ts is the open of the bar",
        )
    if twice := next((name for name in COLUMNS if columns.count(name) > 1), None):
        refuse(
            name,
            expected="each column once",
            found=f"{twice} twice",
            fix="leave one of them out",
        )


def _of_table(table: pa.Table, name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    _require(name, table.column_names)
    try:
        rows = table.select(list(COLUMNS)).to_pylist()
    except (ValueError, pa.ArrowException) as error:
        # Nanoseconds that Python's times do not have.
        _refuse_file(name, str(error).splitlines()[0])
    for number, row in enumerate(rows, 1):
        yield f"row {number}", row


def _moment(value: Any) -> datetime:
    """Return when the bar of a signal opens; ValueError for what is no moment."""
    # pandas has nanoseconds, which hide behind a moment of whole microseconds.
    if getattr(value, "nanosecond", 0):
        raise ValueError("nanoseconds")
    return moment_of(value.strip() if isinstance(value, str) else value)


def _confidence(value: Any) -> float:
    if isinstance(value, bool):
        raise ValueError("true or false")
    found = float(value)
    if not 0.0 <= found <= 1.0:
        raise ValueError("beyond 0 and 1")
    return found


EXPECTED = {
    "symbol": ("the name of a symbol", "name the symbol of the bar"),
    "ts": (
        "a moment like 2024-07-01T13:00:00+00:00",
        "write the open of the bar, ISO 8601",
    ),
    "side": ("long or short", "write one of the two; leave out rows without a side"),
    "confidence": (
        "a number from 0 to 1",
        "write a fraction with a decimal point; it decides the size of the position",
    ),
}


def _symbol(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError("no text")
    return value.strip()


def _side(value: Any) -> str:
    side = value.strip() if isinstance(value, str) else value
    if side not in SIDES:
        raise ValueError("no side")
    return str(side)


READ = {"symbol": _symbol, "ts": _moment, "side": _side, "confidence": _confidence}


def _signal(name: str, where: str, row: dict[str, Any]) -> Signal | list[Problem]:
    found: dict[str, Any] = {}
    problems = []
    for column, read in READ.items():
        try:
            found[column] = read(row[column])
        except (TypeError, ValueError, OverflowError):
            expected, fix = EXPECTED[column]
            value = f"{row[column]!r:.60}"
            problems.append(
                Problem(
                    name, f"{where}, {column}", expected=expected, found=value, fix=fix
                )
            )
    return problems or Signal(where, **found)


def _repeated(name: str, signals: list[Signal]) -> list[Problem]:
    seen: dict[tuple[str, datetime], str] = {}
    problems = []
    for one in signals:
        first = seen.setdefault((one.symbol, one.ts), one.where)
        if first != one.where:
            problems.append(
                Problem(
                    name,
                    one.where,
                    expected="one signal a symbol and ts",
                    found=f"another for {one.symbol} at {one.ts.isoformat()}, {first}",
                    fix="keep one of them",
                )
            )
    return problems


def read_signals(source: Path | pa.Table) -> tuple[str, list[Signal]]:
    """Return the name of a source and its signals, in its order.

    `source`: a Parquet or CSV file, or an Arrow table, with the columns `COLUMNS`;
    further ones are left alone. Raises InputError that names every broken row (the
    first ten), and for a source without any signal.
    """
    if isinstance(source, pa.Table):
        name, rows = "signals", _of_table(source, "signals")
    else:
        name, suffix = str(source), source.suffix.lower()
        if suffix not in (*PARQUET, *CSV):
            _refuse_file(name, f"the ending '{suffix}'")
        if not source.is_file():
            _refuse_file(name, "a folder" if source.is_dir() else "no such file")
        is_csv = suffix in CSV
        rows = _of_csv(source) if is_csv else _of_table(_of_parquet(source), name)
    signals: list[Signal] = []
    problems: list[Problem] = []
    for where, row in rows:
        found = _signal(name, where, row)
        if isinstance(found, Signal):
            signals.append(found)
        else:
            problems += found
    refuse_first(name, problems or _repeated(name, signals), "rows")
    if not signals:
        refuse(
            name,
            expected="one signal or more",
            found="none",
            fix="write a row of symbol, ts, side and confidence for each",
        )
    return name, signals
