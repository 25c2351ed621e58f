"""Rows against what is stored: which are new, which are as stored, which have changed.

Works on the tables `stored` and `offered` of a session and leaves two more: `added`,
rows with the file that they go to (null: the home file), and `dropped`, rows that leave
their file.
"""

from datetime import datetime
from typing import Any

import duckdb
import pyarrow as pa

from barsieve.core.arrow import row_of
from barsieve.ingest.folder import as_offered, columns_of, schema_of
from barsieve.ingest.summary import Outcome
from barsieve.market.check import MACRO, RULES, Kind, Rule

# Macro sources hand the same value out in single and in double precision.
SAME_WITHIN = 1e-6


def load_offered(
    session: duckdb.DuckDBPyConnection, kind: Kind, rows: pa.Table, outcome: Outcome
) -> None:
    """Make the table `offered` of the rows that keep the rules; count the others."""
    keys = ", ".join(kind.keys)
    offered_rows = as_offered(kind, rows)  # noqa: F841 (DuckDB reads it by name)
    session.execute(
        "create temp table offered as select * exclude (nth), "
        "null::timestamptz as previous_ts, 1 as copy "
        "from (select *, row_number() over () as nth from offered_rows) "
        f"qualify row_number() over (partition by {keys} order by nth desc) = 1"
    )
    outcome.rows_given += _count(session, "offered")
    nulls = " or ".join(f"{column} is null" for column in kind.columns)
    empty = Rule(nulls, "a value in every column", "'a value is missing'", "")
    rules = [empty, *RULES[kind.folder]]
    counts = ", ".join(f"count_if({rule.is_bad})" for rule in rules)
    n_bad = row_of(session.execute(f"select {counts} from offered"))
    for rule, n in zip(rules, n_bad, strict=True):
        if n:
            _drop_bad(session, kind, rule, outcome)


def _drop_bad(
    session: duckdb.DuckDBPyConnection, kind: Kind, rule: Rule, outcome: Outcome
) -> None:
    found = session.execute(
        f"select count(*), min(concat({kind.keys[0]}, ' ', {rule.shown})) "
        f"from offered where {rule.is_bad}"
    )
    n_bad, first = row_of(found)
    if n_bad:
        session.execute(f"delete from offered where {rule.is_bad}")
        outcome.rows_refused += n_bad
        said = f"{first}: expected {rule.expected}"
        outcome.refused.append(said)
        outcome.leave_out(f"expected {rule.expected}", n_bad, first)


def plan_by_key(
    session: duckdb.DuckDBPyConnection, kind: Kind, outcome: Outcome, accept: bool
) -> None:
    """Plan for bars and funding: a key is new, as stored, or changed."""
    keys = ", ".join(kind.keys)
    values = [column for column in kind.columns if column not in kind.keys]
    differs = " or ".join(f"o.{v} is distinct from s.{v}" for v in values)
    changed = session.execute(
        f"select o.{kind.keys[-1]}::varchar, "
        + ", ".join(f"s.{v}, o.{v}" for v in values)
        + f" from offered as o join stored as s using ({keys}) where {differs} "
        f"order by {keys}"
    ).fetchall()
    for key, *pairs in changed:
        for i, column in enumerate(values):
            old, new = pairs[2 * i], pairs[2 * i + 1]
            if old != new:
                outcome.revise(key, column, repr(old), repr(new), accept)
    taken = f"or ({differs})" if accept else ""
    columns = ", ".join(f"o.{column}" for column in columns_of(kind))
    session.execute(
        f"create temp table added as select {columns}, s.file from offered as o "
        f"left join stored as s using ({keys}) where s.file is null {taken}"
    )
    session.execute(
        "create temp table dropped as select * from added where file is not null"
    )
    outcome.rows_checked += _count(session, f"offered join stored using ({keys})")
    outcome.rows_new += _count(session, "added where file is null")


def plan_by_day(
    session: duckdb.DuckDBPyConnection,
    name: str,
    outcome: Outcome,
    accept: bool,
    revised_at: datetime | None,
    learned_at: datetime | None = None,
) -> None:
    """Plan for macro days whose `known_at` is a rule, and no earlier than `learned_at`.

    An accepted revision is a further row, known when we learned of it: what was known
    before stays what was known before.
    """
    session.execute(
        "create temp table latest as select date, arg_max(value, known_at) as value, "
        "max(known_at) as known_at from stored group by date"
    )
    differs = f"abs(o.value - l.value) > {SAME_WITHIN} * greatest(abs(l.value), 1e-3)"
    for day, old, new in session.execute(
        "select o.date, l.value, o.value from offered as o "
        f"join latest as l using (date) where {differs} order by o.date"
    ).fetchall():
        outcome.revise(str(day), "value", repr(old), repr(new), accept)
    session.execute(
        "create temp table added as select o.date, o.series, o.value, "
        "case when l.date is null then greatest(o.known_at, $learned_at) "
        "else greatest(o.known_at, $revised_at, l.known_at + interval '1 second') "
        "end as known_at, l.date is null as is_new, null::varchar as file "
        "from offered as o left join latest as l using (date) "
        f"where l.date is null or ($accept and {differs})",
        {"accept": accept, "revised_at": revised_at, "learned_at": learned_at},
    )
    session.execute("create temp table dropped as select * from stored where false")
    outcome.rows_checked += _count(session, "offered join latest using (date)")
    outcome.rows_new += _count(session, "added where is_new")


def plan_by_vintage(
    session: duckdb.DuckDBPyConnection, name: str, outcome: Outcome, accept: bool
) -> None:
    """Plan for macro days with all their vintages: new ones follow the stored ones.

    A day is changed where the stored vintages are not the first of the offered ones.
    """
    vintages = "list({'known_at': known_at, 'value': value} order by known_at)"
    days = session.execute(
        "select date, s.list, o.list from "
        f"(select date, {vintages} as list from offered group by date) as o left join "
        f"(select date, {vintages} as list from stored group by date) as s "
        "using (date) order by date"
    ).fetchall()
    add, drop = [], []
    for day, old, new in days:
        old = old or []
        outcome.rows_checked += len(old)
        if new[: len(old)] == old or old[: len(new)] == new:
            fresh = new[len(old) :]
            outcome.rows_new += len(fresh)
        else:
            outcome.revise(str(day), "vintages", _shown(old), _shown(new), accept)
            fresh = new if accept else []
            drop += [day] if accept else []
        add += [(day, name, v["value"], v["known_at"]) for v in fresh]
    columns = [list(c) for c in zip(*add, strict=True)] or [[], [], [], []]
    planned = pa.table(columns, schema=schema_of(MACRO))  # noqa: F841
    dropped_days = pa.table({"date": pa.array(drop, pa.date32())})  # noqa: F841
    session.execute(
        "create temp table dropped as select stored.* from stored "
        "semi join dropped_days using (date)"
    )
    # In the place of the old ones: one rename exchanges them.
    session.execute(
        "create temp table added as select planned.*, d.file from planned left join "
        "(select date, min(file) as file from dropped group by date) as d using (date)"
    )


def _shown(vintages: list[dict[str, Any]]) -> str:
    return ", ".join(f"{v['value']:g} ({v['known_at']:%Y-%m-%d})" for v in vintages)


def _count(session: duckdb.DuckDBPyConnection, of: str) -> int:
    (n_rows,) = row_of(session.execute(f"select count(*) from {of}"))
    return int(n_rows)
