"""The folder that an ingest writes to: whose it is, one writer at a time, whole files.

A file changes by one rename of a checked and synced file beside it. A kill at any
moment leaves the old file or the new one, and at most a hidden `.partial` file, which
the next ingest removes.
"""

import contextlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import NoReturn

import pyarrow as pa
import pyarrow.parquet as pq

from barsieve.core.errors import InputError, refuse
from barsieve.core.files import PARTIAL, written_whole
from barsieve.core.schemas import TIMESTAMP
from barsieve.ingest.origin import metadata_of
from barsieve.ingest.publication import Publication, read_publications
from barsieve.market.check import (
    BARS,
    FUNDING,
    MACRO,
    Kind,
    MacroSeries,
    file_problems,
    read_macro_series,
)

ARROW = {
    "TIMESTAMP WITH TIME ZONE": TIMESTAMP,
    "DOUBLE": pa.float64(),
    "VARCHAR": pa.string(),
    "DATE": pa.date32(),
}
# Columns that a file of a kind may have or lack; without a value they are null.
OPTIONAL = {"funding": {"interval_hours": "DOUBLE"}}
KINDS = {kind.folder: kind for kind in (BARS, MACRO, FUNDING)}
LOCK = ".ingest.lock"


def columns_of(kind: Kind) -> dict[str, str]:
    """Return the columns of a kind with their types, the optional ones last."""
    return kind.columns | OPTIONAL.get(kind.folder, {})


def schema_of(kind: Kind) -> pa.Schema:
    """Return the Arrow schema of a kind of market file."""
    return pa.schema([(name, ARROW[type_]) for name, type_ in columns_of(kind).items()])


def as_offered(kind: Kind, rows: pa.Table) -> pa.Table:
    """Return rows in the schema of a kind; optional columns that they lack are null."""
    for name, type_ in OPTIONAL.get(kind.folder, {}).items():
        if name not in rows.column_names:
            rows = rows.append_column(name, pa.nulls(len(rows), ARROW[type_]))
    return rows.select(schema_of(kind).names).cast(schema_of(kind))


@dataclass(frozen=True)
class Market:
    """A market folder that may be written to, and what the seed declares for it.

    `accepts_origin` takes rows of another origin than the file's as the same series.
    `learned_at`: None where rows are fetched for the past. Of a market that is followed
    it is now: macro days that are new became known no earlier, whatever their rule
    says, and the hours of stored settlements stay as they were told, or untold.
    """

    folder: Path
    declared: dict[str, MacroSeries]
    publications: dict[str, Publication]
    sound: set[Path] = field(default_factory=set)
    accepts_origin: bool = False
    learned_at: datetime | None = None

    def home(self, kind: Kind, name: str) -> Path:
        """Return the file that new rows of a symbol or series go to."""
        return self.folder / kind.folder / f"{name}.parquet"

    def files(self, kind: Kind, name: str) -> list[Path]:
        """Return the files that may hold rows of a symbol or series."""
        home = self.home(kind, name)
        if kind is BARS:
            return [home] if home.exists() else []
        return sorted(home.parent.glob("*.parquet"))

    def refuse_unsound(self, kind: Kind, name: str) -> None:
        """Raise InputError for a stored file that is damaged; each is read once."""
        for path in self.files(kind, name):
            if path not in self.sound:
                problems = file_problems(path, kind, self.declared)
                if problems:
                    raise InputError(problems)
                self.sound.add(path)


def _refuse(folder: Path, found: str) -> NoReturn:
    refuse(
        str(folder),
        expected="a new folder or a market of your own",
        found=found,
        fix="name another folder with --to or BARSIEVE_MARKET",
    )


def _refuse_foreign(folder: Path) -> None:
    """Raise InputError for a folder whose contents an ingest must not touch."""
    if not folder.exists():
        return
    if not folder.is_dir():
        _refuse(folder, "a file")
    with contextlib.suppress(OSError, ValueError):
        if json.loads((folder / "market.json").read_text()).get("is_simulated"):
            _refuse(folder, "a simulated market: real rows would hide in it")
    holds = {path.name for path in folder.iterdir()} - {LOCK}
    if holds and not holds & set(KINDS):
        _refuse(folder, f"other files ({', '.join(sorted(holds)[:3])})")


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Hold the folder for one ingest; the system lets go of it when we die."""
    try:
        import fcntl
    except ImportError:  # no such locks on Windows
        yield
        return
    with (folder / LOCK).open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.seek(0)
            refuse(
                str(folder),
                expected="no other ingest at work in it",
                found=f"process {lock.read().strip() or 'unknown'} at work",
                fix="wait for it to end",
            )
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


@contextlib.contextmanager
def open_market(folder: Path, seed: Path) -> Iterator[Market]:
    """Open a market for writing; `seed` is `seeds/macro_series.csv`.

    Raises InputError for a simulated market, a folder of other things, or one that
    another ingest holds.
    """
    folder = folder.resolve()
    _refuse_foreign(folder)
    folder.mkdir(parents=True, exist_ok=True)
    with _locked(folder):
        for left in folder.glob(f"*/.*{PARTIAL}"):
            left.unlink()
        yield Market(folder, read_macro_series(seed), read_publications(seed))


def _complete_layout(market: Market) -> None:
    """Give each kind that has no file yet one without rows: a build wants all three."""
    for kind in (MACRO, FUNDING):
        folder = market.folder / kind.folder
        if not any(folder.glob("*.parquet")):
            folder.mkdir(parents=True, exist_ok=True)
            with written_whole(folder / "none.parquet") as partial:
                _write(schema_of(kind).empty_table(), partial)


def _write(table: pa.Table, path: Path) -> None:
    pq.write_table(table.combine_chunks(), path, compression="zstd")


def put(
    market: Market,
    kind: Kind,
    path: Path,
    table: pa.Table,
    metadata: dict[bytes, bytes] | None = None,
) -> None:
    """Replace a file of the market by a table that passes the market's own checks.

    The file keeps its key-value metadata; `metadata` is added to it.

    Raises InputError, and leaves the file as it was, when the table does not pass.
    """
    _complete_layout(market)
    kept = metadata_of(path) | (metadata or {})
    path.parent.mkdir(parents=True, exist_ok=True)
    with written_whole(path) as partial:
        _write(table.replace_schema_metadata(kept or None), partial)
        if problems := file_problems(partial, kind, market.declared):
            raise InputError([replace(found, file=str(path)) for found in problems])
