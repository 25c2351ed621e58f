"""SQL functions of the package: what models and hooks ask of it."""

import json
from functools import cache
from typing import Any

import duckdb

from barsieve.core import paths


def register(connection: duckdb.DuckDBPyConnection) -> None:
    """Register the functions on a connection.

    `barsieve_problems(lists)`: what is wrong with the
    input, or null; `lists`, JSON, are the models that dbt knows. `barsieve_build()`:
    JSON of what a database built now would be built from. `barsieve_columns(table)`:
    names and types of a table that Python writes, as in `create table`.
    `barsieve_profiles(files)`: JSON of the profiles that a glob names, resolved.
    `barsieve_settings(schema)`: a column for each setting of a JSON Schema, as in
    `select`; `barsieve_setting_descriptions(schema)`: JSON of what each of them holds.
    `barsieve_market_findings()`: JSON of what the market's files say by themselves, and
    of what this installation leaves out.
    `barsieve_mark(own, parents)`: the comment of a table just made, from what dbt knows
    of it and the comments of the tables it was made of, both JSON;
    `barsieve_left_out(started)`: that of a table made empty.
    `barsieve_disagreements(comments)`: JSON of the tables that were built from others
    than stand beside them, or from another market or configs than there are now.
    `barsieve_models(rows)`: rows of `build_models` in JSON, finished.
    `barsieve_lookahead(rows)`: what looks ahead in the models of such rows, or ''.
    """
    # Its stub knows no function that takes or gives nothing.
    create: Any = connection.create_function
    for name, function in (
        ("barsieve_build", _build),
        ("barsieve_market_findings", _market_findings),
    ):
        create(
            name,
            function,
            [],
            "VARCHAR",
            null_handling="special",
            side_effects=True,
        )
    create(
        "barsieve_problems",
        _problems,
        ["VARCHAR"],
        "VARCHAR",
        null_handling="special",
        side_effects=True,
    )
    for name, of_one in (
        ("barsieve_columns", _columns),
        ("barsieve_profiles", _profiles),
        ("barsieve_settings", _settings),
        ("barsieve_setting_descriptions", _setting_descriptions),
        ("barsieve_left_out", _left_out),
        ("barsieve_models", _models),
        ("barsieve_lookahead", _lookahead),
    ):
        create(name, of_one, ["VARCHAR"], "VARCHAR")
    # What a run builds from is read once, as it starts.
    hashes = cache(_hashes)
    create(
        "barsieve_mark",
        lambda own, parents: _mark(own, parents, hashes()),
        ["VARCHAR", "VARCHAR"],
        "VARCHAR",
        null_handling="special",
    )
    create(
        "barsieve_disagreements",
        _disagreements,
        ["VARCHAR"],
        "VARCHAR",
        null_handling="special",
        side_effects=True,
    )


def _problems(lists: str) -> str | None:
    from barsieve.core.errors import describe
    from barsieve.core.model_lists import lists_of
    from barsieve.database.input_check import check_input

    problems = check_input(lists_of(json.loads(lists)))
    return describe(problems) if problems else None


def _columns(table: str) -> str:
    import duckdb

    from barsieve.core import schemas

    empty = duckdb.from_arrow(getattr(schemas, table.upper()).empty_table())
    return ", ".join(
        f'"{name}" {kind}'
        for name, kind in zip(empty.columns, empty.types, strict=True)
    )


def _profiles(files: str) -> str:
    from barsieve.profiles.resolution import resolved_profiles

    return json.dumps(resolved_profiles((paths.project_dir() / files).parent))


def _settings(schema: str) -> str:
    from barsieve.profiles.schema import settings

    return ",\n    ".join(setting.sql for setting in settings(schema))


def _setting_descriptions(schema: str) -> str:
    from barsieve.profiles.schema import settings

    return json.dumps(
        {setting.column: setting.description for setting in settings(schema)}
    )


def _build() -> str:
    from barsieve.database.provenance import describe_build

    return json.dumps(describe_build())


def _market_findings() -> str:
    from barsieve.core import paths
    from barsieve.core.extras import extra_findings
    from barsieve.market.findings import market_findings

    market = paths.project_dir() / paths.market_dir()
    found = market_findings(market, paths.macro_series_seed()) + extra_findings()
    return json.dumps([finding._asdict() for finding in found])


def _hashes() -> dict[str, str]:
    from barsieve.database.provenance import hashes_now

    return hashes_now()


def _mark(own: str, parents: str | None, hashes: dict[str, str]) -> str:
    from barsieve.core.extras import missing
    from barsieve.database.marks import left_out, mark_of, parse

    about = json.loads(own)
    comments = json.loads(parents or "{}")
    marks = {name: parse(comments.get(name)) for name in about["parents"]}
    description = about["description"]
    if about["extra"] and missing(about["extra"]):
        return left_out(about["started"]).as_comment(description)
    return mark_of(about, marks, hashes).as_comment(description)


def _left_out(started: str) -> str:
    from barsieve.database.marks import left_out

    return left_out(started).as_comment()


def _models(rows: str) -> str:
    from barsieve.database.models import recorded

    return recorded(rows, paths.project_dir())


def _lookahead(rows: str) -> str:
    from barsieve.core.errors import describe
    from barsieve.database.guard import lookahead_problems

    problems = lookahead_problems(rows, paths.project_dir())
    return describe(problems) if problems else ""


def _disagreements(comments: str | None) -> str:
    from barsieve.database.marks import differing, parse

    marks = {name: parse(text) for name, text in json.loads(comments or "{}").items()}
    return json.dumps(differing(marks, _hashes()))
