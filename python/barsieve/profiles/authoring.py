"""New profiles: of a few names, or of a configuration that a sweep tried."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from barsieve.core.errors import InputError, refuse
from barsieve.core.files import refuse_target, written_whole
from barsieve.core.model_lists import ModelLists
from barsieve.profiles.check import check_document
from barsieve.profiles.names import name_problems
from barsieve.profiles.resolution import complete, defaults
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


def _names(name: str, symbols: Sequence[str]) -> list[str]:
    """Return the name of a profile of each symbol: the one given, where it is alone."""
    if len(symbols) == 1:
        return [name]
    return [f"{name}_{re.sub(r'[^a-z0-9_]', '_', s.lower())}" for s in symbols]


def new_profiles(
    name: str,
    symbols: Sequence[str],
    domains: Sequence[str],
    extends: str | None = None,
) -> list[dict[str, Any]]:
    """Return a profile of each symbol that says no more than it must.

    All `domains` weigh the same, unless the profile extends another. Of several symbols
    the first is named in full, with the symbol whose volatility the classifiers read;
    the others extend it. Raises InputError for a name that no profile may have.
    """
    _refuse_name(name)
    if len(set(symbols)) < len(symbols) or not symbols:
        refuse(
            "--symbols",
            expected="one symbol or more, each once",
            found=", ".join(symbols) or "none",
            fix="write them like BTC,ETH",
        )
    names = _names(name, symbols)
    if len(set(names)) < len(names):
        refuse(
            "--symbols",
            expected="symbols that give profiles names of their own",
            found=", ".join(names),
            fix="make the profiles one by one",
        )
    first: dict[str, Any] = {"profile": names[0]}
    if extends:
        first |= {"extends": extends, "symbol": symbols[0]}
    else:
        weights = dict.fromkeys(domains, 1 / len(domains))
        first |= {"symbol": symbols[0], "weights": weights}
    if len(symbols) > 1:
        first["regime"] = {"reference_symbol": symbols[0]}
    others = zip(names[1:], symbols[1:], strict=True)
    return [first] + [
        {"profile": own, "extends": names[0], "symbol": symbol}
        for own, symbol in others
    ]


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
    It trades as the sweep did: with its own screen, and without what is learned.
    """
    _refuse_name(name)
    made = complete(base) | {
        "profile": name,
        "symbol": row["symbol"],
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
    path: Path, resolved: dict[str, Any], symbols: Iterable[str], lists: ModelLists
) -> None:
    if problems := check_document(path, resolved) or name_problems(
        path, resolved, lists
    ):
        raise InputError(problems)
    if resolved["symbol"] not in symbols:
        refuse(
            str(path),
            "key 'symbol'",
            expected=f"a symbol of the market ({', '.join(symbols) or 'it has none'})",
            found=f"'{resolved['symbol']}'",
            fix=f"add bars/{resolved['symbol']}.parquet to the market, or name another",
        )


def schema_text() -> str:
    """Return the schema of profiles as a file holds it."""
    return json.dumps(load_schema("profile"), indent=2) + "\n"


def write_profiles(
    folder: Path,
    profiles: Sequence[dict[str, Any]],
    symbols: Iterable[str],
    lists: ModelLists,
    force: bool = False,
) -> list[Path]:
    """Write profiles into a folder, all or none, and the schema for editors.

    `symbols` are those of the market, `lists` the models that there are. Raises
    InputError for a profile that a build would refuse, and for a file that exists,
    unless `force` is given.
    """
    paths = [folder / f"{profile['profile']}.json" for profile in profiles]
    for path in paths:
        refuse_target(path, force)
    resolved: dict[str, dict[str, Any]] = {}
    for path, profile in zip(paths, profiles, strict=True):
        made = _resolved(path, profile, resolved)
        _refuse_unsound(path, made, symbols, lists)
        resolved[profile["profile"]] = made
    schema = folder / SCHEMA
    schema.parent.mkdir(exist_ok=True)
    with ExitStack() as files:
        files.enter_context(written_whole(schema)).write_text(schema_text())
        for path, profile in zip(paths, profiles, strict=True):
            text = json.dumps({"$schema": SCHEMA.as_posix()} | profile, indent=2)
            files.enter_context(written_whole(path)).write_text(text + "\n")
    return paths


def _resolved(
    path: Path, profile: dict[str, Any], made: Mapping[str, dict[str, Any]]
) -> dict[str, Any]:
    """Return a new profile over what it extends: another new one, or one in its folder.

    Raises InputError where that is none.
    """
    from barsieve.profiles.resolution import merged, parent_of, resolve

    own = {key: value for key, value in profile.items() if key != "extends"}
    if "extends" not in profile:
        return complete(own)
    name = profile["extends"]
    parent = made[name] if name in made else resolve(parent_of(path, name)).document
    return complete(merged(parent, own))
