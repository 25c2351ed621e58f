"""Candidates as lines of JSON, the legacy format: timestamp, side, score, reason.

Lines of a profile that trades several symbols have the symbol before these.

A timestamp names a bar by its open, ISO 8601; without a zone it is UTC.
"""

import json
from datetime import datetime
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pyarrow as pa

from barsieve.analysis.session import Study, read
from barsieve.core import schemas
from barsieve.core.arrow import column, matching, numbers, texts
from barsieve.core.errors import InputError, Problem, refuse, refuse_first
from barsieve.core.times import epoch_us, read_moment
from barsieve.database.overlay import Scratch

SIDES = ("long", "short")


def lines_of(scratch: Scratch, profile: str) -> list[dict[str, Any]]:
    """Return the candidates of a profile in the legacy format, in time order."""
    rows = scratch.rows(
        "select symbol, bar_ts, side, score, reason from {candidates} "
        "where profile = ? order by bar_ts, symbol, side",
        profile,
    )
    is_of_many = len({row["symbol"] for row in rows}) > 1
    return [
        ({"symbol": row["symbol"]} if is_of_many else {})
        | {
            "timestamp": row["bar_ts"].isoformat(),
            "side": row["side"],
            "score": row["score"],
            "reason": row["reason"],
        }
        for row in rows
    ]


def _refuse(
    path: Path, number: int, *, expected: str, found: str, fix: str
) -> NoReturn:
    refuse(str(path), f"line {number}", expected=expected, found=found, fix=fix)


def _shown(value: Any) -> str:
    text = json.dumps(value, default=str)
    return text if len(text) <= 60 else text[:57] + "..."


def _moment(path: Path, number: int, value: Any) -> datetime:
    try:
        return read_moment(value)
    except (TypeError, ValueError):
        _refuse(
            path,
            number,
            expected="a timestamp like 2024-07-01T13:00:00+00:00",
            found=_shown(value),
            fix="write the open of the bar, ISO 8601",
        )


def _candidate(path: Path, number: int, line: str) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError) as error:
        _refuse(
            path,
            number,
            expected="one JSON object",
            found=f"{_shown(line)} ({error})",
            fix='write {"timestamp": ..., "side": ..., "score": ..., "reason": ...}',
        )
    if not isinstance(found, dict) or not {"timestamp", "side"} <= set(found):
        _refuse(
            path,
            number,
            expected="an object with timestamp and side (and score, reason)",
            found=_shown(found),
            fix="add what is missing",
        )
    if found["side"] not in SIDES:
        _refuse(
            path,
            number,
            expected="side long or short",
            found=_shown(found["side"]),
            fix="correct the side; a candidate that may go both ways is two lines",
        )
    score = found.get("score")
    is_number = isinstance(score, float | int) and not isinstance(score, bool)
    if score is not None and not is_number:
        _refuse(
            path,
            number,
            expected="a number as score, or null",
            found=_shown(score),
            fix="correct it",
        )
    reason = found.get("reason")
    symbol = found.get("symbol")
    if symbol is not None and not isinstance(symbol, str):
        _refuse(
            path,
            number,
            expected="the name of a symbol",
            found=_shown(symbol),
            fix="correct it; a profile of one symbol needs none",
        )
    return {
        "symbol": symbol,
        "bar_ts": _moment(path, number, found["timestamp"]),
        "side": found["side"],
        "score": np.nan if score is None else float(score),
        "reason": "" if reason is None else str(reason),
    }


def read_lines(path: Path) -> list[tuple[int, dict[str, Any]]]:
    """Return the candidates of a file with their line numbers; empty lines are none.

    Raises InputError that names every broken line (the first ten).
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        problem = Problem(
            str(path),
            expected="a readable file of JSON lines",
            found=str(error),
            fix="barsieve candidates --jsonl writes one",
        )
        raise InputError([problem]) from None
    found, problems = [], []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            found.append((number, _candidate(path, number, line)))
        except InputError as error:
            problems += error.problems
    refuse_first(str(path), problems, "lines")
    return found


def _bar_numbers(study: Study) -> dict[tuple[str | None, int], int]:
    """Return the `bar_index` of each bar, by its symbol and its open in µs."""
    bars = study.scratch.table("bars_1h")
    found: dict[tuple[str | None, int], int] = {}
    for symbol in study.symbols:
        own = matching(bars, symbol=symbol).order("bar_ts").to_arrow_table()
        opens = numbers(own["bar_ts"].combine_chunks().view(pa.int64()))
        for opened, number in zip(opens, numbers(own["bar_index"]), strict=True):
            found[symbol, int(opened)] = int(number)
    return found


def _placed(
    study: Study, path: Path, found: list[tuple[int, dict[str, Any]]]
) -> list[dict[str, Any]]:
    """Return candidates with symbol and `bar_index`; refuse those of no bar."""
    numbers_of_bars, symbols = _bar_numbers(study), study.symbols
    placed, problems = [], []
    for number, candidate in found:
        symbol = candidate["symbol"] or (symbols[0] if len(symbols) == 1 else None)
        index = numbers_of_bars.get((symbol, epoch_us(candidate["bar_ts"])))
        if symbol not in symbols:
            problems.append(
                Problem(
                    str(path),
                    f"line {number}",
                    expected=f"a symbol of the profile ({', '.join(symbols)})",
                    found="none" if symbol is None else f"'{symbol}'",
                    fix='name it, "symbol": ..., as the market does',
                )
            )
        elif index is None:
            problems.append(
                Problem(
                    str(path),
                    f"line {number}",
                    expected=f"the open of a bar of {symbol}",
                    found=candidate["bar_ts"].isoformat(),
                    fix="correct the timestamp, or build a market that has the bar",
                )
            )
        placed.append(candidate | {"symbol": symbol, "bar_index": index})
    refuse_first(str(path), problems, "lines")
    return placed


def screened_by(study: Study, path: Path) -> Study:
    """Return a study whose screen is a file of candidates, as its profile uses them.

    An admissible screen looks at the candidates' bars alone, a sentinel screen also at
    the `candidate_window_bars` after each. Raises InputError for a file that is not
    sound, or whose timestamps are not bars of the profile's symbols.
    """
    rows = _placed(study, path, read_lines(path))
    scratch = study.scratch
    opens = np.array([epoch_us(row["bar_ts"]) for row in rows], np.int64)
    table = pa.table(
        {
            "profile": texts([study.profile] * len(rows)),
            "symbol": texts([row["symbol"] for row in rows]),
            "bar_ts": column(opens).view(schemas.TIMESTAMP),
            "bar_index": column(np.array([row["bar_index"] for row in rows], np.int64)),
            "side": texts([row["side"] for row in rows]),
            "score": column(np.array([row["score"] for row in rows], np.float64)),
            "reason": texts([row["reason"] for row in rows]),
        }
    )
    scratch.put("candidates", table)
    scratch.make("candidate_windows")
    return study._replace(accounts=read(scratch, study.profile))
