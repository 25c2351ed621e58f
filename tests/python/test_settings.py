"""Settings: one list, and what is made of it; records changed by name."""

import ast

import duckdb
import numpy as np
import pytest

from barsieve.core.errors import DatabaseError
from barsieve.core.numba_cache import compiled
from barsieve.profiles.rules import Rules
from barsieve.profiles.schema import leaves, load_schema, settings
from barsieve.profiles.settings import Profile
from barsieve.replay.records import overlaid, replaced
from barsieve.replay.state import FLAT_POSITION, STOP
from barsieve.sweep.grids import VARIED, config_dtype
from conftest import PROJECT
from replay_cases import RULES


@pytest.fixture(scope="module")
def columns(demo_build):
    with duckdb.connect(str(demo_build.database), read_only=True) as connection:
        return connection.execute(
            "select column_name, lower(data_type), comment from duckdb_columns() "
            "where table_name = 'config_profiles' order by column_index"
        ).fetchall()


def test_every_setting_is_a_column_of_its_type_that_says_what_it_holds(columns):
    types = {"timestamptz": "timestamp with time zone"}
    # Names are kept in the order of their lists, so that two choices compare.
    types |= {"varchar[]": "varchar", "json": "json"}
    listed = [(s.column, types.get(s.sql_type, s.sql_type)) for s in settings()]
    at = [name for name, _ in listed].index("weights")
    listed[at] = ("weights", "map(varchar, double)")
    # Symbols are names of files, in the order in which a profile names them.
    at = [name for name, _ in listed].index("symbols")
    listed[at] = ("symbols", "varchar[]")
    assert [(name, kind) for name, kind, _ in columns] == [
        *listed, ("document", "json")
    ]  # fmt: skip
    texts = [setting.description for setting in settings()]
    assert all(texts)
    assert [text for _, _, text in columns][:-1] == texts


def test_profiles_have_a_primary_key(demo_build):
    with duckdb.connect(str(demo_build.database), read_only=True) as connection:
        keys = connection.execute(
            "select constraint_column_names from duckdb_constraints() where "
            "table_name = 'config_profiles' and constraint_type = 'PRIMARY KEY'"
        ).fetchall()
    assert keys == [(["profile"],)]


def test_every_key_of_the_schema_is_of_a_setting():
    keys = [setting.key for setting in settings()]
    of_envelopes = [key for key in leaves(load_schema("profile")) if key not in keys]
    assert len(set(keys)) == len({s.column for s in settings()}) == len(settings())
    assert all(key.startswith("screen.envelope.") for key in of_envelopes)


def test_every_number_of_exits_and_costs_is_a_rule():
    numbers = [
        setting.column
        for setting in settings()
        if setting.section in ("exits", "costs") and setting.sql_type != "varchar"
    ]
    assert set(numbers) < set(Rules._fields)


# --- Records --------------------------------------------------------------------------

RECORDS = {
    "Rules", "Account", "Position", "Orders", "State", "Fill", "Fills", "Outcome",
    "Ledger", "Room", "Calendar",
}  # fmt: skip


def made_by_position(text: str) -> list[str]:
    """Return what is made of values whose places say what they are."""
    return [
        node.func.id
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in RECORDS
        and node.args
    ]


@pytest.mark.parametrize("room", ["profiles", "replay", "sweep", "bench", "analysis"])
def test_no_record_is_made_by_position(room):
    for path in (PROJECT / "python/barsieve" / room).rglob("*.py"):
        assert not made_by_position(path.read_text()), path


def test_a_record_made_by_position_is_seen():
    assert made_by_position("Account(balance, 0, index)") == ["Account"]
    assert made_by_position("f(Rules(*values))") == ["Rules"]
    assert not made_by_position("Account(balance=balance, **rest)")


@compiled
def _moved(position, stop):
    return replaced(position, stop_reason=STOP, stop=stop)


@compiled
def _misnamed(position, stop):
    return replaced(position, stpo=stop)


@compiled
def _overlaid(rules, config):
    return overlaid(rules, config)


def test_a_field_is_replaced_by_its_name_compiled_and_not():
    expected = FLAT_POSITION._replace(stop=97.5, stop_reason=STOP)
    assert _moved(FLAT_POSITION, 97.5) == expected
    assert _moved.py_func(FLAT_POSITION, 97.5) == expected


def test_a_name_that_no_field_has_does_not_compile():
    # Not above: numba must first be imported by `numba_cache`, which tells it where.
    from numba.core.errors import TypingError

    with pytest.raises(TypingError, match="Position has no"):
        _misnamed(FLAT_POSITION, 97.5)
    with pytest.raises(ValueError, match="stpo"):
        _misnamed.py_func(FLAT_POSITION, 97.5)


def test_a_configuration_overwrites_the_rules_of_its_names_and_no_others():
    config = np.zeros(1, config_dtype(3)).view(np.recarray)
    for number, name in enumerate(VARIED):
        config[name] = 100 + number
    shared = [name for name in Rules._fields if name in VARIED]
    # Unknown is not equal to itself.
    rules = RULES._replace(learned_below_r=0.0)
    expected = rules._replace(**{name: config[name][0] for name in shared})
    assert len(shared) == 17
    assert _overlaid(rules, config[0]) == expected
    assert _overlaid.py_func(rules, config[0]) == expected


def test_a_row_of_another_version_is_refused_with_the_fix():
    row = {"profile": "mine", "symbol": "ETH", "start_balance": 1.0, "screen": "x"}
    with pytest.raises(DatabaseError, match=r"(?s)expected a column .*fix: dbt build"):
        Profile.from_row(row)
