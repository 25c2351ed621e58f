"""Compare rows with what is stored; write what is new, report what has changed.

A past row that the source now gives differently is a revision: reported, and kept as it
was stored unless revisions are accepted.
"""

from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from barsieve.check_market import MACRO, Kind, quoted_path
from barsieve.ingest.comparing import (
    load_offered,
    plan_by_day,
    plan_by_key,
    plan_by_vintage,
)
from barsieve.ingest.market import Market, put, schema_of
from barsieve.ingest.origin import Origin
from barsieve.ingest.summary import Outcome

IDENTITY = {"bars": None, "macro": "series", "funding": "symbol"}


def session_of(market: Market, kind: Kind, name: str) -> duckdb.DuckDBPyConnection:
    """Return a session with the table `stored`: the rows of a symbol or series.

    Its column `file` says in which file a row lies. Raises InputError when one of the
    files that may hold such rows is damaged.
    """
    market.refuse_unsound(kind, name)
    session = duckdb.connect()
    session.execute("set timezone = 'UTC'")
    columns = ", ".join(kind.columns)
    paths = market.files(kind, name)
    if not paths:
        empty = schema_of(kind).empty_table()  # noqa: F841 (DuckDB reads it by name)
        session.execute("create table stored as select *, '' as file from empty")
        return session
    listed = ", ".join(quoted_path(path) for path in paths)
    identity = IDENTITY[kind.folder]
    session.execute(
        f"create table stored as select {columns}, filename as file "
        f"from read_parquet([{listed}], filename = true) "
        + (f"where {identity} = $name" if identity else ""),
        {"name": name} if identity else {},
    )
    return session


def span_of(market: Market, kind: Kind, name: str) -> tuple[Any, Any] | None:
    """Return the first and last stored time (or day) of a symbol or series."""
    time = "date" if kind is MACRO else "ts"
    with session_of(market, kind, name) as session:
        span = session.execute(
            f"select min({time}), max({time}) from stored"
        ).fetchone()
    return None if span[0] is None else span


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
    unless the rows are vintages and say themselves when they became known. `origin`
    says what the rows are of.

    Raises InputError when the file would not pass the market's checks; it stays as is.
    """
    with session_of(market, kind, name) as session:
        load_offered(session, kind, rows, outcome)
        if kind is MACRO and not has_vintages:
            plan_by_day(session, name, outcome, accept_revisions, revised_at)
        elif kind is MACRO:
            plan_by_vintage(session, name, outcome, accept_revisions)
        else:
            plan_by_key(session, kind, outcome, accept_revisions)
        _write_plan(session, market, kind, name)


def _write_plan(
    session: duckdb.DuckDBPyConnection, market: Market, kind: Kind, name: str
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
    for (file,) in files:
        put(market, kind, Path(file), _merged(session, kind, Path(file)))


def _merged(session: duckdb.DuckDBPyConnection, kind: Kind, file: Path) -> pa.Table:
    keys, columns = ", ".join(kind.keys), ", ".join(kind.columns)
    added = f"select {columns} from added where file = $file"
    order = {"bars": "ts", "macro": "series, date, known_at"}.get(
        kind.folder, "symbol, ts"
    )
    if not file.exists():
        query = f"{added} order by {order}"
    else:
        query = (
            f"select * from (select * from read_parquet({quoted_path(file)}) "
            f"anti join (from dropped where file = $file) using ({keys}) "
            f"union all by name {added}) order by {order}"
        )
    table = session.sql(query, params={"file": str(file)}).to_arrow_table()
    fields = [schema_of(kind).field(f.name) if f.name in kind.columns else f
              for f in table.schema]  # fmt: skip
    return table.cast(pa.schema(fields))


def count_gaps(
    market: Market, kind: Kind, name: str, outcome: Outcome, step_hours: float
) -> None:
    """Fill in the span of a symbol or series and the holes in it.

    A step of more than `step_hours` is a hole.
    """
    time = "date" if kind is MACRO else "ts"
    with session_of(market, kind, name) as session:
        first, last, gaps, missing = session.execute(
            f"select min(t), max(t), count_if(step > {step_hours}), "
            f"sum(greatest(round(step / {step_hours}) - 1, 0))::bigint from ("
            "select t, date_diff('second', lag(t) over (order by t), t) / 3600 as step"
            f" from (select distinct {time} as t from stored))"
        ).fetchone()
    outcome.first, outcome.last = first, last
    outcome.gaps, outcome.missing = gaps or 0, missing or 0
