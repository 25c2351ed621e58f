"""Problems of an input, in words that let its owner mend it."""

from dataclasses import KW_ONLY, dataclass
from typing import NoReturn


@dataclass(frozen=True)
class Problem:
    """One fault: the file, the place in it, what was expected, what found, the fix."""

    file: str
    where: str = ""
    _: KW_ONLY
    expected: str
    found: str
    fix: str

    def __str__(self) -> str:
        """Return the fault as two lines."""
        place = f"{self.file}: {self.where}" if self.where else self.file
        text = (
            f"{place}: expected {self.expected}, found {self.found}\n"
            f"    fix: {self.fix}"
        )
        # A file's name or a key need not be Unicode text; a message must be.
        return text.encode(errors="backslashreplace").decode()


class BarsieveError(Exception):
    """Whatever is refused or cannot be; the message says what would help.

    The base of all errors that a user of the package has to know.
    """


class InputError(BarsieveError):
    """Input that was refused; `problems` says why."""

    def __init__(self, problems: list[Problem]):
        """Keep the problems; the message is all of them, as commands print it."""
        self.problems = problems
        super().__init__("\n".join(map(str, problems)))

    def __reduce__(self) -> tuple[type["InputError"], tuple[list[Problem]]]:
        """Go to another process with the problems, not with the message of them."""
        return type(self), (self.problems,)


class DatabaseError(BarsieveError):
    """A database whose tables are not those that this version makes."""


class MissingExtraError(BarsieveError, ImportError):
    """A library of an extra that is not installed; the message names the extra."""


class NoProjectError(BarsieveError, FileNotFoundError):
    """A folder that is in no project, where one is needed."""


def refuse(
    file: str, where: str = "", *, expected: str, found: str, fix: str
) -> NoReturn:
    """Refuse an input for its one fault, in the words of a `Problem`.

    What an `except` clause caught is told in `found`, so it is not shown again.
    """
    problem = Problem(file, where, expected=expected, found=found, fix=fix)
    raise InputError([problem]) from None


MOST_PROBLEMS = 10


def refuse_first(file: str, problems: list[Problem], noun: str) -> None:
    """Refuse an input for its first problems, and say how many there are; none, none.

    `noun`: what a problem is of, as "rows".
    """
    if len(problems) > MOST_PROBLEMS:
        more = Problem(
            file,
            expected=f"only sound {noun}",
            found=f"{len(problems)} that are not",
            fix=f"mend them all; above are the first {MOST_PROBLEMS}",
        )
        raise InputError([*problems[:MOST_PROBLEMS], more])
    if problems:
        raise InputError(problems)


def describe(problems: list[Problem]) -> str:
    """Return all the faults of a build's input as one message, with their number."""
    count = f"{len(problems)} problem{'s' if len(problems) > 1 else ''}"
    lines = [f"barsieve refuses this input ({count}); nothing was built."]
    return "\n".join(lines + [f"  {problem}" for problem in problems])
