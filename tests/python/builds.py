"""Builds that tests share: one of each market a run, each parsed once.

The build of the demo is that of `make build` where it still stands: its hashes are
those of the present code, configs and market, and nothing else changed after it.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import duckdb
from filelock import FileLock

from barsieve.core.remembered import REMEMBERED
from barsieve.database.provenance import describe_build

PROJECT = Path(__file__).parents[2]
DATABASE = "barsieve.duckdb"
PARSED = "partial_parse.msgpack"
# What dbt reads and the hash of the code leaves out.
OTHER_SOURCES = ("dbt_project.yml", "profiles.yml", "tests/generic", "tests/singular")
HASHES = ("code_hash", "configs_hash", "market_hash")


@dataclass(frozen=True)
class Build:
    """A finished dbt run: where it wrote, how it ended, what it printed."""

    database: Path
    target: Path
    exit_code: int
    output: str

    def connect(self) -> duckdb.DuckDBPyConnection:
        connection = duckdb.connect(str(self.database), read_only=True)
        connection.execute("set timezone = 'UTC'")
        return connection


def without_locations() -> dict[str, str]:
    """Return the environment of this process without what names a place of ours.

    But for the memory of this run of the tests.
    """
    return {
        key: value
        for key, value in os.environ.items()
        if "BARSIEVE" not in key or key == REMEMBERED
    }


def run_dbt(*arguments: str, folder: Path, **locations: Path | str) -> Build:
    """Run dbt on the project as a user would, with files of its own in `folder`.

    It starts from the parse of the first such run, wherever that wrote.
    """
    target = folder / "target"
    target.mkdir(parents=True, exist_ok=True)
    environment = without_locations() | {
        "BARSIEVE_DATABASE": str(folder / DATABASE),
        "DBT_TARGET_PATH": str(target),
        "DBT_LOG_PATH": str(folder / "logs"),
    }
    environment |= {key: str(value) for key, value in locations.items()}
    shared = os.environ.get("SHARED_BY_TESTS")
    kept = Path(shared) / PARSED if shared else None
    if kept and kept.exists() and not (target / PARSED).exists():
        shutil.copyfile(kept, target / PARSED)
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("dbt_anywhere.py")), *arguments],
        cwd=PROJECT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if kept and not kept.exists() and (target / PARSED).exists():
        _put(target / PARSED, kept)
    return Build(
        Path(environment["BARSIEVE_DATABASE"]),
        target,
        done.returncode,
        done.stdout + done.stderr,
    )


def _put(source: Path, place: Path) -> None:
    """Copy a file into its place whole: other processes may be about to read it."""
    ours = place.with_name(f"{place.name}.{os.getpid()}")
    shutil.copyfile(source, ours)
    ours.replace(place)


def built_once(shared: Path, name: str, **locations: Path | str) -> Build:
    """Build a market once, whichever of the test processes needs it first."""
    folder = shared / name
    with FileLock(shared / f"{name}.lock"):
        if not (folder / "done").exists():
            is_taken = not locations and take_what_stands(folder)
            build = None if is_taken else run_dbt("build", folder=folder, **locations)
            (folder / "output").write_text(build.output if build else "")
            (folder / "done").write_text(str(build.exit_code if build else 0))
    exit_code, output = (folder / "done").read_text(), (folder / "output").read_text()
    assert exit_code == "0", output[-6000:]
    return Build(folder / DATABASE, folder / "target", 0, output)


def write_marked_configs(configs: Path) -> None:
    """Write the shipped profiles, one without trades, and one that breaks its word.

    And two of two symbols: one with a wallet for both and room for one position, and
    one with an account for each.
    """
    shutil.copytree(PROJECT / "configs", configs)
    silent = json.loads((configs / "eth_comprehensive.json").read_text())
    silent["profile"] = "eth_silent"
    silent["entry"]["entry_threshold"] = 0.9
    lossy = json.loads((configs / "eth_sentinel.json").read_text())
    lossy["profile"] = "eth_lossy"
    lossy["parity"] |= {"trades_tolerance": 0.0, "win_rate_tolerance": 0.0}
    lossy["screen"]["candidate_window_bars"] = 1
    pair = {
        "profile": "pair",
        "extends": "eth_comprehensive",
        "symbols": ["*"],
        "wallet": {"kind": "shared", "max_positions": 1},
    }
    apart = pair | {"profile": "apart", "wallet": {"kind": "separate"}}
    for profile in (silent, lossy, pair, apart):
        path = configs / f"{profile['profile']}.json"
        path.write_text(json.dumps(profile))


SPINE = (
    "build", "--strict", "--no-prove", "--exclude", "tag:ml", "--threads", "1",
)  # fmt: skip


def spine_once(shared: Path) -> Build:
    """Build the marked profiles once with one thread, without the models that learn."""
    folder = shared / "spine"
    environment = without_locations() | {
        "BARSIEVE_CONFIGS": str(folder / "configs"),
        "BARSIEVE_DATABASE": str(folder / DATABASE),
        "DBT_TARGET_PATH": str(folder / "target"),
        "DBT_LOG_PATH": str(folder / "logs"),
    }
    with FileLock(shared / "spine.lock"):
        if not (folder / "done").exists():
            write_marked_configs(folder / "configs")
            done = subprocess.run(
                [sys.executable, "-m", "barsieve", *SPINE],
                cwd=PROJECT, env=environment, capture_output=True, text=True,
                check=False,
            )  # fmt: skip
            (folder / "output").write_text(done.stdout + done.stderr)
            (folder / "done").write_text(str(done.returncode))
    exit_code, output = (folder / "done").read_text(), (folder / "output").read_text()
    return Build(folder / DATABASE, folder / "target", int(exit_code), output)


def take_what_stands(folder: Path) -> bool:
    """Copy the build in the project's folder, if it is whole and current."""
    database, target = PROJECT / DATABASE, PROJECT / "target"
    if "".join(reasons_to_build(database, target)):
        return False
    (folder / "target").mkdir(parents=True)
    shutil.copyfile(database, folder / DATABASE)
    for name in ("manifest.json", "run_results.json"):
        shutil.copyfile(target / name, folder / "target" / name)
    return True


