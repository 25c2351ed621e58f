"""Record of advances: the table `build_advances`, a row for each, and their sum."""

from datetime import datetime
from typing import NamedTuple

import duckdb

from barsieve.live.news import News

ADVANCES = "build_advances"


class Record(NamedTuple):
    """Record that a file keeps of its advances: how many, to where the last went."""

    advances: int
    last_bar_ts: datetime
    market_hash: str


def note(
    connection: duckdb.DuckDBPyConnection, catalog: str, news: News, market_hash: str
) -> None:
    """Write that a file was advanced, in the catalog that it is attached as."""
    table = f"{catalog}.main.{ADVANCES}"
    connection.execute(
        f"create table if not exists {table} (first_bar_ts timestamptz, "
        "last_bar_ts timestamptz, bars bigint, market_hash varchar)"
    )
    connection.execute(
        f"insert into {table} values ($1, $2, $3, $4)",
        [news.first_ts, news.last_ts, news.n_bars, market_hash],
    )
