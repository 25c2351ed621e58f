"""A large sweep on disk: chunk files that a rerun resumes, then rows of a table."""

import json
import re
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from hashlib import blake2b
from math import ceil
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from barsieve.core.errors import BarsieveError, refuse
from barsieve.core.files import written_whole
from barsieve.core.locations import parquet_rows
from barsieve.core.numba_cache import sources_hash
from barsieve.profiles.settings import ALL
from barsieve.replay.state import BAR_FIELDS
from barsieve.sweep.run import (
    CHUNKS_A_THREAD,
    Rooms,
    Sweep,
    configs_table,
    measure_chunk,
    results_table,
)

CONFIGS = "configs.parquet"
TABLES = {"sweep_configs": CONFIGS, "sweep_results": "results-*.parquet"}
CHUNK = re.compile(r"results-(\d+)-(\d+)\.parquet")


class StoppedError(BarsieveError):
    """A sweep was stopped; what had been finished is kept."""


def folder_of(database: Path, sweep: Sweep) -> Path:
    """Return where a sweep lies: beside the database, named after all that decides it.

    Those are the configurations with their base, every bar with its scores and regime
    shift, and the compiled sources: a change in any makes another sweep.
    """
    digest = blake2b("".join([sources_hash(), *sweep.ids]).encode(), digest_size=6)
    for market in sweep.markets:
        symbol, domains, bars, bar_ts, *columns = market
        digest.update("".join([symbol, *domains]).encode())
        # Field by field: between the fields of a record lies whatever lay there before.
        fields = [bars[name] for name in BAR_FIELDS]
        for column in (bar_ts.cast(pa.int64()).to_numpy(), *fields, *columns):
            digest.update(np.ascontiguousarray(column).view(np.uint8).data)
    # A star in the name of a file would stand for any.
    symbol = "wallet" if sweep.symbol == ALL else sweep.symbol
    name = f"{sweep.grid.name}-{symbol}-{digest.hexdigest()}"
    return database.with_name(f"{database.name}.sweeps") / name


def chunks_left(folder: Path, n_configs: int, chunk: int) -> list[range]:
    """Return the chunks that are still to run; what is in a file is done.

    Files of another chunk size count as well.
    """
    is_left = bytearray([1]) * n_configs
    for path in folder.glob("*.parquet"):
        if match := CHUNK.fullmatch(path.name):
            first, last = map(int, match.groups())
            is_left[first : last + 1] = bytes(last + 1 - first)
    starts = [
        i for i in range(n_configs) if is_left[i] and (not i or not is_left[i - 1])
    ]
    chunks = []
    for start in starts:
        stop = is_left.find(0, start) if 0 in is_left[start:] else n_configs
        chunks += [range(i, min(stop, i + chunk)) for i in range(start, stop, chunk)]
    return chunks


def _write(table, path: Path) -> None:
    """Write a Parquet file that is either whole or not there."""
    with written_whole(path) as partial:
        pq.write_table(
            table,
            partial,
            compression="lz4",
            use_dictionary=["grid", "config", "symbol", "fold"],
            write_statistics=False,
        )


def begin(folder: Path, sweep: Sweep) -> None:
    """Make the folder of a sweep, and write what it runs."""
    folder.mkdir(parents=True, exist_ok=True)
    about = {
        "grid": sweep.grid.name,
        "symbol": sweep.symbol,
        "profile": sweep.profile.profile,
        "configs": len(sweep.grid.configs),
        "violations": len(sweep.grid.violations),
    }
    (folder / "about.json").write_text(json.dumps(about, indent=2) + "\n")
    _write(configs_table(sweep), folder / CONFIGS)


def run_chunk(sweep: Sweep, folder: Path, rooms: Rooms, part: range) -> int:
    """Run some configurations and write their file; return how many they are."""
    figures, hashes = measure_chunk(sweep, rooms, part)
    name = f"results-{part.start:06}-{part.stop - 1:06}.parquet"
    _write(results_table(sweep, part, figures, hashes), folder / name)
    return len(part)


def run_sweeps(
    sweeps: list[tuple[Sweep, Path]],
    threads: int,
    chunk: int,
    on_progress: Callable[[int], None] = lambda configs: None,
) -> int:
    """Run sweeps into their folders; return how many configurations were left to run.

    Each chunk is a file as soon as it is done, so memory stays flat. `on_progress` is
    called with the number of configurations of each. Raises StoppedError on Ctrl-C,
    when the chunks under way have been written.
    """
    jobs = []
    for sweep, folder in sweeps:
        begin(folder, sweep)
        rooms, n_configs = Rooms(sweep), len(sweep.grid.configs)
        # A small grid still gives every thread several chunks.
        size = min(chunk, ceil(n_configs / (CHUNKS_A_THREAD * threads)))
        left = chunks_left(folder, n_configs, size)
        jobs += [(sweep, folder, rooms, part) for part in left]

    with ThreadPoolExecutor(threads) as pool:
        waiting = {pool.submit(run_chunk, *job) for job in jobs}
        try:
            while waiting:
                done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                for future in done:
                    on_progress(future.result())
        except BaseException as error:
            pool.shutdown(cancel_futures=True)
            if isinstance(error, KeyboardInterrupt):
                raise StoppedError from None
            raise
    return sum(len(part) for *_, part in jobs)


def read_results(folders: list[Path]) -> duckdb.DuckDBPyConnection:
    """Return a connection with the views `results` and `configs` over the files."""
    connection = duckdb.connect()
    for table, pattern in TABLES.items():
        files = sorted(path for folder in folders for path in folder.glob(pattern))
        view = connection.sql(f"from {parquet_rows(files)}")
        view.create_view(table.removeprefix("sweep_"))
    return connection


def load(database: Path, folders: list[Path]) -> int:
    """Add finished sweeps to `sweep_results` and `sweep_configs`; return the new rows.

    A sweep is loaded whole or not at all. What is there already is replaced: it is the
    same, or older.
    Raises InputError when somebody else has the database open, or it has no such table.
    """
    try:
        connection = duckdb.connect(str(database))
        before = connection.execute("select count(*) from sweep_results").fetchall()[0][
            0
        ]
    except (
        duckdb.IOException,
        duckdb.CatalogException,
        duckdb.ConnectionException,
    ) as e:
        refuse(
            str(database),
            "table sweep_results",
            expected="a built database that nobody else has open",
            found=str(e).splitlines()[0],
            fix=(
                "close it, or dbt build; then run the same sweep again: "
                "it is finished and will only be loaded"
            ),
        )
    with connection:
        connection.execute("set threads = 1")
        for folder in folders:
            connection.begin()
            for table, pattern in TABLES.items():
                files = parquet_rows(sorted(folder.glob(pattern)))
                connection.execute(
                    f"insert or replace into {table} by name from {files}"
                )
            connection.commit()
        after = connection.execute("select count(*) from sweep_results").fetchall()[0][
            0
        ]
    return after - before
