"""Whatever dbt leaves behind, every command ends in a sentence or in a right answer.

The databases are copies of the built demo, altered as a run leaves them; what real runs
of dbt leave was compared with them when this was written (docs/decisions/0021).
"""

import json
import shutil
from pathlib import Path

import duckdb
import pytest
from typer.testing import CliRunner

from barsieve.cli import app
from barsieve.core.errors import InputError
from barsieve.database.connect import open_database
from barsieve.database.marks import LAST, Mark, parse, read_marks, stale_tables
from barsieve.database.models import TABLE as STATEMENTS

pytestmark = pytest.mark.slow

PROJECT = Path(__file__).parents[2]
SEEDS = ("macro_series", "regime_policy", "sweep_grids")
PROFILE = ("--profile", "btc_live")
COMMANDS = {
    "show": ("show",),
    "show json": ("show", "--json"),
    "replay": ("replay", *PROFILE),
    "replay changed": ("replay", *PROFILE, "--set", "exits.stop_atr=2.5"),
    "candidates": ("candidates", *PROFILE),
    "compare": ("compare", "btc_live", "btc_live:focused"),
    "thresholds": ("thresholds", "0.5", "0.6", *PROFILE),
    "stress": ("stress", *PROFILE),
    "signal": ("signal", *PROFILE),
    "explain": ("explain", "1", *PROFILE),
    "regime": ("regime",),
    "regime report": ("regime", "--report"),
    "regime states": ("regime", "--compare-states"),
    "sweep": ("sweep", "--grid", "sobol", "--n", "8"),
    "optimize": ("optimize",),
    "walk-forward": ("walk-forward",),
    "report": ("report",),
    "export": ("export", "trades", "--to", "trades.parquet"),
}


def tables_of(connection) -> list[tuple[str, str]]:
    return connection.execute(
        "select table_name, table_type from information_schema.tables "
        "where table_schema = 'main'"
    ).fetchall()


def drop(connection, is_dropped) -> None:
    for name, kind in sorted(tables_of(connection), key=lambda row: row[1] != "VIEW"):
        if is_dropped(name):
            noun = "view" if kind == "VIEW" else "table"
            connection.execute(f'drop {noun} "{name}"')


def mark(connection, table: str, **changes) -> None:
    """Alter the mark of a table, as a later run of it would."""
    found = read_marks(connection)[table]
    quoted = found._replace(**changes).as_comment().replace("'", "''")
    connection.execute(f"comment on table {table} is '{quoted}'")


def seeds_only(connection) -> None:
    drop(connection, lambda name: name not in SEEDS)


def interrupted(connection) -> None:
    connection.execute(f"delete from {LAST}")


def interrupted_at_first(connection) -> None:
    drop(connection, lambda name: name.startswith(("report", "parity", LAST)))


def made_empty(connection) -> None:
    """`dbt run --empty --select report_performance build_info`."""
    connection.execute("delete from report_performance")
    mark(connection, "report_performance", is_empty=True, mark="0" * 16)
    parents = read_marks(connection)[LAST].parents
    parents |= {"report_performance": "0" * 16}
    mark(connection, LAST, is_empty=True, parents=parents)
    connection.execute(f"update {LAST} set symbols = null, bars = 0")


def of_other_configs(connection) -> None:
    """`dbt build --select config_profiles reports` with another folder of configs."""
    mark(connection, "config_profiles", configs="1" * 16, mark="2" * 16)
    connection.execute(f"update {LAST} set configs_hash = repeat('1', 16)")


def of_another_market(connection) -> None:
    """`BARSIEVE_MARKET=B dbt build --select reports`."""
    connection.execute(f"update {LAST} set market_name = 'B', market_hash = 'b'")


def of_an_older_version(connection) -> None:
    for name, kind in tables_of(connection):
        noun = "view" if kind == "VIEW" else "table"
        connection.execute(f'comment on {noun} "{name}" is null')


def without_trades(connection) -> None:
    """Somebody made room: what is left was built from one another."""
    connection.execute("drop view trades")
    connection.execute("drop table replay_trades")
    connection.execute("drop table regimes")


def rebuilt_without_a_mark(connection) -> None:
    connection.execute(
        "create or replace table replay_trades as from replay_trades limit 0"
    )


def of_another_project(connection) -> None:
    drop(connection, lambda name: True)
    connection.execute("create table build_info as select 1 as x")


def of_nobody(connection) -> None:
    drop(connection, lambda name: True)
    connection.execute("create table orders as select 1 as x")


REFUSED = (
    seeds_only, interrupted, interrupted_at_first, made_empty, of_other_configs,
    of_another_market, of_an_older_version, rebuilt_without_a_mark,
    of_another_project, of_nobody,
)  # fmt: skip


def left_behind(build, folder: Path, alter) -> Path:
    path = folder / f"{alter.__name__}.duckdb"
    shutil.copy(build.database, path)
    with duckdb.connect(str(path)) as connection:
        connection.execute("set timezone = 'UTC'")
        alter(connection)
    return path


@pytest.fixture
def run(monkeypatch, tmp_path):
    """Run a command on a database, from a folder of its own."""
    monkeypatch.setenv("BARSIEVE_PROJECT", str(PROJECT))
    monkeypatch.chdir(tmp_path)

    def run_on(path: Path, *arguments: str):
        monkeypatch.setenv("BARSIEVE_DATABASE", str(path))
        done = CliRunner().invoke(app, arguments)
        assert done.exception is None or isinstance(done.exception, SystemExit), (
            arguments,
            repr(done.exception),
        )
        return done

    return run_on


