"""Wall clocks: times of a zone in UTC, and moments as a zone's clock shows them."""

from typing import NamedTuple

import duckdb
import numpy as np
import pyarrow as pa

from barsieve.ingest.reading import Export


class Times(NamedTuple):
    """Times of rows in microseconds since 1970 (UTC); how they were written.

    `form` and `zone` are words for a reader. `local_us` are the times of the zone that
    the user named, `is_day` says that cells are days without a time.
    """

    us: np.ndarray
    local_us: np.ndarray
    form: str
    zone: str
    is_day: bool


def refuse_unknown_zone(export: Export, session, zone: str) -> None:
    """Raise InputError for a zone that does not exist; "" is none."""
    if not zone:
        return
    try:
        session.execute("select timezone(?, timestamp '2024-01-01')", [zone]).fetchall()
    except duckdb.Error:
        export.refuse(
            "",
            expected="a time zone",
            found=f"--timezone {zone}",
            fix="such as UTC or Europe/Warsaw",
        )


def local_of(session, us: np.ndarray, zone: str) -> np.ndarray:
    """Return the wall clock of a zone at moments of UTC; UTC's when there is none."""
    if not zone:
        return us
    moments = pa.table({"us": us, "nth": np.arange(len(us))})
    session.register("moments", moments)
    found = session.execute(
        "select epoch_us(timezone($zone, make_timestamp(us)::timestamptz)) "
        "from moments order by nth", {"zone": zone},
    ).fetchnumpy()  # fmt: skip
    return np.asarray(next(iter(found.values())), np.int64)


def placed(
    export: Export, session, column: str, local_us: np.ndarray, form: str, zone: str
) -> Times:
    """Return times of a zone's wall clock in UTC; refuse hours that are not one."""
    if not zone:
        export.refuse_cell(
            0,
            column,
            expected="a time with a zone",
            fix="export with times in UTC, or say their zone: --timezone UTC",
        )
    session.register(
        "moments", pa.table({"us": local_us, "nth": np.arange(len(local_us))})
    )
    in_utc = "epoch_us(timezone($zone, make_timestamp(us)))"
    back = "epoch_us(timezone($zone, make_timestamp(placed_us)::timestamptz"
    rows = session.execute(
        f"select placed_us, {back})) = us as is_there, "
        f"{back} + interval 1 hour)) = us or {back} - interval 1 hour)) = us "
        "as is_twice "
        f"from (select us, nth, {in_utc} as placed_us from moments) order by nth",
        {"zone": zone},
    ).fetchnumpy()
    for is_bad, words in (
        (~np.asarray(rows["is_there"], bool), "that exists"),
        (np.asarray(rows["is_twice"], bool), "that occurs once"),
    ):
        if is_bad.any():
            export.refuse_cell(
                int(is_bad.argmax()),
                column,
                expected=f"an hour {words} in {zone} (clocks were changed)",
                fix="export with times in UTC, or with their offset",
            )
    us = np.asarray(rows["placed_us"], np.int64)
    return Times(us, local_us, form, zone, False)
