"""The rows of exported files, joined and stored as bars or as days of a series."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from barsieve.core.errors import refuse
from barsieve.core.schemas import TIMESTAMP
from barsieve.core.sessions import new_session
from barsieve.ingest.daily_bars import known_from
from barsieve.ingest.folder import Market
from barsieve.ingest.fred import LONGEST_WEEKEND_HOURS, store_days
from barsieve.ingest.macro import lag_of, macro_table
from barsieve.ingest.merge import count_gaps, store
from barsieve.ingest.origin import Origin
from barsieve.ingest.readings import VALUES, Reading
from barsieve.ingest.request import Request
from barsieve.ingest.summary import LeftOut, Outcome
from barsieve.market.check import BARS


def joined(readings: list[Reading]) -> pa.Table:
    """Return the bars of several files of one target; refuse two that disagree."""
    _refuse_other_origins(readings)
    tables = [
        reading.bars.append_column("nth", pa.array([i] * len(reading.bars), pa.int64()))
        for i, reading in enumerate(readings)
    ]
    every = pa.concat_tables(tables)  # noqa: F841 (DuckDB reads it by name)
    names = ", ".join(BARS.columns)
    with new_session() as session:
        clash = session.execute(
            "select ts::varchar, min(nth), max(nth) from every group by ts "
            f"having count(distinct ({', '.join(VALUES)})) > 1 order by ts limit 1"
        ).fetchall()
        for ts, one, other in clash:
            refuse(
                readings[one].label,
                f"bar {ts}",
                expected="the same values wherever it occurs",
                found=f"others in {Path(readings[other].label).name}",
                fix="leave one of the files out",
            )
        return session.sql(
            f"select distinct {names} from every order by ts"
        ).to_arrow_table()


def _refuse_other_origins(readings: list[Reading]) -> None:
    """Refuse files of one symbol that are known to be of two series."""
    one = readings[0]
    for other in readings[1:]:
        for name, mine, its in zip(
            Origin._fields, one.origin, other.origin, strict=True
        ):
            if mine and its and mine != its:
                refuse(
                    other.label,
                    "origin",
                    expected=f"the {name} {mine}, as in {one.label}",
                    found=its,
                    fix=(
                        "ingest them into two markets (--to), "
                        f"or say that they are one: --{name}"
                    ),
                )


def refuse_what_cannot_be_stored(readings: list[Reading]) -> None:
    """Raise InputError where the files of one target disagree, or have no row left."""
    if not readings[0].is_series:
        joined(readings)
    _refuse_nothing(readings, [part for r in readings for part in r.left_out])


def _refuse_nothing(readings: list[Reading], left_out: list[LeftOut]) -> None:
    if any(len(reading.bars) for reading in readings):
        return
    reasons = "; ".join(f"{n:,} of {why} ({shown})" for why, n, shown in left_out)
    refuse(
        ", ".join(reading.label for reading in readings),
        "rows",
        expected="one to store",
        found=f"none: {reasons}" if reasons else "none",
        fix="take a file with rows of the time before now",
    )


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
        refuse(
            ", ".join(reading.label for reading in readings),
            "rows",
            expected="one to store",
            found="none that is known by now and keeps the rules",
            fix="see the reasons above",
        )


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
        refuse(
            reading.label,
            f"day {days[again[0]]}",
            expected="one session a day",
            found=(
                f"two: opened {reading.bars['ts'][int(again[0])]} and "
                f"{reading.bars['ts'][int(again[0]) + 1]}"
            ),
            fix="export days of one kind of session, or name their zone: --timezone",
        )


def _one_a_day(readings: list[Reading], tables: list[pa.Table]) -> pa.Table:
    """Return the rows of all files, a day once; refuse two values of one day."""
    seen: dict[str, Any] = {}
    for reading, table in zip(readings, tables, strict=True):
        for row in table.to_pylist():
            held = seen.setdefault(row["date"], (row, reading))
            if held[0]["value"] != row["value"]:
                refuse(
                    reading.label,
                    f"day {row['date']}",
                    expected=f"the value {held[0]['value']!r}, as in {held[1].label}",
                    found=repr(row["value"]),
                    fix="leave one of the files out",
                )
            if row["known_at"] > held[0]["known_at"]:
                seen[row["date"]] = (row, reading)
    rows = [row for row, _ in seen.values()]
    return pa.Table.from_pylist(
        sorted(rows, key=lambda row: row["date"]), schema=tables[0].schema
    )
