"""A profile's replay with signals that a user brings, in the place of its own.

Exits, sizes and costs are the profile's, and so is its study; vetoes and macro gate
bar a signal as they bar any. Its threshold, its loss streak and what it calls eligible
do not count: whoever brings a signal has decided.
"""

from dataclasses import replace as with_fields
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from barsieve.analysis.session import Study
from barsieve.analysis.signal_rows import Signal, read_signals
from barsieve.core.arrow import numbers
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
    name: str, signals: list[Signal], symbol: str, known: set[str]
) -> list[Signal]:
    """Return the signals of a symbol; refuse symbols that the market does not have."""
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
    own = [one for one in signals if one.symbol == symbol]
    if not own:
        refuse(
            name,
            expected=f"signals of {symbol}, which the profile trades",
            found=f"{len(signals)} of {', '.join(sorted({s.symbol for s in signals}))}",
            fix="choose a profile of that symbol, or set symbol=...",
        )
    return own


def _places(name: str, own: list[Signal], inputs: Inputs) -> np.ndarray:
    """Return the positions of the bars of signals; refuse what is no bar's open."""
    opens = numbers(inputs.bar_ts.view(pa.int64()))
    place = {opened: at for at, opened in enumerate(opens.tolist())}
    at = [place.get(epoch_us(one.ts)) for one in own]
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


def signalled(study: Study, source: Path | pa.Table) -> Signalled:
    """Return a study that enters on the signals of a file or table, and on no other.

    Raises InputError for a source that is not sound, or whose rows are not bars of the
    profile's symbol.
    """
    name, signals = read_signals(source)
    inputs = study.inputs
    found = study.scratch.rows("select distinct symbol from {bars_1h}")
    symbol = inputs.profile.symbol
    own = _own(name, signals, symbol, {row["symbol"] for row in found})
    at = _places(name, own, inputs)
    bars = inputs.bars.copy()
    nothing = {"side": FLAT, "confidence": 0.0, "threshold": 0.0, "is_eligible": False}
    for column, value in nothing.items():
        bars[column] = value
    bars["side"][at] = [SIDE_OF[one.side] for one in own]
    bars["confidence"][at] = [one.confidence for one in own]
    bars["is_eligible"][at] = inputs.is_in_study[at]
    rules = inputs.profile.rules._replace(loss_streak_shift=0.0)
    entry_bars = np.sort(at)
    profile = with_fields(inputs.profile, rules=rules)
    made = inputs._replace(profile=profile, bars=bars, entry_bars=entry_bars)
    return Signalled(study._replace(inputs=made), len(own), len(signals) - len(own))


def counts_of(found: Signalled, run: Run) -> dict[str, Any]:
    """Return what became of the signals: how many were entered, and why others not."""
    inputs = found.study.inputs
    at = inputs.entry_bars
    bars, in_study = inputs.bars[at].view(np.recarray), inputs.is_in_study[at]
    is_open = are_entries(bars, inputs.profile.rules)
    has_stop = bars.atr_20 > 0.0
    entered = len(run.trades)
    return {
        "signals": found.given,
        "of_other_symbols": found.of_others,
        "outside_study": int((~in_study).sum()),
        "barred": int((in_study & ~is_open).sum()),
        "without_stop_distance": int((is_open & ~has_stop).sum()),
        "passed_over": int((is_open & has_stop).sum()) - entered,
        "entered": entered,
    }
