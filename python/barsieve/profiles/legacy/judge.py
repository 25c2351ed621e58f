"""Verdict on one key of a legacy config: what becomes of it."""

from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

from barsieve.core.errors import InputError
from barsieve.profiles.diff import KeyPath
from barsieve.profiles.legacy.base import Base
from barsieve.profiles.legacy.keys import (
    LABELS,
    Carried,
    Fixed,
    Missing,
    Rule,
    Shared,
    Switched,
    Unread,
    value_at,
)
from barsieve.profiles.legacy.rows import (
    CARRIED,
    DECISION,
    NO_EFFECT,
    NORMALISED,
    RENAMED,
    Row,
    fault,
)
from barsieve.profiles.legacy.weights import is_other_weight
from barsieve.profiles.schema import is_list_of_text, load_schema

PERCENT = 100


def _setting(key: str) -> dict[str, Any]:
    """Return the JSON Schema of a key of the profile."""
    schema = load_schema("profile")
    for part in key.split("."):
        schema = schema["properties"][part]
    return schema


def _converted(value: Any, setting: dict[str, Any]) -> tuple[Any, str]:
    """Return a value in our unit, and what was done to it."""
    if is_list_of_text(setting):
        item, done = _converted(value, setting["items"])
        return [item], done
    if isinstance(value, str) and value != value.upper() and "pattern" in setting:
        return value.upper(), "in capitals"
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value, ""
    if setting.get("type") == "integer" and value == int(value):
        return int(value), ""
    most = setting.get("maximum", setting.get("exclusiveMaximum"))
    if most == 1 and 1 < value <= PERCENT:
        return value / PERCENT, "a percentage, here a fraction"
    return value, ""


def _carried(file: Path, path: KeyPath, value: Any, rule: Carried) -> Row:
    written, done = _converted(value, _setting(rule.to[0]))
    for key in rule.to:
        setting = _setting(key)
        for error in Draft202012Validator(setting).iter_errors(written):
            expected = f"a value for {key}: {error.message}"
            raise InputError([fault(file, path, expected, value)])
    if done:
        return Row(path, value, NORMALISED, rule.to, written, done)
    same_name = rule.to[0].split(".")[-1] == path[-1]
    status = CARRIED if same_name else RENAMED
    return Row(path, value, status, rule.to, written, rule.note)


def _agrees(value: Any, ours: Any) -> bool:
    return isinstance(value, bool) == isinstance(ours, bool) and value == ours


def _fixed(path: KeyPath, value: Any, rule: Fixed) -> Row:
    if _agrees(value, rule.value):
        return Row(path, value, CARRIED, (), None, f"a fixed rule here: {rule.note}")
    return Row(path, value, DECISION, (), None, f"fixed here: {rule.note}")


def _shared(path: KeyPath, value: Any, rule: Shared, base: Base) -> Row:
    ours = value_at(base.macro_signals, tuple(rule.to[0].split(".")))
    where = f"{rule.to[0]} in shared/macro_signals.json"
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if is_number and value * rule.scale == ours:
        status = CARRIED if rule.scale == 1 else NORMALISED
        return Row(path, value, status, (), None, f"as {where}")
    return Row(path, value, DECISION, (), None, f"{where} is {ours} for all profiles")


def is_label(path: KeyPath, value: Any) -> bool:
    """Tell whether a key describes the file and nothing else."""
    texts = value if isinstance(value, list) else [value]
    is_text = all(isinstance(text, str) for text in texts)
    return is_text and (path[-1] in LABELS or path[-1].startswith("_"))


def judge(
    file: Path,
    path: KeyPath,
    value: Any,
    rule: Rule | None,
    document: dict[str, Any],
    base: Base,
) -> Row:
    """Return what becomes of a key, as its rule says; None is a key nobody knows.

    Raises InputError for a value that the profile could not hold.
    """
    match rule:
        case Carried():
            return _carried(file, path, value, rule)
        case Fixed():
            return _fixed(path, value, rule)
        case Shared():
            return _shared(path, value, rule, base)
        case Unread(note):
            return Row(path, value, NO_EFFECT, (), None, note)
        case Missing(note):
            return Row(path, value, DECISION, (), None, note)
        case Switched(switch, note):
            is_on = bool(value_at(document, tuple(switch.split("."))))
            why = note if is_on else f"{switch} is off"
            return Row(path, value, DECISION if is_on else NO_EFFECT, (), None, why)
    if is_label(path, value):
        return Row(path, value, NO_EFFECT, (), None, "a label")
    if value == {}:
        return Row(path, value, NO_EFFECT, (), None, "a section without keys")
    if is_other_weight(path, document):
        return Row(path, value, NO_EFFECT, (), None, "other weights decided")
    return Row(path, value, DECISION, (), None, "unknown; nothing here is made of it")