@pytest.mark.parametrize("alter", REFUSED, ids=lambda alter: alter.__name__)
def test_every_command_refuses_what_is_no_whole_build(demo_build, tmp_path, run, alter):
    path = left_behind(demo_build, tmp_path, alter)
    for arguments in COMMANDS.values():
        done = run(path, *arguments)
        assert done.exit_code in (1, 2), (arguments, done.output)
        assert "expected" in done.output, (arguments, done.output)
        assert "fix: dbt build" in done.output, (arguments, done.output)
    left = {item.name for item in tmp_path.iterdir()}
    assert left == {path.name}, "and wrote nothing"


@pytest.mark.parametrize("content", [None, b"", b"no database at all", b"\0" * 20_000])
def test_every_command_refuses_what_is_no_database(tmp_path, run, content):
    path = tmp_path / "barsieve.duckdb"
    if content is not None:
        path.write_bytes(content)
    for arguments in COMMANDS.values():
        done = run(path, *arguments)
        assert done.exit_code in (1, 2), (arguments, done.output)
        assert str(path) in done.output.replace("\n", ""), (arguments, done.output)


def test_a_disagreement_is_named(demo_build, tmp_path, run):
    done = run(left_behind(demo_build, tmp_path, of_another_market), "show")
    assert "table bars_1h: expected the market 'B' that the last build" in done.output
    done = run(left_behind(demo_build, tmp_path, of_other_configs), "show")
    assert "built from the present config_profiles" in done.output
    done = run(left_behind(demo_build, tmp_path, made_empty), "show")
    assert "--empty" in done.output


READS_STALE = {
    "report_optimizer": ("optimize",),
    "report_walk_forward": ("export", "report_walk_forward", "--to", "x.csv"),
    "report_regimes": ("regime", "--report"),
    "report_regime_worth": ("export", "report_regime_worth", "--to", "x.csv"),
}


def left_out_of_the_last_build(connection) -> None:
    for table in READS_STALE:
        mark(connection, table, parents={"config_profiles": "f" * 16})


def test_a_table_that_the_last_build_left_out_is_refused_alone(
    demo_build, tmp_path, run
):
    path = left_behind(demo_build, tmp_path, left_out_of_the_last_build)
    for table, arguments in READS_STALE.items():
        done = run(path, *arguments)
        assert done.exit_code in (1, 2), (arguments, done.output)
        assert f"table {table}" in done.output, (arguments, done.output)
    assert run(path, "show").exit_code == 0
    assert run(path, "export", "trades", "--to", "trades.csv").exit_code == 0
    done = run(path, "report")
    assert done.exit_code == 0
    page = (tmp_path / "report.html").read_text()
    assert "Left out: this database has no tables report_optimizer" in page


def test_who_reads_a_table_that_is_gone_is_told(demo_build, tmp_path, run):
    path = left_behind(demo_build, tmp_path, without_trades)
    assert run(path, "show").exit_code == 0
    for name in ("compare", "explain", "export", "regime report"):
        done = run(path, *COMMANDS[name])
        assert done.exit_code == 0 or "fix:" in done.output, (name, done.output)
    assert run(path, *COMMANDS["compare"]).exit_code == 2


def of_other_models(connection) -> None:
    connection.execute("alter table report_performance drop column sharpe")
    connection.execute(f"update {LAST} set code_hash = 'c'")


def test_tables_of_other_models_are_told_as_such(demo_build, tmp_path, run):
    path = left_behind(demo_build, tmp_path, of_other_models)
    for name in ("show json", "report", "optimize", "regime report", "compare"):
        done = run(path, *COMMANDS[name])
        if done.exit_code == 2:
            assert "fix: dbt build" in done.output, (name, done.output)
    assert run(path, "show").exit_code == 2


# Marks


def test_every_table_of_a_build_says_what_it_was_built_from(demo_build):
    with open_database(demo_build.database) as connection:
        marks = read_marks(connection)
        names = {
            name for name, _ in tables_of(connection) if not name.startswith("source_")
        } - {STATEMENTS}
        (info,) = connection.execute(
            f"select market_hash, configs_hash from {LAST}"
        ).fetchall()
    assert set(marks) == names
    assert stale_tables(marks) == []
    assert {mark.market for mark in marks.values()} == {None, info[0]}
    assert {mark.configs for mark in marks.values()} == {None, info[1]}
    assert marks["bars_1h"].configs is None
    assert marks["config_profiles"].market is None
    for name in ("trades", "report_performance", LAST):
        assert (marks[name].market, marks[name].configs) == info


def test_a_mark_is_a_comment_and_back():
    made = Mark("a", "m", None, "c", "2024-01-01T00:00:00+00:00", False, {"x": None})
    assert parse(made.as_comment()) == made
    assert parse(made.as_comment("One row per hour.\nIts keys say more.\n")) == made
    for other in (None, "", "a comment", "{}", '{"mark": 1}', json.dumps([1])):
        assert parse(other) is None


def test_a_built_database_is_refused_in_the_library_too(demo_build, tmp_path):
    path = left_behind(demo_build, tmp_path, of_another_market)
    with pytest.raises(InputError, match="expected the market 'B'"):
        open_database(path)
