"""Arguments of a person made plain: settings, moments, paths, frames."""

from collections.abc import Mapping
from operator import index
from pathlib import Path
from typing import Any

import pyarrow as pa

from barsieve.core.errors import refuse
from barsieve.core.times import Moment, study_changes

MODES = ("full", "focused")
ENDS = ("start", "end")


def path_of(given: str | Path) -> Path:
    """Return a path as it was given, from the home of the user where it says `~`."""
    if not isinstance(given, str | Path):
        refuse(
            "path", expected="a path", found=f"{given!r}", fix="give a text or a Path"
        )
    return Path(given).expanduser()


def profile_of(given: str | Path) -> str | Path:
    """Return a profile's name, or the path of its file where it ends with `.json`."""
    if not isinstance(given, str | Path):
        refuse(
            "profile",
            expected="its name, or the path of its file",
            found=f"{given!r}",
            fix="db.profiles has the names",
        )
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

    is_mapping = isinstance(settings or {}, Mapping)
    if not is_mapping or not all(map(_is_text, settings or ())):
        refuse(
            "set",
            expected="settings by their keys",
            found=f"{settings!r}",
            fix="write it like {'exits.stop_atr': 2.5}",
        )
    return settings_of(settings or {}) | study_changes(start, end, ENDS)


def _is_text(given: Any) -> bool:
    return isinstance(given, str)


def known_count(name: str, given: Any, least: int = 1) -> int:
    """Return a whole number, of Python or numpy; raise InputError for any other."""
    try:
        number = index(given)
    except TypeError:
        number = least - 1
    if number < least:
        refuse(
            name,
            expected=f"a whole number of {least} or more",
            found=f"{given!r}",
            fix="correct it",
        )
    return number


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
        except (pa.ArrowException, TypeError, ValueError) as error:
            found = str(error).splitlines()[0]
    else:
        found = type(given).__name__
    refuse(
        "signals",
        expected="a frame of symbol, ts, side and confidence, or a path",
        found=found,
        fix="give one column each, a value of one kind in each row",
    )
