"""Arguments of a person made plain: settings, moments, paths, frames."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from barsieve.core.errors import refuse
from barsieve.core.times import Moment, study_changes

MODES = ("full", "focused")
ENDS = ("start", "end")


def path_of(given: str | Path) -> Path:
    """Return a path as it was given, from the home of the user where it says `~`."""
    return Path(given).expanduser()


def profile_of(given: str | Path) -> str | Path:
    """Return a profile's name, or the path of its file where it ends with `.json`."""
    is_file = isinstance(given, Path) or given.endswith(".json")
    return path_of(given) if is_file else given


def changes_of(
    settings: Mapping[str, Any] | None, start: Moment | None, end: Moment | None
) -> dict[str, Any]:
    """Return changed settings; a span sets `study.start` and `study.end`.

    Raises InputError for what cannot be read.
    """
    if not settings and start is None and end is None:
        return {}
    from barsieve.profiles.overrides import settings_of

    return settings_of(settings or {}) | study_changes(start, end, ENDS)


def known_count(name: str, given: int) -> None:
    """Raise InputError for a number that counts nothing."""
    if not isinstance(given, int) or given < 1:
        refuse(
            name,
            expected="a whole number of 1 or more",
            found=f"{given!r}",
            fix="count how often",
        )


def known_mode(mode: str | None, is_screened: bool = False) -> str:
    """Return the kind of replay that was asked for: every bar, unless screened."""
    if mode is None:
        return MODES[is_screened]
    if mode not in MODES:
        refuse(
            "mode",
            expected=" or ".join(MODES),
            found=f"'{mode}'",
            fix="correct the word",
        )
    if is_screened and mode != MODES[True]:
        refuse(
            "candidates",
            expected="a focused replay, which they screen",
            found="a full one, which visits every bar",
            fix="use the mode focused",
        )
    return mode


def signals_of(given: Any) -> Path | pa.Table | None:
    """Return signals as a path or an Arrow table, of whatever frame they are.

    Raises InputError for what is neither a path nor a frame.
    """
    if given is None or isinstance(given, pa.Table):
        return given
    if isinstance(given, str | Path):
        return path_of(given)
    if hasattr(given, "__arrow_c_stream__"):
        try:
            return pa.table(given)
        except (pa.ArrowException, TypeError) as error:
            found = str(error).splitlines()[0]
    else:
        found = type(given).__name__
    refuse(
        "signals",
        expected="a frame of symbol, ts, side and confidence, or a path",
        found=found,
        fix="give one column each, a value of one kind in each row",
    )