def reasons_to_build(database: Path, target: Path) -> Iterator[str]:
    """Say why a database and what dbt left of its run are not the demo as it is now."""
    try:
        results = json.loads((target / "run_results.json").read_text())
        manifest = json.loads((target / "manifest.json").read_text())
        with duckdb.connect(str(database), read_only=True) as connection:
            columns = (*HASHES, "epoch(built_at)")
            sql = f"select {', '.join(columns)} from build_info"
            *hashes, built_at = connection.execute(sql).fetchall()[0]
    except (OSError, ValueError, IndexError, duckdb.Error) as error:
        yield f"there is no whole build: {error}"
        return
    if hashes != hashes_of_the_demo():
        yield "it was built from something else"
    asked = results["args"]
    if asked["which"] != "build" or asked.get("select") or asked.get("exclude"):
        yield "the last run of dbt was another one"
    if results["metadata"]["invocation_id"] != manifest["metadata"]["invocation_id"]:
        yield "the project was parsed again"
    # An exposure is listed among the results, and never run.
    ran = (r for r in results["results"] if not r["unique_id"].startswith("exposure."))
    if not {r["status"] for r in ran} <= {"success", "pass"}:
        yield "not everything passed"
    if abs(started(results) - built_at) > 60:
        yield "the last run of dbt wrote another database"
    if any(path.stat().st_mtime > built_at for path in other_sources()):
        yield "a test of dbt or its settings changed since"


def started(results: dict) -> float:
    """Return when a run of dbt began, in seconds."""
    at = results["metadata"]["invocation_started_at"]
    return duckdb.execute("select epoch(?::timestamptz)", [at]).fetchall()[0][0]


def hashes_of_the_demo() -> list[str]:
    """Return the hashes that `dbt build` without any variable would write."""
    kept = {key: value for key, value in os.environ.items() if "BARSIEVE" in key}
    for key in kept:
        del os.environ[key]
    os.environ["BARSIEVE_PROJECT"] = str(PROJECT)
    try:
        now = describe_build()
    finally:
        del os.environ["BARSIEVE_PROJECT"]
        os.environ.update(kept)
    return [now[name] for name in HASHES]


def other_sources() -> Iterator[Path]:
    """Return the files that dbt reads and the hash of the code leaves out."""
    for name in OTHER_SOURCES:
        path = PROJECT / name
        with suppress(OSError):
            yield from path.rglob("*") if path.is_dir() else [path]
