"""A profile with former keys as one with those of today: its text, changed there alone.

What else the file says, and how it is laid out, stays as its owner wrote it.
"""

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from barsieve.core.errors import InputError, Problem, refuse
from barsieve.profiles.diff import KeyPath, leaves
from barsieve.profiles.former import FORMER
from barsieve.profiles.json_file import read_json
from barsieve.profiles.legacy.keys import RULES, value_at
from barsieve.profiles.legacy.members import Member, blank_before, members, without
from barsieve.profiles.legacy.rows import CARRIED, NO_EFFECT, RENAMED, Row, fault
from barsieve.profiles.resolution import is_profile
from barsieve.profiles.schema import load_schema
from barsieve.profiles.shape import shape_problems
from barsieve.profiles.words import shown

SYMBOL = ("symbol",)
BALANCE = ("risk", "start_balance")
WALLET = ("wallet",)
_TOLD = {
    SYMBOL: "a list: a profile may trade several",
    BALANCE: "a section of its own says whose money it is",
}


@dataclass(frozen=True)
class Renewed:
    """A profile with the keys of today: its text, its document, a row for each key."""

    text: str
    profile: dict[str, Any]
    rows: list[Row]

    @property
    def is_changed(self) -> bool:
        """Tell whether the file was not of today already."""
        return any(row.status != CARRIED for row in self.rows)


def is_profile_of_ours(document: Any) -> bool:
    """Tell whether a document is a profile, of today or with former keys.

    A legacy config may have weights and a label `profile` too; it has sections that no
    profile ever had.
    """
    ours = {*load_schema("profile")["properties"], *SYMBOL}
    legacy = {key.split(".")[0] for key in RULES} - ours
    return is_profile(document) and not legacy.intersection(document)


def _path(key: str) -> KeyPath:
    return tuple(key.split("."))


def _has(document: dict[str, Any], path: KeyPath) -> bool:
    holder = value_at(document, path[:-1])
    return isinstance(holder, dict) and path[-1] in holder


def _by_key(text: str, at: int = 0) -> dict[str, Member]:
    return {member.key: member for member in members(text, at)}


def _with_symbols(text: str) -> str:
    found = _by_key(text)
    if "symbols" in found:
        return without(text, members(text), "symbol")
    own = found["symbol"]
    between = text[own.key_end : own.value_start]
    written = f'"symbols"{between}[{own.value(text)}]'
    return text[: own.start] + written + text[own.end :]


def _with_wallet(text: str) -> str:
    """Return a text in which the balance stands in a wallet: a new one follows risk."""
    found = _by_key(text)
    risk = found["risk"]
    inner = members(text, risk.value_start)
    own = next(member for member in inner if member.key == "start_balance")
    balance = text[own.start : own.end]
    if "wallet" not in found:
        begin = "{" + blank_before(text, inner[0].start)
        body = begin + balance + text[inner[-1].end : risk.end]
        between = text[risk.key_end : risk.value_start]
        blank = blank_before(text, members(text)[-1].start)
        added = f',{blank}"wallet"{between}{body}'
        return text[: risk.end] + added + text[risk.end :]
    wallet = found["wallet"]
    others = members(text, wallet.value_start)
    if any(member.key == "start_balance" for member in others):
        return text
    if not others:
        return text[: wallet.value_start] + f"{{{balance}}}" + text[wallet.end :]
    at = others[0].start
    return f"{text[:at]}{balance},{blank_before(text, at) or ' '}{text[at:]}"


def _without_balance(text: str) -> str:
    """Return a text whose section `risk` has no balance; it goes where it has no more.

    A wallet stands beside it then, so it is never the only member.
    """
    risk = _by_key(text)["risk"]
    inner = members(text, risk.value_start)
    if len(inner) == 1:
        return without(text, members(text), "risk")
    return without(text, inner, "start_balance")


def _with_name(text: str, name: str) -> str:
    own = _by_key(text)["profile"]
    return text[: own.value_start] + json.dumps(name) + text[own.end :]


def _differing(file: Path, document: dict[str, Any]) -> list[Problem]:
    """Return the former keys that stand beside the one of today and say another."""
    problems = []
    for former, now in FORMER.items():
        path = tuple(former.split("."))
        value, own = value_at(document, path), value_at(document, _path(now.key))
        are_both = _has(document, path) and _has(document, _path(now.key))
        if are_both and now.written(value) != own:
            problems.append(
                Problem(
                    str(file),
                    f"keys '{former}' and '{now.key}'",
                    expected="one of them",
                    found=f"{shown(value)} and {shown(own)}",
                    fix=f"take '{former}' out",
                )
            )
    if not isinstance(document.get("wallet", {}), dict):
        problems.append(fault(file, WALLET, "an object", document["wallet"]))
    return problems


def _rows(document: dict[str, Any], name: str) -> list[Row]:
    rows = []
    for path, value in leaves(document):
        now = FORMER.get(".".join(path))
        if now is None:
            row = Row(path, value, CARRIED, (".".join(path),), value, "")
            if path == ("profile",) and value != name:
                row = row._replace(status=RENAMED, written=name, note="as its file")
            elif path == WALLET and _has(document, BALANCE):
                row = Row(path, value, NO_EFFECT, (), None, "an empty section, filled")
        elif _has(document, _path(now.key)):
            row = Row(path, value, NO_EFFECT, (), None, f"{now.key} says the same")
        else:
            written = now.written(value)
            row = Row(path, value, RENAMED, (now.key,), written, _TOLD[path])
        rows.append(row)
    return rows


def read_profile(file: Path) -> dict[str, Any] | None:
    """Return the document of a profile's file; None for a file that is another's.

    Raises InputError for a file that cannot be read.
    """
    document, problems = read_json(file)
    if problems:
        raise InputError(problems)
    return document if is_profile_of_ours(document) else None


def renew(file: Path, name: str | None = None) -> Renewed:
    """Return a profile with the keys of today; `name`, where it gets another one.

    Every leaf of the file is in exactly one row. Raises InputError for a file that is
    no profile, for former keys that contradict those of today, and for what else the
    schema refuses.
    """
    document = read_profile(file)
    if document is None:
        expected, fix = "a profile", "migrate a legacy config by itself"
        refuse(str(file), expected=expected, found="another file", fix=fix)
    if problems := _differing(file, document):
        raise InputError(problems)
    # Not read as text, which would make its line ends ours.
    text = file.read_bytes().decode()
    if _has(document, SYMBOL):
        text = _with_symbols(text)
    if _has(document, BALANCE):
        text = _without_balance(_with_wallet(text))
    if name is not None:
        text = _with_name(text, name)
    made: dict[str, Any] = json.loads(text)
    if problems := shape_problems(file, made, "profile"):
        raise InputError([replace(p, file=f"{file}, renewed") for p in problems])
    return Renewed(text, made, _rows(document, name or document["profile"]))
