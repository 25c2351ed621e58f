"""The columns of an export as bars: times placed in UTC, cells as numbers."""

import duckdb
import pyarrow as pa

from barsieve.ingest.formats import ROLES
from barsieve.ingest.reading import Export
from barsieve.problems import InputError, Problem

PRICES = ROLES[1:]


def _microseconds(column: str, type_: pa.DataType, is_utc: bool) -> str:
    """Return SQL for a column's time in microseconds since 1970, null if unreadable.

    Numbers are seconds, ms, µs or ns by their size, row by row: some exports mix them.
    """
    cell = '"' + column.replace('"', '""') + '"'
    if pa.types.is_timestamp(type_):
        return f"epoch_us({cell})" if type_.tz else "null"
    if pa.types.is_date(type_):
        return f"epoch_us({cell}::timestamp)"
    text, number = f"trim({cell}::varchar)", f"try_cast({cell} as double)"
    old = f"epoch_us(try_strptime({text}, '%Y-%m-%d %I-%p'))"
    naive = f"coalesce(epoch_us(try_cast({text} as timestamp)), {old})"
    zoned = r"(Z|[+-]\d{2}(:?\d{2})?)$"
    is_day = rf"regexp_full_match({text}, '\d{{4}}-\d{{2}}-\d{{2}}')"
    return (
        f"case when {number} < 1e11 then ({number} * 1000000)::bigint "
        f"when {number} < 1e14 then ({number} * 1000)::bigint "
        f"when {number} < 1e17 then {number}::bigint "
        f"when {number} is not null then ({number} / 1000)::bigint "
        f"when {is_day} then epoch_us(try_cast({text} as timestamp)) "
        f"when regexp_matches({text}, 'T.*{zoned}| .*:.*{zoned}') "
        f"then epoch_us(try_cast({text} as timestamptz)) "
        + (f"else {naive} end" if is_utc else "end")
    )


def to_bars(export: Export, columns: dict[str, str], is_utc: bool) -> pa.Table:
    """Return a table of bars; refuse a time that cannot be placed."""
    raw = export.rows
    time = columns["ts"]
    values = ", ".join(
        'try_cast("' + columns[role].replace('"', '""') + f'" as double) as {role}'
        if role in columns
        else f"0.0 as {role}"
        for role in PRICES
    )
    micros = _microseconds(time, raw.schema.field(time).type, is_utc)
    with duckdb.connect() as session:
        session.execute("set timezone = 'UTC'")
        session.register("raw_rows", raw)
        session.execute(
            f"create table bars as select ({micros}) as us, {values}, "
            f'"{time.replace(chr(34), chr(34) * 2)}"::varchar as shown from raw_rows'
        )
        ((n_bad, shown),) = session.execute(
            "select count(*), first(shown) from bars where us is null"
        ).fetchall()
        if n_bad:
            raise InputError(
                [
                    Problem(
                        str(export.path), f"column '{time}'",
                        "a time with a zone, a day, or a number of s, ms, µs or ns",
                        f"{shown!r} ({n_bad} such rows)", "export with times in UTC",
                    )
                ]
            )  # fmt: skip
        return session.sql(
            f"select make_timestamp(us)::timestamptz as ts, {', '.join(PRICES)} "
            "from bars order by us"
        ).to_arrow_table()
