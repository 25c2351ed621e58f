"""Grids as data: from rows of the seed `sweep_grids` to configurations."""

import itertools
from decimal import Decimal
from typing import Any, NamedTuple

import numpy as np

from barsieve.core.arrow import fields_of
from barsieve.core.errors import refuse
from barsieve.profiles.schema import DOMAINS, settings
from barsieve.profiles.weights import SCORE_RANGES, WEIGHT_SUM_TOLERANCE

WEIGHTS = tuple(f"weight_{domain}" for domain in DOMAINS)

_TYPES = {setting.column: setting.sql_type for setting in settings()}

# One configuration: the settings that a grid may vary, named as in `config_profiles`.
CONFIG = np.dtype(
    [
        (name, np.float64 if _TYPES[name] == "double" else np.int64)
        for name in (
            "entry_threshold", *WEIGHTS, "alignment_required", "atr_rank_floor",
            "atr_rank_cap", "veto_limit", "cooldown_bars", "stop_atr", "target_r",
            "partial_at_r", "partial_share", "trail_atr", "time_stop_bars",
        )
    ]
)  # fmt: skip
DECIMALS = 9


class Grid(NamedTuple):
    """The configurations of a grid: those to run, and those that break a constraint.

    `configs` and `refused`: record arrays of dtype `CONFIG`. `violations` names the
    broken constraint of each refused one.
    """

    name: str
    configs: np.recarray
    refused: np.recarray
    violations: list[str]


def _choices(row: dict[str, Any]) -> list[float]:
    """Return the values of a `range` or `values` row, in exact decimal steps."""
    if row["method"] == "values":
        return [float(choice) for choice in row["choices"].split()]
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
    product = np.array(list(itertools.product(*map(_choices, rows))))
    names = [row["setting"] for row in rows]
    return dict(zip(names, product.T, strict=True))


def _rest_of_weights(row, configs) -> np.ndarray:
    """Fill the weight that takes the rest; tell where it lies in [low, high).

    Half-open, and of rounded decimals: on an edge the bits of a float would decide.
    """
    others = sum(configs[name] for name in WEIGHTS if name != row["setting"])
    rest = np.round(1 - others, DECIMALS)
    configs[row["setting"]] = rest
    return (rest >= row["low"]) & (rest < row["high"])


def _normalised_weights(configs) -> None:
    total = sum(configs[name] for name in WEIGHTS)
    for name in WEIGHTS:
        configs[name] /= total


def _reach(configs) -> np.ndarray:
    """Return the greatest confidence that each configuration's weights can reach."""
    weights = np.array([configs[name] for name in WEIGHTS])
    lows, highs = np.array([SCORE_RANGES.get(d, (0.0, 1.0)) for d in DOMAINS]).T
    return np.maximum(highs @ weights, 1 - lows @ weights)


def _constraints(rows, configs) -> dict[str, np.ndarray]:
    """Return, by its sentence, where each constraint of a profile holds."""
    holds = {}
    for row in rows:
        if row["method"] == "rest":
            sentence = f"{row['setting']} in [{row['low']}, {row['high']})"
            holds[sentence] = _rest_of_weights(row, configs)
    if any(row["method"] == "box" and row["setting"] in WEIGHTS for row in rows):
        _normalised_weights(configs)
    total = sum(configs[name] for name in WEIGHTS)
    holds["weights sum to 1"] = np.abs(total - 1) <= WEIGHT_SUM_TOLERANCE
    holds["entry_threshold within reach"] = configs["entry_threshold"] <= _reach(
        configs
    )
    holds["atr_rank_floor <= atr_rank_cap"] = (
        configs["atr_rank_floor"] <= configs["atr_rank_cap"]
    )
    return holds


def _refuse_unknown(name: str, grids: list[dict[str, Any]]) -> None:
    names = list(dict.fromkeys(row["grid"] for row in grids))
    if name not in names:
        expected = f"one of {', '.join(names)}"
        fix = "correct the name, or add rows to seeds/sweep_grids.csv and dbt build"
        refuse("sweep_grids", "grid", expected=expected, found=f"'{name}'", fix=fix)
    for row in grids:
        if row["grid"] == name and row["setting"] not in fields_of(CONFIG):
            expected, fix = f"one of {', '.join(fields_of(CONFIG))}", "correct the name"
            found = f"'{row['setting']}'"
            refuse(
                "sweep_grids", f"grid '{name}'", expected=expected, found=found, fix=fix
            )


def expand(
    name: str,
    grids: list[dict[str, Any]],
    base: dict[str, Any],
    n: int = 1024,
    seed: int = 0,
) -> Grid:
    """Return the configurations of a grid over a base profile.

    `grids` are the rows of `sweep_grids`, `base` a row of `config_profiles`; `n` and
    `seed` are read by sampled grids alone. Raises InputError on an unknown grid or
    setting.
    """
    _refuse_unknown(name, grids)
    rows = [row for row in grids if row["grid"] == name]
    varied = [row for row in rows if row["method"] != "rest"]
    columns = _sampled(varied, n, seed) if is_sampled(rows) else _enumerated(varied)
    tried = len(next(iter(columns.values())))
    configs = np.empty(tried, CONFIG).view(np.recarray)
    for setting in fields_of(CONFIG):
        configs[setting] = columns.get(setting, base[setting])
    violation = np.full(tried, None, object)
    for sentence, holds in _constraints(rows, configs).items():
        violation[~holds & (violation == None)] = sentence  # noqa: E711  (elementwise)
    is_valid = violation == None  # noqa: E711
    return Grid(
        name, configs[is_valid], configs[~is_valid], violation[~is_valid].tolist()
    )
