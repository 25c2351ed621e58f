"""Another market in place of the one of a build: its models, run on that in memory."""

import re
from pathlib import Path

import duckdb

from barsieve.core import paths
from barsieve.core.errors import InputError
from barsieve.database.functions import register
from barsieve.database.models import TABLE, Model, create, put_models, read_models
from barsieve.market.check import check_market
from barsieve.proof.histories import attach, text
from barsieve.proof.plan import plan_of

# Where the SQL of a source names the folder of the market.
FOLDER = re.compile(r"'[^']*(/(?:bars|macro|funding)/\*\.parquet')")


def moved(model: Model, market: Path) -> Model:
    """Return a model that reads the files of another market."""
    sources, code = dict(model.sources), model.compiled_code
    for name, sql in model.sources.items():
        if name.startswith("market."):
            folder = str(market).replace("'", "''").replace("\\", "\\\\")
            sources[name] = FOLDER.sub(rf"'{folder}\1", sql)
            code = (code or "").replace(sql, sources[name])
    return model._replace(sources=sources, compiled_code=code)


def build_on(path: Path, market: Path, folder: Path) -> Path:
    """Run what is to be proven of a build on another market; return the database.

    Settings, seeds and what was learned are those of the build. Raises InputError for a
    folder that is no market.
    """
    _, problems = check_market(market, paths.macro_series_seed())
    if problems:
        raise InputError(problems)
    with duckdb.connect() as connection:
        attach(connection, path)
        connection.execute("use built")
        models = read_models(connection, path)
        plan = plan_of(connection, "built", models)
    catalog = models["bars_1h"].place().catalog
    made = folder / f"{catalog}.duckdb"
    proven = set(plan.proven)
    needed = proven.union(*(models[name].parents for name in proven))
    with duckdb.connect() as connection:
        attach(connection, path)
        register(connection)
        project = text(str(paths.project_dir()))
        connection.execute(f"set file_search_path = {project}")
        connection.execute(f'attach {text(str(made))} as "{catalog}"')
        kept = []
        for name in plan.models.in_order(needed & plan.tables.keys()):
            model = moved(models[name], market)
            place = model.place()
            kept.append(model)
            connection.execute(
                f'create schema if not exists "{place.catalog}"."{place.schema}"'
            )
            if name in proven:
                create(connection, model, model.sources)
            else:
                built = place._replace(catalog="built")
                connection.execute(f"create table {place} as from {built}")
        home = models["bars_1h"].place()._replace(name=TABLE)
        put_models(connection, home, kept)
    return made
