"""Packages of a project, fetched as `dbt deps` does."""

import subprocess
import sys
import tempfile
from pathlib import Path

from barsieve.core.errors import refuse


def fetch_packages(folder: Path) -> None:
    """Run `dbt deps` in a project; its log is left nowhere.

    Raises InputError with what dbt said when that fails.
    """
    with tempfile.TemporaryDirectory(prefix="barsieve-init-") as logs:
        done = subprocess.run(
            [
                *(sys.executable, "-m", "dbt.cli.main", "--no-use-colors", "--quiet"),
                *("--log-path", logs, "deps", "--profiles-dir", str(folder)),
            ],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode:
        refuse(
            str(folder / "packages.yml"),
            expected="packages that dbt deps can fetch",
            found=(done.stdout + done.stderr).strip(),
            fix="mend what it names; then barsieve init --upgrade",
        )
