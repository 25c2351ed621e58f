"""The dbt-duckdb plugin: lets SQL ask the package for its checks and its provenance."""

import json

from dbt.adapters.duckdb.plugins import BasePlugin


class Plugin(BasePlugin):
    """Registers four functions.

    `barsieve_problems()`: what is wrong with the input, or null. `barsieve_build()`:
    JSON of what a database built now would be built from. `barsieve_columns(table)`:
    names and types of a table that Python writes, as in `create table`.
    `barsieve_market_findings()`: JSON of what the market's files say by themselves.
    """

    def configure_connection(self, conn):
        """Register the functions on a connection."""
        for name, function in (
            ("barsieve_problems", _problems),
            ("barsieve_build", _build),
            ("barsieve_market_findings", _market_findings),
        ):
            conn.create_function(
                name,
                function,
                [],
                "VARCHAR",
                null_handling="special",
                side_effects=True,
            )
        conn.create_function("barsieve_columns", _columns, ["VARCHAR"], "VARCHAR")


def _problems() -> str | None:
    from barsieve.check import check_input
    from barsieve.problems import describe

    problems = check_input()
    return describe(problems) if problems else None


def _columns(table: str) -> str:
    import duckdb

    from barsieve import schemas

    empty = duckdb.from_arrow(getattr(schemas, table.upper()).empty_table())
    return ", ".join(
        f'"{name}" {kind}'
        for name, kind in zip(empty.columns, empty.types, strict=True)
    )


def _build() -> str:
    from barsieve.provenance import describe_build

    return json.dumps(describe_build())


def _market_findings() -> str:
    from barsieve import project
    from barsieve.market_findings import market_findings

    folder = project.project_dir()
    found = market_findings(
        folder / project.market_dir(), folder / "seeds" / "macro_series.csv"
    )
    return json.dumps([finding._asdict() for finding in found])
