"""Profiles checked before dbt reads them: shape by JSON Schema, sense by rules.

dbt would read a mistyped key as null and a duplicate key as an opaque error, so neither
may reach it.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from barsieve.core.errors import InputError, Problem
from barsieve.core.model_lists import ModelLists, model_lists
from barsieve.profiles.contradictions import EVERY, contradictions
from barsieve.profiles.json_file import read_json
from barsieve.profiles.names import name_problems
from barsieve.profiles.resolution import complete, resolve
from barsieve.profiles.shape import shape_problems

OUT_OF_THE_WAY = "take the profile out of the configs folder"


def _sense_problems(
    path: Path, profile: dict[str, Any], lists: ModelLists | None
) -> list[Problem]:
    """Return which names stand for nothing, else which settings contradict others."""
    unknown = name_problems(path, profile, lists) if lists else []
    return unknown or contradictions(path, profile)


def check_document(
    path: Path, profile: Any, lists: ModelLists | None = None
) -> list[Problem]:
    """Return what is wrong with a profile that was read; `path` is only named.

    What it leaves out has its default; it extends nothing. `lists` are the models that
    its names may stand for; without them names are not looked up.
    """
    problems = shape_problems(path, profile, "profile")
    return problems or _sense_problems(path, complete(profile), lists)


def check_profile(
    path: Path, folders: Sequence[Path] = (), lists: ModelLists | None = None
) -> tuple[dict[str, Any] | None, list[Problem]]:
    """Return the profile of a file, resolved, and what is wrong with it.

    The profile is None where the file, or one that it extends, cannot be read. What it
    extends lies beside it, else in one of `folders`. `lists` as in `check_document`.
    """
    try:
        profile = resolve(path, folders).document
    except InputError as error:
        return None, error.problems
    problems = []
    if profile["profile"] != path.stem:
        problems.append(
            Problem(
                str(path),
                "key 'profile'",
                expected=f"the file's name '{path.stem}'",
                found=f"'{profile['profile']}'",
                fix="rename the file or the profile",
            )
        )
    return profile, problems + _sense_problems(path, profile, lists)


def _of_market(symbols: Iterable[str]) -> str:
    return f"a symbol of the market ({', '.join(symbols) or 'it has none'})"


def market_problems(
    path: Path, profile: dict[str, Any], symbols: Collection[str]
) -> Iterator[Problem]:
    """Yield what a sound profile names that a market of these symbols does not have."""
    missing = [
        name
        for name in profile["symbols"]
        if name not in symbols and not (name == EVERY and symbols)
    ]
    if EVERY in missing:
        yield Problem(
            str(path),
            "key 'symbols'",
            expected="a market with symbols, of which '*' stands for each",
            found="one that has none",
            fix="add bars/*.parquet to the market",
        )
    elif missing:
        files = ", ".join(f"bars/{name}.parquet" for name in missing)
        is_all = len(missing) == len(profile["symbols"])
        yield Problem(
            str(path),
            "key 'symbols'",
            expected=_of_market(symbols),
            found=", ".join(f"'{name}'" for name in missing),
            fix=f"add {files} to the market, or "
            + ("name others" if is_all else "take what it lacks out of the list"),
        )
    regime = profile["regime"]
    reference = regime["reference_symbol"]
    if regime["classifier"] != "off" and reference not in (None, *symbols):
        yield Problem(
            str(path),
            "key 'regime.reference_symbol'",
            expected=_of_market(symbols),
            found=f"'{reference}'",
            fix="name one of them, null for each symbol its own, or set "
            "regime.classifier to off",
        )


def check_configs(
    folder: Path, symbols: list[str], lists: ModelLists | None = None
) -> list[Problem]:
    """Return what is wrong with a folder of profiles, for a market of these symbols.

    `lists` are the models that there are; those of the project where none are given.
    """
    lists = lists or model_lists()
    paths = sorted(folder.glob("*.json"))
    if not paths:
        return [
            Problem(
                str(folder),
                expected="at least one profile (*.json)",
                found="none" if folder.is_dir() else "no such folder",
                fix="add a profile; the shipped ones lie in configs/",
            )
        ]
    problems: list[Problem] = []
    for path in paths:
        profile, found = check_profile(path, lists=lists)
        problems += found
        # A market without bars is a problem of the market, told once.
        if profile and symbols:
            problems += [
                replace(lacking, fix=f"{lacking.fix}, or {OUT_OF_THE_WAY}")
                for lacking in market_problems(path, profile, symbols)
            ]
    shared = folder / "shared" / "macro_signals.json"
    document, found = read_json(shared)
    problems += found or shape_problems(shared, document, "macro_signals")
    # One fault of a profile is one of each that extends it.
    return list(dict.fromkeys(problems))
