"""Shape of a config, by its JSON Schema: unknown and missing keys, wrong values.

dbt would read a mistyped key as null, so none may reach it.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from difflib import get_close_matches
from itertools import chain
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from barsieve.core.errors import Problem
from barsieve.profiles.former import FORMER, rewriting
from barsieve.profiles.schema import GREATEST_INTEGER, leaves, load_schema
from barsieve.profiles.words import dotted, shown

LEGACY_NAMES = {"hob": "liquidity"}


def _former_key(path: Path, name: str, value: Any) -> Problem:
    now = FORMER[name]
    written = shown(now.written(value))
    return Problem(
        str(path),
        f"former key '{name}'",
        expected=now.words,
        found=shown(value),
        fix=f"make it {now.key} {written}; {rewriting(str(path))} rewrites the file",
    )


def _unknown_keys(
    path: Path, error: ValidationError, root: dict[str, Any]
) -> Iterator[Problem]:
    known = list(error.schema["properties"])
    for key in error.instance:
        if key in known:
            continue
        name = dotted(error.absolute_path, key)
        if name in FORMER and FORMER[name].key in leaves(root):
            yield _former_key(path, name, error.instance[key])
            continue
        near = get_close_matches(key, known, n=1)
        if key in LEGACY_NAMES and LEGACY_NAMES[key] in known:
            fix = f"the legacy name '{key}' is '{LEGACY_NAMES[key]}' here"
        elif near:
            fix = f"did you mean '{near[0]}'? Else remove the key"
        else:
            fix = "remove the key: nothing reads it"
        yield Problem(
            str(path),
            f"unknown key '{name}'",
            expected=f"one of {', '.join(known)}",
            found=shown(error.instance[key]),
            fix=fix,
        )


def _missing_keys(
    path: Path, error: ValidationError, root: dict[str, Any]
) -> Iterator[Problem]:
    renamed = {FORMER[key].key for key in FORMER if key in error.instance}
    for key in error.validator_value:
        # A file with the former key does not lack it, and is told so once.
        if key not in error.instance and key not in renamed:
            part = error.schema.get("properties", root["properties"])[key]
            described = part.get("description", "")
            yield Problem(
                str(path),
                f"key '{dotted(error.absolute_path, key)}'",
                expected="it to be given",
                found="it missing",
                fix=f"add the key. {described}".strip(),
            )


_EXPECTED = {
    "minimum": "at least {0}",
    "exclusiveMinimum": "more than {0}",
    "maximum": "at most {0}",
    "exclusiveMaximum": "less than {0}",
    "enum": "one of {0}",
    "type": "the type {0}",
    "pattern": "text that matches {0}",
    "minItems": "[low, high]",
    "maxItems": "[low, high]",
    "minProperties": "at least one name",
    "uniqueItems": "each name once",
    "oneOf": "null or an object",
}


def _bound(error: ValidationError) -> str:
    """Return what a keyword of the schema demands: types in words."""
    if error.validator == "type":
        types = error.validator_value
        named = [types] if isinstance(types, str) else types
        return " or ".join(map(json.dumps, named))
    return json.dumps(error.validator_value)


def _wrong_value(path: Path, error: ValidationError) -> Problem:
    template = _EXPECTED.get(error.validator)
    bound = _bound(error)
    if error.validator == "minItems" and "uniqueItems" in error.schema:
        template = _EXPECTED["minProperties"]
    expected = template.format(bound) if template else error.message
    described = error.schema.get("description", "")
    return Problem(
        str(path),
        f"key '{dotted(error.absolute_path)}'",
        expected=expected,
        found=shown(error.instance),
        fix=f"correct the value. {described}".strip(),
    )


def _leaf_errors(error: ValidationError) -> list[ValidationError]:
    """Return what is wrong with an envelope, not that it is neither null nor sound."""
    if error.validator == "oneOf" and isinstance(error.instance, dict):
        return [nested for nested in error.context if nested.schema_path[0] == 1]
    return [error]


def value_problems(
    file: str, key: str, values: Iterable[float | str]
) -> Iterator[Problem]:
    """Yield what is wrong with numbers, or truths, of one setting, by its dotted key.

    `weights.<domain>` is a setting too.
    """
    if key.startswith("weights."):
        part = load_schema("profile")["properties"]["weights"]["additionalProperties"]
    else:
        part = leaves(load_schema("profile"))[key]
    validator, is_whole = Draft202012Validator(part), "integer" in part.get("type", "")
    for value in values:
        errors = list(validator.iter_errors(value))
        for error in errors:
            yield replace(_wrong_value(Path(file), error), where=f"key '{key}'")
        if not errors and is_whole and float(value) > GREATEST_INTEGER:
            yield Problem(
                file,
                f"key '{key}'",
                expected=f"at most {GREATEST_INTEGER}",
                found=shown(value),
                fix="correct the value",
            )


def shape_problems(path: Path, document: Any, schema: str) -> list[Problem]:
    """Return where a document is not as the JSON Schema of that name wants it."""
    problems: list[Problem] = []
    validator = Draft202012Validator(load_schema(schema))
    for error in chain.from_iterable(
        map(_leaf_errors, validator.iter_errors(document))
    ):
        if error.validator == "additionalProperties":
            problems += _unknown_keys(path, error, validator.schema)
        elif error.validator == "required":
            problems += _missing_keys(path, error, validator.schema)
        else:
            problems.append(_wrong_value(path, error))
    return list(dict.fromkeys(problems))
