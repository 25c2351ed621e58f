"""Merge of rows with what is stored: new ones written, changed ones reported.

A past row that the source now gives differently is a revision: reported, and kept as it
was stored unless revisions are accepted.
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from barsieve.core.arrow import row_of
from barsieve.core.locations import parquet_rows
from barsieve.core.sessions import new_session
from barsieve.ingest.belonging import origin_metadata, refuse_other_unit
from barsieve.ingest.changes import (
    load_offered,
    plan_by_day,
    plan_by_key,
    plan_by_vintage,
)
from barsieve.ingest.folder import Market, columns_of, put, schema_of
from barsieve.ingest.intervals import intervals_of, usual_hours
from barsieve.ingest.origin import Origin, metadata_of
from barsieve.ingest.summary import Outcome
from barsieve.market.check import FUNDING, MACRO, Kind

IDENTITY = {"bars": None, "macro": "series", "funding": "symbol"}


def session_of(market: Market, kind: Kind, name: str) -> duckdb.DuckDBPyConnection:
    """Return a session with the table `stored`: the rows of a symbol or series.

    Its column `file` says in which file a row lies. Raises InputError when one of the
    files that may hold such rows is damaged.
    """
    market.refuse_unsound(kind, name)
    session = new_session()
    paths = market.files(kind, name)
    if not paths:
        empty = schema_of(kind).empty_table()  # noqa: F841 (DuckDB reads it by name)
        session.execute("create temp table stored as select *, '' as file from empty")
        return session
    identity = IDENTITY[kind.folder]
    columns = ", ".join(_read_columns(session, kind, paths))
    session.execute(
        f"create temp table stored as select {columns}, filename as file "
        f"from {parquet_rows(paths, 'filename = true', 'union_by_name = true')} "
        + (f"where {identity} = $name" if identity else ""),
        {"name": name} if identity else {},
    )
    return session


def _read_columns(
    session: duckdb.DuckDBPyConnection, kind: Kind, paths: list[Path]
) -> list[str]:
    """Return SQL of the columns of a kind; optional ones that no file has are null."""
    held = session.execute(
        f"describe from {parquet_rows(paths, 'union_by_name = true')}"
    ).fetchall()
    names = {row[0] for row in held}
    return [
        column if column in names else f"null::{type_} as {column}"
        for column, type_ in columns_of(kind).items()
    ]


def stamps_of(market: Market, kind: Kind, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the stored times of a series (datetime64[ms]) and their hours.

    The hours are those that a settlement of funding covers, nan where not stated; of
    other kinds they are nan.
    """
    time = "date" if kind is MACRO else "ts"
    hours = "interval_hours" if kind is FUNDING else "null"
    with session_of(market, kind, name) as session:
        rows = session.execute(
            f"select epoch_ms({time}::timestamp), max({hours}) from stored "
            "group by all order by all"
        ).fetchall()
    millis = np.array([row[0] for row in rows], "datetime64[ms]")
    return millis, np.array([row[1] for row in rows], float)


def span_of(market: Market, kind: Kind, name: str) -> tuple[Any, Any] | None:
    """Return the first and last stored time (or day) of a symbol or series."""
    time = "date" if kind is MACRO else "ts"
    with session_of(market, kind, name) as session:
        span = session.execute(f"select min({time}), max({time}) from stored")
        first, last = row_of(span)
    return None if first is None else (first, last)


def store(
    market: Market,
    kind: Kind,
    name: str,
    rows: pa.Table,
    outcome: Outcome,
    accept_revisions: bool = False,
    revised_at: datetime | None = None,
    has_vintages: bool = False,
    origin: Origin | None = None,
) -> None:
    """Merge rows of a symbol or series into the market; count into `outcome`.

    `rows` has the columns of `kind`, in any order of rows, repeated ones too (the later
    of two counts). Macro revisions that are accepted become known at `revised_at`,
    unless the rows are vintages and say themselves when they became known. `origin` of
    bars and funding must match what the file states, unless the market was opened to
    accept another one; it is kept in the file.

    Raises InputError when the rows are of another origin, or when the file would not
    pass the market's checks; it stays as is.
    """
    with session_of(market, kind, name) as session:
        load_offered(session, kind, rows, outcome)
        metadata = {}
        if kind is not MACRO:
            metadata = origin_metadata(session, market, kind, name, origin, outcome)
        if kind is MACRO and not has_vintages:
            refuse_other_unit(session, name, accept_revisions)
            plan_by_day(
                session, name, outcome, accept_revisions, revised_at, market.learned_at
            )
        elif kind is MACRO:
            plan_by_vintage(session, name, outcome, accept_revisions)
        else:
            plan_by_key(session, kind, outcome, accept_revisions)
        _write_plan(session, market, kind, name, metadata)


