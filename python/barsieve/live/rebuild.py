"""A build of a file that is followed: caught up, held against it, then swapped.

While dbt builds aside, hours are decided upon and the present file is advanced. What
was built is advanced by the same hours before it takes the place of the other; where
nothing but time has passed, both must then have the same rows.
"""

import shutil
from pathlib import Path
from typing import NamedTuple

import duckdb

from barsieve.analysis.session import open_scratch
from barsieve.core.arrow import rows_of
from barsieve.core.errors import InputError
from barsieve.database.models import read_models
from barsieve.live.advance import advance
from barsieve.live.parity import IDENTICAL, built_parity, put_verdicts
from barsieve.live.plan import growth_plan
from barsieve.proof.differences import compare

BUILT, PRESENT = "stored", "present"
KEPT = "differs"
"""How the present file ends that is kept beside one which has other rows."""

# What makes a file another one though no row of the market is.
ORIGIN = ("code_hash", "configs_hash")


class CaughtUp(NamedTuple):
    """Result of catching up.

    `n_bars`: bars added to what was built. `differing`: tables of which the present
    file has other rows, none where code or configs are others; `kept`: where it then
    is. `verdicts`: decisions of the journal, by verdict. `refusal`: why what was built
    could not be advanced.
    """

    n_bars: int
    differing: list[str]
    kept: Path | None
    verdicts: dict[str, int]
    refusal: str | None = None

    @property
    def is_batch(self) -> bool:
        """True where the journal says what the build does, and so does the file."""
        return not self.differing and not self.verdicts.keys() - {IDENTICAL}


def _verdicts(database: Path) -> dict[str, int]:
    """Make the verdicts of a file on the journal anew; return how many are which."""
    scratch = open_scratch(database)
    with scratch.connection:
        rows = built_parity(scratch.table).to_pylist()
    put_verdicts(database, rows)
    found: dict[str, int] = {}
    for row in rows:
        found[row["verdict"]] = found.get(row["verdict"], 0) + 1
    return found


def _is_of_one_origin(connection: duckdb.DuckDBPyConnection) -> bool:
    both = [
        rows_of(connection.execute(f"select * from {catalog}.build_info"))
        for catalog in (BUILT, PRESENT)
    ]
    return all(len(rows) == 1 for rows in both) and all(
        both[0][0][name] == both[1][0][name] for name in ORIGIN
    )


def differing_tables(built: Path, present: Path) -> list[str]:
    """Return the tables between bars and candidates whose rows differ, bit by bit.

    Rows that were known when the last bar of the present file had closed. None where
    other code or other configs made the two: then there is nothing to hold them to.
    """
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        connection.execute(f"attach '{built}' as {BUILT} (read_only)")
        connection.execute(f"attach '{present}' as {PRESENT} (read_only)")
        if not _is_of_one_origin(connection):
            return []
        connection.execute(f"use {BUILT}")
        plan = growth_plan(connection, read_models(connection, built))
        connection.execute("use memory")
        (until,) = connection.execute(
            f"select max(known_at) from {PRESENT}.bars_1h"
        ).fetchall()[0]
        found = []
        for name in plan.first:
            growth = plan.tables[name]
            if growth.is_view or growth.known is None or until is None:
                continue
            there = growth.known.between(None, until)
            listed = ", ".join(f'"{column}"' for column in growth.columns)
            made, kept = (
                f"select {listed} from {catalog}.main.{name} where {there}"
                for catalog in (BUILT, PRESENT)
            )
            _, apart = compare(connection, list(growth.columns), made, kept, None)
            if apart:
                found.append(name)
        return found


def catch_up(built: Path, present: Path, market: Path, configs: Path) -> CaughtUp:
    """Bring what was built to the end of the market, and hold the present file to it.

    Both are locked by the caller. A present file with other rows is kept beside, under
    a name that ends in `differs`. Where the market's past changed while dbt was at work
    nothing can be added, and the file is what was built.
    """
    n_bars, refusal = 0, None
    try:
        n_bars = advance(built, market, configs=configs).n_bars
    except InputError as error:
        refusal = str(error)
    differing = differing_tables(built, present)
    kept = present.with_name(f"{present.name}.{KEPT}") if differing else None
    if kept is not None:
        shutil.copyfile(present, kept)
    return CaughtUp(n_bars, differing, kept, _verdicts(built), refusal)
