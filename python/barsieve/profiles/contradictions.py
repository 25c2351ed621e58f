"""Contradictions between the settings of a profile of the right shape."""

import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from barsieve.core.errors import Problem
from barsieve.core.times import read_moment
from barsieve.profiles.rules import MACRO_EXITS
from barsieve.profiles.schema import GREATEST_INTEGER, settings
from barsieve.profiles.weights import WEIGHT_SUM_TOLERANCE, highest_confidence
from barsieve.profiles.words import number, shown

# What both Python and DuckDB read as the same moment: ISO 8601 knows many more forms.
MOMENT = re.compile(
    r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d(:?\d\d)?)",
    re.ASCII,
)

# Of `symbols`: every symbol of the market.
EVERY = "*"


def _symbol_problems(path: Path, profile: dict[str, Any]) -> Iterator[Problem]:
    symbols = profile["symbols"]
    if EVERY in symbols and len(symbols) > 1:
        yield Problem(
            str(path),
            "key 'symbols'",
            expected=f"'{EVERY}' alone: it stands for every symbol of the market",
            found=shown(symbols),
            fix=f"leave '{EVERY}', or the names",
        )


def _weight_problems(path: Path, profile: dict[str, Any]) -> Iterator[Problem]:
    weights = profile["weights"]
    total = sum(weights.values())
    if abs(total - 1) > WEIGHT_SUM_TOLERANCE:
        yield Problem(
            str(path),
            f"profile '{profile['profile']}', key 'weights'",
            expected="weights that sum to 1",
            found=f"a sum of {number(total)}",
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
                    f"{number(reach)})"
                ),
                found=number(threshold),
                fix="lower the threshold: no bar could ever pass it",
            )


def _order_problems(path: Path, profile: dict[str, Any]) -> Iterator[Problem]:
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
                found=f"{number(section[low])} > {number(section[high])}",
                fix="exchange the two values",
            )


def _integer_problems(path: Path, profile: dict[str, Any]) -> Iterator[Problem]:
    for setting in settings():
        if setting.sql_type != "integer":
            continue
        section, key = setting.key.split(".")
        value = profile[section][key]
        if value is not None and value > GREATEST_INTEGER:
            yield Problem(
                str(path),
                f"key '{setting.key}'",
                expected=f"at most {GREATEST_INTEGER}",
                found=shown(value),
                fix="lower the value: no history is that long",
            )


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    if not MOMENT.fullmatch(text):
        raise ValueError(text)
    return read_moment(text, is_zone_needed=True)


def _study_problems(path: Path, profile: dict[str, Any]) -> Iterator[Problem]:
    moments: dict[str, datetime | None] = {"start": None, "end": None}
    for key in moments:
        try:
            moments[key] = _moment(profile["study"][key])
        except ValueError:
            yield Problem(
                str(path),
                f"key 'study.{key}'",
                expected="ISO 8601 with a time zone, or null",
                found=shown(profile["study"][key]),
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


def _regime_problems(path: Path, profile: dict[str, Any]) -> Iterator[Problem]:
    regime = profile["regime"]
    if regime["classifier"] == "vix_bands" and regime["fit_window"] == "rolling":
        yield Problem(
            str(path),
            "key 'regime.fit_window'",
            expected="'expanding' for vix_bands, which are never fitted",
            found="'rolling'",
            fix="leave the key out, or choose hmm or kmeans",
        )


def _parity_problems(path: Path, profile: dict[str, Any]) -> Iterator[Problem]:
    promise, method = profile["parity"]["promise"], profile["screen"]["method"]
    tolerances = {
        key
        for key in ("trades_tolerance", "win_rate_tolerance")
        if profile["parity"][key] is not None
    }
    if method == "sentinel" and promise == "exact":
        yield Problem(
            str(path),
            "key 'parity.promise'",
            expected="'within' for the sentinel screen, which loses entries",
            found="'exact'",
            fix=(
                "promise 'within' and give trades_tolerance and win_rate_tolerance, "
                "or use the admissible screen"
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


def _envelope_problems(path: Path, profile: dict[str, Any]) -> Iterator[Problem]:
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
    outside: list[tuple[str, str, Any]] = []
    for domain, (low, high) in envelope.get("weights", {}).items():
        own = profile["weights"].get(domain)
        if own is None:
            yield Problem(
                str(path),
                f"key 'screen.envelope.weights.{domain}'",
                expected="a domain that the profile names in 'weights'",
                found=shown([low, high]),
                fix="give the domain a weight, 0 where it shall only vote",
            )
        elif low > high:
            yield Problem(
                str(path),
                f"key 'screen.envelope.weights.{domain}'",
                expected="[low, high] with low <= high",
                found=shown([low, high]),
                fix="exchange the two values",
            )
        elif not low <= own <= high:
            expected = f"[low, high] around {number(own)}"
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
                (name, f"{bound} the profile's own {number(own)}", holder[key])
            )
    for key in MACRO_EXITS:
        own, covered = profile["exits"][key], gates.get(key)
        if covered is not None and (own is None or covered < own):
            expected = "null" if own is None else f"null, or at least {number(own)}"
            outside.append((f"gates.{key}", f"{expected}, as in the profile", covered))
    if gates.get("alignment_required") and not entry["alignment_required"]:
        outside.append(("gates.alignment_required", "false, as in the profile", True))
    for key, expected, found in outside:
        yield Problem(
            str(path),
            f"key 'screen.envelope.{key}'",
            expected=expected,
            found=shown(found),
            fix="widen the envelope: it must cover the profile itself",
        )


def _sentinel_problems(path: Path, profile: dict[str, Any]) -> Iterator[Problem]:
    screen = profile["screen"]
    if screen["method"] == "admissible" and screen["sentinels"] is not None:
        yield Problem(
            str(path),
            "key 'screen.sentinels'",
            expected="null for the admissible screen, which does not read it",
            found=shown(screen["sentinels"]),
            fix="require them (entry.sentinels), or use the sentinel screen",
        )


def _learned_problems(path: Path, profile: dict[str, Any]) -> Iterator[Problem]:
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


def _exit_problems(path: Path, profile: dict[str, Any]) -> Iterator[Problem]:
    """Refuse to leave by a model where none is learned."""
    exits = profile["exits"]
    if exits["learned_below_r"] is not None and exits["learned_model"] is None:
        yield Problem(
            str(path),
            "key 'exits.learned_model'",
            expected="a model where 'exits.learned_below_r' leaves by it",
            found="none",
            fix="name boosting or lstm, or set learned_below_r to null",
        )


def contradictions(path: Path, profile: dict[str, Any]) -> list[Problem]:
    """Return which settings of a profile of the right shape contradict each other."""
    problems: list[Problem] = []
    for rule in (
        _symbol_problems,
        _weight_problems,
        _order_problems,
        _integer_problems,
        _study_problems,
        _regime_problems,
        _parity_problems,
        _envelope_problems,
        _sentinel_problems,
        _learned_problems,
        _exit_problems,
    ):
        problems += rule(path, profile)
    return problems
