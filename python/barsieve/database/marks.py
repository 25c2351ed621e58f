"""Mark of each table: what it was built from, the last line of its comment.

A mark holds the hashes of the market and the configs behind a table, of the code that
made it, and the marks of the tables it was made of, as they were then. So a table that
was left out of a later build tells: it was made of other tables than there are.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import duckdb

from barsieve.core.arrow import rows_of
from barsieve.core.errors import Problem
from barsieve.core.times import read_moment
from barsieve.database.models import TABLE as STATEMENTS

# The last table of a build, which vouches for all that it was made of.
LAST = "build_info"
# The mark of a table that a build made empty, because it was left out.
LEFT_OUT = "left out"
MOST_PROBLEMS = 5

# What tables were made by is made by none of them.
MARKS = (
    "select name, comment from ("
    "select table_name as name, comment from duckdb_tables() "
    "where database_name = current_database() union all "
    "select view_name, comment from duckdb_views() "
    "where database_name = current_database() and not internal) "
    f"where name <> '{STATEMENTS}'"
)


class Mark(NamedTuple):
    """Mark of a table: what it was built from.

    `mark` names all of it in one hash. `market`, `configs`: hashes of the files behind
    it, through whatever tables; None when it depends on none. `code`: hash of what made
    it. `parents`: the tables it was made of, with their marks as they were then; None
    for one without a mark. `is_empty`: made by dbt's --empty, or left out of a build.
    """

    mark: str
    market: str | None
    configs: str | None
    code: str
    built_at: str
    is_empty: bool
    parents: dict[str, str | None]

    def as_comment(self, description: str = "") -> str:
        """Return the comment of its table: what a row of that is, and the mark."""
        return f"{description.strip()}\n{json.dumps(self._asdict())}".lstrip()

    def is_of(self, started: datetime) -> bool:
        """Tell whether the table has its rows of the run that started at a moment."""
        return read_moment(self.built_at) == started and not self.is_empty


Marks = dict[str, Mark | None]
"""The tables of a database, each with its mark; None for a table without one."""


def _inherited(own: str | None, parents: Iterable[Mark], field: str) -> str | None:
    found = {getattr(parent, field) for parent in parents} | {own}
    return "+".join(sorted(hash_ for hash_ in found if hash_)) or None


def parse(comment: str | None) -> Mark | None:
    """Return the mark in the last line of a comment; None where there is none."""
    try:
        found = json.loads((comment or "").rpartition("\n")[2])
        return Mark(**found)
    except (ValueError, TypeError):
        return None


def mark_of(
    own: dict[str, Any], parents: dict[str, Mark | None], hashes: dict[str, str]
) -> Mark:
    """Return the mark of a table that was just made.

    `own` is what dbt knows of it: table, checksum, language, sources, is_empty and
    started. `hashes` are those of market, configs, macros and package now.
    """
    code = [own["checksum"], hashes["macros"]]
    if own["language"] == "python":
        code.append(hashes["package"])
    sources = set(own["sources"])
    marked = [parent for parent in parents.values() if parent]
    market = hashes["market"] if sources & {"market"} else None
    configs = hashes["configs"] if sources & {"configs"} else None
    document: dict[str, Any] = {
        "market": _inherited(market, marked, "market"),
        "configs": _inherited(configs, marked, "configs"),
        "code": hashlib.sha256(json.dumps(code).encode()).hexdigest()[:16],
        "is_empty": bool(own["is_empty"]),
        "parents": {
            name: parent.mark if parent else None
            for name, parent in sorted(parents.items())
        },
    }
    named = json.dumps([own["table"], document], sort_keys=True).encode()
    digest = hashlib.sha256(named).hexdigest()[:16]
    return Mark(mark=digest, built_at=own["started"], **document)


def left_out(started: str) -> Mark:
    """Return the mark of a table that a build made empty, because it was left out."""
    return Mark(LEFT_OUT, None, None, LEFT_OUT, started, False, {})


def read_marks(connection: duckdb.DuckDBPyConnection) -> Marks:
    """Return the tables and views of an open database with their marks."""
    rows = connection.execute(MARKS).fetchall()
    return {name: parse(comment) for name, comment in rows}


def lineage(marks: Marks, table: str) -> list[str]:
    """Return a table and all that it was made of, nearest first."""
    found = [table]
    for name in found:
        if mark := marks.get(name):
            found += [parent for parent in mark.parents if parent not in found]
    return found


def _faults_of(marks: Marks, table: str) -> Iterator[tuple[str, str]]:
    """Yield what was expected of a table, and what it is.

    A table that is not there says nothing wrong, and who reads it is told.
    """
    mark = marks.get(table)
    if table not in marks:
        return
    if mark is None:
        yield "a table that says what it was built from", "one that does not"
        return
    if mark.is_empty:
        yield "a table built with its rows", "one that dbt made with --empty"
    for parent, then in mark.parents.items():
        made = marks.get(parent)
        now = made.mark if made else None
        if parent in marks and now != then:
            yield f"a table built from the present {parent}", "one built from another"


def disagreements(path: Path, marks: Marks, tables: Iterable[str]) -> list[Problem]:
    """Return where tables were not built from the tables that stand beside them.

    Looks at these tables and at all that they were made of.
    """
    names = dict.fromkeys(name for table in tables for name in lineage(marks, table))
    problems = [
        Problem(
            str(path),
            f"table {name}",
            expected=expected,
            found=f"{found}, on {mark.built_at[:19]}"
            if (mark := marks.get(name))
            else found,
            fix="dbt build, all of it",
        )
        for name in names
        for expected, found in _faults_of(marks, name)
    ]
    return problems[:MOST_PROBLEMS]


def _hash_problems(path: Path, marks: Marks, info: dict[str, Any]) -> Iterator[Problem]:
    """Yield the tables of another market or of other configs than the build's own."""
    of_table = {"market": "bars_1h", "configs": "config_profiles"}
    for what, table in of_table.items():
        built = info[f"{what}_hash"]
        mark = marks.get(table)
        found = getattr(mark, what, None)
        if mark and found is not None and found != built:
            whose = f" '{info['market_name']}'" if what == "market" else ""
            yield Problem(
                str(path),
                f"table {table}",
                expected=f"the {what}{whose} that the last build named ({built})",
                found=f"another ({found}), on {mark.built_at[:19]}",
                fix=(
                    "dbt build, all of it, with the market and the configs "
                    "that you mean"
                ),
            )


