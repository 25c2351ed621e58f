"""The dbt-duckdb plugin: lets SQL ask the package for its checks and its provenance."""

import os

from dbt.adapters.duckdb.plugins import BasePlugin

from barsieve.core import paths
from barsieve.database.functions import register


class Plugin(BasePlugin):
    """Registers the functions that the project's SQL calls, on every connection."""

    def update_connection_config(self, creds, config):
        """Work in the project's folder; refuse a database that cannot have its name.

        Runs before the database is opened: nothing is left where nothing can be built.
        Locations are relative to the project, wherever dbt was called from.
        """
        from dbt.flags import get_flags
        from dbt_common.exceptions import DbtRuntimeError

        from barsieve.core.errors import describe
        from barsieve.core.locations import location_problems

        if folder := getattr(get_flags(), "PROJECT_DIR", None):
            os.chdir(folder)
            os.environ[paths.PROJECT] = str(folder)
        if problems := location_problems():
            raise DbtRuntimeError(describe(problems))

    def configure_connection(self, conn):
        """Register the functions on a connection."""
        register(conn)
