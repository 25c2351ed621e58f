"""Grids as data: from rows of the seed `sweep_grids` to configurations."""

import itertools
from collections.abc import Iterator, Sequence
from decimal import Decimal
from math import prod
from typing import Any, NamedTuple

import numpy as np

from barsieve.core.errors import InputError, refuse
from barsieve.profiles.rules import as_rule
from barsieve.profiles.schema import settings
from barsieve.profiles.weights import SCORE_RANGES, WEIGHT_SUM_TOLERANCE

_TYPES = {setting.column: setting.sql_type for setting in settings()}
CODES = {s.column: s.codes for s in settings() if s.codes}
"""Codes of the settings that are a choice of names."""
_NULLABLE = {setting.column for setting in settings() if setting.is_nullable}
# The settings that a grid may vary, named as in `config_profiles`; and weights.
VARIED = (
    "entry_threshold", "alignment_required", "atr_rank_floor", "atr_rank_cap",
    "veto_limit", "cooldown_bars", "stop_atr", "target_r", "partial_at_r",
    "partial_share", "trail_atr", "time_stop_bars", "volume_trap_z", "volume_trap_atr",
    "vix_exit", "macro_exit_veto", "sizing_kind", "sizing_risk", "volatility_target",
    "drawdown_limit", "kelly_fraction",
)  # fmt: skip
WEIGHT = "weight_"
"""Prefix of a domain, as a grid names the setting of its weight."""


def config_dtype(n_domains: int) -> np.dtype:
    """Return what a configuration is made of, in a build of so many domains."""
    first, *rest = (
        (name, np.float64 if _TYPES[name] == "double" else np.int64) for name in VARIED
    )
    return np.dtype([first, ("weights", np.float64, (n_domains,)), *rest])


EVERY_OTHER, KEPT = WEIGHT + "*", "kept"
"""Setting that stands for the weights of all domains that a grid does not name."""
DECIMALS = 9
# More than these are no grid that anybody waits for.
MOST_ENUMERATED = 1_000_000


class Grid(NamedTuple):
    """The configurations of a grid: those to run, and those that break a constraint.

    `domains`: those that vote, by the rows of the grid or its base profile, each at its
    place in `places`. `configs` and `refused`: record arrays of `config_dtype`, with a
    weight for each domain of the build. `violations` names the broken constraint of
    each refused one.
    """

    name: str
    domains: tuple[str, ...]
    places: tuple[int, ...]
    configs: np.recarray
    refused: np.recarray
    violations: list[str]


def _value(setting: str, choice: str) -> float | str | None:
    """Return what a choice of a grid stands for; one of names is its name."""
    if setting in CODES:
        return choice
    return None if choice == "null" else float(choice)


def _choices(row: dict[str, Any]) -> list[float]:
    """Return the values of a `range` or `values` row, in exact decimal steps.

    `null` among the choices switches the setting off.
    """
    if row["method"] == "values":
        return [
            float(as_rule(row["setting"], _value(row["setting"], choice)))
            for choice in row["choices"].split()
        ]
    low, high, step = (Decimal(repr(row[edge])) for edge in ("low", "high", "step"))
    return [float(low + i * step) for i in range(int((high - low) / step) + 1)]


def is_sampled(rows: list[dict[str, Any]]) -> bool:
    """Tell whether a grid has a box, so that it is sampled and not enumerated."""
    return any(row["method"] == "box" for row in rows)


def _sobol(n_dimensions: int, n: int, seed: int) -> np.ndarray:
    """Return the first `n` points of a scrambled Sobol sequence, shape (n, d).

    More points begin with the same ones, so a larger sweep contains a smaller one.
    """
    try:
        from scipy.stats.qmc import Sobol
    except ImportError:
        refuse(
            "sweep",
            "a sampled grid",
            expected="scipy",
            found="none installed",
            fix="pip install 'barsieve[ml]'",
        )
    n_bits = max(0, int(n - 1).bit_length())
    return Sobol(n_dimensions, scramble=True, rng=seed).random_base2(n_bits)[:n]


def _sampled(rows, n: int, seed: int) -> dict[str, np.ndarray]:
    points = _sobol(len(rows), n, seed)
    columns = {}
    for row, point in zip(rows, points.T, strict=True):
        if row["method"] == "box":
            values = row["low"] + point * (row["high"] - row["low"])
            columns[row["setting"]] = np.round(values, DECIMALS)
        else:
            choices = np.array(_choices(row))
            picked = (point * len(choices)).astype(int)
            columns[row["setting"]] = choices[np.minimum(picked, len(choices) - 1)]
    return columns


