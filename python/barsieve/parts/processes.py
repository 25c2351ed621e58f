"""Engine of the standard library: processes of this machine.

Each has an executor of its own, so that a process that is killed takes one task with it
and not all that wait.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from queue import Queue
from threading import Thread

from barsieve.parts.engine import MOST_TRIES, Answer
from barsieve.parts.task import node_name, work


class Processes:
    """Tasks in so many processes at once."""

    name = "processes"

    def __init__(self, jobs: int):
        """Use a number of processes."""
        self.jobs = self.slots = jobs

    def run(self, tasks: Sequence[str], memory: int) -> Iterator[Answer]:
        """Yield the answer to each task as it comes."""
        waiting: Queue[int] = Queue()
        answers: Queue[Answer | BaseException] = Queue()
        for place in range(len(tasks)):
            waiting.put(place)
        crew = [
            Thread(target=_serve, args=(tasks, waiting, answers), daemon=True)
            for _ in range(min(self.jobs, len(tasks)))
        ]
        for one in crew:
            one.start()
        try:
            for _ in tasks:
                answer = answers.get()
                if isinstance(answer, BaseException):
                    raise answer
                yield answer
        finally:
            while not waiting.empty():
                waiting.get()
        for one in crew:
            one.join()


def _executor() -> ProcessPoolExecutor:
    return ProcessPoolExecutor(1, mp_context=get_context("spawn"))


def _serve(
    tasks: Sequence[str],
    waiting: "Queue[int]",
    answers: "Queue[Answer | BaseException]",
) -> None:
    """Answer tasks until none waits, in a process that is replaced when it dies."""
    executor = _executor()
    try:
        while not waiting.empty():
            place = waiting.get()
            for tries in range(1, MOST_TRIES + 1):
                try:
                    said = executor.submit(work, tasks[place]).result()
                except BrokenProcessPool:
                    executor.shutdown()
                    executor = _executor()
                    continue
                answers.put(Answer(place, said, tries))
                break
            else:
                reason = f"node {node_name()}: its process was killed each time"
                answers.put(Answer(place, None, MOST_TRIES, reason))
    except BaseException as error:
        answers.put(error)
    finally:
        executor.shutdown()
