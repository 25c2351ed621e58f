"""Trades as lines of JSON: what `replay --trade-log` writes and `compare` reads."""

import json
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

from barsieve.core.errors import refuse
from barsieve.core.files import written_whole
from barsieve.core.times import read_moment

SUFFIX = ".jsonl"
MOMENTS = ("decision_ts", "entry_ts", "exit_ts")
FIGURES = ("net_pnl", "gross_pnl", "fees", "slippage", "funding", "r_multiple")
NEEDED = ("symbol", "side", *MOMENTS, *FIGURES)


def check_target(path: Path, option: str) -> None:
    """Refuse a file that lines cannot be written to, before any work is done."""
    if path.suffix != SUFFIX:
        found, fix = f"'{path.name}'", f"name it like trades{SUFFIX}"
        expected = f"a file name that ends in {SUFFIX}"
    elif not path.parent.is_dir():
        expected, found = "a folder that exists", f"no folder '{path.parent}'"
        fix = "make the folder, or choose another"
    else:
        return
    refuse(f"{option} {path}", expected=expected, found=found, fix=fix)


def write_lines(path: Path, rows: Iterable[dict[str, Any]]) -> None:
    """Write rows as JSON lines; the file is whole or is not there."""
    with written_whole(path) as partial, partial.open("w", encoding="utf-8") as stream:
        for row in rows:
            stream.write(json.dumps(row, default=_as_text) + "\n")


def _as_text(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _trade(path: Path, number: int, line: str) -> dict[str, Any]:
    try:
        trade = json.loads(line)
        if not isinstance(trade, dict):
            raise ValueError("no JSON object")
        missing = [key for key in NEEDED if key not in trade]
        if missing:
            raise ValueError(f"{', '.join(missing)} missing")
        moments = {key: read_moment(trade[key], is_zone_needed=True) for key in MOMENTS}
        for key in FIGURES:
            trade[key] + 0.0
    except (ValueError, TypeError) as error:
        refuse(
            str(path),
            f"line {number}",
            expected="a trade as replay --trade-log writes it",
            found=str(error),
            fix="write the log again",
        )
    return trade | moments


def read_log(path: Path) -> list[dict[str, Any]]:
    """Return the trades of a log, in its order; moments as datetime.

    Raises InputError that names the line which is no trade.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        refuse(
            str(path),
            expected="a readable trade log",
            found=str(error),
            fix="barsieve replay --trade-log writes one",
        )
    return [_trade(path, number, line) for number, line in enumerate(lines, 1)]
