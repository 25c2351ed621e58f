"""A profile's replay with signals that a user brings, in the place of its own.

Exits, sizes and costs are the profile's, and so is its study; vetoes and macro gate
bar a signal as they bar any. Its threshold, its loss streak and what it calls eligible
do not count: whoever brings a signal has decided.
"""

from collections.abc import Sequence
from dataclasses import replace as with_fields
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from barsieve.analysis.session import Study
from barsieve.analysis.signal_rows import Signal, read_signals
from barsieve.core.errors import Problem, refuse, refuse_first
from barsieve.core.times import epoch_us
from barsieve.replay.runs import Inputs, Run
from barsieve.replay.state import FLAT, LONG, SHORT
from barsieve.signals.bars import are_entries

SIDE_OF = {"long": LONG, "short": SHORT}


class Signalled(NamedTuple):
    """A study with signals: how many were given, and how many of other symbols."""

    study: Study
    given: int
    of_others: int


def _own(
    name: str, signals: list[Signal], symbols: list[str], known: set[str]
) -> list[Signal]:
    """Return the signals of some symbols; refuse any that no market has."""
    problems = [
        Problem(
            name,
            f"{one.where}, symbol",
            expected=f"one of {', '.join(sorted(known))}",
            found=f"'{one.symbol}'",
            fix="name symbols as the market does, by their files in bars/",
        )
        for one in signals
        if one.symbol not in known
    ]
    refuse_first(name, problems, "rows")
    own = [one for one in signals if one.symbol in symbols]
    if not own:
        traded = ", ".join(symbols)
        refuse(
            name,
            expected=f"signals of {traded}, which the profile trades",
            found=f"{len(signals)} of {', '.join(sorted({s.symbol for s in signals}))}",
            fix="choose a profile of that symbol, or set symbols=...",
        )
    return own


def _places(name: str, own: list[Signal], inputs: Inputs) -> np.ndarray:
    """Return the positions of the bars of signals; refuse what is no bar's open."""
    opens = inputs.opens
    place = {
        (part.symbol, opened): part.start + at
        for part in inputs.symbols
        for at, opened in enumerate(opens[part.start : part.stop].tolist())
    }
    at = [place.get((one.symbol, epoch_us(one.ts))) for one in own]
    problems = [
        Problem(
            name,
            f"{one.where}, ts",
            expected=f"the open of a bar of {one.symbol}",
            found=one.ts.isoformat(),
            fix="name the bar at whose close the signal is known, by its open",
        )
        for one, found in zip(own, at, strict=True)
        if found is None
    ]
    refuse_first(name, problems, "rows")
    return np.array(at, np.int64)


def _with_signals(inputs: Inputs, own: list[Signal], at: np.ndarray) -> Inputs:
    """Return the inputs of an account with signals at some bars, and at no other."""
    bars = inputs.bars.copy()
    nothing = {"side": FLAT, "confidence": 0.0, "threshold": 0.0, "is_eligible": False}
    for column, value in nothing.items():
        bars[column] = value
    bars["side"][at] = [SIDE_OF[one.side] for one in own]
    bars["confidence"][at] = [one.confidence for one in own]
    bars["is_eligible"][at] = inputs.is_in_study[at]
    rules = inputs.profile.rules._replace(loss_streak_shift=0.0)
    profile = with_fields(inputs.profile, rules=rules)
    return inputs._replace(profile=profile, bars=bars, entry_bars=np.sort(at))


def signalled(study: Study, source: Path | pa.Table) -> Signalled:
    """Return a study that enters on the signals of a file or table, and on no other.

    Raises InputError for a source that is not sound, or whose rows are not bars of the
    profile's symbols.
    """
    name, signals = read_signals(source)
    found = study.scratch.rows("select symbol from {config_universe}")
    own = _own(name, signals, study.symbols, {row["symbol"] for row in found})
    accounts = []
    for inputs in study.accounts:
        symbols = {part.symbol for part in inputs.symbols}
        mine = [one for one in own if one.symbol in symbols]
        accounts.append(_with_signals(inputs, mine, _places(name, mine, inputs)))
    made = study._replace(accounts=accounts)
    return Signalled(made, len(own), len(signals) - len(own))


def counts_of(found: Signalled, runs: Sequence[Run]) -> dict[str, Any]:
    """Return what became of the signals: how many were entered, and why others not."""
    counts = dict.fromkeys(
        ("outside_study", "barred", "without_stop_distance", "passed_over", "entered"),
        0,
    )
    for run in runs:
        inputs = run.inputs
        at = inputs.entry_bars
        bars, in_study = inputs.bars[at].view(np.recarray), inputs.is_in_study[at]
        is_open = are_entries(bars, inputs.profile.rules)
        has_stop, entered = bars.atr_20 > 0.0, len(run.trades)
        counts["outside_study"] += int((~in_study).sum())
        counts["barred"] += int((in_study & ~is_open).sum())
        counts["without_stop_distance"] += int((is_open & ~has_stop).sum())
        counts["passed_over"] += int((is_open & has_stop).sum()) - entered
        counts["entered"] += entered
    return {"signals": found.given, "of_other_symbols": found.of_others} | counts
