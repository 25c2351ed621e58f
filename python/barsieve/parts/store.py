"""Store of parts: a folder that all nodes see, or an object store.

What is written is whole or not there: files are moved into place, objects are put at
once. Nothing in a store is code: tables are Parquet and DuckDB files, all else is JSON.
"""

import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

from barsieve.core.errors import refuse
from barsieve.core.files import bring_into_place

STORE = "BARSIEVE_STORE"


# Letters of a name that stand for themselves in the name of a folder.
PLAIN = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.")


def of_symbol(name: str) -> str:
    """Return the folder of a symbol, as hive partitions are named: others as %XX."""
    letters = (
        sign if sign in PLAIN else "".join(f"%{byte:02X}" for byte in sign.encode())
        for sign in name
    )
    return f"symbol={''.join(letters)}"


class Store:
    """A folder with files by their keys: names with slashes."""

    def __init__(self, location: str | Path):
        """Use a folder, which is made with the first file."""
        self.location = str(location)
        self.root = Path(location)

    def local(self, key: str) -> Path:
        """Return a path where a file of the store can be read.

        Raises FileNotFoundError where there is none.
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


def open_store(location: str) -> Store:
    """Return the store at a location: a folder, or the URL of an object store."""
    if "://" in location and not location.startswith("file://"):
        refuse(
            location,
            f"variable {STORE}",
            expected="a folder",
            found="a URL",
            fix="name a folder that every node sees",
        )
    return Store(location.removeprefix("file://"))
