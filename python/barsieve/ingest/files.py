"""Exported files: a mapping that is shown, then rows of the market layout."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa

from barsieve.check_market import BARS
from barsieve.ingest.choosing import chosen_columns, chosen_match, target_of
from barsieve.ingest.closing import closed
from barsieve.ingest.converting import Rows, shown_row, to_rows
from barsieve.ingest.daily_bars import are_eves, days_of, ends_of, known_from
from barsieve.ingest.formats import BY_HAND, FORMATS, ROLES
from barsieve.ingest.fred import LONGEST_WEEKEND_HOURS, store_days
from barsieve.ingest.hints import Hints
from barsieve.ingest.macro import lag_of, macro_table
from barsieve.ingest.market import Market
from barsieve.ingest.naming import origin_of
from barsieve.ingest.origin import Origin
from barsieve.ingest.reading import Export, read_exports
from barsieve.ingest.request import Request
from barsieve.ingest.resampling import to_hours
from barsieve.ingest.storing import count_gaps, store
from barsieve.ingest.summary import LeftOut, Outcome
from barsieve.problems import InputError, Problem
from barsieve.schemas import TIMESTAMP

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
        raise _refusal(
            str(path), "", "a table of bars", found, "map it by hand: --format csv"
        ) from None


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
    shown = [shown_row(rows, row) for row in (0, -1)] if before else ["none", "none"]
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
        rows.written + eves, *shown, rows.left_out,
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
        raise export.refusal(
            "times", "bars of 24 h for a series", f"a median step of {_shown(step)}",
            "export days",
        )  # fmt: skip
    if hours == 1 and step and step != 1:
        fix = "export hourly bars"
        if step < 1:
            fix += ", or make hours of these: --resample"
        elif is_daily:
            fix += "; days are taken as a macro series: --series NAME"
        raise export.refusal(
            "times", "bars of 1 h", f"a median step of {_shown(step)}", fix
        )
    if hours == 1 and rows.is_day and len(rows.us):
        raise export.refusal(
            "times", "bars of 1 h", "days without a time", "export hourly bars"
        )
    off = rows.us % 3_600_000_000 != 0
    if hours == 1 and off.any():
        raise export.refusal(
            "times", "bars that open on the full hour (UTC)",
            shown_row(rows, int(off.argmax())),
            "say the zone of the times (--timezone), or make hours (--resample)",
        )  # fmt: skip


def _shown(hours: float) -> str:
    return f"{hours:g} h" if hours >= 1 else f"{hours * 60:g} min"


def _refuse_without_volume(
    export: Export, columns: dict[str, str], rows: Rows, stated: Origin
) -> None:
    """Refuse prices that nobody traded at, unless the user says what they are."""
    if len(rows.us) < 2 or rows.values["volume"].any() or stated.price:
        return
    raise export.refusal(
        f"column '{columns['volume']}'", "bars of trades, with a volume",
        f"a volume of 0 in all {len(rows.us):,} rows: prices without trades, such as "
        "those of mark, index or premium klines",
        "take the klines of trades; to store these as they are, say of what kind: "
        "--price mark (or index, or trade)",
    )  # fmt: skip


def joined(readings: list[Reading]) -> pa.Table:
    """Return the bars of several files of one target; refuse two that disagree."""
    _refuse_other_origins(readings)
    tables = [
        reading.bars.append_column("nth", pa.array([i] * len(reading.bars), pa.int64()))
        for i, reading in enumerate(readings)
    ]
    every = pa.concat_tables(tables)  # noqa: F841 (DuckDB reads it by name)
    names = ", ".join(BARS.columns)
    with duckdb.connect() as session:
        session.execute("set timezone = 'UTC'")
        clash = session.execute(
            "select ts::varchar, min(nth), max(nth) from every group by ts "
            f"having count(distinct ({', '.join(VALUES)})) > 1 order by ts limit 1"
        ).fetchall()
        for ts, one, other in clash:
            raise _refusal(
                readings[one].label, f"bar {ts}", "the same values wherever it occurs",
                f"others in {Path(readings[other].label).name}",
                "leave one of the files out",
            )  # fmt: skip
        return session.sql(
            f"select distinct {names} from every order by ts"
        ).to_arrow_table()


def _refusal(file: str, where: str, expected: str, found: str, fix: str) -> InputError:
    return InputError([Problem(file, where, expected, found, fix)])


def _refuse_other_origins(readings: list[Reading]) -> None:
    """Refuse files of one symbol that are known to be of two series."""
    one = readings[0]
    for other in readings[1:]:
        for name, mine, its in zip(
            Origin._fields, one.origin, other.origin, strict=True
        ):
            if mine and its and mine != its:
                raise _refusal(
                    other.label, "origin", f"the {name} {mine}, as in {one.label}", its,
                    "ingest them into two markets (--to), or say that they are one: "
                    f"--{name}",
                )  # fmt: skip


def _refuse_nothing(readings: list[Reading], left_out: list[LeftOut]) -> None:
    if any(len(reading.bars) for reading in readings):
        return
    reasons = "; ".join(f"{n:,} of {why} ({shown})" for why, n, shown in left_out)
    raise _refusal(
        ", ".join(reading.label for reading in readings), "rows", "one to store",
        f"none: {reasons}" if reasons else "none",
        "take a file with rows of the time before now",
    )  # fmt: skip


def ingest_readings(
    readings: list[Reading], market: Market, request: Request, outcome: Outcome
) -> None:
    """Store the bars (or days) of the files of one target; count into `outcome`."""
    for reading in readings:
        for part in reading.left_out:
            outcome.leave_out(*part)
    for reason, n, example in outcome.left_out:
        outcome.note(f"rows left out: {n:,}, {reason} (such as {example})")
    target, left_out = readings[0].target, outcome.left_out
    if readings[0].is_series:
        rows = _as_days(market, readings)
        _refuse_nothing(readings, left_out)
        days = rows["date"].to_numpy().astype("datetime64[D]")
        step = LONGEST_WEEKEND_HOURS if np.is_busday(days).all() else 24.0
        store_days(market, target, rows, request, outcome, step_hours=step)
    else:
        bars = joined(readings)
        _refuse_nothing(readings, left_out)
        origin = _common([reading.origin for reading in readings])
        store(
            market, BARS, target, bars, outcome, request.accept_revisions, origin=origin
        )
        count_gaps(market, BARS, target, outcome, 1.0)
    if not outcome.rows_new + outcome.rows_checked:
        raise _refusal(
            ", ".join(reading.label for reading in readings), "rows", "one to store",
            "none that is known by now and keeps the rules", "see the reasons above",
        )  # fmt: skip


def _common(origins: list[Origin]) -> Origin:
    """Return the fields that are known of any; they do not differ."""
    return Origin(*(max(found) for found in zip(*origins, strict=True)))


def _as_days(market: Market, readings: list[Reading]) -> pa.Table:
    """Return rows of a series: days, values, and when each was known.

    A value is known by its publication, and no earlier than its bar had ended.
    """
    target = readings[0].target
    lag = lag_of(market, target)
    tables = []
    for reading in readings:
        values = reading.bars["close"].to_numpy()
        rows = macro_table(target, reading.days, values, lag, reading.format == "fred")
        if reading.ends is not None:
            published = rows["known_at"].to_numpy().astype("datetime64[us]")
            known = known_from(published, reading.ends, lag).astype(np.int64)
            rows = rows.set_column(3, "known_at", pa.array(known).cast(TIMESTAMP))
        _refuse_shared_days(reading, rows)
        tables.append(rows)
    return _one_a_day(readings, tables)


def _refuse_shared_days(reading: Reading, rows: pa.Table) -> None:
    days = rows["date"].to_numpy().astype("datetime64[D]")
    again = np.flatnonzero(days[1:] == days[:-1])
    if len(again):
        raise _refusal(
            reading.label, f"day {days[again[0]]}", "one session a day",
            f"two: opened {reading.bars['ts'][int(again[0])]} and "
            f"{reading.bars['ts'][int(again[0]) + 1]}",
            "export days of one kind of session, or name their zone: --timezone",
        )  # fmt: skip


def _one_a_day(readings: list[Reading], tables: list[pa.Table]) -> pa.Table:
    """Return the rows of all files, a day once; refuse two values of one day."""
    seen: dict = {}
    for reading, table in zip(readings, tables, strict=True):
        for row in table.to_pylist():
            held = seen.setdefault(row["date"], (row, reading))
            if held[0]["value"] != row["value"]:
                raise _refusal(
                    reading.label, f"day {row['date']}",
                    f"the value {held[0]['value']!r}, as in {held[1].label}",
                    repr(row["value"]), "leave one of the files out",
                )  # fmt: skip
            if row["known_at"] > held[0]["known_at"]:
                seen[row["date"]] = (row, reading)
    rows = [row for row, _ in seen.values()]
    return pa.Table.from_pylist(
        sorted(rows, key=lambda row: row["date"]), schema=tables[0].schema
    )
