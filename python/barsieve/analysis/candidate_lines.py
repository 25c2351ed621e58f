"""Candidates as lines of JSON, the legacy format: timestamp, side, score, reason.

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
        "select bar_ts, side, score, reason from {candidates} where profile = ? "
        "order by bar_ts, side",
        profile,
    )
    return [
        {
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
    return {
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


def _opens(study: Study) -> np.ndarray:
    """Return the opens of the bars, microseconds since 1970."""
    return numbers(study.inputs.bar_ts.view(pa.int64()))


def _numbers_of_bars(study: Study) -> np.ndarray:
    """Return the `bar_index` of each bar, as SQL numbers them."""
    bars = matching(study.scratch.table("bars_1h"), symbol=study.inputs.profile.symbol)
    return numbers(
        bars.order("bar_ts").select("bar_index").to_arrow_table()["bar_index"]
    )


def _bar_indexes(study: Study, path: Path, found: pa.Table) -> np.ndarray:
    """Return the positions of candidates' bars; refuse timestamps that are no bar's."""
    opens = {opened: index for index, opened in enumerate(_opens(study).tolist())}
    symbol = study.inputs.profile.symbol
    indexes, problems = [], []
    for number, candidate in found:
        index = opens.get(epoch_us(candidate["bar_ts"]))
        if index is None:
            problems.append(
                Problem(
                    str(path),
                    f"line {number}",
                    expected=f"the open of a bar of {symbol}",
                    found=candidate["bar_ts"].isoformat(),
                    fix="correct the timestamp, or build a market that has the bar",
                )
            )
        indexes.append(index)
    refuse_first(str(path), problems, "lines")
    return np.array(indexes, np.int64)


def screened_by(study: Study, path: Path) -> Study:
    """Return a study whose screen is a file of candidates, as its profile uses them.

    An admissible screen looks at the candidates' bars alone, a sentinel screen also at
    the `candidate_window_bars` after each. Raises InputError for a file that is not
    sound, or whose timestamps are not bars of the profile's symbol.
    """
    found = read_lines(path)
    indexes = _bar_indexes(study, path, found)
    profile, scratch = study.inputs.profile, study.scratch
    rows = [candidate for _, candidate in found]
    bar_ts = pa.Array.from_buffers(
        schemas.TIMESTAMP, len(rows), [None, pa.py_buffer(_opens(study)[indexes])]
    )
    table = pa.table(
        {
            "profile": texts([profile.profile] * len(rows)),
            "symbol": texts([profile.symbol] * len(rows)),
            "bar_ts": bar_ts,
            "bar_index": column(_numbers_of_bars(study)[indexes]),
            "side": texts([row["side"] for row in rows]),
            "score": column(np.array([row["score"] for row in rows], np.float64)),
            "reason": texts([row["reason"] for row in rows]),
        }
    )
    scratch.put("candidates", table)
    scratch.make("candidate_windows")
    return study._replace(inputs=read(scratch, profile.profile))
