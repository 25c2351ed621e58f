"""A project renewed for the installed version; what its owner changed stays."""

import shutil
from pathlib import Path
from typing import NamedTuple

from barsieve.core.errors import refuse
from barsieve.project.files import (
    RECORD,
    Record,
    files_for,
    hash_of,
    package_path,
    read_record,
    record_of,
    write,
)
from barsieve.project.packages import fetch_packages

PACKAGES = "packages.yml"
KEPT_AS = ".orig"


class Renewal(NamedTuple):
    """Renewal of a project: versions, files that it replaced, files left as changed."""

    before: str
    now: str
    replaced: list[str]
    kept: list[str]


def _is_owners(path: str) -> bool:
    """Tell whether a file is its owner's from the first day on, like a model."""
    return path.startswith(("models/", "configs/"))


def _text(path: Path) -> str | None:
    # What is no text is its owner's, and differs from all that we write.
    return path.read_text(errors="surrogateescape") if path.is_file() else None


def _point_to_package(folder: Path, before: Record) -> bool:
    """Let `packages.yml` name the installed package; tell whether it did not.

    Only the path itself is changed. Raises InputError when it is not there.
    """
    path = folder / PACKAGES
    text, there = _text(path) or "", package_path()
    if there in text:
        return False
    if before.package not in text:
        refuse(
            str(path),
            expected=f"a line '- local: \"{before.package}\"'",
            found="none",
            fix=f"write '- local: \"{there}\"' under packages; then the same again",
        )
    write(path, text.replace(before.package, there))
    return True


def renew_project(folder: Path, overwrite: bool = False) -> Renewal:
    """Renew the package of a project, and the files that are as init wrote them.

    What its owner changed stays and is named where this version would write another;
    with `overwrite` it is replaced, and kept beside as `<name>.orig`. Models and
    profiles are never touched.

    Raises InputError where `barsieve init` did not make the project, or its
    `packages.yml` no longer names the package.
    """
    before = read_record(folder)
    replaced, kept, hashes = [], [], dict(before.files)
    if _point_to_package(folder, before):
        replaced.append(PACKAGES)
    for path, text in files_for(before.name):
        found, hash_ = _text(folder / path), hash_of(text)
        was = before.files.get(path)
        if path == PACKAGES or _is_owners(path) or hash_ in (was, hash_of(found or "")):
            continue
        is_changed = found is not None and hash_of(found) != was
        if (found is None and was) or (is_changed and not overwrite):
            kept += [path] * is_changed
            continue
        if is_changed:
            shutil.copyfile(folder / path, folder / f"{path}{KEPT_AS}")
        write(folder / path, text)
        replaced.append(path)
        hashes[path] = hash_
    fetch_packages(folder)
    after = record_of(before.name, hashes)
    write(folder / RECORD, after.text())
    return Renewal(before.version, after.version, replaced, kept)
