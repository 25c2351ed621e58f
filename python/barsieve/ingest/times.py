"""Cells as times, in the one form that all of them have, placed in UTC.

Two forms that both fit and give different times are refused: the user names one.
"""

import re
from datetime import UTC, datetime, timedelta
from typing import NoReturn

import duckdb
import numpy as np
import pyarrow as pa

from barsieve.core.sessions import new_session
from barsieve.ingest.hints import Hints
from barsieve.ingest.reading import Export
from barsieve.ingest.zones import Times, local_of, placed, refuse_unknown_zone

ZONED = r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?\s?(Z|UTC|[+-]\d\d(:?\d\d)?)"
NAIVE = r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?"
DAYS = (
    "%Y-%m-%d", "%Y%m%d", "%Y.%m.%d", "%Y/%m/%d", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y",
    "%d-%m-%Y", "%m-%d-%Y", "%b %d, %Y", "%B %d, %Y", "%d %b %Y", "%d-%b-%Y",
)  # fmt: skip
CLOCKS = ("%H:%M", "%H:%M:%S", "%H%M%S", "%H%M", "%I-%p", "%I:%M %p", "%I:%M:%S %p")
# A day, or digits of a clock behind a day, are no number of seconds.
COMPACT = (("%Y%m%d", 8), ("%Y%m%d%H%M", 12), ("%Y%m%d%H%M%S", 14))
FIRST_YEAR, FIRST_SECOND = 1900, 1e8
LAST_US = 253_402_300_799_999_999  # the end of the year 9999
EXPECTED = "a time with a zone, a day, or a number of s, ms, µs or ns since 1970"


def times_of(
    export: Export,
    column: str,
    clock: str | None,
    zone: str,
    hints: Hints,
    now: datetime,
) -> Times:
    """Return the times of a column (and of a second one, `clock`, with the hour).

    `zone` is that of times which do not say it, "" when it is unknown.

    Raises InputError, with the cell, for a time that cannot be placed or lies after
    `now`.
    """
    zone = hints.timezone or zone
    cells = export.rows[column]
    with new_session() as session:
        refuse_unknown_zone(export, session, zone)
        if pa.types.is_timestamp(cells.type) or pa.types.is_date(cells.type):
            found = _of_typed(export, session, column, zone)
        else:
            texts = _texts(export, column, clock)
            session.register(
                "cells", pa.table({"cell": texts, "nth": range(len(texts))})
            )
            found = _of_text(export, session, column, texts, zone, hints, now)
    latest = (now + timedelta(days=1)).timestamp() * 1e6
    for is_bad, words in (
        (found.us > latest, f"a time before now ({now:%Y-%m-%d})"),
        (found.us < datetime(FIRST_YEAR, 1, 1, tzinfo=UTC).timestamp() * 1e6, EXPECTED),
    ):
        if is_bad.any():
            shown = datetime(1970, 1, 1) + timedelta(
                microseconds=int(found.us[is_bad.argmax()])
            )
            export.refuse_cell(
                int(is_bad.argmax()),
                column,
                expected=f"{words}, read as {found.form}: {shown}",
                fix="say how times are written: --date-format '%Y%m%d%H'",
            )
    return found


def _texts(export: Export, column: str, clock: str | None) -> list[str]:
    parts = [
        [
            "" if cell is None else str(cell).strip()
            for cell in export.rows[name].to_pylist()
        ]
        for name in (column, clock)
        if name is not None
    ]
    return [" ".join(cells).strip() for cells in zip(*parts, strict=True)]


def _of_typed(export: Export, session, column: str, zone: str) -> Times:
    cells = export.rows[column]
    if cells.null_count:
        row = cells.is_null().to_pylist().index(True)
        export.refuse_cell(
            row, column, expected=EXPECTED, fix="drop the row at its source"
        )
    if pa.types.is_date(cells.type):
        us = cells.cast(pa.timestamp("us")).cast(pa.int64()).to_numpy()
        return Times(us, us, "days", "", True)
    us = cells.cast(pa.int64()).to_numpy()
    if cells.type.tz is None:
        return placed(export, session, column, us, "times as stored", zone)
    return Times(
        us, local_of(session, us, zone), "times as stored", cells.type.tz, False
    )


