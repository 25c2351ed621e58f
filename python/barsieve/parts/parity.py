"""Parity of parts: what nodes made, made again by the driver for a sample of symbols.

The table `parity_parts` has a row for each part and table. A part of the sample is run
again here and the digests of its values are compared; of every other part it is known
that it was made of the same inputs (its key), and that its file is the one that its
done-file names.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from barsieve.parts.task import Task, make

TABLE = "parity_parts"
DESCRIPTION = (
    "One table of one part of a build by parts: symbol, the node that made it, rows, a "
    "digest of their values and, for a sample, that of the same part made again by the "
    "driver. identical, differs, or not_compared."
)
IDENTICAL, DIFFERS, NOT_COMPARED = "identical", "differs", "not_compared"


class Row(NamedTuple):
    """Row of `parity_parts`."""

    symbol: str
    table_name: str
    level: int
    node: str
    rows: int
    digest: str
    digest_again: str | None
    verdict: str


def sample(done: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return the parts to make again: the first two, and one of each node."""
    names = sorted(done)
    of_nodes = {done[name]["node"]: name for name in reversed(names)}
    return sorted({*names[:2], *of_nodes.values()})


def compare(
    tasks: Mapping[str, Task], done: Mapping[str, Mapping[str, Any]], folder: Path
) -> list[Row]:
    """Return the verdicts on the parts of a level; `folder` is for what is made again.

    Both by symbol.
    """
    again = {
        name: make(tasks[name]._replace(into=str(folder)))["tables"]
        for name in sample(done)
    }
    return rows_of(done, again)


def rows_of(
    done: Mapping[str, Mapping[str, Any]], again: Mapping[str, Mapping[str, Any]]
) -> list[Row]:
    """Return the verdicts on parts; `again` has those tables that were made again."""
    rows = []
    for name, said in sorted(done.items()):
        for table, about in sorted(said["tables"].items()):
            second = again.get(name, {}).get(table, {}).get("digest")
            verdict = IDENTICAL if second == about["digest"] else DIFFERS
            rows.append(
                Row(
                    name, table, said["level"], said["node"], about["rows"],
                    about["digest"], second,
                    verdict if second is not None else NOT_COMPARED,
                )
            )  # fmt: skip
    return rows


def as_arrow(rows: Iterable[Row]) -> Any:
    """Return rows of the table as Arrow."""
    import pyarrow as pa

    kinds = {"level": pa.int64(), "rows": pa.int64()}
    schema = pa.schema([(name, kinds.get(name, pa.string())) for name in Row._fields])
    return pa.Table.from_pylist([row._asdict() for row in rows], schema=schema)


def told(row: Row) -> str:
    """Return a sentence about a part that differs."""
    return (
        f"symbol {row.symbol}, table {row.table_name}, node {row.node}: expected the "
        f"values that the driver makes ({row.digest_again}), found others "
        f"({row.digest}) in {row.rows:,} rows"
    )
