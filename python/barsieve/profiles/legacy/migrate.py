"""A legacy config as a profile: what it says, over a base that says the rest."""

import copy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from barsieve.core.errors import InputError, Problem, refuse
from barsieve.profiles.check import check_document
from barsieve.profiles.diff import KeyPath, leaves
from barsieve.profiles.json_file import read_json
from barsieve.profiles.legacy.base import Base
from barsieve.profiles.legacy.judge import is_label, judge
from barsieve.profiles.legacy.keys import Carried, Rule, rule_of, rules_for, value_at
from barsieve.profiles.legacy.rows import DECISION, Added, Row, fault
from barsieve.profiles.legacy.weights import read_weights


@dataclass(frozen=True)
class Migration:
    """A profile, a row for every key of the old file, the keys that it lacks."""

    profile: dict[str, Any]
    rows: list[Row]
    added: list[Added]


def _refuse_shapes(
    file: Path, document: dict[str, Any], rules: dict[KeyPath, Rule]
) -> None:
    """Raise InputError for a value in the place of a section, or the other way."""
    sections = {path[:n] for path in rules for n in range(1, len(path))}
    settings = {path for path, rule in rules.items() if isinstance(rule, Carried)}
    problems = []
    for path, value in leaves(document):
        if path in sections and value != {}:
            problems.append(fault(file, path, "a section: an object", value))
        for n in range(1, len(path) + (value == {})):
            if path[:n] in settings:
                found = value_at(document, path[:n])
                problems.append(fault(file, path[:n], "a value", found))
    if problems:
        raise InputError(list(dict.fromkeys(problems)))


def _decided_once(rows: list[Row], order: dict[KeyPath, int]) -> list[Row]:
    """Let one key decide each setting: the one that the legacy system read."""
    winner: dict[str, Row] = {}
    for row in sorted(rows, key=lambda row: order.get(row.path, 0)):
        for key in row.to:
            winner.setdefault(key, row)
    decided = []
    for row in rows:
        other = next((winner[k] for k in row.to if winner[k].path != row.path), None)
        if other is not None:
            note = f"{other.key} decides"
            row = row._replace(status=DECISION, to=(), written=None, note=note)
        decided.append(row)
    return decided


def _put(profile: dict[str, Any], key: str, value: Any) -> None:
    *sections, last = key.split(".")
    for section in sections:
        profile = profile[section]
    profile[last] = value


def read_legacy(file: Path) -> dict[str, Any]:
    """Return the document of a legacy config.

    Raises InputError when it is no JSON object, has a key twice, or is a profile.
    """
    document, problems = read_json(file)
    if problems:
        raise InputError(problems)
    if not isinstance(document, dict) or not document:
        raise InputError([fault(file, (), "an object with settings", document)])
    if {"entry", "screen", "costs"} <= set(document):
        expected, fix = "a Bull Machine config", "nothing to do: barsieve config check"
        refuse(str(file), expected=expected, found="a profile already", fix=fix)
    return document


def _rows(
    file: Path, document: dict[str, Any], base: Base, weight_rows: list[Row]
) -> list[Row]:
    """Return a row for every leaf of a document, in its order."""
    rules = rules_for(document)
    _refuse_shapes(file, document, rules)
    done = {row.path: row for row in weight_rows if not is_label(row.path, row.value)}
    rows, problems = [], []
    for path, value in leaves(document):
        try:
            rule = rule_of(path, rules)
            row = done.get(path) or judge(file, path, value, rule, document, base)
            rows.append(row)
        except InputError as error:
            problems += error.problems
    if problems:
        raise InputError(problems)
    return _decided_once(rows, {path: number for number, path in enumerate(rules)})


def _with_symbol(rows: list[Row], symbol: str | None) -> list[Row]:
    """Return the rows with the symbol that was asked for in place of the old one."""
    if symbol is None:
        return rows
    return [
        row._replace(written=[symbol], note="--symbol")
        if row.to == ("symbols",)
        else row
        for row in rows
    ]


def _check(file: Path, profile: dict[str, Any]) -> None:
    """Raise InputError when the checks would refuse the profile."""
    name = profile["profile"]
    problems = check_document(Path(f"{name}.json"), profile)
    if problems:
        as_profile = f"{file}, as profile '{name}'"
        raise InputError([replace(found, file=as_profile) for found in problems])


def _added(
    profile: dict[str, Any], taken: set[str], sources: dict[str, str], base: str
) -> list[Added]:
    return [
        Added(key, value, sources.get(key, base))
        for key, value in ((".".join(path), value) for path, value in leaves(profile))
        if key not in taken
    ]


def migrate(file: Path, name: str, base: Base, symbol: str | None = None) -> Migration:
    """Return a legacy config as the profile `name`.

    `symbol` takes the place of the file's own. The same file, name and base give the
    same profile. Every leaf of the file is in exactly one row.

    Raises InputError for a file that cannot be read, a value of a wrong type or out of
    its bounds, no symbol, and a profile that the checks would refuse.
    """
    document = read_legacy(file)
    weights, weight_rows = read_weights(file, document)
    rows = _with_symbol(_rows(file, document, base, weight_rows), symbol)
    given = {key: row.written for row in rows for key in row.to}
    filled: dict[str, Any] = {
        f"weights.{domain}": weight for domain, weight in weights.items()
    }
    filled |= {"profile": name} | ({"symbols": [symbol]} if symbol else {})
    if "symbols" not in given | filled:
        raise InputError([_no_symbol(file)])
    profile = copy.deepcopy(base.profile)
    for key, value in (filled | given).items():
        _put(profile, key, value)
    _check(file, profile)
    sources = dict.fromkeys(filled, "no weight in the old file")
    sources |= {"profile": "its name", "symbols": "--symbol" if symbol else base.name}
    return Migration(profile, rows, _added(profile, set(given), sources, base.name))


def _no_symbol(file: Path) -> Problem:
    return Problem(
        str(file),
        "key 'asset'",
        expected="the symbol to trade",
        found="no such key",
        fix="name it with --symbol",
    )
