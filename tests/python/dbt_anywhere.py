"""dbt, with a parse that does not depend on where the database lies.

dbt parses a project again, for five seconds, when any key of the connection changed.
The models ask for none but the name of the catalog, so the path may differ.
"""

from dbt.adapters.duckdb.credentials import DuckDBCredentials
from dbt.cli.main import cli

keys_of = DuckDBCredentials._connection_keys


def keys_but_the_path(credentials: DuckDBCredentials) -> tuple[str, ...]:
    return tuple(key for key in keys_of(credentials) if key != "path")


if __name__ == "__main__":
    DuckDBCredentials._connection_keys = keys_but_the_path
    cli()
