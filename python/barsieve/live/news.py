"""News of a market: what its files have beyond a built file, and what they changed.

All that was known at the last close of the file (`until`) is past: a row of the market
that was known by then and that the file does not have, or has otherwise, is refused. A
bar that comes late is past as well: it would be counted before bars that were acted on.
"""

from datetime import datetime, timedelta
from typing import NamedTuple

import duckdb

from barsieve.core.arrow import row_of, rows_of
from barsieve.core.errors import refuse
from barsieve.proof.plan import KNOWN_IN_FILES


class News(NamedTuple):
    """News of a market: `until` is the last close of the file, `end` the market's.

    `first_ts`, `last_ts`: opens of the first and last new bar; None without any.
    """

    until: datetime
    end: datetime
    first_ts: datetime | None
    last_ts: datetime | None
    n_bars: int


class Past(NamedTuple):
    """Rows of a source as SQL, and the rows of a table that were made of them."""

    source: str
    table: str
    of_files: str
    of_table: str
    said_by: str


PASTS = (
    Past(
        "market.bars",
        "bars_1h",
        "parse_filename(filename, true) as symbol, ts as bar_ts, open, high, low, "
        "close, volume",
        "symbol, bar_ts, open, high, low, close, volume",
        "symbol, bar_ts",
    ),
    Past(
        "market.macro",
        "bars_macro",
        "series, date as observed_day, value, known_at",
        "series, observed_day, value, known_at",
        "series, observed_day",
    ),
    Past(
        "market.funding",
        "bars_funding",
        "symbol, ts as settled_at, funding_rate",
        "symbol, settled_at, funding_rate",
        "symbol, settled_at",
    ),
)


def read_news(
    connection: duckdb.DuckDBPyConnection,
    sources: dict[str, str],
    tables: dict[str, str],
) -> News:
    """Return what of a market is new to a file.

    `sources`: SQL of the market's files, by source; `tables`: where the tables lie that
    were made of them. Raises InputError for a past that changed.
    """
    until = row_of(
        connection.execute(f"select max(known_at) from {tables['bars_1h']}")
    )[0]
    n_bars, first, last = row_of(
        connection.execute(
            f"select count(*), min(ts), max(ts) from {sources['market.bars']} "
            "where ts >= $1",
            [until],
        )
    )
    for past in PASTS:
        _refuse_changed(connection, past, sources[past.source], tables, until)
    end = last + timedelta(hours=1) if last else until
    return News(until, end, first, last, n_bars)


def _refuse_changed(
    connection: duckdb.DuckDBPyConnection,
    past: Past,
    source: str,
    tables: dict[str, str],
    until: datetime,
) -> None:
    known = KNOWN_IN_FILES[past.source]
    in_files = (
        f"select {past.of_files} from {source} "
        f"where {known.says} <= {known.bound(until)}"
    )
    in_table = (
        f"select {past.of_table} from {tables[past.table]} "
        f"where known_at <= timestamptz '{until}'"
    )

    def summed(rows: str) -> str:
        return (
            f"select count(*), sum(hash(row_read)::hugeint) from ({rows}) as row_read"
        )

    same = row_of(
        connection.execute(f"select ({summed_of(in_files)}) = ({summed_of(in_table)})")
    )
    if same[0]:
        return
    column = past.said_by.split(", ")[1]
    (row,) = rows_of(
        connection.execute(
            f"with files as ({in_files}), kept as ({in_table}), "
            "apart as ((select *, 'new' as how from (from files except all from kept)) "
            "union all "
            "(select *, 'gone' as how from (from kept except all from files))) "
            f"select {past.said_by}, string_agg(distinct how, ' ' order by how) "
            "as how, "
            "(select count(*) from apart) as n from apart "
            f"group by {past.said_by} order by {column}, 1 limit 1"
        )
    )
    what = {
        "new": "one that was not there",
        "gone": "none any more",
        "gone new": "another one",
    }[row["how"]]
    name, moment = list(row.values())[:2]
    refuse(
        f"market, {past.source.split('.')[1]}",
        f"{name}, {moment:%Y-%m-%d %H:%M}",
        expected=f"the past as the file has it, up to {until:%Y-%m-%d %H:%M}",
        found=f"{what} ({row['n']} rows differ)",
        fix="keep rows that come late, or are revised, out of the market until "
        "`barsieve build`, which takes the past as it is now",
    )


def summed_of(rows: str) -> str:
    """Return as SQL one value that rows have in common only with equal rows."""
    return (
        "select (count(*), coalesce(sum(hash(row_read)::hugeint), 0)) "
        f"from ({rows}) as row_read"
    )