def build_problems(path: Path, connection: duckdb.DuckDBPyConnection) -> list[Problem]:
    """Return what disagrees in the tables of a build that ran to its end.

    Raises duckdb.Error where the table `build_info` is not one of ours.
    """
    marks = read_marks(connection)
    if problems := disagreements(path, marks, [LAST]):
        return problems
    found = connection.execute(
        f"select market_name, market_hash, configs_hash from {LAST}"
    )
    return list(_hash_problems(path, marks, rows_of(found)[0]))


def differing(marks: Marks, hashes: dict[str, str]) -> list[dict[str, str | None]]:
    """Return what the last build did not build from what there is now, as rows.

    `what` names table and input; `built` and `now` differ.
    """
    rows: list[dict[str, str | None]] = [
        {"what": problem.where, "built": problem.found, "now": problem.expected}
        for problem in disagreements(Path(), marks, [LAST])
    ]
    vouched = lineage(marks, LAST)
    for what in ("market", "configs"):
        built = {name: getattr(marks.get(name), what, None) for name in vouched}
        others = sorted(
            name for name, hash_ in built.items() if hash_ not in (None, hashes[what])
        )
        if others:
            more = f" and {len(others) - 1} more" if len(others) > 1 else ""
            rows.append(
                {
                    "what": f"{what} of table {others[0]}{more}",
                    "built": built[others[0]],
                    "now": hashes[what],
                }
            )
    return rows


def stale_tables(marks: Marks) -> list[str]:
    """Return the tables that were not built from what stands beside them, sorted."""
    return sorted(
        name for name in marks if marks[name] and disagreements(Path(), marks, [name])
    )
