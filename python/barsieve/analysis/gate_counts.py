"""Gates of a profile over all its bars: bars left after each, and what it asks."""

from math import isnan
from typing import Any

import duckdb
import pyarrow as pa

from barsieve.core import schemas
from barsieve.core.arrow import rows_of


def _is_off(limit: float | None) -> bool:
    """Tell whether a limit is switched off: null in a table, NaN in the rules."""
    return limit is None or isnan(limit)


def macro_limits(
    macro_exit_veto: float | None, vix_exit: float | None, kind: str
) -> list[str]:
    """Return what the macro exits of a profile ask for: net veto and VIX."""
    limits = {"net macro veto": macro_exit_veto, "VIX": vix_exit}
    return [f"{k} below {v:{kind}}" for k, v in limits.items() if not _is_off(v)]


def sides_asked(sides: str) -> str:
    """Return what a profile asks of the side of a signal."""
    asked = "the votes or the score give a side"
    return asked if sides == "both" else f"{asked}, and it is {sides}: no other trades"


def funnel(counts: dict[str, Any]) -> list[tuple[str, int, str]]:
    """Return the gates over all bars: name, bars left, what it asks of them.

    `counts` is a row of `evaluation_gate_counts`. What is asked comes with the nearest
    that the market came to it.
    """
    of = counts.__getitem__
    limits = macro_limits(of("macro_exit_veto"), of("vix_exit"), "")
    highest, lowest = of("highest_confidence") or 0, of("lowest_veto") or 0
    covered = 100 * (of("macro_coverage") or 0)
    asked = {
        "bars": "every bar of the symbol",
        "scored": "trends and at least one domain score are known",
        "in_atr_band":
            f"atr_rank_100 within {of('atr_rank_floor')} to {of('atr_rank_cap')}",
        "aligned": "trends align, inside the study" if of("alignment_required")
            else "inside the study (alignment is not required)",
        "eligible": "first such bar of its 4-hour block" if of("cadence") == "4h"
            else "every such bar",
        "sided": sides_asked(of("sides")),
        "confident": f"confidence at least {of('entry_threshold')}; "
            f"the highest here is {highest:.3f}",
        "admitted": f"net macro veto below {of('veto_limit')}; the lowest here is "
            f"{lowest:.2f}, and {covered:.0f} % of the signals had their series",
        "no_macro_exit": "no macro exit in force: " + ", ".join(limits) if limits
            else "the profile has no macro exit",
        "entered": "no position of that side was open, no cooldown, no loss streak; "
            f"of the orders {of('lapsed')} lapsed and {of('refused')} were refused",
    }  # fmt: skip
    return [(gate, of(gate), asks) for gate, asks in asked.items()]


def screening_gates(counts: duckdb.DuckDBPyRelation) -> pa.Table:
    """Return the gates of every profile: the rows of `evaluation_gates`.

    `counts` is the relation `evaluation_gate_counts`.
    """
    rows = [
        {
            "profile": row["profile"],
            "symbol": row["symbol"],
            "gate_number": number,
            "gate": gate,
            "bars": bars,
            "asks": asks,
        }
        for row in rows_of(counts)
        for number, (gate, bars, asks) in enumerate(funnel(row), 1)
    ]
    return pa.Table.from_pylist(rows, schema=schemas.SCREENING_GATES)
