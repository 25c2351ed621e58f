"""Memory of fits: by content alone, bounded, and never believed when damaged."""

import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from barsieve.core.content import digest_of
from barsieve.core.remembered import (
    LIBRARIES,
    ROOMS,
    Folder,
    forgetting,
    made_by,
    memory,
    packed,
    recall,
    unpacked,
    within_process,
)
from builds import PROJECT, run_dbt
from growing import closes, cut, differing
from test_rooms import ROOMS as IMPORTED

INPUTS = (np.arange(3.0), "text", 4, None)


class Maker:
    """Counts how often it makes something."""

    def __init__(self) -> None:
        self.n = 0

    def __call__(self) -> dict[str, np.ndarray]:
        self.n += 1
        return {"values": np.array([1.5, np.nan, -0.0]), "n": np.array(self.n)}


@pytest.fixture
def folder(monkeypatch, tmp_path) -> Folder:
    monkeypatch.setenv("BARSIEVE_REMEMBERED", str(tmp_path))
    return Folder(tmp_path)


def files_of(folder: Folder) -> list:
    return sorted(folder.folder.glob("??/*"))


def test_the_same_inputs_are_made_once_and_give_the_same_bits(folder):
    make = Maker()
    first, again = (recall("test", INPUTS, make) for _ in range(2))
    assert make.n == 1
    assert first["values"].tobytes() == again["values"].tobytes()
    assert again["n"].shape == ()


@pytest.mark.parametrize(
    "others",
    [
        (np.arange(3.0), "text", 4, 0),
        (np.arange(3.0), "text", 4.0, None),
        (np.arange(3.0), "tex", "t4", None),
        (np.arange(3), "text", 4, None),
        (np.arange(3.0)[:, None], "text", 4, None),
        (np.array([-0.0, 1.0, 2.0]), "text", 4, None),
    ],
)
def test_other_inputs_are_made_anew(folder, others):
    make = Maker()
    recall("test", INPUTS, make)
    recall("test", others, make)
    recall("other", INPUTS, make)
    assert make.n == 3


def test_an_entry_is_of_its_code_its_libraries_and_its_processor(folder, monkeypatch):
    make = Maker()
    recall("test", INPUTS, make)
    monkeypatch.setattr("barsieve.core.remembered.made_by", lambda: b"other")
    recall("test", INPUTS, make)
    assert make.n == 2
    assert "numpy" in LIBRARIES
    assert len(made_by()) == 20


def test_all_that_a_maker_may_import_is_in_the_digest_of_the_code():
    for room in ROOMS:
        assert IMPORTED[room] <= set(ROOMS), room


@pytest.mark.parametrize("at", [0, 25, -1])
def test_a_damaged_entry_is_made_again_and_mended(folder, at):
    make = Maker()
    recall("test", INPUTS, make)
    (place,) = files_of(folder)
    content = bytearray(place.read_bytes())
    content[at] ^= 1
    place.write_bytes(content)
    recall("test", INPUTS, make)
    recall("test", INPUTS, make)
    assert make.n == 2
    place.write_bytes(content[:10])
    recall("test", INPUTS, make)
    assert make.n == 3


def test_python_objects_are_neither_kept_nor_read(folder):
    with pytest.raises(ValueError, match="Object arrays"):
        recall("test", INPUTS, lambda: {"values": np.array([{}], object)})
    with pytest.raises(TypeError, match="no content"):
        recall("test", np.array([{}], object), Maker())
    with pytest.raises(TypeError, match="Maker"):
        digest_of(Maker())


def test_switched_off_and_forgetting_make_everything_again(folder, monkeypatch):
    make = Maker()
    with forgetting():
        recall("test", INPUTS, make)
        recall("test", INPUTS, make)
    assert make.n == 2
    monkeypatch.setenv("BARSIEVE_REMEMBERED", "off")
    recall("test", INPUTS, make)
    assert make.n == 3
    with within_process():
        recall("test", INPUTS, make)
        recall("test", INPUTS, make)
    assert make.n == 4
    assert not files_of(folder)


