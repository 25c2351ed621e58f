"""Profiles checked before dbt reads them: shape by JSON Schema, sense by rules.

dbt would read a mistyped key as null and a duplicate key as an opaque error, so neither
may reach it.
"""

import json
import re
from collections.abc import Iterator
from datetime import datetime
from difflib import get_close_matches
from itertools import chain
from math import isfinite
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from barsieve.core.errors import Problem
from barsieve.core.times import read_moment
from barsieve.profiles.schema import load_schema, settings

DOMAINS = ("wyckoff", "liquidity", "smc", "momentum", "temporal")
LEGACY_NAMES = {"hob": "liquidity"}

# The least and greatest score that a domain can give (0 and 1 where not listed).
SCORE_RANGES = {"wyckoff": (0.28, 0.72)}

# Decimal weights such as 0.215 do not add up in binary; real slips are far larger.
WEIGHT_SUM_TOLERANCE = 1e-9

# The models read whole numbers as 32-bit integers.
GREATEST_INTEGER = 2**31 - 1

# No setting lies deeper than four levels; beyond this, recursion could fail.
GREATEST_DEPTH = 20

# What both Python and DuckDB read as the same moment: ISO 8601 knows many more forms.
MOMENT = re.compile(
    r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d(:?\d\d)?)",
    re.ASCII,
)


class _DuplicateKeyError(Exception):
    def __init__(self, key: str):
        self.key = key
        super().__init__(key)


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise _DuplicateKeyError(key)
        found[key] = value
    return found


def _integer(text: str) -> int | float:
    """Return an integer, or an infinity where no double is that large."""
    value = float(text)
    return int(text) if isfinite(value) else value


def _unusable_values(path: Path, document: Any) -> Iterator[Problem]:
    """Yield numbers that are none (Python reads NaN and 1e999), and endless nesting."""
    queue: list[tuple[tuple, Any]] = [((), document)]
    for keys, value in queue:
        if len(keys) > GREATEST_DEPTH:
            yield _too_deep(path)
            return
        if isinstance(value, dict):
            queue += [((*keys, key), part) for key, part in value.items()]
        elif isinstance(value, list):
            queue += [((*keys, number), part) for number, part in enumerate(value)]
        elif isinstance(value, float) and not isfinite(value):
            yield Problem(
                str(path),
                f"key '{_dotted(keys)}'",
                expected="a finite number (up to 1.8e308)",
                found=json.dumps(value),
                fix="write a number, or null where null is allowed",
            )


def _too_deep(path: Path) -> Problem:
    return Problem(
        str(path),
        expected=f"at most {GREATEST_DEPTH} levels of nesting",
        found="more",
        fix="remove the nesting: no setting lies that deep",
    )


def read_json(path: Path) -> tuple[Any, list[Problem]]:
    """Return the document of a JSON file, and what is wrong with the file."""
    try:
        text = path.read_text(encoding="utf-8")
        if text.startswith("\ufeff"):
            return None, [
                Problem(
                    str(path),
                    "line 1, column 1",
                    expected="UTF-8 without a byte order mark",
                    found="a byte order mark",
                    fix="save the file without it",
                )
            ]
        document = json.loads(text, object_pairs_hook=_unique_keys, parse_int=_integer)
        return document, list(_unusable_values(path, document))
    except _DuplicateKeyError as error:
        return None, [
            Problem(
                str(path),
                f"key '{error.key}'",
                expected="each key once",
                found="it twice",
                fix="remove one of the two",
            )
        ]
    except json.JSONDecodeError as error:
        found = f"a fault there: {error.msg}" if text.strip() else "an empty file"
        return None, [
            Problem(
                str(path),
                f"line {error.lineno}, column {error.colno}",
                expected="valid JSON",
                found=found,
                fix="mend the syntax there",
            )
        ]
    except RecursionError:
        return None, [_too_deep(path)]
    except UnicodeDecodeError as error:
        return None, [
            Problem(
                str(path),
                f"byte {error.start + 1}",
                expected="UTF-8 text",
                found=f"the byte {error.object[error.start]:#04x}",
                fix="save the file as UTF-8",
            )
        ]
    except OSError as error:
        return None, [
            Problem(
                str(path),
                expected="a readable file",
                found=error.strerror or str(error),
                fix="put the file there; the shipped ones lie in configs/",
            )
        ]


