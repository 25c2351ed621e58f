"""An exit rule with one setting: the schema, the rule, and a test; nothing else.

A copy of the project gets a rule that leaves a position at a loss of so many R. What is
written here is all that its author would write; dbt, the profile and the step of the
copy must know the setting.
"""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from builds import without_locations
from conftest import PROJECT

SETTING = "loss_exit_r"
PARTS = ("python", "configs", "macros", "models", "seeds", "tests", "data/demo")
FILES = ("dbt_project.yml", "profiles.yml")

# The rule: a reason of its own, and when it holds.
RULE = {
    "replay/state.py": [
        ('"liquidation", "delisted", "learned",\n', '    "loss",\n'),
        ("LIQUIDATION, DELISTED, LEARNED,\n", "    LOSS,\n"),
    ],
    "replay/exits.py": [
        ("    LONG,\n", "    LOSS,\n"),
        (
            "        return TIME\n",
            "    loss = position.side * (position.entry_price - bar.close)\n"
            "    if loss >= rules.loss_exit_r * position.risk_distance:\n"
            "        return LOSS\n",
        ),
    ],
}
# Its test, in the words of the other tests of the step.
TEST = """
from barsieve.replay.state import LONG, REASONS
from replay_cases import RULES, at, as_bars, quiet, run, signalled

def reasons(**changes):
    # The stop lies 2 below the entry at 100, so R is 2.
    closes = [at(100, 100, 99, close) for close in (99.8, 99.5, 99.4)]
    bars = as_bars([signalled(quiet(), LONG), *closes, quiet()])
    trades = run(bars, RULES._replace(**changes)).trades
    return [(REASONS[t.exit_reason], int(t.bars_held)) for t in trades]

assert reasons(loss_exit_r=0.25) == [("loss", 2)]
assert reasons(loss_exit_r=0.5) == reasons() == [("end_of_data", 4)]
"""

# What a replay of the copy's profiles reads.
READ = """
import duckdb
from barsieve.profiles.settings import read_profiles
with duckdb.connect("barsieve.duckdb", read_only=True) as connection:
    for profile in read_profiles(connection.table("config_symbols")):
        print(profile.profile, profile.rules.loss_exit_r)
"""


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """A copy of the project with the rule, and a profile that sets it."""
    folder = tmp_path_factory.mktemp("with_a_rule") / "project"
    for part in PARTS:
        shutil.copytree(
            PROJECT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__")
        )
    for name in FILES:
        shutil.copy(PROJECT / name, folder)
    package = folder / "python/barsieve"
    schema = package / "profiles/profile.schema.json"
    written = json.loads(schema.read_text())
    written["properties"]["exits"]["properties"][SETTING] = {
        "type": ["number", "null"], "exclusiveMinimum": 0,
        "description": "Loss in R at which a close leaves the position; null: never.",
    }  # fmt: skip
    schema.write_text(json.dumps(written))
    for name, additions in RULE.items():
        text = (package / name).read_text()
        for before, added in additions:
            assert text.count(before) == 1, (name, before)
            text = text.replace(before, before + added)
        (package / name).write_text(text)
    profile = json.loads((folder / "configs/btc_live.json").read_text())
    profile["exits"][SETTING] = 0.25
    (folder / "configs/btc_live.json").write_text(json.dumps(profile))
    return folder


def ran(folder: Path, *arguments: str, **environment: str) -> str:
    places = f"{folder}/python:{folder}/tests/python"
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env=without_locations() | {"PYTHONPATH": places} | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.slow
def test_an_exit_rule_with_one_setting_needs_the_schema_and_the_rule(copy):
    """Compiled by nobody: the step is plain Python as well, and the same source."""
    ran(copy, "-c", TEST, NUMBA_DISABLE_JIT="1")
    ran(copy, "-m", "dbt.cli.main", "run", "-s", "+config_symbols")
    with duckdb.connect(str(copy / "barsieve.duckdb"), read_only=True) as connection:
        kind, comment = connection.execute(
            "select data_type, comment from duckdb_columns() "
            f"where table_name = 'config_profiles' and column_name = '{SETTING}'"
        ).fetchall()[0]
    assert (kind, comment[:4]) == ("DOUBLE", "Loss")
    read = dict(line.split() for line in ran(copy, "-c", READ).splitlines())
    assert read.pop("btc_live") == "0.25"
    assert set(read.values()) == {"nan"}