def _of_text(
    export: Export, session, column: str, texts: list[str], zone: str, hints: Hints,
    now: datetime,
) -> Times:  # fmt: skip
    if hints.date_format:
        return _of_format(export, session, column, texts, zone, hints.date_format)
    if all(re.fullmatch(r"\d+([.,]0*)?|\d+\.\d+|\d\.\d+E\+?\d+", t) for t in texts):
        found = _of_digits(export, session, column, texts, zone)
        if found is not None:
            return found
        us = np.array([_epoch(text) for text in texts], np.int64)
        early = us < FIRST_SECOND * 1e6
        if early.any():
            export.refuse_cell(
                int(early.argmax()),
                column,
                expected=EXPECTED,
                fix="say how times are written: --date-format '%Y%m%d'",
            )
        local = local_of(session, us, zone)
        return Times(us, local, f"{_unit(texts)} since 1970", "UTC", False)
    if all(re.fullmatch(ZONED, text) for text in texts):
        moments = _values(
            session,
            "epoch_us(try_cast(regexp_replace(cell, ' ?UTC$', 'Z') as timestamptz))",
        )
        if None not in moments:
            us = np.array(moments, np.int64)
            local = local_of(session, us, zone)
            return Times(us, local, "ISO 8601", "as each cell says", False)
    if all(re.fullmatch(NAIVE, text) for text in texts):
        moments = _values(session, "epoch_us(try_cast(cell as timestamp))")
        if None not in moments:
            us = np.array(moments, np.int64)
            return placed(export, session, column, us, "ISO 8601", zone)
    return _of_known_formats(export, session, column, texts, zone)


def _values(session, expression: str) -> list[int | None]:
    return [v for (v,) in session.execute(
        f"select {expression} from cells order by nth").fetchall()]  # fmt: skip


