"""dbt as a child process that ends with its parent, run with `python -m`.

A killed `barsieve build` would otherwise leave dbt at work on a file nobody wants.
"""

import os
import select
import threading
from collections.abc import Iterator
from contextlib import contextmanager

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


if __name__ == "__main__":
    with ending_with_parent():
        from dbt.cli.main import cli

        cli(prog_name="dbt")
