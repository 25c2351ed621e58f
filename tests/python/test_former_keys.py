"""Profiles with former keys are rewritten in their own text, and nothing else of it."""

import json
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from barsieve.core.errors import InputError
from barsieve.profiles.check import check_profile
from barsieve.profiles.diff import leaves
from barsieve.profiles.former import FORMER
from barsieve.profiles.legacy.keys import value_at
from barsieve.profiles.legacy.members import members
from barsieve.profiles.legacy.renew import is_profile_of_ours, renew
from barsieve.profiles.legacy.rows import CARRIED, NO_EFFECT, RENAMED
from barsieve.profiles.schema import leaves as settings_of_schema
from barsieve.profiles.schema import load_schema
from command_line import barsieve
from conftest import PROJECT

SHIPPED = PROJECT / "configs"
WEIGHTS = {"smc": 0.5, "momentum": 0.5}
OLD = {"profile": "old", "symbol": "ETH", "weights": WEIGHTS}


def put(folder: Path, document: dict | str, name: str = "old") -> Path:
    path = folder / f"{name}.json"
    text = document if isinstance(document, str) else json.dumps(document, indent=2)
    path.write_bytes(text.encode())
    return path


def as_of_today(document: dict) -> dict:
    """Return what a former profile is now: by its document, not by its text."""
    made: dict = {}
    risk = dict(document.get("risk", {}))
    balance = risk.pop("start_balance", None)
    wallet = document.get("wallet", {})
    for key, value in document.items():
        if key == "symbol":
            made["symbols"] = [value]
        elif key == "risk":
            if risk or not value:
                made["risk"] = risk
            if balance is not None:
                made["wallet"] = wallet | {"start_balance": balance}
        elif key != "wallet" or balance is None:
            made[key] = value
    return made


def former(path: Path) -> dict:
    """Return a shipped profile as it was with the former keys."""
    document = json.loads(path.read_text())
    made = {}
    for key, value in document.items():
        if key == "symbols":
            made["symbol"] = value[0]
        elif key == "wallet":
            made["risk"] = made.get("risk", {}) | value
        else:
            made[key] = value
    return made


@pytest.mark.parametrize("path", sorted(SHIPPED.glob("*.json")), ids=lambda p: p.stem)
def test_a_shipped_profile_comes_back_from_its_former_keys(tmp_path, path):
    old = former(path)
    renewed = renew(put(tmp_path, old, path.stem))
    assert renewed.profile == json.loads(path.read_text())
    assert renewed.is_changed == (old != renewed.profile)
    assert list(renewed.profile) == list(as_of_today(old))


