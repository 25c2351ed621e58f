"""Exported tables are those of the database, in every format, whole or not at all."""

import json
from datetime import datetime
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from barsieve.core.errors import InputError
from barsieve.core.files import written_whole
from barsieve.database.connect import open_database, table_names
from barsieve.database.export import WRITERS, export_table
from barsieve.database.marks import Mark
from command_line import barsieve

NEAR_MISSES = [
    "trades; drop table trades", "trades--", '"trades"', "trades where 1=1",
    "main.trades", "read_csv('/etc/passwd')", "TRADES",
]  # fmt: skip
WHERE = "profile = 'btc_live' and replayed = 'full'"


@pytest.fixture(scope="module")
def database(tmp_path_factory) -> Path:
    """A small database that looks built."""
    path = tmp_path_factory.mktemp("small") / "it's small.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("set timezone = 'UTC'")
        connection.execute(
            "create table build_info as select 'demo' as market_name, "
            "'0' as market_hash, '0' as configs_hash, '0' as code_hash"
        )
        mark = Mark("0", "0", "0", "0", "2024-01-01", False, {}).as_comment()
        connection.execute(f"comment on table build_info is '{mark}'")
        connection.execute(
            "create table trades (replayed varchar, profile varchar, trade_id bigint, "
            "entry_ts timestamptz, net_pnl double, "
            "primary key (replayed, profile, trade_id))"
        )
        connection.execute(
            "insert into trades select r, p, 50 - i, "
            "timestamptz '2024-01-01 00:00+00' + to_hours(i::int), "
            "if(i % 7 = 0, null, i / 3) from range(50) t(i), "
            "(values ('full'), ('focused')) as a(r), "
            "(values ('btc_live'), ('eth, \"quoted\"')) as b(p)"
        )
        connection.execute('create table "odd name; --" as select [1, 2] as pair')
    return path


def read_back(path: Path) -> list[dict]:
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        if path.suffix in (".arrow", ".feather"):
            return pa.ipc.open_file(path).read_all().to_pylist()
        rows = connection.read_json if "json" in path.suffix else None
        if rows is not None:
            text = "cast(entry_ts as timestamptz) as entry_ts"
            return rows(str(path)).project(f"* replace ({text})").to_dicts()
        read = connection.read_csv if path.suffix == ".csv" else connection.read_parquet
        return read(str(path)).to_dicts()


@pytest.mark.parametrize("ending", WRITERS)
def test_every_format_gives_back_the_rows_in_the_order_of_the_key(
    database, tmp_path, ending
):
    to = tmp_path / f"it's{ending}"
    assert export_table(database, "trades", to, WHERE) == 50
    with open_database(database) as connection:
        expected = connection.sql(
            f"from trades where {WHERE} order by replayed, profile, trade_id"
        ).to_dicts()
    assert read_back(to) == expected
    assert [p.name for p in tmp_path.iterdir()] == [to.name]


def test_two_exports_are_the_same_bytes(database, tmp_path):
    for name in ("a.csv", "b.csv"):
        export_table(database, "trades", tmp_path / name)
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()


def test_a_file_that_exists_is_overwritten_only_by_force(database, tmp_path):
    to = tmp_path / "trades.csv"
    to.write_text("mine")
    with pytest.raises(InputError, match="--force"):
        export_table(database, "trades", to)
    assert to.read_text() == "mine"
    assert export_table(database, "trades", to, force=True) == 200
    assert to.read_text().startswith("replayed,profile,trade_id")


@pytest.mark.parametrize(
    "where",
    ["nope = 1", "true; drop table trades", "profile = 5", "1 +", ") or (true", "'a'"],
)
def test_a_bad_condition_is_refused_and_leaves_nothing(database, tmp_path, where):
    with pytest.raises(InputError) as refused:
        export_table(database, "trades", tmp_path / "x.csv", where)
    assert refused.value.problems[0].file == "--where"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(name=st.text(max_size=30) | st.sampled_from(NEAR_MISSES))
def test_no_text_but_a_tables_name_names_a_table(database, tmp_path, name):
    if name in ("trades", "build_info", "odd name; --"):
        return
    with pytest.raises(InputError, match="trades"):
        export_table(database, name, tmp_path / "x.csv")
    with open_database(database) as connection:
        assert table_names(connection) == ["build_info", "odd name; --", "trades"]


def test_a_table_of_an_odd_name_is_exported(database, tmp_path):
    assert export_table(database, "odd name; --", tmp_path / "x.json") == 1
    assert json.loads((tmp_path / "x.json").read_text()) == [{"pair": [1, 2]}]


@pytest.mark.parametrize(
    ("to", "words"),
    [("x.xlsx", ".parquet"), ("x", ".parquet"), ("nowhere/x.csv", "make the folder")],
)
def test_a_target_that_cannot_be_is_named(database, tmp_path, to, words):
    with pytest.raises(InputError, match=words):
        export_table(database, "trades", tmp_path / to)


def test_a_failing_writer_leaves_the_old_file_and_no_other(tmp_path):
    target = tmp_path / "x.csv"
    target.write_text("old")

    def write_half() -> None:
        with written_whole(target) as partial:
            partial.write_text("half of the n")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_half()
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_the_next_writer_removes_what_a_killed_one_left(tmp_path):
    gone, alive = tmp_path / ".x.csv.999999999.partial", tmp_path / ".x.csv.1.partial"
    other = tmp_path / ".y.csv.999999999.partial"
    for path in (gone, alive, other):
        path.write_text("half")
    with written_whole(tmp_path / "x.csv") as partial:
        partial.write_text("whole")
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {"x.csv", alive.name, other.name}


def test_the_command_writes_says_how_much_and_refuses_in_words(database, tmp_path):
    to = tmp_path / "x.parquet"
    run = ("export", "trades", "--to", str(to), "--where", "trade_id = 1")
    done = barsieve(*run, BARSIEVE_DATABASE=database)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"{to}: 4 rows\n"
    (row, *_) = read_back(to)
    assert row["entry_ts"] == datetime.fromisoformat("2024-01-03T01:00:00+00:00")
    again = barsieve(*run, BARSIEVE_DATABASE=database)
    unknown = barsieve(
        "export", "tradse", "--to", str(tmp_path / "y.csv"), BARSIEVE_DATABASE=database
    )
    for refused, words in ((again, "--force"), (unknown, "did you mean 'trades'")):
        assert refused.returncode == 2
        assert words in refused.stderr
        assert "Traceback" not in refused.stderr