def _epoch(text: str) -> int:
    """Return microseconds of a number of s, ms, µs or ns, told by its size."""
    plain = text.rstrip("0").rstrip(".,") if re.search(r"[.,]0*$", text) else text
    number = int(plain) if plain.isdigit() else float(plain)
    if number < 1e11:
        return round(number * 1_000_000)
    if number < 1e14:
        return round(number * 1000)
    if number < 1e17:
        return round(number)
    return min(int(number // 1000), LAST_US)


def _unit(texts: list[str]) -> str:
    digits = [re.match(r"\d+", text) for text in texts if "E" not in text]
    sizes = {len(found.group()) for found in digits if found}
    units = {"s" if n <= 11 else "ms" if n <= 14 else "µs" if n <= 17 else "ns"
             for n in sizes}  # fmt: skip
    return " and ".join(sorted(units)) or "numbers"


def _of_digits(export: Export, session, column: str, texts, zone: str) -> Times | None:
    """Return times of compact dates (20240101), None for numbers of another length."""
    for pattern, length in COMPACT:
        if not all(len(text) == length for text in texts):
            continue
        us = _parsed(session, pattern)
        if us is None:
            continue
        if length == 12:
            export.refuse_cell(
                0,
                column,
                expected="a time of one reading (a compact time or ms since 1970)",
                fix=f"say which: --date-format '{pattern}', or write seconds",
            )
        if length == 8:
            return Times(us, us, f"days as {pattern}", "", True)
        return placed(export, session, column, us, pattern, zone)
    return None


def _parsed(session, pattern: str) -> np.ndarray | None:
    """Return the microseconds of all cells in a format, None when one has another."""
    literal = "'" + pattern.replace("'", "''") + "'"
    try:
        cells = _values(session, f"epoch_us(try_strptime(cell, {literal}))")
    except duckdb.Error:
        return None
    if None in cells:
        return None
    us = np.array(cells, np.int64)
    years = us.astype("datetime64[us]").astype("datetime64[Y]").astype(int) + 1970
    return (
        us if len(us) and (years >= FIRST_YEAR).all() and (years < 2200).all() else None
    )


def _of_format(
    export: Export, session, column, texts, zone: str, pattern: str
) -> Times:
    """Return times in the format that the user named."""
    us = _parsed(session, pattern)
    if us is None:
        bad = 0
        literal = "'" + pattern.replace("'", "''") + "'"
        try:
            found = _values(session, f"epoch_us(try_strptime(cell, {literal}))")
            bad = next((i for i, value in enumerate(found) if value is None), 0)
        except duckdb.Error as error:
            export.refuse(
                "",
                expected="a format of strptime",
                found=f"--date-format {pattern!r}",
                fix=f"{str(error).splitlines()[0]}",
            )
        export.refuse_cell(
            bad,
            column,
            expected=f"a time as {pattern}",
            fix="correct --date-format or the cell",
        )
    if "%z" in pattern or "%Z" in pattern:
        return Times(
            us, local_of(session, us, zone), pattern, "as each cell says", False
        )
    if not re.search(r"%[HIcXs]", pattern):
        return Times(us, us, f"days as {pattern}", "", True)
    return placed(export, session, column, us, pattern, zone)


def _of_known_formats(
    export: Export, session, column: str, texts: list[str], zone: str
) -> Times:
    """Return times of the one known format that fits; refuse none, and two."""
    patterns = [
        day if clock is None else f"{day} {clock}"
        for clock in (None, *CLOCKS)
        for day in DAYS
    ]
    fitting: dict[str, np.ndarray] = {}
    if texts:
        first = texts[0]
        session.register("cells", pa.table({"cell": [first], "nth": [0]}))
        patterns = [p for p in patterns if _parsed(session, p) is not None]
        session.register("cells", pa.table({"cell": texts, "nth": range(len(texts))}))
    for pattern in patterns:
        us = _parsed(session, pattern)
        if us is not None and not any((us == o).all() for o in fitting.values()):
            fitting[pattern] = us
    if not fitting:
        _refuse_misfit(export, session, column, texts, patterns)
    if len(fitting) > 1:
        row = int(np.ptp(list(fitting.values()), axis=0).argmax())
        readings = [
            f"--date-format '{pattern}' ({us.astype('datetime64[us]')[row].item():%F})"
            for pattern, us in fitting.items()
        ]
        export.refuse_cell(
            row,
            column,
            expected="a date of one reading",
            fix=f"say which: {' or '.join(readings)}",
        )
    ((pattern, us),) = fitting.items()
    if pattern in DAYS:
        return Times(us, us, f"days as {pattern}", "", True)
    return placed(export, session, column, us, pattern, zone)


def _refuse_misfit(export: Export, session, column: str, texts, patterns) -> NoReturn:
    """Refuse a column; show the first cell which no format fits."""
    bad = 0
    shapes = [p for p in (ZONED, NAIVE) if texts and re.fullmatch(p, texts[0])]
    for shape in shapes[:1]:
        bad = next((i for i, t in enumerate(texts) if not re.fullmatch(shape, t)), 0)
    for pattern in patterns:
        found = _values(session, f"epoch_us(try_strptime(cell, '{pattern}'))")
        bad = max(bad, next((i for i, v in enumerate(found) if v is None), 0))
    if texts and not shapes and not patterns and re.fullmatch(r"\d+(\.\d+)?", texts[0]):
        bad = next(
            i for i, t in enumerate(texts) if not re.fullmatch(r"\d+(\.\d+)?", t)
        )
    export.refuse_cell(
        bad,
        column,
        expected=EXPECTED + (", written like the rows before" if bad else ""),
        fix="correct the cell, or say how times are written: --date-format",
    )
