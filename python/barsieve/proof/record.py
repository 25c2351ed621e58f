"""Record of a proof: the table `proof_lookahead`, and what `build_info` says of it."""

from pathlib import Path

import duckdb
import pyarrow as pa

from barsieve.core.arrow import row_of
from barsieve.core.errors import refuse
from barsieve.database.functions import register
from barsieve.database.models import read_models
from barsieve.database.provenance import describe_build
from barsieve.proof.verdicts import LOOKS_AHEAD, Finding

TABLE, VOUCHES = "proof_lookahead", "build_info"
HASHES = ("code_hash", "configs_hash", "market_hash")
SCHEMA = pa.schema(
    [
        ("table_name", pa.string()),
        ("column_name", pa.string()),
        ("layer", pa.string()),
        ("cuts", pa.int32()),
        ("rows_compared", pa.int64()),
        ("past_hours", pa.int32()),
        ("verdict", pa.string()),
        ("first_difference", pa.string()),
        ("note", pa.string()),
    ]
)


def refuse_other_input(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Refuse a database that is not of the code, configs and market there are now.

    What the statements of a build give of other files is no proof of either.
    """
    now = describe_build()
    try:
        rows = connection.execute(
            f"select {', '.join(HASHES)} from {VOUCHES}"
        ).fetchall()
        connection.execute(f"select 1 from {TABLE} limit 0")
    except duckdb.Error as error:
        refuse(
            str(path),
            expected="a database built by the models of this folder",
            found=str(error).splitlines()[0],
            fix="dbt build, all of it",
        )
    for name, built in zip(HASHES, rows[0], strict=True):
        if built != now[name]:
            what = name.removesuffix("_hash")
            refuse(
                str(path),
                f"{VOUCHES}.{name}",
                expected=f"the {what} that there is now ({now[name]})",
                found=built,
                fix="barsieve build, which proves what it built",
            )


def record(path: Path, findings: list[Finding]) -> str:
    """Write a proof into the database that it is of; return what that says of it now.

    `path` is a file that nobody reads. It has the name that its build had, for which
    the statement of `build_info` names its tables.
    """
    rows = pa.Table.from_pylist([row._asdict() for row in findings], schema=SCHEMA)
    with duckdb.connect(str(path)) as connection:
        register(connection)
        connection.register("findings", rows)
        connection.execute("begin")
        connection.execute(f"delete from {TABLE}")
        connection.execute(
            f"insert into {TABLE} by name select findings.*, {', '.join(HASHES)} "
            f"from findings cross join {VOUCHES}"
        )
        statement = read_models(connection, path)[VOUCHES].compiled_code
        connection.execute(
            f"update {VOUCHES} set lookahead = (select lookahead from ({statement}))"
        )
        connection.execute("commit")
        told: str = row_of(connection.execute(f"select lookahead from {VOUCHES}"))[0]
        return told


def is_proven(connection: duckdb.DuckDBPyConnection, n_cuts: int) -> bool:
    """Tell whether the build that is open has a proof of as many cuts, and it holds."""
    rows = connection.execute(f"select verdict, cuts from {TABLE}").fetchall()
    return max((cuts for _, cuts in rows), default=0) >= n_cuts and LOOKS_AHEAD not in {
        verdict for verdict, _ in rows
    }
