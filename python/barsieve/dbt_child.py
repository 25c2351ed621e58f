"""dbt as a child process that ends with its parent: `python -m barsieve.dbt_child`.

A killed `barsieve build` would otherwise leave dbt at work on a file nobody wants.
"""

import os
import threading


def end_with_parent() -> None:
    """End this process when its standard input, a pipe from the parent, is closed."""
    while os.read(0, 1024):
        pass
    os._exit(1)


if __name__ == "__main__":
    threading.Thread(target=end_with_parent, daemon=True).start()
    from dbt.cli.main import cli

    cli(prog_name="dbt")
