"""Learned exits and sizes as the build judged them, and what they would do now."""

from pathlib import Path
from typing import Any

import numpy as np

from barsieve.analysis.session import open_scratch
from barsieve.core.arrow import matching, rows_of
from barsieve.core.errors import refuse
from barsieve.core.extras import WITHOUT_ML, missing
from barsieve.database.connect import table_names
from barsieve.database.overlay import Scratch
from barsieve.learning.exits import LSTM
from barsieve.profiles.settings import Profile

ASKS = {
    "report_exits": ("exits.learned_model", "learned_model is not null"),
    "report_sizing": ("sizing.kind 'kelly'", "sizing_kind = 'kelly'"),
}
"""By its table, what a profile says to be learned of, and how SQL asks for that."""


def _open(path: Path, table: str, profile: str | None) -> tuple[Scratch, list[str]]:
    """Open a database; return the profiles to tell of, in their order.

    Raises InputError where it has none, and for one that learns nothing.
    """
    scratch = open_scratch(path)
    key, asks = ASKS[table]
    profiles = rows_of(scratch.table("config_profiles").filter(asks).order("profile"))
    names = [row["profile"] for row in profiles]
    if profile is not None and profile not in names:
        refuse(
            str(path),
            "profile",
            expected=f"one with {key}: {', '.join(names) or 'none has it'}",
            found=f"'{profile}'",
            fix=f"set {key} in the profile, then dbt build",
        )
    if not names or table not in table_names(scratch.connection):
        refuse(
            str(path),
            f"table {table}",
            expected=f"a profile with {key}, and a database that judged it",
            found="none",
            fix=WITHOUT_ML,
        )
    return scratch, names if profile is None else [profile]


def judged_rows(
    path: Path, table: str, profile: str | None = None
) -> list[dict[str, Any]]:
    """Return the rows of `report_exits` or `report_sizing`.

    Raises InputError for a database without them, and for a profile that learns none.
    """
    scratch, names = _open(path, table, profile)
    rows = rows_of(scratch.table(table))
    return [row for row in rows if row["profile"] in names]


def _open_trades(scratch: Scratch, profile: str) -> list[dict[str, Any]]:
    return scratch.rows(
        "select symbol, trade_id, side, entry_ts from {trades} "
        "where profile = ? and exit_reason = 'end_of_data' order by symbol",
        profile,
    )


def _model_now(scratch: Scratch, row: dict[str, Any], is_refitted: bool) -> Any:
    """Return the last month's model, or one of all that is known by now."""
    from barsieve.learning.exits.evaluation import months_of
    from barsieve.learning.exits.paths import read_paths
    from barsieve.learning.exits.walk import fit_known

    if not is_refitted:
        months = months_of(scratch.table("exit_learned"), row["profile"])
        return (months[-1].fit, months[-1].trades) if months else None
    extra = "deep" if row["learned_model"] == LSTM else "ml"
    if library := missing(extra):
        refuse(
            row["profile"],
            "key 'exits.learned_model'",
            expected=f"the libraries that fit '{row['learned_model']}'",
            found=f"no {library}",
            fix=f"pip install 'barsieve[{extra}]'",
        )
    paths = read_paths(
        scratch.table("trade_paths"), scratch.table("shadow_seen"), row["profile"]
    )
    found = fit_known(paths, row["learned_model"], np.iinfo(np.int64).max)
    return found[:2] if found else None


def exits_now(
    path: Path, profile: str | None = None, is_refitted: bool = False
) -> list[dict[str, Any]]:
    """Return what each profile's model says of what is open at the last close.

    A row a position, or one without any; `expected_r` is null without a model.
    Raises InputError as `judged_rows`, and for a refit without its libraries.
    """
    from barsieve.learning.exits.models import predict
    from barsieve.learning.exits.paths import read_paths

    scratch, names = _open(path, "report_exits", profile)
    made = []
    for name in names:
        (row,) = rows_of(matching(scratch.table("config_profiles"), profile=name))
        model = _model_now(scratch, row, is_refitted)
        about = {
            "profile": name,
            "model": row["learned_model"],
            "trades_learned_from": model[1] if model else 0,
            "below_r": row["learned_below_r"],
        }
        held = _open_trades(scratch, name)
        for trade in held:
            own = matching(
                scratch.table("report_paths"), profile=name,
                symbol=trade["symbol"], trade_id=trade["trade_id"],
            ).select("*, 'own' as entries, 0 as draw")  # fmt: skip
            path_of = read_paths(own, scratch.table("shadow_seen"), name)
            said = None
            if model and len(path_of.rest):
                said = float(predict(model[0], path_of.features, path_of.starts)[-1])
            limit = row["learned_below_r"]
            is_left = None if said is None or limit is None else said < limit
            made.append(about | trade | {"expected_r": said, "is_left": is_left})
        if not held:
            made.append(about | {"symbol": None, "expected_r": None, "is_left": None})
    return made


def sizes_now(path: Path, profile: str | None = None) -> list[dict[str, Any]]:
    """Return what each profile would risk on an entry decided at the last close.

    A row a symbol. Raises InputError as `judged_rows`.
    """
    scratch, names = _open(path, "report_sizing", profile)
    made = []
    for name in names:
        for row in rows_of(matching(scratch.table("config_symbols"), profile=name)):
            rules = Profile.from_row(row).rules
            found = scratch.rows(
                "select bar_ts, trades as trades_learned_from, win_probability, win_r, "
                "loss_r, kelly_share from {sizing_learned} "
                "where profile = ? and symbol = ? order by bar_ts desc limit 1",
                name,
                row["symbol"],
            )
            about = {"profile": name, "symbol": row["symbol"]}
            share = rules.risk_min
            if found:
                asked = rules.kelly_fraction * found[0]["kelly_share"]
                share = min(max(asked, rules.risk_min), rules.risk_max)
            made.append(about | (found[0] if found else {}) | {"risk_share": share})
    return made
