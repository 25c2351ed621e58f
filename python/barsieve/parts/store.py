"""Store of parts: a folder that all nodes see, or an object store.

What is written is whole or not there: files are moved into place, objects are put at
once. Nothing in a store is code: tables are Parquet and DuckDB files, all else is JSON.
"""

import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from barsieve.core.errors import BarsieveError, refuse
from barsieve.core.files import PARTIAL, bring_into_place
from barsieve.parts.digests import of_file

STORE = "BARSIEVE_STORE"
WAITS = (0.5, 1.0, 2.0)
"""Seconds before a request is made again."""
# Folders of a build whose files have a hash in their names.
NAMED_BY_CONTENT = ("given", "steps")


# Letters of a name that stand for themselves in the name of a folder.
PLAIN = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.")


def of_symbol(name: str) -> str:
    """Return the folder of a symbol, as hive partitions are named: others as %XX."""
    letters = (
        sign if sign in PLAIN else "".join(f"%{byte:02X}" for byte in sign.encode())
        for sign in name
    )
    return f"symbol={''.join(letters)}"


class StoreError(BarsieveError):
    """A store that does not answer, or says no."""


class Store:
    """A folder with files by their keys: names with slashes."""

    def __init__(self, location: str | Path):
        """Use a folder, which is made with the first file."""
        self.location = str(location)
        self.root = Path(location)

    def local(self, key: str, known: str | None = None) -> Path:
        """Return a path where a file of the store can be read.

        `known`: the hash that it should have. Raises FileNotFoundError where there is
        none.
        """
        path = self.root / key
        path.stat()
        return path

    def has(self, key: str) -> bool:
        """Tell whether there is a file."""
        return (self.root / key).exists()

    def put(self, source: Path, key: str) -> None:
        """Move a file into the store, whole or not at all."""
        bring_into_place(source, self.root / key)

    def drop(self, key: str) -> None:
        """Remove a file, if it is there."""
        (self.root / key).unlink(missing_ok=True)

    def folders(self) -> list[str]:
        """Return the names of the folders at the top."""
        if not self.root.is_dir():
            return []
        return sorted(path.name for path in self.root.iterdir() if path.is_dir())

    def drop_folder(self, name: str) -> None:
        """Remove a folder with all that is in it."""
        shutil.rmtree(self.root / name, ignore_errors=True)

    def put_json(self, key: str, value: Any) -> None:
        """Write a value as JSON."""
        with tempfile.TemporaryDirectory(prefix="barsieve-") as folder:
            path = Path(folder) / "value.json"
            path.write_text(json.dumps(value, default=str))
            self.put(path, key)

    def read_json(self, key: str) -> Any | None:
        """Return a value written as JSON; None where there is none that is whole."""
        try:
            return json.loads(self.local(key).read_text())
        except (FileNotFoundError, ValueError):
            return None


class ObjectStore(Store):
    """An object store through fsspec: what is read of it is brought to a folder.

    An object is put at once. A request that fails is made again, a little later.
    """

    def __init__(self, location: str, cache: Path):
        """Use a store by its URL; `cache`: the folder for what is read."""
        import fsspec

        super().__init__(cache)
        self.location = location
        self.files, self.top = fsspec.core.url_to_fs(location)

    def _patiently(self, ask: Callable[[], Any]) -> Any:
        """Return what a request brings, which may fail some times."""
        for wait in (*WAITS, None):
            try:
                return ask()
            except FileNotFoundError:
                raise
            except Exception as error:
                if wait is None:
                    said = str(error).strip() or type(error).__name__
                    raise StoreError(
                        f"the store {self.location} failed {len(WAITS) + 1} times: "
                        f"{said.splitlines()[0]}"
                    ) from error
                time.sleep(wait)

    def _place(self, key: str) -> str:
        return f"{self.top}/{key}"

    def local(self, key: str, known: str | None = None) -> Path:
        """Return a path where a file of the store can be read; bring it there.

        One that is there is taken where its hash is known, or its key says what it is.
        """
        path = self.root / key
        is_named = key.split("/")[1] in NAMED_BY_CONTENT
        if path.exists() and (is_named or (known and of_file(path) == known)):
            return path
        path.parent.mkdir(parents=True, exist_ok=True)
        aside = path.with_name(f".{path.name}.{os.getpid()}{PARTIAL}")
        try:
            self._patiently(lambda: self.files.get_file(self._place(key), str(aside)))
            bring_into_place(aside, path)
        finally:
            aside.unlink(missing_ok=True)
        return path

    def has(self, key: str) -> bool:
        """Tell whether there is a file."""
        return bool(self._patiently(lambda: self.files.exists(self._place(key))))

    def put(self, source: Path, key: str) -> None:
        """Move a file into the store, whole or not at all."""
        place = self._place(key)
        self._patiently(
            lambda: self.files.makedirs(place.rpartition("/")[0], exist_ok=True)
        )
        self._patiently(lambda: self.files.put_file(str(source), place))
        source.unlink()

    def drop(self, key: str) -> None:
        """Remove a file, if it is there."""
        if self.has(key):
            self._patiently(lambda: self.files.rm_file(self._place(key)))

    def folders(self) -> list[str]:
        """Return the names of the folders at the top."""
        if not self._patiently(lambda: self.files.exists(self.top)):
            return []
        found = self._patiently(lambda: self.files.ls(self.top, detail=False))
        return sorted(str(path).rstrip("/").rpartition("/")[2] for path in found)

    def drop_folder(self, name: str) -> None:
        """Remove a folder with all that is in it, and what was brought of it."""
        self._patiently(lambda: self.files.rm(self._place(name), recursive=True))
        super().drop_folder(name)


def open_store(location: str, cache: Path) -> Store:
    """Return the store at a location: a folder, or the URL of an object store.

    `cache`: the folder for what is read of the latter. Raises InputError where the
    package is missing that its kind asks for.
    """
    if "://" not in location or location.startswith("file://"):
        return Store(location.removeprefix("file://"))
    try:
        return ObjectStore(location.rstrip("/"), cache)
    except (ImportError, ValueError) as error:
        refuse(
            location,
            f"variable {STORE}",
            expected="a folder, or the URL of a store that fsspec can open",
            found=str(error).strip().splitlines()[0],
            fix="pip install 'barsieve[cluster]', and gcsfs or adlfs for those stores",
        )