def _write_plan(
    session: duckdb.DuckDBPyConnection,
    market: Market,
    kind: Kind,
    name: str,
    metadata: dict[bytes, bytes],
) -> None:
    """Write the home file, and the others of which rows were dropped.

    Columns of the user's own beside the layout's stay as they are; rows that we add
    have none. Rows replaced in a file stay in that file; new ones go home.
    """
    home = str(market.home(kind, name))
    session.execute("update added set file = $home where file is null", {"home": home})
    # The home file last: until then a key is in no two files.
    files = session.execute(
        "select distinct file from (select file from added union all "
        "select file from dropped) order by file = $home, file",
        {"home": home},
    ).fetchall()
    changed = [Path(file) for (file,) in files]
    if not changed and Path(home).exists() and _is_news(Path(home), metadata):
        changed = [Path(home)]
    for path in changed:
        table = _merged(session, kind, path)
        if path == Path(home) and kind is FUNDING and market.learned_at is None:
            table = _with_intervals(table, name)
        put(market, kind, path, table, metadata if path == Path(home) else None)


def _is_news(path: Path, metadata: dict[bytes, bytes]) -> bool:
    held = metadata_of(path)
    return any(held.get(key) != value for key, value in metadata.items())


def add_metadata(
    market: Market, kind: Kind, name: str, metadata: dict[bytes, bytes]
) -> None:
    """Add key-value metadata to the file of a series, if it has one and lacks it."""
    home = market.home(kind, name)
    if home.exists() and _is_news(home, metadata):
        put(market, kind, home, pq.ParquetFile(home).read(), metadata)


def _with_intervals(table: pa.Table, name: str) -> pa.Table:
    """Return funding of a file with the hours of each settlement of a symbol."""
    column = table.column_names.index("interval_hours")
    hours = table["interval_hours"].to_numpy().astype(float).copy()
    own = np.array(table["symbol"].to_pylist(), object) == name
    stamps = table["ts"].to_numpy().astype("datetime64[ms]")
    hours[own] = intervals_of(stamps[own], hours[own])
    return table.set_column(
        column, "interval_hours", pa.array(hours, pa.float64(), from_pandas=True)
    )


def _merged(session: duckdb.DuckDBPyConnection, kind: Kind, file: Path) -> pa.Table:
    keys, columns = ", ".join(kind.keys), ", ".join(columns_of(kind))
    added = f"select {columns} from added where file = $file"
    order = {"bars": "ts", "macro": "series, date, known_at"}.get(
        kind.folder, "symbol, ts"
    )
    if not file.exists():
        query = f"{added} order by {order}"
    else:
        query = (
            f"select * from (select * from {parquet_rows(file)} "
            f"anti join (from dropped where file = $file) using ({keys}) "
            f"union all by name {added}) order by {order}"
        )
    table = session.sql(query, params={"file": str(file)}).to_arrow_table()
    fields = [schema_of(kind).field(f.name) if f.name in columns_of(kind) else f
              for f in table.schema]  # fmt: skip
    return table.cast(pa.schema(fields))


def count_gaps(
    market: Market, kind: Kind, name: str, outcome: Outcome, step_hours: float
) -> None:
    """Fill in the span of a symbol or series and the holes in it.

    A step of more than `step_hours` is a hole; of funding, one of more than the hours
    that the settlement after it covers.
    """
    stamps, hours = stamps_of(market, kind, name)
    if not len(stamps):
        return
    wanted = np.full(len(stamps), step_hours)
    if kind is FUNDING:
        wanted = usual_hours(stamps, hours)
    steps = np.diff(stamps).astype("timedelta64[s]").astype(float) / 3600
    missing = np.maximum(np.round(steps / wanted[1:]) - 1, 0)
    first, last = (stamp.item().replace(tzinfo=UTC) for stamp in stamps[[0, -1]])
    if kind is MACRO:
        first, last = first.date(), last.date()
    outcome.first, outcome.last = first, last
    outcome.gaps = int((steps > wanted[1:] * 1.001).sum())
    outcome.missing = int(missing.sum())
