"""Record of an advance: its decisions put into the journal, and held against it."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from barsieve.analysis.session import open_scratch
from barsieve.core.arrow import rows_of
from barsieve.live.decisions import Decided, Key, decisions
from barsieve.live.journal import Journal, Quote, Said, said
from barsieve.live.parity import DIFFERS, IDENTICAL, Row, own_cause, verdict_row

# The orders of a close that are filled at the next open.
Quotes = Callable[[str, datetime], Quote | None]


class Recorded(NamedTuple):
    """Fate of the decisions of a built file.

    `new` were put into the journal; `other` are in it otherwise. `verdicts` are rows of
    `parity_live` about all that was looked at.
    """

    new: list[Said]
    other: list[Decided]
    verdicts: list[Row]


def is_filled_at_the_open(one: Decided) -> bool:
    """Tell whether a decision orders something for the next open."""
    return one.decision["action"] not in ("stay flat", "hold")


def record(
    database: Path,
    journal: Journal,
    accounts: list[str],
    since: datetime,
    now: Callable[[], datetime],
    quotes: Quotes,
) -> Recorded:
    """Put into the journal what a built file decided and what is not there yet.

    Those of bars after `since` that are there, as after a kill, stay and are compared.
    `quotes` gives bid and ask of a symbol for the orders of a close. The journal is on
    the disk when this returns.
    """
    scratch = open_scratch(database)
    with scratch.connection:
        info = rows_of(scratch.connection.execute("select code_hash from build_info"))
        known = {one.key: one for one in journal.lines}

        def is_wanted(key: Key) -> bool:
            return key not in known or key[2] > since

        found = decisions(scratch.table, accounts, is_wanted)
    new, other, verdicts = [], [], []
    code = info[0]["code_hash"]
    for one in found:
        if one.key in known:
            mine = known[one.key]
            is_same = mine.decision == one.decision
            verdict, cause = (
                (IDENTICAL, None)
                if is_same
                else (DIFFERS, own_cause(mine, one, code) or "unexplained")
            )
            verdicts.append(verdict_row(one.key, mine, one, verdict, cause))
            other += [] if is_same else [one]
            continue
        is_order = is_filled_at_the_open(one)
        quote = quotes(one.symbol, one.known_at) if is_order else None
        line = said(one, code, now(), quote)
        new.append(line)
        verdicts.append(verdict_row(one.key, line, one, IDENTICAL))
    return Recorded(journal.append(new), other, verdicts)
