"""Files of a new project: what `barsieve init` writes, and its record of that."""

import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from string import Template
from typing import NamedTuple

from barsieve import __version__
from barsieve.core import paths
from barsieve.core.errors import refuse
from barsieve.core.files import written_whole

TEMPLATE = Path(__file__).with_name("template")
RECORD = ".barsieve.json"
# What a project takes from the package as it is.
COPIED = ("profiles.yml", "configs/shared/macro_signals.json")
# What dbt takes for a name, and what a path may be between quotes in YAML.
NOT_IN_A_NAME = re.compile(r"[^a-z0-9]+")


class Record(NamedTuple):
    """Record of what `barsieve init` wrote last: version, origin, hashes of files."""

    version: str
    name: str
    package: str
    files: dict[str, str]

    def text(self) -> str:
        """Return the record as the file that holds it."""
        return json.dumps(self._asdict(), indent=2) + "\n"


def hash_of(text: str) -> str:
    """Return the hash of a file's text."""
    return hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()[:16]


def name_for(folder: Path) -> str:
    """Return the name of a dbt project in a folder: its own, in dbt's letters.

    Raises InputError where it has none, or the package's.
    """
    name = NOT_IN_A_NAME.sub("_", folder.name.lower()).strip("_")
    if not name or name == "barsieve":
        refuse(
            str(folder),
            expected="a folder with letters in its name, other than the package's",
            found=f"'{folder.name}'",
            fix="choose another name, like desk",
        )
    return name if name[0].isalpha() else f"project_{name}"


def package_path() -> str:
    """Return where the dbt package lies, as `packages.yml` names it."""
    return paths.dbt_package().as_posix()


def files_for(name: str) -> Iterator[tuple[str, str]]:
    """Yield the path and the text of each file of a project of this name."""
    values = {"name": name, "package": package_path(), "version": __version__}
    for path in sorted(TEMPLATE.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            text = Template(path.read_text()).substitute(values)
            yield path.relative_to(TEMPLATE).as_posix(), text
    for copied in COPIED:
        yield copied, (paths.dbt_package() / copied).read_text()


def record_of(name: str, files: dict[str, str]) -> Record:
    """Return the record of files just written, each by its hash."""
    return Record(__version__, name, package_path(), files)


def read_record(folder: Path) -> Record:
    """Return what `barsieve init` wrote in a folder.

    Raises InputError where it did not make that project.
    """
    path = folder / RECORD
    try:
        return Record(**json.loads(path.read_text()))
    except FileNotFoundError:
        found = "no such file"
    except (OSError, ValueError, TypeError) as error:
        found = str(error)
    refuse(
        str(path),
        expected="the record of a project that barsieve init made",
        found=found,
        fix="barsieve init FOLDER makes a project",
    )


def write(path: Path, text: str) -> None:
    """Write a file whole, in a folder that need not be there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with written_whole(path) as partial:
        partial.write_text(text)
