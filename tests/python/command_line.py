"""`barsieve …` as a test asks it: within this process, or in one of its own."""

import os
import subprocess
import sys
import traceback
from contextlib import chdir
from pathlib import Path
from subprocess import CompletedProcess

from typer.testing import CliRunner

from builds import PROJECT, without_locations


def barsieve(*arguments: str, **variables: Path | str) -> CompletedProcess:
    """Run a command here: to start Python and its modules takes a second."""
    from barsieve.cli import app

    environment = dict.fromkeys((k for k in os.environ if "BARSIEVE" in k), None)
    environment |= {key: str(value) for key, value in variables.items()}
    with chdir(PROJECT):
        done = CliRunner().invoke(app, list(arguments), env=environment)
    error = done.exception
    if error is not None and not isinstance(error, SystemExit):
        said = "".join(traceback.format_exception(error))
        return CompletedProcess(arguments, 1, done.stdout, done.stderr + said)
    return CompletedProcess(arguments, done.exit_code, done.stdout, done.stderr)


def barsieve_alone(*arguments: str, **variables: Path | str) -> CompletedProcess:
    """Run a command in a process of its own, as a user does."""
    return subprocess.run(
        [sys.executable, "-m", "barsieve", *arguments],
        cwd=PROJECT,
        env=without_locations() | {k: str(v) for k, v in variables.items()},
        capture_output=True,
        text=True,
        check=False,
    )