LAYOUTS = {
    "lines": (
        '{\n  "$schema": "shared/profile.schema.json",\n  "profile": "old",\n'
        '  "symbol": "ETH",\n  "risk": {\n    "risk_min": 2.50e-3,\n'
        '    "start_balance": 5e3,\n    "leverage": 3.00\n  },\n'
        '  "weights": {"smc": 0.5, "momentum": 0.50}\n}\n',
        '{\n  "$schema": "shared/profile.schema.json",\n  "profile": "old",\n'
        '  "symbols": ["ETH"],\n  "risk": {\n    "risk_min": 2.50e-3,\n'
        '    "leverage": 3.00\n  },\n  "wallet": {\n    "start_balance": 5e3\n  },\n'
        '  "weights": {"smc": 0.5, "momentum": 0.50}\n}\n',
    ),
    "in one line": (
        '{"profile": "old", "symbol":"ETH", "weights": {"smc": 1.0}, '
        '"risk": {"leverage": 3, "start_balance": 5000}}',
        '{"profile": "old", "symbols":["ETH"], "weights": {"smc": 1.0}, '
        '"risk": {"leverage": 3}, "wallet": {"start_balance": 5000}}',
    ),
    "dense": (
        '{"profile":"old","extends":"x","risk":{"start_balance":1,"leverage":3}}',
        '{"profile":"old","extends":"x","risk":{"leverage":3},'
        '"wallet":{"start_balance":1}}',
    ),
    "a balance alone, in a child": (
        '{\r\n\t"profile": "old",\r\n\t"extends": "x",\r\n'
        '\t"risk": {"start_balance": 1}\r\n}\r\n',
        '{\r\n\t"profile": "old",\r\n\t"extends": "x",\r\n'
        '\t"wallet": {"start_balance": 1}\r\n}\r\n',
    ),
    "beside a wallet": (
        '{\n  "profile": "old", "extends": "x",\n'
        '  "wallet": {\n    "kind": "shared"\n  },\n'
        '  "risk": {"start_balance": 1}\n}',
        '{\n  "profile": "old", "extends": "x",\n'
        '  "wallet": {\n    "start_balance": 1,\n    "kind": "shared"\n  }\n}',
    ),
    "beside an empty wallet": (
        '{"profile": "old", "extends": "x", "risk": {"start_balance": 1},'
        ' "wallet": {}}',
        '{"profile": "old", "extends": "x", "wallet": {"start_balance": 1}}',
    ),
    "said twice": (
        '{"symbols": ["ETH"], "symbol": "ETH", "extends": "x", "profile": "old"}',
        '{"symbols": ["ETH"], "extends": "x", "profile": "old"}',
    ),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_what_else_a_file_says_stays_as_its_owner_wrote_it(tmp_path, layout):
    old, new = LAYOUTS[layout]
    renewed = renew(put(tmp_path, old))
    assert renewed.text == new
    assert renewed.profile == json.loads(new)
    again = renew(put(tmp_path, renewed.text))
    assert (again.text, again.is_changed) == (new, False)


def test_every_key_of_a_file_is_in_one_row(tmp_path):
    document = OLD | {
        "risk": {"start_balance": 5000, "leverage": 2},
        "symbols": ["ETH"],
    }
    rows = renew(put(tmp_path, document)).rows
    assert [(row.path, row.value) for row in rows] == list(leaves(document))
    assert {row.key: (row.status, row.to) for row in rows if row.status != CARRIED} == {
        "symbol": (NO_EFFECT, ()),
        "risk.start_balance": (RENAMED, ("wallet.start_balance",)),
    }
    (row,) = [row for row in renew(put(tmp_path, OLD)).rows if row.key == "symbol"]
    assert (row.status, row.to, row.written) == (RENAMED, ("symbols",), ["ETH"])


def test_a_former_key_is_none_of_today_and_leads_to_one():
    known = settings_of_schema(load_schema("profile"))
    assert not set(FORMER) & set(known)
    assert {now.key for now in FORMER.values()} <= set(known)


@st.composite
def former_profiles(draw) -> str:
    """Former profiles in some layout, their keys in any order."""
    document: dict = {"profile": "old"}
    document |= draw(st.sampled_from([{"extends": "x"}, {"weights": WEIGHTS}]))
    if "weights" in document or draw(st.booleans()):
        document["symbol"] = draw(st.sampled_from(["ETH", "BTC", "A.b-1_"]))
    risk = st.fixed_dictionaries(
        {},
        optional={"start_balance": st.floats(1, 1e9), "leverage": st.integers(1, 9)},
    )
    wallet = st.fixed_dictionaries({}, optional={"max_positions": st.integers(1, 9)})
    for section, keys in (("risk", risk), ("wallet", wallet)):
        if draw(st.booleans()):
            own = draw(keys)
            document[section] = {k: own[k] for k in draw(st.permutations(list(own)))}
    keys = draw(st.permutations(list(document)))
    indent = draw(st.sampled_from([None, 0, 2, "\t"]))
    separators = draw(st.sampled_from([None, (",", ":"), (" , ", " : ")]))
    shuffled = {key: document[key] for key in keys}
    return json.dumps(shuffled, indent=indent, separators=separators)


@settings(
    max_examples=200,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(text=former_profiles())
@example('{"profile": "old", "extends": "x", "risk": {}}')
def test_the_text_says_what_the_document_is_to_be(tmp_path, text):
    document = json.loads(text)
    renewed = renew(put(tmp_path, text))
    assert json.loads(renewed.text) == renewed.profile == as_of_today(document)
    assert [row.path for row in renewed.rows] == [path for path, _ in leaves(document)]
    for row in renewed.rows:
        for key in row.to:
            assert value_at(renewed.profile, tuple(key.split("."))) == row.written
    assert renew(put(tmp_path, renewed.text)).text == renewed.text
    if not renewed.is_changed:
        assert renewed.text == text


def test_members_are_where_they_stand():
    text = ' {"a\\"}": "}{", "b" : [1, {"c": 2}] ,\n"\\u0063":{}}'
    found = members(text)
    assert [member.key for member in found] == ['a"}', "b", "c"]
    assert [member.value(text) for member in found] == ['"}{"', '[1, {"c": 2}]', "{}"]
    assert members("{ }") == []


@pytest.mark.parametrize(
    ("document", "words"),
    [
        (OLD | {"symbols": ["BTC"]}, "keys 'symbol' and 'symbols'"),
        (
            OLD | {"risk": {"start_balance": 1}, "wallet": {"start_balance": 2}},
            "take 'risk.start_balance' out",
        ),
        (OLD | {"risk": {"start_balance": 1}, "wallet": 5}, "key 'wallet'"),
        (OLD | {"symbol": 5}, "'symbols.0'"),
        (OLD | {"symbol": None}, "'symbols.0'"),
        (OLD | {"symbol": ["ETH"]}, "'symbols.0'"),
        (OLD | {"risk": {"start_balance": -1}}, "'wallet.start_balance'"),
        (OLD | {"note": "mine"}, "unknown key 'note'"),
        ({"asset": "ETH"}, "a profile, found another file"),
        ("{", "valid JSON"),
    ],
)
def test_what_no_profile_can_be_made_of_is_refused_in_words(tmp_path, document, words):
    path = put(tmp_path, document)
    before = path.read_bytes()
    with pytest.raises(InputError, match=words) as refused:
        renew(path)
    for problem in refused.value.problems:
        assert problem.file.startswith(str(path))
        assert all((problem.expected, problem.found, problem.fix))
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("document", "is_ours"),
    [
        (OLD, True),
        ({"profile": "x", "extends": "y"}, True),
        (OLD | {"fusion": {}}, False),
        (OLD | {"asset": "ETH"}, False),
        ({"symbol": "ETH", "weights": WEIGHTS}, False),
        ([], False),
    ],
)
def test_a_legacy_config_is_told_from_a_former_profile(document, is_ours):
    assert is_profile_of_ours(document) == is_ours


# The command


@pytest.fixture
def folder(tmp_path) -> Path:
    """Profiles: one of today, one with former keys and a child of it."""
    configs = tmp_path / "configs"
    shutil.copytree(SHIPPED / "shared", configs / "shared")
    shutil.copy(SHIPPED / "btc_live.json", configs)
    put(configs, OLD)
    child = {"profile": "child", "extends": "old", "risk": {"start_balance": 500}}
    put(configs, child, "child")
    return configs


def texts(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.glob("*.json")}


def test_a_former_profile_is_rewritten_in_its_place_with_force_alone(folder):
    before, path = texts(folder), str(folder / "old.json")
    refused = barsieve("config", "migrate", path)
    assert refused.returncode == 1
    assert "overwrite it with --force" in refused.stderr
    dry = barsieve("config", "migrate", path, "--dry-run")
    assert dry.returncode == 0, dry.stderr
    assert 'symbols = ["ETH"]' in dry.stdout
    assert "nothing was written" in dry.stdout
    assert texts(folder) == before
    done = barsieve("config", "migrate", path, "--force", "--json")
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["written_to"] == path
    assert said["profile"] == json.loads(texts(folder)["old.json"])
    assert check_profile(folder / "old.json")[1] == []
    again = barsieve("config", "migrate", path, "--force")
    assert again.returncode == 1
    assert "a profile already" in again.stderr
    assert "nothing to do" in again.stderr


def test_a_former_profile_may_become_another_file(folder):
    before, to = texts(folder), folder / "renewed.json"
    command = ("config", "migrate", str(folder / "old.json"), "--to", str(to))
    done = barsieve(*command)
    assert done.returncode == 0, done.stderr
    assert texts(folder) | before == texts(folder)
    profile, problems = check_profile(to)
    assert problems == []
    assert (profile["profile"], profile["symbols"]) == ("renewed", ["ETH"])
    assert "--force" in barsieve(*command).stderr


def test_all_profiles_of_a_folder_are_rewritten_at_once_or_none(folder):
    files = [str(path) for path in sorted(folder.glob("*.json"))]
    assert barsieve("config", "check", BARSIEVE_CONFIGS=folder).returncode == 1
    before = texts(folder)
    bad = put(folder, {"asset": "ETH", "fusion": {}}, "legacy")
    refused = barsieve("config", "migrate", *files, str(bad), "--force")
    assert refused.returncode == 1
    assert "migrate a legacy config by itself" in refused.stderr
    bad.unlink()
    assert texts(folder) == before
    done = barsieve("config", "migrate", *files, "--force")
    assert done.returncode == 0, done.stderr
    assert "btc_live.json: a profile already, nothing to do" in done.stdout
    assert texts(folder)["btc_live.json"] == before["btc_live.json"]
    assert json.loads(texts(folder)["child.json"]) == {
        "profile": "child", "extends": "old", "wallet": {"start_balance": 500},
    }  # fmt: skip
    assert barsieve("config", "check", BARSIEVE_CONFIGS=folder).returncode == 0
    again = barsieve("config", "migrate", *files, "--force", "--json")
    assert again.returncode == 0
    assert [row["written_to"] for row in json.loads(again.stdout)] == [None] * 3


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--symbol", "BTC"), "--symbol BTC: expected a legacy config"),
        (("--name", "mine"), "--name mine: expected a legacy config"),
        (("--base", "btc_live"), "--base btc_live: expected a legacy config"),
        (("child.json", "--to", "x.json"), "expected one file to write, found 2"),
    ],
)
def test_options_that_a_former_profile_has_no_use_for_are_refused(
    folder, arguments, words
):
    before = texts(folder)
    done = barsieve("config", "migrate", str(folder / "old.json"), *arguments)
    assert done.returncode == 2
    assert words in done.stderr
    assert texts(folder) == before


def test_a_check_names_the_command_that_works(folder):
    told = barsieve("config", "check", str(folder / "old.json")).stderr
    command = told.split("; barsieve ")[1].split(" rewrites")[0]
    assert barsieve(*command.split()).returncode == 0
    assert barsieve("config", "check", str(folder / "old.json")).returncode == 0
