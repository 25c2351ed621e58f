"""`barsieve prove`, and a build that looks ahead: what they say and what they leave."""

import hashlib
import json
import shutil
from pathlib import Path

import duckdb
import pytest

from command_line import barsieve, barsieve_alone
from planted import Planted

pytestmark = pytest.mark.slow

IN_ORDER = "(partition by symbol order by bar_ts)"
REFUSED = 1


def asked(database: Path, query: str) -> list[tuple]:
    with duckdb.connect(str(database), read_only=True) as connection:
        return connection.execute(query).fetchall()


@pytest.fixture
def sound(demo_build, tmp_path) -> Path:
    """A copy of the demo's build."""
    return Path(shutil.copy(demo_build.database, tmp_path / "barsieve.duckdb"))


@pytest.fixture(scope="module")
def peeking(demo_build, tmp_path_factory) -> Path:
    """A copy of it in which a score knows the close of tomorrow."""
    planted = Planted(demo_build.database, tmp_path_factory.mktemp("peeking"))
    code = planted.models["score_wyckoff"].compiled_code
    foreseen = f"* replace (lead(score, 24) over {IN_ORDER} as score)"
    planted.alter("score_wyckoff", code, f"select {foreseen} from ({code})")
    planted.connection.execute("delete from proof_lookahead")
    planted.keep()
    return planted.path


def test_a_proof_that_holds_ends_with_0_and_is_kept_in_the_database(sound):
    done = barsieve("prove", "--cuts", "2", "--json", BARSIEVE_DATABASE=sound)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["lookahead"].startswith("no lookahead: proven at 2 cuts")
    assert set(told) == {"lookahead", "seconds", "findings"}
    kept = asked(
        sound,
        "select table_name, column_name, cuts, rows_compared, verdict, "
        "first_difference from proof_lookahead",
    )
    assert len(kept) == len(told["findings"]) > 300
    assert {row[4] for row in kept} <= {"proven", "proven_through", "not_compared"}
    assert asked(sound, "select lookahead from build_info") == [(told["lookahead"],)]
    shown = barsieve("show", BARSIEVE_DATABASE=sound)
    assert "proven at 2 cuts" in shown.stdout


def test_a_database_without_a_proof_says_how_to_get_one(sound):
    with duckdb.connect(str(sound)) as connection:
        connection.execute(
            "update build_info set lookahead = 'not proven: barsieve prove'"
        )
    assert (
        "not proven: barsieve prove" in barsieve("show", BARSIEVE_DATABASE=sound).stdout
    )


def test_a_look_ahead_ends_with_1_and_names_the_column(peeking, tmp_path):
    database = Path(shutil.copy(peeking, tmp_path / "barsieve.duckdb"))
    done = barsieve("prove", "--cuts", "2", BARSIEVE_DATABASE=database)
    assert done.returncode == REFUSED
    assert "score_wyckoff.score looks ahead; " in done.stderr
    assert "where history ends" in done.stderr
    assert "Traceback" not in done.stderr
    ((told,),) = asked(database, "select lookahead from build_info")
    assert "score_wyckoff" in told
    assert "score_wyckoff" in barsieve("show", BARSIEVE_DATABASE=database).stdout
    # In JSON too, where a program reads it.
    done = barsieve("prove", "--cuts", "2", "--json", BARSIEVE_DATABASE=database)
    assert done.returncode == REFUSED
    ahead = {
        (row["table_name"], row["column_name"])
        for row in json.loads(done.stdout)["findings"]
        if row["verdict"] == "looks_ahead"
    }
    assert ("score_wyckoff", "score") in ahead


def test_a_build_that_looks_ahead_does_not_take_its_place(peeking, tmp_path):
    database = Path(shutil.copy(peeking, tmp_path / "barsieve.duckdb"))
    before = hashlib.sha256(database.read_bytes()).hexdigest()
    done = barsieve_alone(
        "build", "--select", "build_info", BARSIEVE_DATABASE=database,
        DBT_TARGET_PATH=tmp_path / "target", DBT_LOG_PATH=tmp_path / "logs",
    )  # fmt: skip
    assert done.returncode == REFUSED, done.stdout + done.stderr
    assert "score_wyckoff.score looks ahead; " in done.stderr
    assert hashlib.sha256(database.read_bytes()).hexdigest() == before
    left = {path.name for path in tmp_path.iterdir()} - {"target", "logs"}
    assert left == {"barsieve.duckdb"}
    # Not proven at all, it is built, and says so.
    done = barsieve_alone(
        "build", "--no-prove", "--select", "build_info", BARSIEVE_DATABASE=database,
        DBT_TARGET_PATH=tmp_path / "target", DBT_LOG_PATH=tmp_path / "logs",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert asked(database, "select lookahead from build_info") == [
        ("not proven: barsieve prove",)
    ]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--cuts", "0"], "--cuts"),
        (["--market", "nowhere"], "nowhere"),
    ],
)
def test_what_cannot_be_proven_is_said_in_a_sentence(sound, arguments, told):
    done = barsieve("prove", *arguments, BARSIEVE_DATABASE=sound)
    assert done.returncode == 2
    assert told in done.stderr
    assert "Traceback" not in done.stderr
