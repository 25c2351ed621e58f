"""Hours of paper trading in a process that is killed: arguments are a JSON file."""

import json
import sys
from datetime import timedelta
from pathlib import Path

from barsieve.core.times import read_moment
from barsieve.live.hour import Paper
from paper_cases import HOUR
from paper_runs import Project


class FixedClock:
    """A clock that stands where it was put, and moves by what is slept."""

    def __init__(self, now):
        self._now = now

    def now(self):
        return self._now

    def sleep(self, seconds):
        self._now += timedelta(seconds=seconds)


class Address:
    """The options of a venue that another process has."""

    def __init__(self, options):
        self._options = options

    def options(self):
        return self._options


def main(path: str) -> None:
    asked = json.loads(Path(path).read_text())
    project = Project(Path(asked["folder"]), Path(asked["whole"]))
    until = read_moment(asked["until"])
    clock = FixedClock(until)
    with project.here():
        paper = Paper(project.settings(Address(asked["options"])), clock)
        while True:
            close = paper._decided() + 2 * HOUR
            if close > until:
                break
            clock._now = close + timedelta(seconds=2)
            failure = paper.do().failure
            if failure:
                raise SystemExit(failure)
        # What is in the file and not in the journal, as after a kill of the last hour.
        paper.do()
        paper.close()


if __name__ == "__main__":
    main(sys.argv[1])
