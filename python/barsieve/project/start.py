"""A new project in a folder of its own: whole at once, or not there."""

import shutil
import tempfile
from pathlib import Path

from barsieve.core.errors import InputError, Problem
from barsieve.core.files import move_into_place
from barsieve.market import simulation
from barsieve.project.files import (
    RECORD,
    files_for,
    hash_of,
    name_for,
    record_of,
    write,
)
from barsieve.project.packages import fetch_packages

DEMO = "data/demo"
MOST_NAMED = 4


def refuse_occupied(folder: Path) -> None:
    """Raise InputError where a folder holds anything but hidden files of others."""
    if folder.is_dir():
        ours = {".gitignore", RECORD}
        there = sorted(
            entry.name
            for entry in folder.iterdir()
            if not entry.name.startswith(".") or entry.name in ours
        )
        if not there:
            return
        more = f" and {len(there) - MOST_NAMED} more" * (len(there) > MOST_NAMED)
        found = f"{', '.join(there[:MOST_NAMED])}{more} in it"
    elif folder.exists():
        found = "a file"
    elif not folder.parent.is_dir():
        found = f"no folder {folder.parent}"
    else:
        return
    fix = "choose a new folder; in a project of yours, barsieve init --upgrade"
    problem = Problem(
        str(folder), expected="a new or an empty folder", found=found, fix=fix
    )
    raise InputError([problem])


def start_project(folder: Path, with_demo: bool = True) -> str:
    """Make a project that uses the package; return its name for dbt.

    It holds a profile, a score of its own, the package as `dbt deps` leaves it and,
    `with_demo`, the simulated market. Everything is made beside the folder and moved in
    when it is whole.

    Raises InputError for a folder that is not empty, or has no name for dbt.
    """
    folder = folder.resolve()
    refuse_occupied(folder)
    name = name_for(folder)
    files = dict(files_for(name))
    with tempfile.TemporaryDirectory(
        prefix=f".{folder.name}.", dir=folder.parent
    ) as made:
        aside = Path(made) / folder.name
        for path, text in files.items():
            write(aside / path, text)
        hashes = {path: hash_of(text) for path, text in files.items()}
        write(aside / RECORD, record_of(name, hashes).text())
        if with_demo:
            simulation.write_market(simulation.simulate(), aside / DEMO)
        fetch_packages(aside)
        _move_in(aside, folder)
    return name


def _move_in(aside: Path, folder: Path) -> None:
    if not folder.exists():
        move_into_place(aside, folder)
        return
    for entry in aside.iterdir():
        shutil.move(entry, folder / entry.name)
