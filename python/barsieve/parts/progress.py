"""Progress of a build by parts, as it is told while it runs."""

from typing import NamedTuple


class Progress(NamedTuple):
    """Progress of the parts of a level, of so many levels.

    `reused`: parts of an earlier attempt that were believed. `left`: seconds, as far as
    it can be told.
    """

    level: int
    levels: int
    done: int
    total: int
    seconds: float
    left: float | None
    retried: int
    reused: int

    def __str__(self) -> str:
        """Return it as a line."""
        left = f", about {self.left:.0f} s left" if self.left is not None else ""
        retried = f", {self.retried} retried" if self.retried else ""
        reused = f", {self.reused} as they were" if self.reused else ""
        return (
            f"{self.done}/{self.total} symbols, {self.seconds:.0f} s{left}{retried}"
            f"{reused} (level {self.level} of {self.levels})"
        )
