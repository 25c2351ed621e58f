"""The dbt-duckdb plugin: lets the on-run-start hook ask the package for its checks."""

from dbt.adapters.duckdb.plugins import BasePlugin


class Plugin(BasePlugin):
    """Registers `barsieve_problems()`: what is wrong with the input, or null."""

    def configure_connection(self, conn):
        """Make the checks callable from SQL."""
        conn.create_function(
            "barsieve_problems",
            _problems,
            [],
            "VARCHAR",
            null_handling="special",
            side_effects=True,
        )


def _problems() -> str | None:
    from barsieve.check import check_input
    from barsieve.problems import describe

    problems = check_input()
    return describe(problems) if problems else None