def _enumerated(rows) -> dict[str, np.ndarray]:
    n_configs = prod(len(_choices(row)) for row in rows)
    if n_configs > MOST_ENUMERATED:
        refuse(
            "sweep_grids",
            f"grid '{rows[0]['grid']}'",
            expected=f"at most {MOST_ENUMERATED:,} combinations",
            found=f"{n_configs:,}: each domain that the profile lets vary and the grid "
            "does not name has three weights",
            fix="let fewer domains of the base profile vary (screen.envelope.weights), "
            "or take a sampled grid",
        )
    product = np.array(list(itertools.product(*map(_choices, rows))))
    names = [row["setting"] for row in rows]
    return dict(zip(names, product.T, strict=True))


def _total(weights: np.ndarray) -> np.ndarray:
    """Return the sums of weights of shape (n_configs, n), always in their order."""
    total: np.ndarray = sum(weights.T, np.zeros(len(weights)))
    return total


def _rest_of_weights(row, weights: np.ndarray, place: int) -> np.ndarray:
    """Fill the weight that takes the rest; tell where it lies in [low, high).

    Half-open, and of rounded decimals: on an edge the bits of a float would decide.
    """
    weights[:, place] = 0.0
    rest = np.round(1 - _total(weights), DECIMALS)
    weights[:, place] = rest
    return (rest >= row["low"]) & (rest < row["high"])


def _reach(weights: np.ndarray, domains: Sequence[str]) -> np.ndarray:
    """Return the greatest confidence that each configuration's weights can reach."""
    lows, highs = np.array([SCORE_RANGES.get(d, (0.0, 1.0)) for d in domains]).T
    return np.maximum(highs @ weights.T, 1 - lows @ weights.T)


def _constraints(rows, configs, domains: Sequence[str]) -> dict[str, np.ndarray]:
    """Return, by its sentence, where each constraint of a profile holds."""
    holds, weights = {}, configs.weights
    for row in rows:
        if row["method"] == "rest":
            sentence = f"{row['setting']} in [{row['low']}, {row['high']})"
            place = domains.index(row["setting"].removeprefix(WEIGHT))
            holds[sentence] = _rest_of_weights(row, weights, place)
    if any(
        row["method"] == "box" and row["setting"].startswith(WEIGHT) for row in rows
    ):
        weights /= _total(weights)[:, None]
    holds["weights sum to 1"] = np.abs(_total(weights) - 1) <= WEIGHT_SUM_TOLERANCE
    reach = _reach(weights, domains)
    holds["entry_threshold within reach"] = configs["entry_threshold"] <= reach
    holds["atr_rank_floor <= atr_rank_cap"] = (
        configs["atr_rank_floor"] <= configs["atr_rank_cap"]
    )
    return holds


def _refuse_unknown(
    name: str, grids: list[dict[str, Any]], domains: Sequence[str]
) -> None:
    names = list(dict.fromkeys(row["grid"] for row in grids))
    if name not in names:
        expected = f"one of {', '.join(names)}"
        fix = "correct the name, or add rows to seeds/sweep_grids.csv and dbt build"
        refuse("sweep_grids", "grid", expected=expected, found=f"'{name}'", fix=fix)
    known = (*VARIED, *(WEIGHT + domain for domain in domains), EVERY_OTHER)
    for row in grids:
        if row["grid"] == name and row["setting"] not in known:
            refuse(
                "sweep_grids",
                f"grid '{name}'",
                expected=f"one of {', '.join(known)}",
                found=f"'{row['setting']}'",
                fix="correct the name",
            )
        is_off = "null" in (row.get("choices") or "").split()
        if row["grid"] == name and is_off and row["setting"] not in _NULLABLE:
            refuse(
                "sweep_grids",
                f"grid '{name}', setting '{row['setting']}'",
                expected="numbers: it cannot be switched off",
                found="null",
                fix="null is for " + ", ".join(sorted(_NULLABLE.intersection(known))),
            )