def _dotted(path, key: str | None = None) -> str:
    parts = [str(part) for part in path] + ([key] if key is not None else [])
    return ".".join(parts) or "(top level)"


def _shown(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 80 else text[:77] + "..."


def _number(value: float) -> str:
    """Return a number with digits enough to tell it from the bound that it breaks."""
    return f"{value:.12g}"


def _unknown_keys(path: Path, error: ValidationError) -> Iterator[Problem]:
    known = list(error.schema["properties"])
    for key in error.instance:
        if key in known:
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
            f"unknown key '{_dotted(error.absolute_path, key)}'",
            expected=f"one of {', '.join(known)}",
            found=_shown(error.instance[key]),
            fix=fix,
        )


def _missing_keys(path: Path, error: ValidationError) -> Iterator[Problem]:
    for key in error.validator_value:
        if key not in error.instance:
            described = error.schema["properties"][key].get("description", "")
            yield Problem(
                str(path),
                f"key '{_dotted(error.absolute_path, key)}'",
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
    "oneOf": "null or an object",
}


def _wrong_value(path: Path, error: ValidationError) -> Problem:
    template = _EXPECTED.get(error.validator)
    bound = json.dumps(error.validator_value)
    expected = template.format(bound) if template else error.message
    described = error.schema.get("description", "")
    return Problem(
        str(path),
        f"key '{_dotted(error.absolute_path)}'",
        expected=expected,
        found=_shown(error.instance),
        fix=f"correct the value. {described}".strip(),
    )


def _leaf_errors(error: ValidationError) -> list[ValidationError]:
    """Return what is wrong with an envelope, not that it is neither null nor sound."""
    if error.validator == "oneOf" and isinstance(error.instance, dict):
        return [nested for nested in error.context if nested.schema_path[0] == 1]
    return [error]


def _schema_problems(path: Path, document: Any, schema: str) -> list[Problem]:
    problems: list[Problem] = []
    validator = Draft202012Validator(load_schema(schema))
    for error in chain.from_iterable(
        map(_leaf_errors, validator.iter_errors(document))
    ):
        if error.validator == "additionalProperties":
            problems += _unknown_keys(path, error)
        elif error.validator == "required":
            problems += _missing_keys(path, error)
        else:
            problems.append(_wrong_value(path, error))
    return list(dict.fromkeys(problems))


def highest_confidence(weights: dict[str, float]) -> float:
    """Return the greatest confidence that weights (summing to 1) can reach.

    For a long every domain gives its highest score, for a short its lowest; the better
    of the two counts.
    """
    ranges = [SCORE_RANGES.get(domain, (0.0, 1.0)) for domain in DOMAINS]
    pairs = list(zip((weights[d] for d in DOMAINS), ranges, strict=True))
    long = sum(weight * high for weight, (_, high) in pairs)
    short = 1 - sum(weight * low for weight, (low, _) in pairs)
    return max(long, short)


def _weight_problems(path: Path, profile: dict) -> Iterator[Problem]:
    weights = profile["weights"]
    total = sum(weights.values())
    if abs(total - 1) > WEIGHT_SUM_TOLERANCE:
        yield Problem(
            str(path),
            f"profile '{profile['profile']}', key 'weights'",
            expected="weights that sum to 1",
            found=f"a sum of {_number(total)}",
            fix="divide each weight by the sum",
        )
        return
    reach = highest_confidence(weights)
    thresholds = {"entry.entry_threshold": profile["entry"]["entry_threshold"]}
    envelope = profile["screen"]["envelope"] or {}
    if "entry_threshold" in envelope:
        thresholds["screen.envelope.entry_threshold"] = envelope["entry_threshold"]
    for key, threshold in thresholds.items():
        if threshold > reach:
            yield Problem(
                str(path),
                f"key '{key}'",
                expected=(
                    "a threshold that these weights can reach (at most "
                    f"{_number(reach)})"
                ),
                found=_number(threshold),
                fix="lower the threshold: no bar could ever pass it",
            )


