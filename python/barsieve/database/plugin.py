"""The dbt-duckdb plugin: lets SQL ask the package for its checks and its provenance."""

import os
import tempfile
from pathlib import Path

import duckdb
from dbt.adapters.duckdb.plugins import BasePlugin

from barsieve.core import paths
from barsieve.core.errors import Problem
from barsieve.database.connect import no_database
from barsieve.database.functions import register

# OpenMP is told before a library of it is loaded: threads that wait for each other by
# spinning take the core from the others. The bits are the same.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

# The commands of dbt that make tables. Only they may make the file of a database.
MAKERS = {"build", "clone", "run", "run-operation", "seed", "snapshot"}


class Plugin(BasePlugin):
    """Registers the functions that the project's SQL calls, on every connection."""

    def update_connection_config(self, creds, config):
        """Work in the project's folder; make no database that nothing is built in.

        Runs before the database is opened. Locations are relative to the project,
        wherever dbt was called from. Where there is no database yet, bad input is
        refused before there is one, and a command that makes no table (compile, docs,
        an editor's) works on a file that goes when it ends.
        """
        from dbt.flags import get_flags

        from barsieve.core.locations import location_problems
        from barsieve.database.input_check import check_input

        flags = get_flags()
        if folder := getattr(flags, "PROJECT_DIR", None):
            _work_in(Path(folder).resolve())
        _refuse(location_problems())
        if Path(creds.path).exists():
            return
        command = getattr(flags, "WHICH", None)
        if command in MAKERS:
            _refuse(check_input())
            _drop_if_empty(Path(creds.path).resolve())
            return
        if command == "test":
            _refuse([no_database(Path(creds.path))])
        # The same name in another folder: the catalog is named after the file.
        self._aside = tempfile.TemporaryDirectory(prefix="barsieve-")
        creds.path = str(Path(self._aside.name) / Path(creds.path).name)

    def configure_connection(self, conn):
        """Register the functions on a connection."""
        register(conn)


def _work_in(folder: Path) -> None:
    """Work in a folder until dbt lets go of the database; see `_leave_nothing`."""
    from dbt.adapters.factory import get_adapter_by_type

    adapter = get_adapter_by_type("duckdb")
    if "cleanup_connections" not in vars(adapter):
        _leave_nothing(adapter, Path.cwd(), os.environ.get(paths.PROJECT))
    # dbt writes below it, and a relative one would be another place from now on.
    adapter.config.project_root = str(folder)
    os.chdir(folder)
    os.environ[paths.PROJECT] = str(folder)


def _leave_nothing(adapter, folder: Path, project: str | None) -> None:
    """Let the end of a run of dbt close the database, and go back to a folder.

    A program that called dbt and goes on (a scheduler, an editor, a notebook) would
    otherwise hold the file without reading it, and find itself elsewhere.
    """
    clean_up = adapter.cleanup_connections

    def leave() -> None:
        del adapter.cleanup_connections
        clean_up()
        adapter.ConnectionManager.env().close()
        os.chdir(folder)
        if project is None:
            os.environ.pop(paths.PROJECT, None)
        else:
            os.environ[paths.PROJECT] = project

    adapter.cleanup_connections = leave


def _drop_if_empty(database: Path) -> None:
    """Let the end of the run drop the database that it made, where nothing is in it.

    A hook may still refuse what only dbt knows, like a model that looks ahead.
    """
    from dbt.adapters.factory import get_adapter_by_type

    adapter = get_adapter_by_type("duckdb")
    clean_up = adapter.cleanup_connections

    def leave() -> None:
        clean_up()
        if database.exists():
            with duckdb.connect(str(database), read_only=True) as connection:
                tables = connection.execute("select 1 from duckdb_tables()").fetchall()
            if not tables:
                database.unlink()

    adapter.cleanup_connections = leave


def _refuse(problems: list[Problem]) -> None:
    from dbt_common.exceptions import DbtRuntimeError

    from barsieve.core.errors import describe

    if problems:
        raise DbtRuntimeError(describe(problems))