def test_a_disk_that_takes_nothing_costs_time_alone(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("BARSIEVE_REMEMBERED", str(tmp_path / "file"))
    make = Maker()
    assert recall("test", INPUTS, make)["n"] == 1
    assert recall("test", INPUTS, make)["n"] == 2


def test_what_was_not_asked_for_longest_is_removed_first(folder):
    for number in range(10):
        folder.write(f"{number}" * 8, {"values": np.zeros(1000)})
    for number, path in enumerate(files_of(folder)):
        os.utime(path, (number, number))
    folder.read("0" * 8)
    size = files_of(folder)[0].stat().st_size
    folder.bound(most_bytes=5 * size)
    assert [path.parent.name[0] for path in files_of(folder)] == ["0", "7", "8", "9"]
    folder.bound(most_bytes=5 * size)
    assert len(files_of(folder)) == 4


def test_threads_that_ask_for_the_same_wait_for_the_one_that_makes_it(folder):
    make = Maker()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: recall("test", INPUTS, make), range(64)))
    assert make.n == 1


def test_a_folder_is_relative_to_the_project(monkeypatch, tmp_path):
    monkeypatch.setenv("BARSIEVE_REMEMBERED", "kept")
    monkeypatch.setenv("BARSIEVE_PROJECT", str(tmp_path))
    (tmp_path / "dbt_project.yml").write_text("")
    found = memory()
    assert isinstance(found, Folder)
    assert found.folder == tmp_path / "kept"


NUMBERS = st.floats() | st.integers() | st.none() | st.text() | st.booleans()


@given(st.lists(st.dictionaries(st.text(), NUMBERS)))
def test_rows_come_back_as_they_were(rows):
    assert repr(unpacked(packed(rows))) == repr(rows)


def test_tables_moments_and_records_have_a_content():
    moment = datetime(2024, 1, 1, tzinfo=UTC)
    values = pa.array([1, None, 3])
    assert digest_of(moment) != digest_of(moment.date())
    assert digest_of(values) == digest_of(pa.array([1, None, 3]))
    assert digest_of(values[1:]) == digest_of(pa.array([None, 3], pa.int64()))
    assert digest_of(values) != digest_of(pa.array([1, 0, 3]))
    record = np.zeros(2, [("a", float), ("b", int)])
    assert digest_of(record) != digest_of(record.astype([("a", float), ("c", int)]))


def test_what_lies_between_the_fields_of_a_record_is_no_content():
    kind = np.dtype([("a", np.int8), ("b", np.float64)], align=True)
    both = [np.full(3 * kind.itemsize, fill, np.uint8).view(kind) for fill in (0, 255)]
    for record in both:
        record["a"], record["b"] = 1, 2.5
    assert both[0].tobytes() != both[1].tobytes()
    assert digest_of(both[0]) == digest_of(both[1].view(np.recarray))
    both[1]["b"][2] = 3.0
    assert digest_of(both[0]) != digest_of(both[1])


@pytest.mark.proofs
def test_a_build_after_new_bars_has_every_row_of_one_that_remembers_nothing(tmp_path):
    demo = PROJECT / "data/demo"
    market = cut(demo, tmp_path / "market", closes(demo)[-720])
    shutil.copy(demo / "market.json", market)

    def build(folder: str, kept: str) -> Path:
        done = run_dbt(
            "build", folder=tmp_path / folder, BARSIEVE_MARKET=market,
            BARSIEVE_REMEMBERED=kept,
        )  # fmt: skip
        assert done.exit_code == 0, done.output[-3000:]
        return done.database

    memory_of_test = str(tmp_path / "remembered")
    build("first", memory_of_test)
    n_first = len(files_of(Folder(Path(memory_of_test))))
    shutil.copytree(demo, market, dirs_exist_ok=True)
    again, anew = build("first", memory_of_test), build("anew", "off")
    n_new = len(files_of(Folder(Path(memory_of_test)))) - n_first
    assert 0 < n_new < n_first / 2
    with duckdb.connect(str(again), read_only=True) as connection:
        rows = connection.execute("select table_name from duckdb_tables()").fetchall()
    tables = {row[0] for row in rows} - {"build_info"}
    assert len(tables) > 100
    assert differing(again, anew, sorted(tables)) == {}