def _order_problems(path: Path, profile: dict) -> Iterator[Problem]:
    entry, risk = profile["entry"], profile["risk"]
    for low, high, section in (
        ("atr_rank_floor", "atr_rank_cap", entry),
        ("risk_min", "risk_max", risk),
    ):
        if section[low] > section[high]:
            yield Problem(
                str(path),
                f"keys '{low}' and '{high}'",
                expected=f"{low} <= {high}",
                found=f"{_number(section[low])} > {_number(section[high])}",
                fix="exchange the two values",
            )


def _integer_problems(path: Path, profile: dict) -> Iterator[Problem]:
    for setting in settings():
        if setting.sql_type != "integer":
            continue
        section, key = setting.key.split(".")
        value = profile[section].get(key, 0)
        if value > GREATEST_INTEGER:
            yield Problem(
                str(path),
                f"key '{setting.key}'",
                expected=f"at most {GREATEST_INTEGER}",
                found=_shown(value),
                fix="lower the value: no history is that long",
            )


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    if not MOMENT.fullmatch(text):
        raise ValueError(text)
    return read_moment(text, is_zone_needed=True)


def _study_problems(path: Path, profile: dict) -> Iterator[Problem]:
    moments: dict[str, datetime | None] = {"start": None, "end": None}
    for key in moments:
        try:
            moments[key] = _moment(profile["study"][key])
        except ValueError:
            yield Problem(
                str(path),
                f"key 'study.{key}'",
                expected="ISO 8601 with a time zone, or null",
                found=_shown(profile["study"][key]),
                fix="write it like 2024-07-01T00:00:00+00:00",
            )
    if moments["start"] and moments["end"] and moments["start"] >= moments["end"]:
        yield Problem(
            str(path),
            "keys 'study.start' and 'study.end'",
            expected="start before end",
            found=f"{profile['study']['start']} and {profile['study']['end']}",
            fix="exchange the two values",
        )


def _parity_problems(path: Path, profile: dict) -> Iterator[Problem]:
    promise, method = profile["parity"]["promise"], profile["screen"]["method"]
    tolerances = {"trades_tolerance", "win_rate_tolerance"} & set(profile["parity"])
    if method == "sentinel" and promise == "exact":
        yield Problem(
            str(path),
            "key 'parity.promise'",
            expected="'within' for the sentinel screen, which loses entries",
            found="'exact'",
            fix=(
                "promise 'within' and give trades_tolerance and "
                "win_rate_tolerance, or use "
                "the admissible screen"
            ),
        )
    if method == "admissible" and promise == "within":
        yield Problem(
            str(path),
            "key 'parity.promise'",
            expected="'exact' for the admissible screen, which loses nothing",
            found="'within'",
            fix="promise 'exact' and remove the tolerances",
        )
    if promise == "within" and len(tolerances) < 2:
        yield Problem(
            str(path),
            "key 'parity'",
            expected="trades_tolerance and win_rate_tolerance",
            found=f"{', '.join(sorted(tolerances)) or 'neither'}",
            fix="give both",
        )
    if promise == "exact" and tolerances:
        yield Problem(
            str(path),
            "key 'parity'",
            expected="no tolerance where exactness is promised",
            found=", ".join(sorted(tolerances)),
            fix="remove it",
        )


