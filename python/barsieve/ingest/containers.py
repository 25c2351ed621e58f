"""Containers of exports: the file itself, or the members of an archive."""

import gzip
import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import NamedTuple

TEXT = (".csv", ".txt", ".tsv", ".prn")
TYPED = (".parquet", ".feather", ".json")
KNOWN = f"{', '.join((*TEXT, *TYPED))}; as it is, as .gz, or in a .zip"
FAULTS = (zipfile.BadZipFile, EOFError, zlib.error)


class Member(NamedTuple):
    """One exported table: where it lies, as shown, and its bytes.

    `label` is the path, for a member of an archive with its name behind it; `name` the
    name that may state what the table is of.
    """

    path: Path
    label: str
    name: str
    content: bytes

    @property
    def suffix(self) -> str:
        """Return the last part of the name, which says the kind of table."""
        return PurePosixPath(self.name).suffix.lower()


def members_of(path: Path) -> Iterator[Member]:
    """Yield the tables of a file; raise ValueError when there are none.

    Archives are told by their first bytes, whatever they are called. What macOS adds to
    an archive (`__MACOSX`, `._name`) is no member.
    """
    content = path.read_bytes()
    if path.suffix.lower() == ".zip" or content[:4] == b"PK\x03\x04":
        yield from _zipped(path, content)
    elif path.suffix.lower() == ".gz" or content[:2] == b"\x1f\x8b":
        name = path.name[:-3] if path.name.lower().endswith(".gz") else path.name
        yield Member(path, str(path), name, gzip.decompress(content))
    else:
        yield Member(path, str(path), path.name, content)


def _zipped(path: Path, content: bytes) -> Iterator[Member]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        held = [name for name in archive.namelist() if _is_table(name)]
        if not held:
            names = ", ".join(archive.namelist()[:3]) or "nothing"
            raise ValueError(f"no table in the archive, only {names}")
        for name in held:
            table, own = archive.read(name), PurePosixPath(name).name
            if own.lower().endswith(".gz"):
                table, own = gzip.decompress(table), own[:-3]
            label = str(path) if len(held) == 1 else f"{path}:{name}"
            yield Member(path, label, own, table)


def _is_table(name: str) -> bool:
    parts = PurePosixPath(name).parts
    if not parts or name.endswith("/") or "__MACOSX" in parts:
        return False
    own = re.sub(r"\.gz$", "", parts[-1].lower())
    return not own.startswith(".") and own.endswith((*TEXT, *TYPED))
