"""Readings of exported files, shown before anything is stored."""

from pathlib import Path
from typing import Any

from barsieve.cli.ingest.summary import moment
from barsieve.cli.output import out, table


def mapping_of(reading: Any) -> dict[str, Any]:
    """Return a reading for a machine."""
    stamps, closes = reading.bars["ts"], reading.bars["close"].to_pylist()
    return {
        "file": reading.label,
        "format": reading.format,
        "target": reading.target,
        "target_from": reading.target_from,
        "columns": reading.columns,
        "origin": reading.origin._asdict(),
        "written": reading.written,
        "step_hours": reading.step_hours,
        "rows": len(reading.bars),
        "left_out": [part._asdict() for part in reading.left_out],
        "first": stamps[0].as_py() if len(stamps) else None,
        "last": stamps[-1].as_py() if len(stamps) else None,
        "first_row": reading.first,
        "last_row": reading.last,
        "lowest_close": min(closes, default=None),
        "highest_close": max(closes, default=None),
    }


def print_mappings(readings: list) -> None:
    """Print a table with a column of files and what was understood of each."""
    columns = ["file", "format", "target", "mapping", "rows", "first", "last"]
    rows = [_line(mapping_of(reading)) for reading in readings]
    shown = table("how the files are read", columns, rows)
    _fold(shown, 4)
    out.print(shown)
    details = [[Path(r.label).name, *pair] for r in readings for pair in _details(r)]
    shown = table("what was understood", ["file", "", ""], details)
    _fold(shown, 3)
    out.print(shown)


def _fold(shown: Any, n: int) -> None:
    """Let texts run over lines: names may be long, and each of them counts."""
    for text_column in shown.columns[:n]:
        text_column.no_wrap, text_column.overflow = False, "fold"
        text_column.justify = "left"


def _line(mapping: dict[str, Any]) -> list[str]:
    return [
        Path(mapping["file"]).name, mapping["format"],
        f"{mapping['target']} ({mapping['target_from']})",
        ", ".join(f"{role} = {name}" for role, name in mapping["columns"].items()),
        f"{mapping['rows']:,}", moment(mapping["first"]), moment(mapping["last"]),
    ]  # fmt: skip


def _details(reading: Any) -> list[tuple[str, str]]:
    """Return pairs of a word and what was understood of a file."""
    mapping = mapping_of(reading)
    origin = ", ".join(f"{k} {v}" for k, v in mapping["origin"].items() if v)
    found = [
        ("written", mapping["written"]),
        ("first row", mapping["first_row"]),
        ("last row", mapping["last_row"]),
        ("step", f"{mapping['step_hours']:g} h"),
    ]
    if mapping["rows"]:
        low, high = mapping["lowest_close"], mapping["highest_close"]
        found.append(("closes", f"{low:.10g} to {high:.10g}"))
    if origin:
        found.append(("origin", origin))
    return found + [
        ("left out", f"{part.rows:,}: {part.reason} (such as {part.example})")
        for part in reading.left_out
    ]
