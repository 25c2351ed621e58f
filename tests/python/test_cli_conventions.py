"""What every command keeps to: help, JSON, silence in a pipe, colours, completion."""

import json
import os
import pty
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import typer.main

from barsieve.cli import app
from conftest import PROJECT

pytestmark = pytest.mark.slow

COLOUR = re.compile(r"\x1b\[(?:\d+;)*(?:3[0-8]|4[0-8]|9[0-7]|10[0-7])(?:;\d+)*m")

# These print no table.
WITHOUT_TABLE = {
    "init", "demo", "build", "export", "paper run", "paper stop", "paper serve",
}  # fmt: skip


def commands_of(group=None, prefix: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """Return the words of every command."""
    group = group or typer.main.get_command(app)
    found = []
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            found += commands_of(command, (*prefix, name))
        else:
            found.append((*prefix, name))
    return found


COMMANDS = commands_of()
REFUSED = {
    ("replay", "--profile", "nope"): "btc_live",
    ("export", "nope", "--to", "x.csv"): "trades",
    ("config", "check", "nowhere.json"): "nowhere.json",
    ("config", "migrate", "configs/btc_live.json", "--dry-run"): "a profile already",
}
RUNS = [
    *REFUSED,
    ("--help",),
    ("--version",),
    ("check",),
    ("show",),
    ("show", "--json"),
    ("replay", "--profile", "btc_live"),
    ("config", "check"),
    ("config", "diff", "btc_live", "eth_sentinel"),
    ("config", "schema"),
    ("build", "--help"),
    ("candidates", "--profile", "btc_live"),
    ("compare", "eth_comprehensive:full", "eth_comprehensive:focused"),
    ("thresholds", "--profile", "btc_live", "0.65", "0.7"),
    ("stress", "--profile", "btc_live"),
    ("signal", "--profile", "btc_live"),
    ("explain", "1", "--profile", "btc_live"),
    ("regime",),
    ("regime", "--report"),
]


def environment(database: Path, **more: str) -> dict[str, str]:
    kept = {
        key: value
        for key, value in os.environ.items()
        if "BARSIEVE" not in key and key not in ("NO_COLOR", "FORCE_COLOR")
    }
    return kept | {"BARSIEVE_DATABASE": str(database), "TERM": "xterm"} | more


# Runs commands one after the other in one process: starting one takes a second.
DRIVER = """
import json, sys
from barsieve.cli import app
for arguments in json.loads(sys.argv[1]):
    try:
        app(arguments)
    except SystemExit as ended:
        sys.stdout.write(f"\\n--- {ended.code or 0}\\n")
        sys.stdout.flush()
"""


def driver(*runs: tuple[str, ...]) -> list[str]:
    return [sys.executable, "-c", DRIVER, json.dumps(runs)]


def run(*runs: tuple[str, ...], env: dict[str, str]) -> tuple[list[str], str]:
    """Run commands in a pipe; return what each printed, and all of their errors."""
    done = subprocess.run(
        driver(*runs), cwd=PROJECT, env=env, capture_output=True, text=True, check=False
    )
    printed = re.split(r"\n--- \d+\n", done.stdout)
    assert len(printed) == len(runs) + 1, done.stderr
    return printed[:-1], done.stderr


def run_in_terminal(*runs: tuple[str, ...], env: dict[str, str]) -> str:
    """Run commands whose output and errors go to a terminal; return all of it."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        driver(*runs), cwd=PROJECT, env=env, stdin=theirs, stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    said = b""
    try:
        while block := os.read(ours, 65536):
            said += block
    except OSError:
        pass  # Linux ends a terminal that nobody holds with an error.
    process.wait()
    os.close(ours)
    assert said.count(b"\n--- ") == len(runs), said
    return said.decode()


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_command_has_help_with_an_example_and_json_for_its_tables(words):
    command = typer.main.get_command(app)
    for word in words:
        command = command.commands[word]
    assert "Example:" in command.help
    assert f"barsieve {' '.join(words)}" in command.help
    options = [option for p in command.params for option in p.opts]
    assert "--json" in options or {words[0], " ".join(words)} & WITHOUT_TABLE
    for parameter in command.params:
        assert parameter.name == "help" or parameter.help, parameter.name


def test_in_a_pipe_there_is_no_colour_and_no_progress(demo_build):
    printed, errors = run(*RUNS, env=environment(demo_build.database))
    for said in (*printed, errors):
        assert "\x1b" not in said
        assert "\r" not in said
        assert "Traceback" not in said
    assert sum(not said.strip() for said in printed) == len(REFUSED)
    for arguments, words in REFUSED.items():
        assert not printed[RUNS.index(arguments)].strip()
        assert words in errors


def test_no_color_is_respected_in_a_terminal(demo_build):
    env = environment(demo_build.database)
    assert COLOUR.search(run_in_terminal(("--help",), env=env)), "no colour to notice"
    assert not COLOUR.search(run_in_terminal(*RUNS, env=env | {"NO_COLOR": "1"}))


def test_json_is_json_and_nothing_else(demo_build):
    asked = [
        ("check",), ("show",), ("replay", "--profile", "btc_live"),
        ("config", "check"), ("config", "diff", "btc_live", "eth_sentinel"),
        ("config", "schema"),
    ]  # fmt: skip
    runs = [(*arguments, "--json") for arguments in asked]
    printed, errors = run(*runs, env=environment(demo_build.database))
    assert errors == ""
    for said in printed:
        assert isinstance(json.loads(said), dict | list)


@pytest.fixture
def script() -> str:
    """The installed command, beside the interpreter."""
    found = shutil.which("barsieve", path=str(Path(sys.executable).parent))
    if found is None:
        pytest.skip("barsieve is not installed as a command here")
    return found


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_can_be_shown_for_every_shell(script, shell, tmp_path):
    env = environment(tmp_path / "none.duckdb", _BARSIEVE_COMPLETE=f"source_{shell}")
    done = subprocess.run(
        [script], env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0
    assert "barsieve" in done.stdout


def test_completion_is_installed_for_the_shell_in_use(script, tmp_path):
    env = environment(tmp_path / "none.duckdb", HOME=str(tmp_path), SHELL="/bin/bash")
    for option in ("--show-completion", "--install-completion"):
        command = f"{script} {option}; exit $?"
        done = subprocess.run(
            ["bash", "-c", command],
            env=env,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
    (installed,) = (tmp_path / ".bash_completions").iterdir()
    assert "_BARSIEVE_COMPLETE=complete_bash" in installed.read_text()
    assert str(installed) in (tmp_path / ".bashrc").read_text()


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("barsieve exp", {"explain", "export"}),
        (
            "barsieve config ",
            {"new", "show", "from-sweep", "migrate", "check", "diff", "schema"},
        ),
        ("barsieve config diff btc", {"btc_live"}),
        (
            "barsieve export trade_",
            {
                "trade_decisions",
                "trade_legs",
                "trade_paths",
                "trade_reasons",
                "trade_stops",
            },
        ),
        ("barsieve replay --mode f", {"full", "focused"}),
    ],
)
def test_the_shell_completes_commands_profiles_and_tables(
    demo_build, script, typed, expected
):
    env = environment(
        demo_build.database,
        _BARSIEVE_COMPLETE="complete_bash",
        COMP_WORDS=typed,
        COMP_CWORD=str(len(typed.split(" ")) - 1),
    )
    done = subprocess.run(
        [script], cwd=PROJECT, env=env, capture_output=True, text=True, check=False
    )
    assert set(done.stdout.split()) == expected
