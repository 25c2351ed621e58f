"""New profiles: of a few names, or of a configuration that a sweep tried."""

import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from barsieve.core.errors import InputError, refuse
from barsieve.core.files import refuse_target, written_whole
from barsieve.core.model_lists import ModelLists
from barsieve.profiles.check import check_document, market_problems
from barsieve.profiles.contradictions import EVERY
from barsieve.profiles.json_file import as_text
from barsieve.profiles.names import name_problems
from barsieve.profiles.resolution import (
    complete,
    defaults,
    merged,
    parent_of,
    resolve,
)
from barsieve.profiles.schema import load_schema, settings

SCHEMA = Path("shared") / "profile.schema.json"
"""Where the schema lies below a folder of profiles, for editors."""
NAME = re.compile(load_schema("profile")["properties"]["profile"]["pattern"])


def _refuse_name(name: str) -> None:
    if not NAME.fullmatch(name):
        refuse(
            f"profile '{name}'",
            expected="lower case letters, digits and _, a letter first",
            found=f"'{name}'",
            fix="choose such a name: it is the file's as well",
        )


def new_profile(
    name: str,
    symbols: Sequence[str],
    domains: Sequence[str],
    extends: str | None = None,
    wallet: str | None = None,
) -> dict[str, Any]:
    """Return a profile of some symbols that says no more than it must.

    All `domains` weigh the same, unless the profile extends another. `wallet`: its
    kind, where it is not to be the default or that of the other. Raises InputError for
    a name that no profile may have.
    """
    _refuse_name(name)
    if len(set(symbols)) < len(symbols) or not symbols:
        refuse(
            "--symbols",
            expected="one symbol or more, each once",
            found=", ".join(symbols) or "none",
            fix="write them like BTC,ETH, or '*' for every symbol of the market",
        )
    made: dict[str, Any] = {"profile": name}
    if extends:
        made |= {"extends": extends, "symbols": list(symbols)}
    else:
        weights = dict.fromkeys(domains, 1 / len(domains))
        made |= {"symbols": list(symbols), "weights": weights}
    return made | ({"wallet": {"kind": wallet}} if wallet else {})


def without_defaults(document: dict[str, Any]) -> dict[str, Any]:
    """Return a resolved profile without what the schema gives it anyway."""

    def differing(own: Mapping[str, Any], given: Mapping[str, Any]) -> Iterator[Any]:
        for key, value in own.items():
            if isinstance(value, dict) and isinstance(given.get(key), dict):
                if left := dict(differing(value, given[key])):
                    yield key, left
            elif key not in given or value != given[key]:
                yield key, value

    return dict(differing(document, defaults()))


def of_configuration(
    base: dict[str, Any], row: Mapping[str, Any], name: str, tried: int
) -> dict[str, Any]:
    """Return a configuration of a sweep as a profile, without defaults.

    `base`: the resolved profile that gave what the grid did not vary. `row`: a row of
    `sweep_configs`. `tried`: how many had been tried, which the profile says of itself.
    It trades as the sweep did: with its own screen, and without what is learned. The
    symbol `*` is a sweep over all that the base trades.
    """
    _refuse_name(name)
    own = complete(base)
    made = own | {
        "profile": name,
        "symbols": own["symbols"] if row["symbol"] == EVERY else [row["symbol"]],
        "learned": False,
        "weights": dict(row["weights"]),
        "origin": {
            "tried": tried, "grid": row["grid"], "config": row["config"],
            "base": row["profile"],
        },
    }  # fmt: skip
    made["screen"] = made["screen"] | {
        "method": "admissible", "sentinels": None, "envelope": None
    }  # fmt: skip
    made["parity"] = defaults()["parity"]
    for setting in settings():
        if setting.section in made and setting.column in row:
            key = setting.key.rpartition(".")[2]
            made[setting.section] = made[setting.section] | {key: row[setting.column]}
    return without_defaults(made)


def _refuse_unsound(
    path: Path, resolved: dict[str, Any], symbols: Collection[str], lists: ModelLists
) -> None:
    if problems := check_document(path, resolved) or name_problems(
        path, resolved, lists
    ):
        raise InputError(problems)
    if problems := list(market_problems(path, resolved, symbols)):
        raise InputError(problems)


def schema_text() -> str:
    """Return the schema of profiles as a file holds it."""
    return json.dumps(load_schema("profile"), indent=2) + "\n"


def write_profile(
    folder: Path,
    profile: dict[str, Any],
    symbols: Collection[str],
    lists: ModelLists,
    force: bool = False,
) -> Path:
    """Write a profile into a folder, and the schema for editors; return its file.

    `symbols` are those of the market, `lists` the models that there are. Raises
    InputError for a profile that a build would refuse, and for a file that exists,
    unless `force` is given.
    """
    path = folder / f"{profile['profile']}.json"
    refuse_target(path, force)
    _refuse_unsound(path, _resolved(path, profile), symbols, lists)
    schema = folder / SCHEMA
    schema.parent.mkdir(exist_ok=True)
    named = {"$schema": SCHEMA.as_posix()} | profile
    with written_whole(schema) as part, written_whole(path) as own:
        part.write_text(schema_text())
        own.write_text(as_text(named))
    return path


def _resolved(path: Path, profile: dict[str, Any]) -> dict[str, Any]:
    """Return a new profile over what it extends, in its folder.

    Raises InputError where that is none.
    """
    own = {key: value for key, value in profile.items() if key != "extends"}
    if "extends" not in profile:
        return complete(own)
    parent = resolve(parent_of(path, profile["extends"])).document
    return complete(merged(parent, own))
