"""Files written aside and moved into place when they are whole."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from glob import escape
from pathlib import Path

import psutil

from barsieve.core.errors import InputError, Problem

PARTIAL = ".partial"
"""How the hidden file ends that is written beside its place."""


def sync(path: Path) -> None:
    """Have the disk keep a file or a folder, come what may."""
    if os.name == "nt" and path.is_dir():  # a folder cannot be opened there
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def move_into_place(source: Path, target: Path, is_synced: bool = True) -> None:
    """Put a whole file in the place of another, at once and for good.

    Not for good where it is not `is_synced`: a file that is told to be damaged, and can
    be made again, need not wait for the disk.
    """
    if is_synced:
        sync(source)
    os.replace(source, target)
    if is_synced:
        sync(target.parent)


def bring_into_place(source: Path, target: Path) -> None:
    """Move a file, from whatever disk, into a place at once.

    The disk is not waited for: a reader must know the file by its hash.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    aside = target.with_name(f".{target.name}.{os.getpid()}{PARTIAL}")
    try:
        shutil.move(source, aside)
        os.replace(aside, target)
    finally:
        aside.unlink(missing_ok=True)


def refuse_target(target: Path, force: bool) -> None:
    """Raise InputError where a file may not be written."""
    if not target.parent.is_dir():
        problem = Problem(
            str(target),
            expected="a folder that exists",
            found=f"no folder {target.parent}",
            fix="make the folder, or choose another",
        )
    elif target.is_dir():
        problem = Problem(
            str(target),
            expected="the name of a file",
            found="a folder",
            fix="add a file's name to it",
        )
    elif target.exists() and not force:
        problem = Problem(
            str(target),
            expected="a new file",
            found="one that exists",
            fix="choose another name, or overwrite it with --force",
        )
    else:
        return
    raise InputError([problem])


def _remove_leftovers(target: Path) -> None:
    """Remove what killed writers of the same file left behind."""
    for path in target.parent.glob(f".{escape(target.name)}.*{PARTIAL}"):
        pid = path.name.split(".")[-2]
        if not (pid.isdigit() and psutil.pid_exists(int(pid))):
            path.unlink(missing_ok=True)


@contextmanager
def written_whole(target: Path, is_synced: bool = True) -> Iterator[Path]:
    """Yield a path to write to; what is there at the end becomes `target`, at once.

    When the writing fails nothing remains of it, and `target` is as it was. `is_synced`
    as of `move_into_place`.
    """
    _remove_leftovers(target)
    partial = target.with_name(f".{target.name}.{os.getpid()}{PARTIAL}")
    try:
        yield partial
        move_into_place(partial, target, is_synced)
    finally:
        partial.unlink(missing_ok=True)
