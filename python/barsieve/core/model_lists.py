"""Lists of models that exist: domains, sentinels, macro signals, by `dbt_project.yml`.

dbt merges the variables of a project with those of its packages; here they are read the
same way for whoever asks without dbt.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from barsieve.core import paths
from barsieve.core.errors import NoProjectError, Problem, refuse

PACKAGE = "barsieve"
FILE = "dbt_project.yml"
# Each list as it ships, the one that a project appends to it, the prefix of its models.
LISTS = {
    "domains": ("own_domains", "score_"),
    "sentinels": ("own_sentinels", "sentinel_"),
    "macro_signals": ("own_signals", "signal_"),
}
NAME = re.compile(r"[a-z][a-z0-9_]*")


class ModelLists(NamedTuple):
    """Names of the models of each kind, in the order of their lists."""

    domains: tuple[str, ...]
    sentinels: tuple[str, ...]
    macro_signals: tuple[str, ...]


def _vars(path: Path) -> dict[str, Any]:
    import yaml

    try:
        project = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except (OSError, yaml.YAMLError, UnicodeDecodeError) as error:
        refuse(
            str(path),
            expected="the project file of dbt",
            found=str(error).splitlines()[0],
            fix="correct the file; a project that uses the package needs dbt deps",
        )
    given = project.get("vars") or {}
    if not isinstance(given, Mapping):
        refuse(
            str(path),
            "vars",
            expected="names with values",
            found=repr(given),
            fix="write them as own_domains: [drift]",
        )
    own = given.get(PACKAGE)
    return {**given, **(own if isinstance(own, Mapping) else {})}


def _shipped_file(folder: Path) -> Path:
    """Return the project file of the package: the project's own, or that below it."""
    used = folder / "dbt_packages" / PACKAGE / FILE
    return used if used.exists() else folder / FILE


def _project_or_package() -> Path:
    """Return the folder of the project in force; outside of one that of the package."""
    try:
        return paths.project_dir()
    except NoProjectError:
        return paths.dbt_package()


def model_lists(folder: Path | None = None) -> ModelLists:
    """Return the lists of a project folder, the one in force where none is named.

    Raises InputError for a project file that cannot be read.
    """
    folder = folder or _project_or_package()
    given = _vars(_shipped_file(folder)) | _vars(folder / FILE)
    return lists_of(given)


def lists_of(given: Mapping[str, Any]) -> ModelLists:
    """Return the lists of the variables of dbt, each with those of one's own.

    Raises InputError for a variable that is no list.
    """
    found = {}
    for name, (own, _) in LISTS.items():
        found[name] = (*_listed(given, name), *_listed(given, own))
    return ModelLists(**found)


def _listed(given: Mapping[str, Any], name: str) -> list[Any]:
    """Return a variable; what is not given, or null, is an empty list."""
    value = given.get(name)
    if value is not None and not isinstance(value, list):
        refuse(
            FILE,
            f"vars {name}",
            expected="a list of names, as [one, two]",
            found=repr(value),
            fix="put it in brackets",
        )
    return value or []


def list_problems(lists: ModelLists) -> Iterator[Problem]:
    """Yield what is wrong with lists: no name of a model, or one that stands twice."""
    for name, (own, prefix) in LISTS.items():
        listed = getattr(lists, name)
        if not listed:
            yield Problem(
                FILE,
                f"vars {name}",
                expected="one name or more",
                found="none",
                fix="leave the list as it ships; a profile says which it uses",
            )
        for model in {repr(model): model for model in listed}.values():
            where = f"vars {name} and {own}"
            if not isinstance(model, str) or not NAME.fullmatch(model):
                yield Problem(
                    FILE,
                    where,
                    expected=f"names of models {prefix}<name> without the prefix",
                    found=repr(model),
                    fix="use lower case letters, digits and _",
                )
            elif listed.count(model) > 1:
                yield Problem(
                    FILE,
                    where,
                    expected="each name once",
                    found=f"'{model}' {listed.count(model)} times",
                    fix="remove one, or give the model another name",
                )
