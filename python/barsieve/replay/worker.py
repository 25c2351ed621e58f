"""The replay's machine code in a process of its own, which loads it from the start on.

To load numba and what it has compiled keeps one core busy for half a second, longer
than anything else that a command does. Python runs one thread at a time, so a thread
could not do it meanwhile; a process does. It runs the same function on the same bytes.
"""

import multiprocessing
import signal
import sys
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from barsieve.replay.ledger import Ledger

_apart: Connection | None = None


def start() -> None:
    """Begin to load the machine code in a process that ends with this one.

    To be called before this process has threads, or anything worth copying. Where
    processes cannot be forked nothing is done: replays then run in this process.
    """
    global _apart
    if "fork" not in multiprocessing.get_all_start_methods():
        return
    context = multiprocessing.get_context("fork")
    _apart, theirs = context.Pipe()
    context.Process(target=_serve, args=(_apart, theirs), daemon=True).start()
    theirs.close()


def _serve(ours: Connection, theirs: Connection) -> None:
    """Replay what comes through a pipe until its other end is closed.

    What goes wrong ends this process without a word: the other one then replays itself,
    and says what it meets.
    """
    ours.close()
    # Ctrl-C is for the process that was asked; it ends this one.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with suppress(Exception):
        _load()
        from barsieve.replay.kernel import replay_into_ledger

        while True:
            theirs.send(replay_into_ledger(*theirs.recv()))


def _load() -> None:
    """Load the machine code, by a replay of no bar at all.

    Where scipy is installed, numba imports its linear algebra to learn whether it has a
    BLAS, for a quarter of a second; the replay has no matrices.
    """
    sys.modules["scipy.linalg"] = None  # type: ignore[assignment]
    import numpy as np

    from barsieve.profiles.rules import Rules
    from barsieve.replay.kernel import replay_into_ledger
    from barsieve.replay.state import BAR

    nothing = Rules(**{name: kind(0) for name, kind in Rules.__annotations__.items()})
    bars = np.empty(0, BAR).view(np.recarray)
    replay_into_ledger(bars, nothing, 0.0, np.empty(0, np.int64), False, 0.0)


def replay_into_ledger(*arguments: Any) -> "Ledger":
    """Replay bars, in the process that was started, or here where there is none.

    Arguments are those of `kernel.replay_into_ledger`.
    """
    global _apart
    if _apart is not None:
        try:
            _apart.send(arguments)
            return cast("Ledger", _apart.recv())
        except (EOFError, OSError):
            # It ended: killed, out of memory, or by an error that shows here as well.
            _apart = None
    from barsieve.replay.kernel import replay_into_ledger as replay_here

    return replay_here(*arguments)
