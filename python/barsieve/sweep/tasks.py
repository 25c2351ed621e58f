"""Tasks of a sweep: chunks of configurations of one account, run anywhere.

A task writes the files that the sweep would write here, into the same folder, which all
nodes see; so what is left is known by the files, as it is after a Ctrl-C.
"""

from collections.abc import Sequence
from math import ceil
from pathlib import Path
from typing import Any

from barsieve.core.errors import refuse
from barsieve.sweep.prepared import prepared_sweeps
from barsieve.sweep.run import CHUNKS_A_THREAD, Rooms, Sweep
from barsieve.sweep.store import begin, chunks_left, folder_of, run_chunk

KIND = "sweep"


def tasks_of(
    sweeps: Sequence[tuple[Sweep, Path]], asked: dict[str, Any], chunk: int, jobs: int
) -> list[dict[str, Any]]:
    """Return the tasks of sweeps that are prepared; make their folders.

    `asked`: how to prepare them again: database, grid, n, seed, symbols and profile.
    """
    found = []
    for sweep, folder in sweeps:
        begin(folder, sweep)
        n_configs = len(sweep.grid.configs)
        size = min(chunk, ceil(n_configs / (CHUNKS_A_THREAD * jobs)))
        left = chunks_left(folder, n_configs, size)
        # A node reads the bars once for several chunks.
        step = max(1, ceil(len(left) / jobs))
        for at in range(0, len(left), step):
            found.append(
                {
                    **asked,
                    "kind": KIND,
                    "symbol": sweep.symbol,
                    "folder": str(folder),
                    "chunks": [[c.start, c.stop] for c in left[at : at + step]],
                }
            )
    return found


def work(asked: dict[str, Any]) -> dict[str, Any]:
    """Run the chunks of a task; return how many configurations those are."""
    from barsieve.database.connect import open_database

    database = Path(asked["database"])
    with open_database(database) as connection:
        sweeps = prepared_sweeps(
            connection, asked["grid"], asked["n"], asked["seed"], asked["symbols"],
            asked["profile"],
        )  # fmt: skip
        sweep = next(one for one in sweeps if one.symbol == asked["symbol"])
    folder = Path(asked["folder"])
    if folder_of(database, sweep) != folder:
        refuse(
            str(database),
            f"symbol {sweep.symbol}",
            expected=f"what makes {folder.name}",
            found="other bars, settings or code here",
            fix="let all nodes have the same database and version",
        )
    rooms = Rooms(sweep)
    done = sum(
        run_chunk(sweep, folder, rooms, range(start, stop))
        for start, stop in asked["chunks"]
    )
    return {"symbol": sweep.symbol, "configs": done}
