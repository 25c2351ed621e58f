"""Settings that are learned: made anew as a month begins, from the months before it."""

from barsieve.core.arrow import row_of
from barsieve.core.errors import refuse
from barsieve.live.tails import Tails

SETTINGS = "fusion_settings"
# What is kept of it: which settings are in force. The rest is as the build left it.
KEPT = ("fusion_learned", SETTINGS)


def is_due(tails: Tails) -> bool:
    """Tell whether a month begins of which a profile learns."""
    if "sweep_walks" not in tails.plan.models:
        return False
    news = tails.news
    begins = row_of(
        tails.connection.execute(
            "select date_trunc('month', $1::timestamptz) "
            "> date_trunc('month', $2::timestamptz - interval '1 hour')",
            [news.last_ts, news.until],
        )
    )[0]
    walks = row_of(
        tails.connection.execute(f"select count(*) from {tails.stored('sweep_walks')}")
    )[0]
    learns = row_of(
        tails.connection.execute(
            f"select bool_or(learned) from {tails.stored('config_profiles')}"
        )
    )[0]
    return bool(begins and walks and learns)


def learn(tails: Tails) -> None:
    """Learn the settings of a month that begins, with all months behind it.

    Raises InputError where those of an earlier month come out otherwise.
    """
    if not is_due(tails):
        return
    for name in tails.plan.learned:
        model = tails.plan.models[name]
        for parent in tails.plan.views_below(name):
            if parent in tails.plan.tables and not tails.plan.tables[parent].is_view:
                tails.show(parent)
            elif parent not in tails.plan.tables and parent not in tails.plan.learned:
                tails.show(parent)
        if model.materialized == "view":
            tails.connection.execute(
                f"create or replace view {model.place()} as {model.compiled_code}"
            )
        else:
            tails.make(model)
    for name in KEPT:
        place, stored = tails.plan.models[name].place(), tails.stored(name)
        lost = row_of(
            tails.connection.execute(
                f"select count(*) from (from {stored} except all from {place})"
            )
        )[0]
        if lost:
            refuse(
                f"table {name}",
                expected="the settings of earlier months to come out as the file has them",
                found=f"{lost} rows that do not",
                fix="barsieve build",
            )
        tails.connection.execute(
            f"create table {tails.fresh(name)} as from {place}"
        )
        tails.connection.execute(f"drop table {place}")
        tails.made[name] = row_of(
            tails.connection.execute(f"select count(*) from {tails.fresh(name)}")
        )[0]
