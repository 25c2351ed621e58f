"""Verdicts of a built file on the journal: was what was said what the batch says?"""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from barsieve.core import paths, schemas
from barsieve.live.accounts import read_accounts
from barsieve.live.decisions import Decided, Key, Tables, decisions
from barsieve.live.folder import LiveFolder
from barsieve.live.journal import Journal, Said

IDENTICAL, DIFFERS, MISSING, INVENTED = "identical", "differs", "missing", "invented"

Row = dict[str, Any]

# What an action does at the next open, by its first word; to the position's side or,
# of a reversal and an entry, to the side that is named.
BUY, SELL = "buy", "sell"


def order_side(decision: dict[str, Any]) -> str | None:
    """Return whether a decision buys or sells at the next open; None for neither."""
    action, position = decision["action"], decision["position"]
    if decision["order"]:
        return BUY if decision["order"]["side"] == "long" else SELL
    if action in ("exit", "take partial") and position:
        return SELL if position["side"] == "long" else BUY
    return None


def own_cause(one: Said, other: Decided, code: str) -> str | None:
    """Return what a decision was made of otherwise than it would be now."""
    if one.settings != other.settings:
        return "settings_changed"
    if one.code != code:
        return "code_changed"
    if one.bars != other.bars:
        return "bar_revised"
    return "input_late" if one.read != other.read else None


def _differing(one: dict[str, Any], other: dict[str, Any]) -> str | None:
    names = sorted({*one, *other})
    return ", ".join(n for n in names if one.get(n) != other.get(n)) or None


def verdict_row(
    key: Key,
    one: Said | None,
    other: Decided | None,
    verdict: str,
    cause: str | None = None,
) -> Row:
    """Return a row of `parity_live`: what was said, and what the built file says."""
    profile, symbol, bar_ts = key
    known: Said | Decided | None = one or other
    return {
        "profile": profile,
        "symbol": symbol,
        "bar_ts": bar_ts,
        "known_at": known.known_at if known else None,
        "verdict": verdict,
        "cause": cause,
        "fields_that_differ": _differing(one.decision, other.decision)
        if one and other
        else None,
        "action": one.decision["action"] if one else None,
        "action_built": other.decision["action"] if other else None,
        "said_at": one.said_at if one else None,
        "late_seconds": one.late_seconds if one else None,
        "is_late": one.is_late if one else None,
        "order_side": order_side(one.decision) if one else None,
        "bid": one.quote.bid if one and one.quote else None,
        "ask": one.quote.ask if one and one.quote else None,
    }


def compare(
    journal: Journal, found: list[Decided], code: str, bars: set[tuple[str, datetime]]
) -> Iterator[Row]:
    """Yield the verdict on each decision that was said, and on those that were not.

    `found` are the decisions of the built file, `code` the hash of its code, `bars` the
    symbols and opens of its bars since the first account was opened. A decision that
    is not said yet, because none later of its account is, has no row.
    """
    said = {one.key: one for one in journal.lines}
    built = {one.key: one for one in found}
    last: dict[str, datetime] = {}
    for one in journal.lines:
        last[one.account] = max(last.get(one.account, one.bar_ts), one.bar_ts)
    settings = {one.account: one.settings for one in found}
    # What follows from a decision that differs, differs for the same cause.
    causes: dict[str, str] = {}
    for key in sorted({*said, *built}, key=lambda key: (key[2], key[0], key[1])):
        mine, theirs, account = said.get(key), built.get(key), key[0]
        if mine is None:
            if key[2] <= last.get(account, key[2]) and account in last:
                yield verdict_row(key, None, theirs, MISSING, "input_late")
        elif key in journal.edited:
            cause = causes[account] = "journal_edited"
            verdict = DIFFERS if theirs else INVENTED
            yield verdict_row(key, mine, theirs, verdict, cause)
        elif theirs is None:
            is_same = settings.get(account) == mine.settings
            is_there = (key[1], key[2]) in bars
            cause = "bar_revised" if is_same and not is_there else "settings_changed"
            yield verdict_row(key, mine, None, INVENTED, cause)
        elif mine.decision == theirs.decision:
            yield verdict_row(key, mine, theirs, IDENTICAL)
        else:
            own = own_cause(mine, theirs, code)
            cause = causes[account] = own or causes.get(account, "unexplained")
            yield verdict_row(key, mine, theirs, DIFFERS, cause)


def as_table(rows: list[Row]) -> pa.Table:
    """Return rows as `parity_live` has them."""
    return pa.Table.from_pylist(rows, schema=schemas.PARITY_LIVE)


def built_parity(tables: Tables) -> pa.Table:
    """Return the rows of `parity_live`: the journal of the market against a build.

    Without a journal there are none. Lines that were edited are told as such.
    """
    from barsieve.database.provenance import code_hash

    project = paths.project_dir()
    folder = LiveFolder(project / paths.market_dir())
    if not folder.journal.exists():
        return as_table([])
    journal = Journal(folder.journal, is_strict=False)
    accounts = read_accounts(folder)
    names = sorted({one.account for one in accounts} | {k[0] for k in journal.keys})
    found = decisions(tables, names)
    opened = min((one.bar_ts for one in journal.lines), default=None)
    bars: set[tuple[str, datetime]] = set()
    if opened is not None:
        later = duckdb.ColumnExpression("bar_ts") >= duckdb.ConstantExpression(opened)
        rows = tables("bars_1h").filter(later).select("symbol", "bar_ts")
        bars = {(symbol, at) for symbol, at in rows.fetchall()}
    return as_table(list(compare(journal, found, code_hash(project), bars)))


def put_verdicts(database: Path, rows: list[Row]) -> None:
    """Add verdicts to a built file, and make anew what is reported of them.

    A file of models that know no `parity_live` stays as it is.
    """
    from barsieve.database.connect import table_names
    from barsieve.database.models import apply_settings, read_models

    with duckdb.connect(str(database)) as connection:
        connection.execute("set timezone = 'UTC'")
        if "parity_live" not in table_names(connection):
            return
        connection.execute("begin")
        table = as_table(rows).to_reader()
        connection.register("verdicts", table)
        held = "select profile, symbol, bar_ts from parity_live"
        connection.execute(
            "insert into parity_live by name from verdicts "
            f"anti join ({held}) using (profile, symbol, bar_ts)"
        )
        connection.unregister("verdicts")
        models = read_models(connection, database)
        if report := models.get("report_live"):
            apply_settings(connection, report)
            connection.execute(f"delete from {report.place()}")
            connection.execute(
                f"insert into {report.place()} by name {report.compiled_code}"
            )
        connection.execute("commit")
