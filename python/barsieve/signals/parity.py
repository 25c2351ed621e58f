"""Verdict of the compiled signals on those of SQL: the rows of `parity_fusion`."""

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from duckdb import DuckDBPyRelation

from barsieve.core import schemas
from barsieve.core.arrow import matching, numbers
from barsieve.profiles.rules import MACRO_EXITS
from barsieve.profiles.settings import rules_of, with_boxes
from barsieve.replay.decimals import sum_of_decimals
from barsieve.replay.state import FLAT, LONG, SHORT
from barsieve.signals.bars import InForce, are_entries, are_macro_exits, signalled
from barsieve.signals.blocks import Gates, codes_of, passing
from barsieve.signals.envelope import chances_of, reaches
from barsieve.signals.market import Market, market_of, microseconds, read_bars

SIDES = {"long": LONG, "short": SHORT}

# A side as its code: what is compared is a number. Null is NaN.
_SIDE = "case side when 'long' then 1 when 'short' then -1 else 0 end as side"
# Where no side could be left, nothing is compared.
_MACRO_EXIT = "if(side is null, null, is_macro_exit)::double as is_macro_exit"
_AS_THEY_STAND = (
    "fusion_score", "domains_used", "confidence", "threshold", "is_in_atr_band",
    "is_in_study", "passes_gates", "is_eligible", "has_sentinel", "is_entry",
)  # fmt: skip

Values = dict[str, np.ndarray]
"""What one body says, by the name of the field: numbers of shape (n_moments,)."""


class Said(NamedTuple):
    """Words of one body on its bars, in any order; `at`: their opens, in µs.

    Shape (n_bars,); there is no second row of a bar.
    """

    at: np.ndarray
    values: Values


class Relations(NamedTuple):
    """The relations of the built database that are compared, or say what to compare."""

    config_symbols: DuckDBPyRelation
    config_envelopes: DuckDBPyRelation
    config_weights: DuckDBPyRelation
    sweep_bars: DuckDBPyRelation
    regimes: DuckDBPyRelation
    fusion_scores: DuckDBPyRelation
    candidates: DuckDBPyRelation


def _placed(said: Said, moments: np.ndarray) -> Values:
    """Return values where each of some moments finds its own; NaN where none is."""
    at, found = np.searchsorted(moments, said.at), {}
    for name, values in said.values.items():
        found[name] = np.full(len(moments), np.nan)
        found[name][at] = values
    return found


def _chosen(said: Said, is_chosen: np.ndarray) -> Said:
    """Return what is said of some bars."""
    values = {name: column[is_chosen] for name, column in said.values.items()}
    return Said(said.at[is_chosen], values)


def _are_among(at: np.ndarray, moments: np.ndarray) -> np.ndarray:
    """Tell which are among some moments."""
    moments = np.sort(moments)
    found = np.searchsorted(moments, at)
    is_inside = found < len(moments)
    is_inside[is_inside] = moments[found[is_inside]] == at[is_inside]
    return is_inside


def _read(relation: DuckDBPyRelation, *columns: str) -> Said:
    table = relation.select("bar_ts", *columns).to_arrow_table()
    names = table.column_names[1:]
    return Said(microseconds(table["bar_ts"]), {n: numbers(table[n]) for n in names})


def _weight_columns(domains: Iterable[str]) -> dict[str, str]:
    """Return, by the column that it becomes, the weight of each domain of the build."""
    return {f"weight_{d}": f"coalesce(weights['{d}'], 0)" for d in domains}


def _of_sql(
    relations: Relations, profile: dict[str, Any], domains: Iterable[str]
) -> tuple[Said, dict[str, Said]]:
    """Return a profile's rows of `fusion_scores`, and by side those of `candidates`."""
    named = {name: profile[name] for name in ("profile", "symbol")}
    weights = _weight_columns(domains)
    columns = (*_AS_THEY_STAND, "entry_threshold")
    fusion = matching(relations.fusion_scores, **named)
    of_domains = ", ".join(f"{value} as {name}" for name, value in weights.items())
    fusion = fusion.select(
        f"bar_ts, {', '.join(columns)}, {of_domains}, {_SIDE}, {_MACRO_EXIT}"
    )
    candidates = matching(relations.candidates, **named)
    either = _read(candidates.select(f"bar_ts, score, {_SIDE}"), "score", "side")
    screened = {
        f"candidate_{side}": _chosen(either, either.values["side"] == code)
        for side, code in SIDES.items()
        if profile["screen"] == "admissible"
    }
    return _read(fusion, *columns, *weights, "side", "is_macro_exit"), screened


def _settings(market: Market, profile: dict[str, Any], found: Values) -> InForce:
    """Return the settings at each bar: the profile's own, or what it learned.

    What was learned, and was held in the envelope, is a fact of `fusion_scores`.
    """
    own = {f"weight_{d}": profile["weights"].get(d, 0.0) for d in market.domains}
    if profile["learned"]:
        weights = [found[name] for name in own]
        return InForce(np.array(weights).T, found["entry_threshold"])
    n_bars = len(market.bars)
    threshold = np.full(n_bars, profile["entry_threshold"])
    return InForce(np.tile([*own.values()], (n_bars, 1)), threshold)


def _lowest_shift(market: Market, regimes: DuckDBPyRelation) -> np.ndarray:
    """Return the most that any classifier lowers the threshold of each bar."""
    lowest = matching(regimes, symbol=market.symbol).aggregate(
        "bar_ts, least(min(threshold_shift), 0) as shift"
    )
    placed = _placed(_read(lowest, "shift"), microseconds(market.bar_ts))
    return np.nan_to_num(placed["shift"])


