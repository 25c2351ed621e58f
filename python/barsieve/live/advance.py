"""An advance: a built file brought to the end of its market, as a build would be.

There is no clock in it: what a file becomes depends on the file and the market alone.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import duckdb

from barsieve.core import paths
from barsieve.core.arrow import rows_of
from barsieve.core.errors import refuse
from barsieve.database.build import copied, only_build, refuse_unusable, swap
from barsieve.database.connect import PARTS, open_database, table_names
from barsieve.database.models import Models, read_models
from barsieve.database.provenance import code_hash, configs_hash, market_hash
from barsieve.live.carried import OF_TRADES, carry_on
from barsieve.live.learned import learn, learn_of_trades
from barsieve.live.news import News, read_news
from barsieve.live.plan import STORED, growth_plan
from barsieve.live.record import note
from barsieve.live.tails import Tails
from barsieve.proof.histories import text
from barsieve.proof.market import moved

Listener = Callable[[Path], None]


class Advanced(NamedTuple):
    """Result of an advance.

    `from_ts`, `to_ts`: opens of the first and last bar that was added, UTC; None where
    nothing was new, and then the file is as it was. `n_bars`: bars added, of all
    symbols. `tables`: rows added, or written anew, by table.
    """

    from_ts: datetime | None
    to_ts: datetime | None
    n_bars: int
    is_new: bool
    database: Path
    tables: Mapping[str, int]


def advance(
    database: Path,
    market: Path,
    *,
    configs: Path | None = None,
    before_swap: Listener | None = None,
) -> Advanced:
    """Bring a built file to the end of a market; return what was added.

    `before_swap` is called with the finished copy, before that takes the place of the
    file; when it raises, nothing is swapped. `configs`: the folder of the profiles.

    Raises InputError for another code or other configs than the file was built from,
    for a past that changed, and where the last rows of a table come out otherwise;
    BuildRefusedError while another build or advance runs. The file is then as it was.
    """
    database, market = Path(database), Path(market).resolve()
    with only_build(database):
        with open_database(database) as connection:
            _refuse_parts(database, connection)
            models = read_models(connection, database)
            _refuse_another(database, connection, configs)
            news = read_news(
                connection,
                sources_of(models, market),
                {name: name for name in ("bars_1h", "bars_macro", "bars_funding")},
            )
        if not news.n_bars:
            return Advanced(None, None, 0, False, database, {})
        refuse_unusable(database)
        with copied(database) as copy:
            made = add_news(copy, models, news, market)
            if before_swap is not None:
                before_swap(copy)
            swap(copy, database)
    return Advanced(news.first_ts, news.last_ts, news.n_bars, True, database, made)


def sources_of(models: Models, market: Path) -> dict[str, str]:
    """Return the SQL of the files of a market, and of other sources, by their names."""
    sources: dict[str, str] = {}
    for model in models.values():
        sources |= moved(model, market).sources
    return sources


def _refuse_parts(database: Path, connection: duckdb.DuckDBPyConnection) -> None:
    """Refuse to add rows to views: the parts of a build are files that stay."""
    if PARTS in table_names(connection):
        refuse(
            str(database),
            "its long tables",
            expected="tables, to which rows are added",
            found="views of the parts of a build (--by-symbol, --on)",
            fix="barsieve build without these, or build by parts again: what did not "
            "change is taken as it is",
        )


def _refuse_another(
    database: Path, connection: duckdb.DuckDBPyConnection, configs: Path | None
) -> None:
    """Refuse what the file was not built from: that is the work of a build."""
    (info,) = rows_of(
        connection.execute("select code_hash, configs_hash from build_info")
    )
    folder = paths.project_dir()
    now = {
        "code_hash": code_hash(folder),
        "configs_hash": configs_hash(configs or folder / paths.configs_dir()),
    }
    for name, what in (("code_hash", "code"), ("configs_hash", "configs")):
        if info[name] != now[name]:
            refuse(
                str(database),
                what,
                expected=f"the {what} that it was built from ({info[name]})",
                found=f"other {what} ({now[name]})",
                fix="barsieve build",
            )


def add_news(copy: Path, models: Models, news: News, market: Path) -> dict[str, int]:
    """Add to a file what is new of its market, in one transaction.

    Returns the rows added to each table. Raises InputError where rows that the file has
    come out otherwise; nothing is written then.
    """
    models = Models({name: moved(model, market) for name, model in models.items()})
    with duckdb.connect() as connection:
        connection.execute(f"attach {text(str(copy))} as {STORED}")
        connection.execute("set timezone = 'UTC'")
        connection.execute(f"set file_search_path = {text(str(paths.project_dir()))}")
        connection.execute("set threads = 1")
        connection.execute(f"use {STORED}")
        plan = growth_plan(connection, models)
        connection.execute("use memory")
        tails = Tails(connection, plan, news, sources_of(models, market))
        for name in plan.first:
            if name == "fusion_scores":
                learn(tails)
            tails.run(name)
        learn_of_trades(tails)
        carry_on(tails)
        _write(tails)
        note(connection, STORED, news, market_hash(market))
        connection.execute(f"checkpoint {STORED}")
        return {name: n for name, n in tails.made.items() if n}


def _write(tails: Tails) -> None:
    """Write what was made into the file, all of it or nothing."""
    connection = tails.connection
    connection.execute("begin")
    for name in tails.made:
        growth = tails.plan.tables.get(name)
        table = tails.stored(name)
        if growth is None or (growth.is_whole and name not in OF_TRADES):
            connection.execute(f"delete from {table}")
        elif name in OF_TRADES:
            connection.execute(
                f"delete from {table} as kept using memory.main.reopened as reopened "
                "where kept.replayed = reopened.replayed "
                "and kept.profile = reopened.profile "
                "and kept.symbol = reopened.symbol "
                "and kept.trade_id = reopened.trade_id"
            )
        else:
            connection.execute(
                f"delete from {table} as kept where not ({tails.is_past(growth)})"
            )
        connection.execute(f"insert into {table} by name from {tails.fresh(name)}")
    connection.execute("commit")
