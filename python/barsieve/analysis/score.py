"""Worth of a score or of any column of a built database, before any replay."""

from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import pyarrow as pa

from barsieve.analysis.session import open_scratch
from barsieve.core.errors import refuse
from barsieve.core.extras import WITHOUT_ML
from barsieve.database.connect import table_names
from barsieve.database.overlay import Scratch
from barsieve.metrics.worth.rows import worth_of_columns
from barsieve.metrics.worth.subjects import OF_BARS
from barsieve.metrics.worth.verdict import best

REPORTS = {
    "report_scores": "regime <> 'all', regime, horizon_hours",
    "report_score_months": "horizon_hours, month",
    "report_score_decay": "lag_hours",
}
"""The tables that tell it, and the order of their rows."""
HOURLY = "features"
"""The table that a column without a table's name is of."""


class Worth(NamedTuple):
    """Worth of a score: the rows of the three tables that tell it."""

    scores: list[dict[str, Any]]
    months: list[dict[str, Any]]
    decay: list[dict[str, Any]]


def _open(path: Path) -> Scratch:
    scratch = open_scratch(path)
    is_there = "report_scores" in table_names(scratch.connection)
    if not is_there or not scratch.rows("select 1 as n from {report_scores} limit 1"):
        refuse(
            str(path),
            "table report_scores",
            expected="a database that judged its scores",
            found="none",
            fix=WITHOUT_ML,
        )
    return scratch


def _names(scratch: Scratch) -> list[str]:
    found = scratch.rows("select distinct name from {report_scores} order by 1")
    return [row["name"] for row in found]


def _numeric(relation: duckdb.DuckDBPyRelation) -> list[str]:
    """Return the columns of a table that have numbers, or are true or false."""
    from duckdb.sqltypes import BOOLEAN

    def is_number(kind: Any) -> bool:
        text = str(kind)
        return kind == BOOLEAN or text.startswith(
            ("DOUBLE", "FLOAT", "DECIMAL", "BIGINT", "INTEGER", "SMALLINT", "TINYINT",
             "HUGEINT", "UBIGINT", "UINTEGER", "USMALLINT", "UTINYINT")
        )  # fmt: skip

    pairs = zip(relation.columns, relation.types, strict=True)
    return [name for name, kind in pairs if is_number(kind)]


def _refuse_name(scratch: Scratch, name: str, others: list[str]) -> None:
    from difflib import get_close_matches

    near = get_close_matches(name, others, n=3, cutoff=0.6)
    refuse(
        str(scratch.path),
        "name",
        expected="a domain, sentinel, macro signal, a column of features with numbers, "
        "or table.column of a table with symbol and bar_ts",
        found=f"'{name}'",
        fix=f"did you mean {', '.join(near)}?" if near else "correct the name",
    )


def _table_of(scratch: Scratch, name: str) -> tuple[str, str]:
    """Return table and column of a name; refuse what has no hour, or many an hour."""
    table, _, column = name.rpartition(".")
    table = table or HOURLY
    tables = table_names(scratch.connection)
    columns = _numeric(scratch.table(table)) if table in tables else []
    keys = set(scratch.table(table).columns) if table in tables else set()
    if column not in columns or not {"symbol", "bar_ts"} <= keys:
        others = _numeric(scratch.table(HOURLY)) if table == HOURLY else columns
        _refuse_name(scratch, name, [*_names(scratch), *others])
    many = scratch.rows(
        f'select count(*) as n from "{table}" group by symbol, bar_ts '
        "having count(*) > 1 limit 1"
    )
    if many:
        refuse(
            str(scratch.path),
            f"table {table}",
            expected="one row a symbol and bar_ts",
            found=f"{many[0]['n']} for one of them",
            fix="name a column of a table that has one, such as features",
        )
    return table, column


def _judge(scratch: Scratch, name: str) -> None:
    """Let the reports hold a column, beside what was looked at before."""
    table, column = _table_of(scratch, name)
    values = f'"{table}"."{column}"::double as "{name}"'
    bars = scratch.connection.sql(
        f"select {', '.join(f'bars.{key}' for key in OF_BARS)}, {values} "
        f'from evaluation_score_bars as bars left join "{table}" '
        f"using (symbol, bar_ts)"
    )
    earlier = scratch.table("evaluation_scores").to_arrow_table()
    found = worth_of_columns(bars, scratch.table("config_symbols"), earlier)
    scratch.put("evaluation_scores", pa.concat_tables([earlier, found]))
    scratch.make(*REPORTS)


def worth_of(path: Path, name: str, symbol: str | None = None) -> Worth:
    """Return what a domain, sentinel, macro signal or column is worth.

    A column that the build has not judged is judged now: of `features`, or
    `table.column` of any table with a row a symbol and bar_ts. Its p-values are
    corrected for all that the build looked at as well.

    Raises InputError when there is no whole database, name or symbol.
    """
    scratch = _open(path)
    if name not in _names(scratch):
        _judge(scratch, name)
    symbols = [
        row["symbol"]
        for row in scratch.rows(
            "select distinct symbol from {report_scores} where name = ? order by 1",
            name,
        )
    ]
    if symbol is not None and symbol not in symbols:
        expected = f"one of {', '.join(symbols)}"
        refuse(
            str(path),
            "symbol",
            expected=expected,
            found=f"'{symbol}'",
            fix="correct the symbol",
        )
    found = [
        scratch.rows(
            f"select * from {{{table}}} "
            "where name = $1 and coalesce(symbol = $2, true) "
            f"order by symbol, {order}",
            name, symbol,
        )
        for table, order in REPORTS.items()
    ]  # fmt: skip
    return Worth(*found)


def overview(path: Path, symbol: str | None = None) -> list[dict[str, Any]]:
    """Return the best horizon of all that was judged, the least by chance first."""
    rows = _open(path).rows(
        "select * from {report_scores} where coalesce(symbol = $1, true) "
        "order by kind, name, symbol, horizon_hours",
        symbol,
    )
    return best(rows)