def _envelope_problems(path: Path, profile: dict) -> Iterator[Problem]:
    envelope = profile["screen"]["envelope"]
    if envelope is None:
        return
    if profile["screen"]["method"] == "sentinel":
        yield Problem(
            str(path),
            "key 'screen.envelope'",
            expected="null for the sentinel screen, which does not read it",
            found="an envelope",
            fix="set it to null, or use the admissible screen",
        )
    entry, gates = profile["entry"], envelope.get("gates", {})
    outside = []
    for domain, (low, high) in envelope.get("weights", {}).items():
        own = profile["weights"][domain]
        if low > high:
            yield Problem(
                str(path),
                f"key 'screen.envelope.weights.{domain}'",
                expected="[low, high] with low <= high",
                found=_shown([low, high]),
                fix="exchange the two values",
            )
        elif not low <= own <= high:
            expected = f"[low, high] around {_number(own)}"
            outside.append((f"weights.{domain}", expected, [low, high]))
    for key, holder, own, covers in (
        ("entry_threshold", envelope, entry["entry_threshold"], float.__le__),
        ("atr_rank_floor", gates, entry["atr_rank_floor"], float.__le__),
        ("atr_rank_cap", gates, entry["atr_rank_cap"], float.__ge__),
        ("veto_limit", gates, entry["veto_limit"], float.__ge__),
    ):
        if key in holder and not covers(float(holder[key]), float(own)):
            bound = "at most" if covers is float.__le__ else "at least"
            name = key if holder is envelope else f"gates.{key}"
            outside.append(
                (name, f"{bound} the profile's own {_number(own)}", holder[key])
            )
    if gates.get("alignment_required") and not entry["alignment_required"]:
        outside.append(("gates.alignment_required", "false, as in the profile", True))
    for key, expected, found in outside:
        yield Problem(
            str(path),
            f"key 'screen.envelope.{key}'",
            expected=expected,
            found=_shown(found),
            fix="widen the envelope: it must cover the profile itself",
        )


def _learned_problems(path: Path, profile: dict) -> Iterator[Problem]:
    """Refuse to learn without a box to learn in, or with a screen that covers none."""
    if not profile["learned"]:
        return
    if profile["screen"]["method"] != "admissible":
        yield Problem(
            str(path),
            "key 'screen.method'",
            expected=(
                "'admissible' where 'learned' is true: it covers what may be learned"
            ),
            found=f"'{profile['screen']['method']}'",
            fix="use the admissible screen",
        )
    elif not (profile["screen"]["envelope"] or {}).get("weights"):
        yield Problem(
            str(path),
            "key 'screen.envelope.weights'",
            expected="a box of weights where 'learned' is true",
            found="none",
            fix="give low and high per domain, or set learned to false",
        )


def check_document(path: Path, profile: Any) -> list[Problem]:
    """Return what is wrong with a profile that was read; `path` is only named."""
    return _schema_problems(path, profile, "profile") or _contradictions(path, profile)


def _contradictions(path: Path, profile: dict) -> list[Problem]:
    """Return which settings of a profile of the right shape contradict each other."""
    problems: list[Problem] = []
    for rule in (
        _weight_problems,
        _order_problems,
        _integer_problems,
        _study_problems,
        _parity_problems,
        _envelope_problems,
        _learned_problems,
    ):
        problems += rule(path, profile)
    return problems


def check_profile(path: Path) -> tuple[dict | None, list[Problem]]:
    """Return the profile of a file and what is wrong with it (None if unreadable)."""
    profile, problems = read_json(path)
    if problems:
        return None, problems
    problems = _schema_problems(path, profile, "profile")
    if problems:
        return None, problems
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
    return profile, problems + _contradictions(path, profile)


def _reference_problems(
    path: Path, profile: dict, symbols: list[str]
) -> Iterator[Problem]:
    regime = profile["regime"]
    if regime["classifier"] != "off" and regime["reference_symbol"] not in symbols:
        yield Problem(
            str(path),
            "key 'regime.reference_symbol'",
            expected=f"a symbol of the market ({', '.join(symbols)})",
            found=f"'{regime['reference_symbol']}'",
            fix="name one of them, or set regime.classifier to off",
        )


def check_configs(folder: Path, symbols: list[str]) -> list[Problem]:
    """Return what is wrong with a folder of profiles, for a market of these symbols."""
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
        profile, found = check_profile(path)
        problems += found
        if profile and symbols and profile["symbol"] not in symbols:
            problems.append(
                Problem(
                    str(path),
                    "key 'symbol'",
                    expected=f"a symbol of the market ({', '.join(symbols)})",
                    found=f"'{profile['symbol']}'",
                    fix=(
                        f"add bars/{profile['symbol']}.parquet to the "
                        "market, or take the "
                        "profile out of the configs folder"
                    ),
                )
            )
        elif profile and symbols:
            problems += _reference_problems(path, profile, symbols)
    shared = folder / "shared" / "macro_signals.json"
    document, found = read_json(shared)
    return problems + (found or _schema_problems(shared, document, "macro_signals"))
