"""Learned settings, exits and sizes: made anew as a month begins, of those before."""

from collections.abc import Collection
from datetime import timedelta

from barsieve.core.arrow import row_of
from barsieve.core.errors import refuse
from barsieve.live.plan import OF_SHADOW
from barsieve.live.tails import Tails

SETTINGS = "fusion_settings"
# What is kept of it: which settings are in force. The rest is as the build left it.
KEPT = ("fusion_learned", SETTINGS)


# Of trades without what is learned of them: as a month begins, all of it.
OF_MONTHS = (
    "shadow_runs", "shadow_positions", "shadow_results", "trade_paths", "exit_learned",
)  # fmt: skip
OF_BARS = "sizing_learned"


def begins_month(tails: Tails) -> bool:
    """Tell whether a month begins within what is new."""
    before = tails.news.until - timedelta(hours=1)
    last = tails.news.last_ts or before
    return (last.year, last.month) > (before.year, before.month)


def _asks(tails: Tails, what: str) -> bool:
    """Tell whether some profile asks for something, as SQL of `config_profiles`."""
    return bool(
        row_of(
            tails.connection.execute(
                f"select bool_or({what}) from {tails.stored('config_profiles')}"
            )
        )[0]
    )


def _remake(tails: Tails, name: str, others: Collection[str]) -> None:
    """Make all of a table, or view, from whole tables; `others` stand already."""
    model = tails.plan.models[name]
    for parent in tails.plan.views_below(name):
        growth = tails.plan.tables.get(parent)
        if growth is not None and growth.is_view:
            _replace_view(tails, parent)
        elif parent not in others:
            tails.show(parent)
    if model.materialized == "view":
        _replace_view(tails, name)
    else:
        tails.make(model)


def _replace_view(tails: Tails, name: str) -> None:
    model = tails.plan.models[name]
    tails.connection.execute(
        f"create or replace view {model.place()} as {model.compiled_code}"
    )


def _keep_whole(tails: Tails, name: str, is_checked: bool) -> None:
    """Keep all rows of a table that was just made.

    Raises InputError where it has lost rows that the file has, if that is checked.
    """
    place, stored = tails.plan.models[name].place(), tails.stored(name)
    lost = row_of(
        tails.connection.execute(
            f"select count(*) from (from {stored} except all from {place})"
        )
    )[0]
    if lost and is_checked:
        refuse(
            f"table {name}",
            expected="what earlier months learned to come out as the file has it",
            found=f"{lost} rows that do not",
            fix="barsieve build",
        )
    tails.connection.execute(f"create table {tails.fresh(name)} as from {place}")
    tails.connection.execute(f"drop table {place}")
    tails.made[name] = row_of(
        tails.connection.execute(f"select count(*) from {tails.fresh(name)}")
    )[0]


def learn(tails: Tails) -> None:
    """Learn the settings of a month that begins, with all months behind it.

    Raises InputError where those of an earlier month come out otherwise.
    """
    if "sweep_walks" not in tails.plan.models:
        return
    walks = row_of(
        tails.connection.execute(f"select count(*) from {tails.stored('sweep_walks')}")
    )[0]
    if not (walks and begins_month(tails) and _asks(tails, "learned")):
        return
    for name in tails.plan.learned:
        _remake(tails, name, tails.plan.learned)
    for name in KEPT:
        _keep_whole(tails, name, is_checked=True)


def learn_of_trades(tails: Tails) -> None:
    """Learn exits and sizes of a month that begins; sizes have a row a bar as well.

    After the candidates, before the replay. Raises InputError where what an earlier
    month learned comes out otherwise.
    """
    if "exit_learned" not in tails.plan.models:
        return
    learns_sizes = _asks(tails, "sizing_kind = 'kelly'")
    is_due = begins_month(tails)
    if not (learns_sizes or _asks(tails, "learned_model is not null")):
        return
    made = [*(OF_MONTHS if is_due else ()), *((OF_BARS,) if learns_sizes else ())]
    for name in made:
        _remake(tails, name, made)
    for name in made:
        if tails.plan.models[name].materialized != "view":
            _keep_whole(tails, name, is_checked=name in ("exit_learned", OF_BARS))
    for name in (*OF_MONTHS, *OF_SHADOW):
        if tails.plan.models[name].materialized == "view":
            place = tails.plan.models[name].place()
            tails.connection.execute(f"drop view if exists {place}")
