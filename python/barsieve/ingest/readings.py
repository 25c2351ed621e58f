"""Exported files understood: what each is of, which column is what, its rows.

Whatever would have to be guessed is refused.
"""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa

from barsieve.core.errors import InputError, Problem
from barsieve.core.schemas import TIMESTAMP
from barsieve.ingest.choosing import chosen_columns, chosen_match, target_of
from barsieve.ingest.closing import closed
from barsieve.ingest.converting import Rows, shown_row, to_rows
from barsieve.ingest.daily_bars import are_eves, days_of, ends_of
from barsieve.ingest.formats import BY_HAND, FORMATS, ROLES
from barsieve.ingest.hints import Hints
from barsieve.ingest.naming import origin_of
from barsieve.ingest.origin import Origin
from barsieve.ingest.reading import Export, read_exports
from barsieve.ingest.resampling import to_hours
from barsieve.ingest.summary import LeftOut
from barsieve.market.check import BARS

VALUES = ROLES[1:]


@dataclass(frozen=True)
class Reading:
    """A table that has been understood: what it is, which column is what, its rows.

    `target` is a symbol or (`is_series`) a macro series, `target_from` says where it
    was found. `bars` has the columns of the market's bars; of a series, `close` alone
    has values, and `days` and `ends` say which days its bars are named after and when
    they had ended (None for days without a time). `written` says how cells are written,
    `first` and `last` are rows as read, `left_out` what is not among the bars.
    """

    path: Path
    label: str
    format: str
    target: str
    target_from: str
    is_series: bool
    columns: dict[str, str]
    origin: Origin
    bars: pa.Table
    days: np.ndarray
    ends: np.ndarray | None
    step_hours: float
    written: str
    first: str
    last: str
    left_out: list[LeftOut]


def read_files(path: Path, now: datetime, hints: Hints) -> list[Reading]:
    """Read the tables of one exported file.

    Raises InputError for whatever would have to be guessed.
    """
    try:
        return [_read(export, now, hints) for export in read_exports(path, hints)]
    except (duckdb.Error, pa.ArrowException, OverflowError) as error:
        found = str(error).splitlines()[0]
        fix = "map it by hand: --format csv"
        problem = Problem(str(path), expected="a table of bars", found=found, fix=fix)
        raise InputError([problem]) from None


def _read(export: Export, now: datetime, hints: Hints) -> Reading:
    match = chosen_match(export, hints.format)
    format = FORMATS.get(match.format, BY_HAND)
    is_series = hints.series is not None or match.format == "fred"
    columns = chosen_columns(export, match, hints.columns, is_series)
    rows = to_rows(export, columns, format, hints, now)
    target, source = target_of(export, match, hints)
    hours = 24.0 if is_series else 1.0
    if hints.resamples and not is_series and 0 < rows.step_hours < 1:
        rows = to_hours(rows)
    _refuse_other_steps(export, rows, hours)
    every = rows.us.astype("datetime64[us]")
    ends = ends_of(every)
    before = len(rows.us)
    first, last = (shown_row(rows, row) if before else "none" for row in (0, -1))
    rows = closed(export.path, format, rows, now, hours, hints.is_complete or (
        match.format == "fred"))  # fmt: skip
    ends = ends[np.isin(every, rows.us.astype("datetime64[us]"))]
    days, eves = _days(rows, bool(hints.timezone))
    if not is_series:
        _refuse_without_volume(export, columns, rows, hints.origin)
    return Reading(
        export.path, export.label, match.format, target, source, is_series, columns,
        _origin(export, match.format, columns, rows, hints.origin, is_series),
        _as_bars(rows), days, None if rows.is_day else ends, rows.step_hours,
        rows.written + eves, first, last, rows.left_out,
    )  # fmt: skip


def _days(rows: Rows, has_zone: bool) -> tuple[np.ndarray, str]:
    """Return the days that rows are named after, and words where dates were moved."""
    if rows.is_day:
        days = rows.us.astype("datetime64[us]").astype("datetime64[D]")
        if are_eves(days):
            return days + np.timedelta64(1, "D"), "; dates of the evenings before"
        return days, ""
    opens = rows.local_us if has_zone else rows.us
    return days_of(opens.astype("datetime64[us]")), ""


def _as_bars(rows: Rows) -> pa.Table:
    nothing = np.full(len(rows.us), np.nan)
    arrays = [pa.array(rows.us, pa.int64()).cast(TIMESTAMP)]
    arrays += [pa.array(rows.values.get(role, nothing)) for role in VALUES]
    return pa.table(arrays, names=list(BARS.columns))


def _origin(
    export: Export, format: str, columns: dict[str, str], rows: Rows, stated: Origin,
    is_series: bool,
) -> Origin:  # fmt: skip
    """Return what is stated of the origin, else what file and format say of it."""
    if is_series:
        return Origin()
    pair = ""
    names = {name.lower(): name for name in export.columns.names}
    if format == "cryptodatadownload" and len(export.rows):
        pair = export.rows[names["symbol"]][0].as_py()
    found = origin_of(format, export.path, export.name, pair)
    if format == "binance-vision" and export.columns.has_header and not found.contract:
        # https://github.com/binance/binance-public-data: futures alone have headers.
        found = found._replace(contract="perpetual")
    if format in ("binance-vision", "cryptodatadownload") and not found.price:
        found = found._replace(price="trade")
    return Origin(*(mine or its for mine, its in zip(stated, found, strict=True)))


def _refuse_other_steps(export: Export, rows: Rows, hours: float) -> None:
    """Refuse bars of another length, and bars that do not open on the full hour."""
    step = rows.step_hours
    is_daily = 22.5 <= step <= 25.5
    if hours == 24 and step and not is_daily:
        export.refuse(
            "times",
            expected="bars of 24 h for a series",
            found=f"a median step of {_shown(step)}",
            fix="export days",
        )
    if hours == 1 and step and step != 1:
        fix = "export hourly bars"
        if step < 1:
            fix += ", or make hours of these: --resample"
        elif is_daily:
            fix += "; days are taken as a macro series: --series NAME"
        export.refuse(
            "times",
            expected="bars of 1 h",
            found=f"a median step of {_shown(step)}",
            fix=fix,
        )
    if hours == 1 and rows.is_day and len(rows.us):
        export.refuse(
            "times",
            expected="bars of 1 h",
            found="days without a time",
            fix="export hourly bars",
        )
    off = rows.us % 3_600_000_000 != 0
    if hours == 1 and off.any():
        export.refuse(
            "times",
            expected="bars that open on the full hour (UTC)",
            found=shown_row(rows, int(off.argmax())),
            fix="say the zone of the times (--timezone), or make hours (--resample)",
        )


def _shown(hours: float) -> str:
    return f"{hours:g} h" if hours >= 1 else f"{hours * 60:g} min"


def _refuse_without_volume(
    export: Export, columns: dict[str, str], rows: Rows, stated: Origin
) -> None:
    """Refuse prices that nobody traded at, unless the user says what they are."""
    if len(rows.us) < 2 or rows.values["volume"].any() or stated.price:
        return
    export.refuse(
        f"column '{columns['volume']}'",
        expected="bars of trades, with a volume",
        found=(
            f"a volume of 0 in all {len(rows.us):,} rows: prices without trades, "
            "such as those of mark, index or premium klines"
        ),
        fix=(
            "take the klines of trades; to store these as they are, say of what kind: "
            "--price mark (or index, or trade)"
        ),
    )
