"""Files of JSON lines that only grow: each line whole on the disk, or not there."""

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from barsieve.core.errors import refuse
from barsieve.core.files import sync

Document = dict[str, Any]


def as_line(document: Document) -> str:
    """Return a document as JSON that is the same for equal documents."""
    return json.dumps(
        document, sort_keys=True, separators=(",", ":"), allow_nan=False, default=str
    )


def whole_lines(path: Path) -> list[str]:
    """Return the lines of a file that were written to their end; none without a file.

    A last line without its end was cut off by a kill, and is nothing.
    """
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        return []
    return text[: text.rfind(b"\n") + 1].decode(errors="replace").splitlines()


def read_lines(path: Path) -> list[Document]:
    """Return the documents of a file; raises InputError for a line that is none."""
    found = []
    for number, line in enumerate(whole_lines(path), 1):
        try:
            document = json.loads(line)
        except ValueError:
            document = None
        if not isinstance(document, dict):
            refuse(
                str(path),
                f"line {number}",
                expected="a JSON object",
                found=f"{line[:60]!r}",
                fix="put back the line that was written there",
            )
        found.append(document)
    return found


def append_lines(path: Path, documents: Iterable[Document]) -> None:
    """Add documents to a file and have the disk keep them; drop a torn last line."""
    text = "".join(as_line(document) + "\n" for document in documents)
    is_new = not path.exists()
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab+") as stream:
        stream.seek(0)
        held = stream.read()
        stream.truncate(held.rfind(b"\n") + 1)
        stream.write(text.encode())
        stream.flush()
        os.fsync(stream.fileno())
    if is_new:
        sync(path.parent)
