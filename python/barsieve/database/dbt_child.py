"""dbt as a child process that ends with its parent, run with `python -m`.

A killed `barsieve build` would otherwise leave dbt at work on a file nobody wants. Its
log goes to its file; what fails goes to standard output, and what begins and ends, one
JSON line a node, to the descriptor that the first argument names.
"""

import json
import os
import select
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TextIO

STANDARD_INPUT = 0


def _wait_for_either(stop: int) -> None:
    """End this process when the parent closes our standard input; return on a stop."""
    while True:
        ready, _, _ = select.select([STANDARD_INPUT, stop], [], [])
        if stop in ready:
            return
        if not os.read(STANDARD_INPUT, 1024):
            os._exit(1)


@contextmanager
def ending_with_parent() -> Iterator[None]:
    """Within it, this process ends when its parent does, however that ends."""
    stop, tell = os.pipe()
    watch = threading.Thread(target=_wait_for_either, args=[stop], daemon=True)
    watch.start()
    try:
        yield
    finally:
        os.close(tell)
        watch.join()


def telling(stream: TextIO) -> Callable[[Any], None]:
    """Return a listener to dbt's events that writes a line for each node's begin."""
    lock = threading.Lock()

    def on_event(event: Any) -> None:
        if event.info.name != "LogStartLine":
            return
        node = event.data.node_info
        line = {
            "path": node.node_path,
            "kind": node.resource_type,
            "name": node.node_name,
            "number": event.data.index,
            "total": event.data.total,
        }
        # Threads of dbt fire events; a parent that does not listen is none of ours.
        with lock:
            stream.write(json.dumps(line) + "\n")
            stream.flush()

    return on_event


def main(events: int, arguments: list[str]) -> int:
    """Run dbt; return its exit code: 1 for what failed, 2 for what it did not take."""
    from dbt.cli.main import dbtRunner

    with os.fdopen(events, "w") as stream:
        result = dbtRunner(callbacks=[telling(stream)]).invoke(arguments)
    if result.exception is not None:
        sys.stdout.write(f"{result.exception}\n")
        return 2
    return 0 if result.success else 1


if __name__ == "__main__":
    with ending_with_parent():
        code = main(int(sys.argv[1]), sys.argv[2:])
    sys.exit(code)
