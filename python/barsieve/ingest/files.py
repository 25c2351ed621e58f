"""Exported files: a mapping that is shown, then rows of the market layout."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa

from barsieve.check_market import BARS
from barsieve.ingest.converting import PRICES, to_bars
from barsieve.ingest.formats import (
    FORMATS,
    ROLES,
    Match,
    matches,
    symbol_of,
    symbol_problem,
)
from barsieve.ingest.fred import store_days
from barsieve.ingest.macro import lag_of, macro_table
from barsieve.ingest.market import Market
from barsieve.ingest.reading import Export, read_export
from barsieve.ingest.request import Request
from barsieve.ingest.storing import count_gaps, store
from barsieve.ingest.summary import Outcome
from barsieve.problems import InputError, Problem


@dataclass(frozen=True)
class Reading:
    """A file that has been understood: what it is, which column is what, its rows.

    `target` is a symbol or a macro series, `target_from` says where it was found.
    `bars` has the columns of the market's bars; `left_out` counts rows that were open
    at the export.
    """

    path: Path
    format: str
    target: str
    target_from: str
    columns: dict[str, str]
    bars: pa.Table
    left_out: int


def _ambiguous(path: Path, where: str, expected: str, found: str, fix: str):
    return InputError([Problem(str(path), where, expected, found, fix)])


def _chosen_match(export: Export, format_name: str | None) -> Match:
    """Return the one format that fits, or the one that was asked for."""
    found = matches(export.columns)
    if format_name:
        found = [match for match in found if match.format == format_name]
    if len(found) == 1:
        return found[0]
    if found:
        readings = "; ".join(f"{m.format} ({_described(m)})" for m in found)
        raise _ambiguous(
            export.path, "", "one format that fits", f"{len(found)}: {readings}",
            "decide with --format",
        )  # fmt: skip
    kind = "header" if export.columns.has_header else "first row, no header,"
    shown = export.columns.names if export.columns.has_header else export.columns.first
    raise _ambiguous(
        export.path, "", f"the columns of {format_name or ' or '.join(FORMATS)}",
        f"the {kind} {','.join(shown)[:200]}",
        "export it from one of these, or write the market layout yourself",
    )  # fmt: skip


def _described(match: Match) -> str:
    return ", ".join(
        f"{role} = {' or '.join(names) or 'none'}"
        for role, names in match.candidates.items()
    )


def _chosen_columns(
    export: Export, match: Match, wanted: dict[str, str], roles: tuple[str, ...]
) -> dict[str, str]:
    """Return the column of each role; refuse a role with none or several."""
    chosen = {}
    for role in roles:
        names = [wanted[role]] if role in wanted else match.candidates[role]
        # Copies of a column are numbered, and each of them is a candidate.
        known = export.columns.names
        if len(names) != 1 or names[0] not in known:
            raise _ambiguous(
                export.path, f"column for {role}", "one column",
                f"{' or '.join(map(repr, names)) or 'none'} among {', '.join(known)}",
                f"name it: --column '{role}=NAME'",
            )  # fmt: skip
        chosen[role] = names[0]
    return chosen


def read_bars(
    path: Path,
    now: datetime,
    format_name: str | None = None,
    symbol: str | None = None,
    series: str | None = None,
    wanted: dict[str, str] | None = None,
) -> Reading:
    """Read one exported file; raise InputError for whatever would have to be guessed.

    `symbol` or `series` (a macro series: days and their closes) says what it is of,
    else the file's name does; `wanted` names the column of a role.
    """
    export = read_export(path)
    match = _chosen_match(export, format_name)
    roles = ROLES if series is None else ("ts", "close")
    columns = _chosen_columns(export, match, wanted or {}, roles)
    target, source = _target(export, match, symbol, series)
    bars = to_bars(export, columns, match.format in ("cryptodatadownload",))
    _refuse_other_steps(path, bars, 1.0 if series is None else 24.0)
    closed = _closed(path, match.format, bars, now, 1 if series is None else 24)
    return Reading(
        path, match.format, target, source, columns, closed, len(bars) - len(closed)
    )


def _target(
    export: Export, match: Match, symbol: str | None, series: str | None
) -> tuple[str, str]:
    option = "--symbol" if series is None else "--series"
    named = symbol if series is None else series
    if named is not None:
        found = symbol_problem(named)
        if found:
            raise InputError(
                [Problem(f"{option} {named}", "", "a name", found, "such as BTC")]
            )
        return named, option
    found = symbol_of(match.format, export.path.name)
    if found is None:
        raise _ambiguous(
            export.path, "", "a file name that states the pair, or --symbol",
            f"'{export.path.name}'", "name it: --symbol BTC",
        )  # fmt: skip
    return found, "file name"


def _refuse_other_steps(path: Path, bars: pa.Table, hours: float) -> None:
    if len(bars) < 2:
        return
    stamps = np.unique(bars["ts"].to_numpy().astype("datetime64[us]").astype(np.int64))
    step = float(np.median(np.diff(stamps))) / 3.6e9 if len(stamps) > 1 else hours
    if step != hours:
        raise _ambiguous(
            path, "times", f"bars of {hours:g} h", f"a median step of {step:g} h",
            "export hourly bars (days for --series)",
        )  # fmt: skip


def _closed(
    path: Path, format_name: str, bars: pa.Table, now: datetime, hours: int
) -> pa.Table:
    """Return the bars that were closed when the file was written.

    TradingView exports the bar that is forming as its last row and does not mark it.
    """
    written = min(now, datetime.fromtimestamp(path.stat().st_mtime, UTC))
    ends = bars["ts"].to_numpy().astype("datetime64[us]") + np.timedelta64(hours, "h")
    keep = ends <= np.datetime64(written.replace(tzinfo=None), "us")
    if format_name == "tradingview" and len(keep):
        keep[-1] = False
    return bars.filter(pa.array(keep))


def joined(readings: list[Reading]) -> pa.Table:
    """Return the bars of several files of one target; refuse two that disagree."""
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
            f"having count(distinct ({', '.join(PRICES)})) > 1 order by ts limit 1"
        ).fetchall()
        for ts, one, other in clash:
            raise _ambiguous(
                readings[one].path, f"bar {ts}", "the same values wherever it occurs",
                f"others in {readings[other].path.name}",
                "leave one of the files out",
            )  # fmt: skip
        return session.sql(
            f"select distinct {names} from every order by ts"
        ).to_arrow_table()


def as_days(bars: pa.Table) -> tuple[np.ndarray, np.ndarray]:
    """Return the days and closes of daily bars."""
    days = bars["ts"].to_numpy().astype("datetime64[D]")
    return days, bars["close"].to_numpy()


def ingest_readings(
    readings: list[Reading],
    is_series: bool,
    market: Market,
    request: Request,
    outcome: Outcome,
) -> None:
    """Store the bars (or days) of the files of one target; count into `outcome`."""
    target, bars = readings[0].target, joined(readings)
    left_out = sum(reading.left_out for reading in readings)
    if left_out:
        outcome.note(f"rows left out: {left_out}, open when the file was written")
    if is_series:
        days, closes = as_days(bars)
        lag = lag_of(market, target)
        rows = macro_table(target, days, closes, lag)
        store_days(market, target, rows, request, outcome, step_hours=24.0)
        return
    store(market, BARS, target, bars, outcome, request.accept_revisions)
    count_gaps(market, BARS, target, outcome, 1.0)