def _screen(
    market: Market,
    profile: dict[str, Any],
    is_eligible: np.ndarray,
    regimes: DuckDBPyRelation,
) -> Values:
    """Return the score of the candidate of either side, NaN where there is none."""
    rules = rules_of(
        profile
        | {name: profile[f"highest_{name}"] for name in ("veto_limit", *MACRO_EXITS)}
    )
    box = np.array([profile["box"].get(d, (0.0, 0.0)) for d in market.domains])
    chances = chances_of(market, box, rules)
    shift = _lowest_shift(market, regimes) if profile["any_regime"] else market.shift
    threshold, may_be = sum_of_decimals(profile["lowest_threshold"], shift), is_eligible
    if profile["varies_gates"]:
        most_permissive = Gates(
            profile["lowest_floor"],
            profile["highest_cap"],
            int(profile["always_requires_alignment"]),
        )
        may_be = passing(codes_of(market.atr_rank, market.is_aligned), most_permissive)
    found = {f"candidate_{side}": chances[side] for side in SIDES}
    return {
        name: np.where(may_be & reaches(chance, threshold), chance, np.nan)
        for name, chance in found.items()
    }


def _compiled(
    market: Market,
    profile: dict[str, Any],
    in_force: InForce,
    regimes: DuckDBPyRelation,
) -> Values:
    """Return what the compiled functions say of every bar."""
    made, rules = signalled(market, profile, in_force), rules_of(profile)
    is_exit = are_macro_exits(made.bars, rules)
    values = {
        "fusion_score": made.fusion_score,
        "domains_used": (np.isfinite(market.scores) & (in_force.weights.T > 0)).sum(
            axis=0
        ),
        "side": made.bars.side,
        "confidence": made.bars.confidence,
        "threshold": made.bars.threshold,
        "is_in_atr_band": made.is_in_atr_band,
        "is_in_study": market.is_in_study,
        "passes_gates": made.passes_gates,
        "is_eligible": made.bars.is_eligible,
        "has_sentinel": made.bars.has_sentinel,
        "is_macro_exit": np.where(made.bars.side == FLAT, np.nan, is_exit),
        "is_entry": are_entries(made.bars, rules),
    }
    if profile["screen"] == "admissible":
        values |= _screen(market, profile, made.bars.is_eligible, regimes)
    return values


def _differ(ours: np.ndarray, theirs: np.ndarray) -> np.ndarray:
    """Tell where numbers differ, bit for bit; NaN is equal to NaN."""
    differs: np.ndarray = (ours != theirs) & ~(np.isnan(ours) & np.isnan(theirs))
    return differs


def _named(names: Sequence[str], differs: np.ndarray) -> list[str | None]:
    """Return the names of what differs at each moment; None where nothing does."""
    found: list[str | None] = [None] * differs.shape[1]
    for at in np.flatnonzero(differs.any(axis=0)):
        found[at] = ", ".join(names[k] for k in np.flatnonzero(differs[:, at]).tolist())
    return found


def _compared(
    relations: Relations, profile: dict[str, Any], bars: pa.Table
) -> pa.Table:
    market = market_of(bars, relations.regimes, profile, profile["symbol"])
    opens = microseconds(market.bar_ts)
    fusion, screened = _of_sql(relations, profile, market.domains)
    known = _chosen(fusion, _are_among(fusion.at, opens))
    in_force = _settings(market, profile, _placed(known, opens))
    ours = Said(opens, _compiled(market, profile, in_force, relations.regimes))
    others = np.concatenate([fusion.at, *(said.at for said in screened.values())])
    moments = np.union1d(opens, others[~_are_among(others, opens)])
    sql, made = _placed(fusion, moments), _placed(ours, moments)
    sql |= {name: _placed(said, moments)["score"] for name, said in screened.items()}
    differs = np.array([_differ(made[name], sql[name]) for name in made])
    verdict = np.where(differs.any(axis=0), "differs", "identical").astype(object)
    verdict[~_are_among(moments, fusion.at)] = "missing"
    verdict[~_are_among(moments, opens)] = "invented"
    columns = [
        pa.repeat(profile["profile"], len(moments)),
        pa.repeat(profile["symbol"], len(moments)),
        pa.array(moments).view(schemas.TIMESTAMP),
        pa.array(verdict, pa.string()),
        pa.array(_named(list(made), differs), pa.string()),
    ]
    return pa.Table.from_arrays(columns, schema=schemas.PARITY_FUSION)


def compare_fusion(relations: Relations) -> pa.Table:
    """Compare the signals of every profile at every bar, and its screen, bit for bit.

    Returns a row per profile and bar: `identical`, `differs` (and in which fields),
    `missing` where SQL has no row for a bar, `invented` where it has one for no bar.
    """
    profiles = with_boxes(
        relations.config_symbols.join(relations.config_envelopes, "profile"),
        relations.config_weights,
    )
    tables = [schemas.PARITY_FUSION.empty_table()]
    # By symbol: the bars of a symbol and a choice of signals are read once, and let go.
    profiles.sort(key=_choice)
    for choice, same in groupby(profiles, key=_choice):
        bars = read_bars(relations.sweep_bars, *choice)
        tables += [_compared(relations, profile, bars) for profile in same]
    return pa.concat_tables(tables)


def _choice(profile: dict[str, Any]) -> tuple[str, str]:
    return profile["symbol"], profile["macro_signals"]