def _told(row: dict[str, Any], is_boolean: bool) -> Iterator[float | str]:
    """Yield the values of a row of a grid, but null, as a profile would say them."""
    for text in (row.get("choices") or "").split() or [row["low"], row["high"]]:
        if text == "null":
            continue
        if row["setting"] in CODES:
            yield str(text)
            continue
        value = float(text)
        if is_boolean and value in (0, 1):
            yield bool(value)
        else:
            yield int(value) if value.is_integer() else value


def _refuse_beyond(name: str, grids: list[dict[str, Any]]) -> None:
    """Refuse a value of a grid that no profile may have: a build would refuse it."""
    from barsieve.profiles.shape import value_problems

    known = {setting.column: setting for setting in settings()}
    for row in grids:
        if row["grid"] != name or row["setting"] == EVERY_OTHER:
            continue
        column = row["setting"]
        is_weight = column.startswith(WEIGHT)
        key = "weights." + column.removeprefix(WEIGHT)
        key = key if is_weight else known[column].key
        is_boolean = not is_weight and known[column].sql_type == "boolean"
        values = _told(row, is_boolean)
        if problems := list(value_problems(f"grid '{name}'", key, values)):
            raise InputError(problems)


def _own_weight(base: dict[str, Any], domain: str, method: str) -> dict[str, Any]:
    """Return the row of a domain of the base profile that a grid does not name."""
    own, (low, high) = base["weights"][domain], base["box"][domain]
    tried = sorted({low, own, high}) if method != KEPT else [own]
    return {
        "setting": WEIGHT + domain,
        "method": "box" if method == "box" and low < high else "values",
        "low": low,
        "high": high,
        "choices": " ".join(map(repr, tried)),
    }


def _completed(rows, base: dict[str, Any], domains: Sequence[str]) -> list[dict]:
    """Return the rows of a grid, and of each domain of the base that it does not name.

    Such a domain keeps its weight, unless the grid has the row `EVERY_OTHER`: then its
    weights are those at the ends of the profile's envelope and its own, or, in a
    sampled grid, all between the ends.
    """
    named = {row["setting"] for row in rows}
    left = [d for d in base["weights"] if WEIGHT + d not in named and d in domains]
    method = KEPT
    if EVERY_OTHER in named:
        rows = [row for row in rows if row["setting"] != EVERY_OTHER]
        method = "box" if is_sampled(rows) else "values"
    return [*rows, *(_own_weight(base, domain, method) for domain in left)]


def _filled(columns, base, domains: Sequence[str]) -> np.recarray:
    n_configs = len(next(iter(columns.values())))
    configs = np.zeros(n_configs, config_dtype(len(domains))).view(np.recarray)
    for setting in VARIED:
        configs[setting] = columns.get(setting, as_rule(setting, base[setting]))
    for place, domain in enumerate(domains):
        if WEIGHT + domain in columns:
            configs.weights[:, place] = columns[WEIGHT + domain]
    return configs


def expand(
    name: str,
    grids: list[dict[str, Any]],
    base: dict[str, Any],
    domains: Sequence[str],
    n: int = 1024,
    seed: int = 0,
) -> Grid:
    """Return the configurations of a grid over a base profile.

    `grids` are the rows of `sweep_grids`, `base` a row of `with_boxes`, `domains` those
    of the build; `n` and `seed` are read by sampled grids alone. The domains that
    vote are those that the grid names, and those that the profile names beside them.
    Raises InputError on an unknown grid or setting.
    """
    _refuse_unknown(name, grids, domains)
    _refuse_beyond(name, grids)
    rows = [row for row in grids if row["grid"] == name]
    rows = _completed(rows, base, domains)
    varied = [row for row in rows if row["method"] != "rest"]
    columns = _sampled(varied, n, seed) if is_sampled(rows) else _enumerated(varied)
    configs = _filled(columns, base, domains)
    violation = np.full(len(configs), None, object)
    for sentence, holds in _constraints(rows, configs, domains).items():
        violation[~holds & (violation == None)] = sentence  # noqa: E711  (elementwise)
    is_valid = violation == None  # noqa: E711
    named = {row["setting"] for row in rows}
    places = [k for k, domain in enumerate(domains) if WEIGHT + domain in named]
    return Grid(
        name,
        tuple(domains[k] for k in places),
        tuple(places),
        configs[is_valid],
        configs[~is_valid],
        violation[~is_valid].tolist(),
    )
