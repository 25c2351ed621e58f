"""Status of paper trading in one document: read only, computed from what is stored."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from barsieve.core.arrow import rows_of
from barsieve.core.errors import InputError
from barsieve.core.times import read_moment
from barsieve.database.connect import open_database, table_names
from barsieve.live.accounts import PaperAccount, needed_accounts
from barsieve.live.clock import HOUR
from barsieve.live.folder import LiveFolder
from barsieve.live.journal import Journal, Said
from barsieve.live.lines import read_lines

# An hour may take so long beyond itself before it counts as behind.
GRACE = timedelta(minutes=30)
RECENT = timedelta(hours=24)

Document = dict[str, Any]

BUILT = """
    select max(known_at) as known_at from bars_1h
"""
VERDICTS = """
    select verdict, cause, count(*)::integer as decisions
    from parity_live group by all order by all
"""


def _standing(one: Said, now: datetime) -> Document:
    """Return how an account stands with a symbol, by its last decision."""
    decision, order = one.decision, one.decision["order"]
    position = decision["position"]
    resting = []
    if position:
        resting.append(
            {"kind": position["stop_kind"], "price": position["stop"],
             "qty": position["qty"]}
        )  # fmt: skip
        if position["target"] is not None:
            resting.append(
                {"kind": "target", "price": position["target"], "qty": position["qty"]}
            )
    return {
        "account": one.account,
        "symbol": one.symbol,
        "bar_ts": one.bar_ts,
        "decided_for": one.known_at,
        "next_decision": one.known_at + HOUR,
        "lag_hours": (now - one.known_at) / HOUR,
        "late_seconds": one.late_seconds,
        "action": decision["action"],
        "exit_reason": decision["exit_reason"],
        "barred_by": decision["barred_by"],
        "confidence": decision["confidence"],
        "threshold": decision["threshold"],
        "close": decision["close"],
        "position": position,
        "resting": resting,
        "order": order,
        "balance": decision["balance"],
        "equity": decision["equity"],
        "ages": {
            name: age + (now - one.known_at) / HOUR for name, age in one.ages.items()
        },
    }


def _built(database: Path) -> Document:
    """Return the end of the built file, and its verdicts on the journal."""
    try:
        connection = open_database(database)
    except InputError as error:
        return {"known_at": None, "verdicts": None, "fault": str(error)}
    with connection:
        found = rows_of(connection.execute(BUILT))[0]
        has_verdicts = "parity_live" in table_names(connection)
        rows = rows_of(connection.execute(VERDICTS)) if has_verdicts else []
    return {"known_at": found["known_at"], "verdicts": rows, "fault": None}


def verdict_of(rows: list[Document] | None) -> str:
    """Return whether live was batch: `identical`, or what else there is."""
    if not rows:
        return "not compared"
    found = sorted({row["verdict"] for row in rows})
    return (
        "identical"
        if found == ["identical"]
        else ", ".join(name for name in found if name != "identical")
    )


def _last_said(lines: list[Said]) -> dict[tuple[str, str], Said]:
    last: dict[tuple[str, str], Said] = {}
    for one in lines:
        key = one.account, one.symbol
        if key not in last or last[key].bar_ts < one.bar_ts:
            last[key] = one
    return last


def _faults(document: Document, now: datetime) -> list[str]:
    """Return why paper trading is not in order; nothing where it is."""
    found = []
    state = document["state"]
    if document["built"]["fault"]:
        found.append(document["built"]["fault"])
    if state.get("failure"):
        found.append(state["failure"])
    if document["journal_fault"]:
        found.append(document["journal_fault"])
    if state.get("down_since"):
        found.append(f"{state.get('venue', 'the venue')} gives no answer")
    if document["verdict"] not in ("identical", "not compared"):
        found.append(f"the built file says otherwise than the journal: "
                     f"{document['verdict']}")  # fmt: skip
    last = document["decided_for"]
    if last is not None and now - last > HOUR + GRACE:
        found.append(f"the last decision is of {last:%Y-%m-%d %H:%M} UTC")
    if last is None and now - document["opened_at"] > HOUR + GRACE:
        found.append("nothing was decided yet")
    return found


def status(folder: LiveFolder, database: Path, now: datetime) -> Document:
    """Return how paper trading stands: accounts, lag, verdict, alarms, faults.

    `is_in_order` is true where there is no fault. Raises InputError where no account
    was opened.
    """
    accounts: list[PaperAccount] = needed_accounts(folder)
    journal_fault, lines = None, []
    try:
        lines = Journal(folder.journal).lines
    except InputError as error:
        journal_fault = str(error)
    built = _built(database)
    alarms = [
        {name: note[name] for name in ("at", "kind", "about", "text")}
        for note in read_lines(folder.alarms)
        if read_moment(note["at"]) > now - RECENT
    ]
    document: Document = {
        "at": now,
        "market": str(folder.market),
        "runner": folder.runner(),
        "state": folder.read(folder.state) or {},
        "opened_at": min(one.opened_at for one in accounts),
        "accounts": [one._asdict() for one in accounts],
        "standings": [_standing(one, now) for one in _last_said(lines).values()],
        "decided_for": max((one.known_at for one in lines), default=None),
        "decisions": len(lines),
        "late_decisions": sum(one.is_late for one in lines),
        "built": built,
        "verdict": verdict_of(built["verdicts"]),
        "alarms": alarms,
        "journal_fault": journal_fault,
    }
    document["faults"] = _faults(document, now)
    document["is_in_order"] = not document["faults"]
    return document
