"""Digests of values, and of the processor that made them.

Parquet files of equal values may differ in their bytes, so values are what is compared;
bytes tell only that a file is the one that was written. Bits of `ln`, `exp` and powers
depend on the processor: its fingerprint is the digest of fixed inputs.
"""

import hashlib
from functools import cache
from pathlib import Path

import duckdb

FINGERPRINT = """
select sum(hash(ln(x), exp(-x / 1e3), x ** 1.7, sin(x), sqrt(x), log10(x))::hugeint)
from (select unnest(range(1, 20001)) * 0.37 as x)
"""


def of_rows(connection: duckdb.DuckDBPyConnection, rows: str) -> tuple[int, str]:
    """Return how many rows a relation has, and a digest of their values, in any order.

    `rows` is SQL that follows `from`.
    """
    found = connection.execute(
        "select count(*), coalesce(sum(hash(parts_rows)::hugeint), 0)::varchar, "
        f"coalesce(bit_xor(hash(parts_rows)), 0)::varchar from {rows} as parts_rows"
    ).fetchall()[0]
    return int(found[0]), hashlib.sha256(repr(found).encode()).hexdigest()[:16]


def of_file(path: Path) -> str:
    """Return a hash of the bytes of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()[:16]


@cache
def fingerprint() -> str:
    """Return what the processor of this process makes of fixed inputs."""
    import numpy as np

    with duckdb.connect() as connection:
        connection.execute("set threads = 1")
        found = connection.execute(FINGERPRINT).fetchall()[0][0]
    x = np.arange(1, 5001) * 0.37
    values = np.concatenate([np.log(x), np.exp(-x / 1e3), x**1.7, np.sqrt(x)])
    digest = hashlib.sha256(str(found).encode() + values.tobytes())
    return digest.hexdigest()[:16]
