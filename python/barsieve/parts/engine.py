"""Engine: what brings tasks to processors, as the driver sees it.

An engine carries text: a task in, an answer out (`task.work`). It tries a task again
when the process or the node that had it is lost, at most `MOST_TRIES` times in all; an
answer that says that a statement failed is an answer.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple, Protocol

MOST_TRIES = 4


class Answer(NamedTuple):
    """Answer to a task, by its place among those that were asked.

    `said`: what `work` returned; None where the task was lost each time, for a `reason`
    that names the node, if one is known. `tries`: how often it was begun.
    """

    place: int
    said: str | None
    tries: int = 1
    reason: str = ""


class Engine(Protocol):
    """A way to run tasks."""

    name: str

    @property
    def slots(self) -> int:
        """Return how many tasks run at once."""

    def run(self, tasks: Sequence[str], memory: int) -> Iterator[Answer]:
        """Yield the answer to each task as it comes.

        `memory`: bytes that a task may need.
        """


class InProcess:
    """One task after the other, here: the bound of memory is that of one symbol."""

    name = "this process"
    slots = 1

    def run(self, tasks: Sequence[str], memory: int) -> Iterator[Answer]:
        """Yield the answer to each task, in their order."""
        from barsieve.parts.task import work

        for place, task in enumerate(tasks):
            yield Answer(place, work(task))
