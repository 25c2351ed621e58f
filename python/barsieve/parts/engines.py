"""Engines by name, as the command line says where a build is to run."""

from collections.abc import Iterator
from contextlib import contextmanager

from barsieve.core.errors import refuse
from barsieve.parts.engine import Engine, InProcess


@contextmanager
def engine_of(on: str | None, jobs: int | None = None) -> Iterator[Engine]:
    """Yield the engine of a name: None (this machine), `ray` or `ray:HOST:PORT`.

    `jobs`: processes of this machine. Raises InputError for another name, and where
    the engine is not there.
    """
    name, _, address = (on or "").partition(":")
    if on is None and (jobs or 1) == 1:
        yield InProcess()
    elif on is None:
        from barsieve.parts.processes import Processes

        yield Processes(jobs or 1)
    elif name == "ray" and (not address or address.rpartition(":")[2].isdigit()):
        from barsieve.parts.ray import Ray

        cluster = Ray(address or None, jobs)
        try:
            yield cluster
        finally:
            cluster.close()
    else:
        refuse(
            f"--on {on}",
            expected="ray, or ray:HOST:PORT of the head of a cluster",
            found=f"'{on}'",
            fix="leave it out to work on this machine",
        )
