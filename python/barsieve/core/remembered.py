"""Memory of fits, walks and draws on disk, by the content of what they are made of.

A build after new bars then pays for what is new. An entry is named after a digest of
its inputs, of the code that makes it, of the libraries and of the processor: whatever
changes makes it another one, and nothing is ever out of date. An entry that is damaged
is made again, as is one that was never there. `BARSIEVE_REMEMBERED` is the folder, or
`off`; without it they lie in the user's cache.
"""

import json
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from hashlib import blake2b
from importlib.metadata import PackageNotFoundError, version
from io import BytesIO
from itertools import count
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import platformdirs

from barsieve.core.content import DIGEST_BYTES, digest_of
from barsieve.core.files import written_whole
from barsieve.core.paths import PACKAGE, project_dir

REMEMBERED = "BARSIEVE_REMEMBERED"
OFF = "off"

Kept = dict[str, np.ndarray]
"""What is remembered: arrays by name, none of them of Python's objects."""

# All that an entry may be made by: a room may import only those that stand here too.
ROOMS = (
    "core", "profiles", "market", "replay", "signals", "database", "metrics", "regime",
    "sweep", "learning",
)  # fmt: skip
LIBRARIES = (
    "arch", "duckdb", "hmmlearn", "jax", "jaxlib", "keras", "llvmlite", "numba",
    "numpy", "pyarrow", "scikit-learn", "scipy",
)  # fmt: skip

MOST_BYTES = 1 << 30
"""Size beyond which what was not asked for longest is removed."""
LEFT_SHARE = 0.8
"""Share of it that is left then."""
LOOKED_AT_EACH = 500
"""Entries that a process writes before it looks at the size again."""


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


@cache
def made_by() -> bytes:
    """Return a digest of the code, the libraries and the processor that make entries.

    Sums of floats depend on what the processor can add at once.
    """
    from llvmlite.binding import get_host_cpu_name

    digest = blake2b(digest_size=DIGEST_BYTES)
    for room in ROOMS:
        for path in sorted((PACKAGE / room).rglob("*.py")):
            content = path.read_bytes()
            name = path.relative_to(PACKAGE).as_posix()
            digest.update(f"{name}\0{len(content)}\0".encode() + content)
    digest.update("\0".join(map(_version, LIBRARIES)).encode())
    digest.update(get_host_cpu_name().encode())
    return digest.digest()


def packed(rows: Any) -> np.ndarray:
    """Return rows of numbers and texts as an array of bytes; NaN stays NaN."""
    return np.frombuffer(json.dumps(rows, default=_plain).encode(), np.uint8)


def _plain(value: Any) -> Any:
    """Return a number of numpy as one of Python."""
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{type(value).__name__} is neither a number nor a text")


def unpacked(array: np.ndarray) -> Any:
    """Return the rows that `packed` made an array of, every number as it was."""
    return json.loads(array.tobytes())


class Folder:
    """Entries as files, in as many folders as a byte has values.

    A file is the digest of its content, then the content, arrays as numpy writes them.
    """

    def __init__(self, folder: Path):
        """Keep where; the folder is made when something is first written."""
        self.folder = folder

    def place_of(self, key: str) -> Path:
        """Return the file of an entry."""
        return self.folder / key[:2] / key[2:]

    def read(self, key: str) -> Kept | None:
        """Return an entry; None where there is none, or it is damaged."""
        place = self.place_of(key)
        try:
            content = place.read_bytes()
        except OSError:
            return None
        head, body = content[:DIGEST_BYTES], content[DIGEST_BYTES:]
        if blake2b(body, digest_size=DIGEST_BYTES).digest() != head:
            return None
        with suppress(OSError):
            os.utime(place)
        try:
            with np.load(BytesIO(body), allow_pickle=False) as found:
                return {name: found[name] for name in found.files}
        except (ValueError, KeyError, EOFError, BadZipFile):
            return None

    def write(self, key: str, kept: Kept) -> None:
        """Write an entry, whole; where the disk does not take it, it is not kept."""
        body = BytesIO()
        np.savez(body, allow_pickle=False, **kept)
        content = body.getvalue()
        place = self.place_of(key)
        with suppress(OSError):
            place.parent.mkdir(parents=True, exist_ok=True)
            with written_whole(place, is_synced=False) as path:
                head = blake2b(content, digest_size=DIGEST_BYTES).digest()
                path.write_bytes(head + content)
            if next(_written) % LOOKED_AT_EACH == 0:
                self.bound()

    def bound(self, most_bytes: int = MOST_BYTES) -> None:
        """Remove what was not asked for longest, where there is too much."""
        found = []
        for path in self.folder.glob("??/*"):
            with suppress(OSError):
                about = path.stat()
                found.append((about.st_mtime, about.st_size, path))
        total = sum(size for _, size, _ in found)
        if total <= most_bytes:
            return
        for _, size, path in sorted(found):
            path.unlink(missing_ok=True)
            total -= size
            if total <= LEFT_SHARE * most_bytes:
                return


class InProcess:
    """Entries of this process, above what is remembered below it."""

    def __init__(self, below: "Memory"):
        """Begin with nothing of its own."""
        self._below, self._kept = below, dict[str, Kept]()

    def read(self, key: str) -> Kept | None:
        """Return an entry of this process, or one from below."""
        if key not in self._kept and (found := self._below.read(key)) is not None:
            self._kept[key] = found
        return self._kept.get(key)

    def write(self, key: str, kept: Kept) -> None:
        """Keep an entry here and below."""
        self._kept[key] = kept
        self._below.write(key, kept)


class Nothing:
    """No memory: everything is made again."""

    def read(self, key: str) -> Kept | None:
        """Return nothing."""
        return None

    def write(self, key: str, kept: Kept) -> None:
        """Keep nothing."""


Memory = Folder | InProcess | Nothing

_written = count()
_chosen: list[Memory] = []
_locks: dict[str, threading.Lock] = {}


def memory() -> Memory:
    """Return what is remembered by: what was chosen, or the folder of the variable."""
    if _chosen:
        return _chosen[-1]
    named = os.environ.get(REMEMBERED, "")
    if named == OFF:
        return Nothing()
    if not named:
        return Folder(Path(platformdirs.user_cache_dir("barsieve")) / "remembered")
    folder = Path(named).expanduser()
    return Folder(folder if folder.is_absolute() else project_dir() / folder)


@contextmanager
def _remembering(by: Memory) -> Iterator[None]:
    _chosen.append(by)
    try:
        yield
    finally:
        _chosen.remove(by)


def forgetting() -> Any:
    """Return a context within which nothing is remembered, on any thread."""
    return _remembering(Nothing())


def within_process() -> Any:
    """Return a context within which nothing is made twice, even if all is `off`."""
    return _remembering(InProcess(memory()))


def recall(kind: str, inputs: Any, make: Callable[[], Kept]) -> Kept:
    """Return what is made of inputs, remembered or made now.

    `kind` names the maker, a function of the inputs alone. Threads that ask for the
    same entry wait for the one that makes it. What is returned is not to be changed.
    """
    by = memory()
    if isinstance(by, Nothing):
        return make()
    key = digest_of(made_by(), kind, inputs)
    with _locks.setdefault(key, threading.Lock()):
        found = by.read(key)
        if found is None:
            found = make()
            by.write(key, found)
    _locks.pop(key, None)
    return found
