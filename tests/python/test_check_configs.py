"""Bad profiles are refused by name of file, key, expectation, finding and fix."""

import copy
import hashlib
import json
import os
import shutil
from datetime import datetime
from pathlib import Path

import duckdb
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from barsieve.core.errors import Problem, describe
from barsieve.profiles.check import check_configs, check_profile, market_problems
from barsieve.profiles.findings import profile_findings
from barsieve.profiles.resolution import complete
from barsieve.profiles.schema import leaves, load_schema
from barsieve.profiles.weights import highest_confidence

PROJECT = Path(__file__).parents[2]
SHIPPED = PROJECT / "configs"
PROFILES = sorted(path.stem for path in SHIPPED.glob("*.json"))
SYMBOLS = ["BTC", "ETH"]
NAME = "eth_live_aggressive"
SOUND = json.loads((SHIPPED / f"{NAME}.json").read_text())
SENTINEL = json.loads((SHIPPED / "eth_sentinel.json").read_text())
REMOVED = object()


@pytest.fixture
def configs(tmp_path) -> Path:
    """A configs folder of one sound profile and the macro signals."""
    folder = tmp_path / "configs"
    folder.mkdir()
    shutil.copy(SHIPPED / f"{NAME}.json", folder)
    shutil.copytree(SHIPPED / "shared", folder / "shared")
    return folder


def fingerprint(folder: Path) -> dict[str, tuple[int, str]]:
    return {
        str(path): (
            path.lstat().st_mtime_ns,
            hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "",
        )
        for path in [folder, *folder.rglob("*")]
        if os.path.lexists(path)
    }


def problems_of(folder: Path, symbols: list[str] = SYMBOLS) -> list[Problem]:
    """Check a folder, and that the check left it alone and explains itself."""
    before = fingerprint(folder)
    problems = check_configs(folder, symbols)
    assert fingerprint(folder) == before
    for problem in problems:
        assert problem.file.startswith(str(folder))
        assert all((problem.expected, problem.found, problem.fix)), problem
        assert describe([problem]).encode()
    return problems


def only_problem(folder: Path, symbols: list[str] = SYMBOLS) -> Problem:
    problems = problems_of(folder, symbols)
    assert len(problems) == 1, problems
    return problems[0]


def assert_says(problem: Problem, file: Path, where, expected, found, fix) -> None:
    """Assert file and place exactly, and what the other three fields contain."""
    assert problem.file == str(file)
    assert problem.where == where
    assert expected in problem.expected
    assert found in problem.found
    assert fix in problem.fix


def changed(profile: dict, changes: dict[str, object]) -> dict:
    """Return a profile with values put at dotted keys, or keys REMOVED."""
    profile = copy.deepcopy(profile)
    for dotted, value in changes.items():
        *sections, key = dotted.split(".")
        holder = profile
        for section in sections:
            holder = holder[section]
        if value is REMOVED:
            del holder[key]
        else:
            holder[key] = value
    return profile


def write(folder: Path, changes: dict[str, object], base: dict = SOUND) -> Path:
    profile = changed(base, changes)
    path = folder / f"{base['profile']}.json"
    if path.stem != NAME:
        (folder / f"{NAME}.json").unlink()
    path.write_text(json.dumps(profile, indent=2))
    return path


# Sound configs


@pytest.mark.parametrize("name", PROFILES)
def test_every_shipped_profile_is_sound(name):
    profile, problems = check_profile(SHIPPED / f"{name}.json")
    assert problems == []
    assert profile["profile"] == name


def test_the_shipped_folder_is_sound():
    assert len(PROFILES) >= 5
    assert problems_of(SHIPPED) == []


def test_without_symbols_no_profile_lacks_its_own(configs):
    """A market without bars is a problem of the market, told once."""
    assert problems_of(configs, symbols=[]) == []


def test_other_files_beside_the_profiles_are_left_alone(configs):
    (configs / "README.md").write_text("no profile")
    (configs / "old").mkdir()
    (configs / "old" / "x.json").write_text("no JSON either")
    assert problems_of(configs) == []


def test_a_whole_number_may_be_written_with_a_point(configs):
    text = json.dumps(changed(SOUND, {"exits.time_stop_bars": 96.0}))
    assert "96.0" in text
    (configs / f"{NAME}.json").write_text(text)
    assert problems_of(configs) == []


# Folders and files


@pytest.mark.parametrize(
    ("exists", "found"), [(True, "none"), (False, "no such folder")]
)
def test_a_folder_without_profiles_is_refused(tmp_path, exists, found):
    folder = tmp_path / "configs"
    if exists:
        folder.mkdir()
    assert_says(
        only_problem(folder), folder, "",
        "at least one profile", found, "the shipped ones lie in configs/",
    )  # fmt: skip


def test_the_macro_signals_must_be_there(configs):
    shutil.rmtree(configs / "shared")
    assert_says(
        only_problem(configs), configs / "shared" / "macro_signals.json", "",
        "a readable file", "No such file", "the shipped ones lie in configs/",
    )  # fmt: skip


def test_a_folder_in_the_place_of_a_profile_is_refused(configs):
    (configs / "x.json").mkdir()
    assert_says(
        only_problem(configs), configs / "x.json", "",
        "a readable file", "Is a directory", "put the file there",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("content", "where", "expected", "found", "fix"),
    [
        pytest.param(
            b"", "line 1, column 1", "valid JSON", "an empty file", "mend the syntax",
            id="empty",
        ),
        pytest.param(
            b" \n", "line 2, column 1", "valid JSON", "an empty file", "mend",
            id="blank",
        ),
        pytest.param(
            b'{\n  "profile": "x",\n}', "line 3, column 1", "valid JSON",
            "property name", "mend the syntax there", id="a comma too many",
        ),
        pytest.param(
            b"{'profile': 1}", "line 1, column 2", "valid JSON", "double quotes",
            "mend the syntax there", id="single quotes",
        ),
        pytest.param(
            b'{"a": 1} {"b": 2}', "line 1, column 10", "valid JSON", "Extra data",
            "mend the syntax there", id="two documents",
        ),
        pytest.param(
            b'{"a": 012}', "line 1, column 8", "valid JSON", "delimiter", "mend",
            id="an octal number",
        ),
        pytest.param(
            b'{\n  "profile": "\xff"}', "byte 17", "UTF-8 text", "the byte 0xff",
            "save the file as UTF-8", id="Latin-1",
        ),
        pytest.param(
            "{}".encode("utf-16"), "byte 1", "UTF-8 text", "the byte 0xff",
            "save the file as UTF-8", id="UTF-16",
        ),
        pytest.param(
            b"\xef\xbb\xbf{}", "line 1, column 1", "UTF-8 without a byte order mark",
            "a byte order mark", "save the file without it", id="byte order mark",
        ),
        pytest.param(
            b"[1, 2]", "key '(top level)'", '"object"', "[1, 2]", "correct the value",
            id="a list",
        ),
        pytest.param(
            b"null", "key '(top level)'", '"object"', "null", "correct the value",
            id="null",
        ),
        pytest.param(
            b'"' + b"x" * 9999 + b'"', "key '(top level)'", '"object"', "xxx...",
            "correct the value", id="a long text",
        ),
        pytest.param(
            b'{"a": {"b": 1, "b": 1}}', "key 'b'", "each key once", "it twice",
            "remove one of the two", id="a key twice",
        ),
        pytest.param(
            b"[" * 30 + b"]" * 30, "", "at most 20 levels", "more",
            "remove the nesting", id="deep",
        ),
        pytest.param(
            b'{"a":' * 99999 + b"1" + b"}" * 99999, "", "at most 20 levels", "more",
            "remove the nesting", id="deeper than recursion goes",
        ),
    ],
)  # fmt: skip
@pytest.mark.parametrize("file", [f"{NAME}.json", "shared/macro_signals.json"])
def test_a_file_that_is_no_json_object_is_refused(
    configs, file, content, where, expected, found, fix
):
    path = configs / file
    path.write_bytes(content)
    problem = only_problem(configs)
    assert_says(problem, path, where, expected, found, fix)
    assert len(problem.found) < 200


def test_a_key_twice_in_a_section_is_refused_though_the_values_agree(configs):
    path = configs / f"{NAME}.json"
    text = path.read_text().replace('"smc": 0.15,', '"smc": 0.15, "smc": 0.15,')
    path.write_text(text)
    assert_says(
        only_problem(configs), path, "key 'smc'",
        "each key once", "it twice", "remove one of the two",
    )  # fmt: skip


def test_a_profile_bears_the_name_of_its_file(configs):
    (configs / f"{NAME}.json").rename(configs / "mine.json")
    assert_says(
        only_problem(configs), configs / "mine.json", "key 'profile'",
        "the file's name 'mine'", f"'{NAME}'", "rename the file or the profile",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("symbols", "found", "fix"),
    [
        (["ETH"], "'ETH'", "add bars/ETH.parquet to the market, or name others"),
        (["BTC", "ETH"], "'ETH'", "or take what it lacks out of the list"),
        (["X", "BTC", "ETH"], "'X', 'ETH'", "add bars/X.parquet, bars/ETH.parquet"),
    ],
)
def test_a_profile_trades_symbols_of_the_market(configs, symbols, found, fix):
    path = write(configs, {"symbols": symbols})
    problem = only_problem(configs, ["BTC", "SOL"])
    assert_says(
        problem, path, "key 'symbols'", "a symbol of the market (BTC, SOL)", found, fix
    )
    assert problem.found == found
    assert problem.fix.endswith("or take the profile out of the configs folder")


@pytest.mark.parametrize(
    "changes",
    [
        {"symbols": ["SOL", "BTC"]},
        {"symbols": ["*"]},
        {"symbols": ["*"], "wallet": {"kind": "shared", "max_positions": 2}},
        {"symbols": ["BTC"], "wallet": {"kind": "shared"}},
        {"wallet": {"delisted_after_hours": None}, "symbols": ["BTC"]},
        {"symbols": ["*"], "regime": {"classifier": "hmm"}},
        {"symbols": ["*"], "regime": {"reference_symbol": "BTC", "classifier": "hmm"}},
        {"symbols": ["*"], "regime": {"reference_symbol": "ETH", "classifier": "off"}},
    ],
)
def test_symbols_and_wallets_that_are_sound(configs, changes):
    write(configs, changes)
    assert problems_of(configs, ["BTC", "SOL"]) == []
    assert problems_of(configs, []) == []


def test_all_symbols_stand_alone(configs):
    path = write(configs, {"symbols": ["*", "ETH"]})
    assert_says(
        only_problem(configs), path, "key 'symbols'", "'*' alone", '["*", "ETH"]',
        "leave '*', or the names",
    )  # fmt: skip


def test_all_symbols_of_a_market_that_has_none_are_not_written_down():
    profile = complete(SOUND | {"symbols": ["*"]})
    (problem,) = market_problems(Path("x.json"), profile, [])
    assert_says(
        problem, Path("x.json"), "key 'symbols'", "a market with symbols", "none",
        "add bars/*.parquet",
    )  # fmt: skip


def test_a_reference_is_a_symbol_of_the_market_where_it_is_read(configs):
    changes = {
        "symbols": ["BTC"],
        "regime": {"classifier": "hmm", "reference_symbol": "ETH"},
    }
    path = write(configs, changes)
    assert_says(
        only_problem(configs, ["BTC", "SOL"]), path, "key 'regime.reference_symbol'",
        "a symbol of the market (BTC, SOL)", "'ETH'", "null for each symbol its own",
    )  # fmt: skip


# Former keys


@pytest.mark.parametrize(
    ("changes", "key", "now", "found"),
    [
        ({"symbols": REMOVED, "symbol": "ETH"}, "symbol", "'symbols', a list", '"ETH"'),
        ({"symbol": "ETH"}, "symbol", "'symbols', a list", '"ETH"'),
        (
            {"risk.start_balance": 5000.0}, "risk.start_balance",
            "'wallet.start_balance'", "5000.0",
        ),
    ],
)  # fmt: skip
def test_a_former_key_is_refused_with_what_rewrites_it(
    configs, changes, key, now, found
):
    path = write(configs, changes)
    problem = only_problem(configs)
    assert_says(
        problem, path, f"former key '{key}'", now, found,
        f"barsieve config migrate {path} --force",
    )  # fmt: skip
    assert problem.expected == now


def test_a_former_key_at_another_place_is_an_unknown_one(configs):
    write(configs, {"entry.symbol": "ETH", "start_balance": 1.0})
    signals = configs / "shared" / "macro_signals.json"
    signals.write_text(json.dumps({**json.loads(signals.read_text()), "symbol": 4}))
    assert {p.where for p in problems_of(configs)} == {
        "unknown key 'entry.symbol'", "unknown key 'start_balance'",
        "unknown key 'symbol'",
    }  # fmt: skip


# Keys and values


@pytest.mark.parametrize(
    ("changes", "where", "expected", "found", "fix"),
    [
        pytest.param(
            {"note": "mine"}, "unknown key 'note'",
            "one of profile, extends, symbols, learned, swept, weights",
            '"mine"', "remove the key: nothing reads it", id="at the top",
        ),
        pytest.param(
            {"weigths": {}}, "unknown key 'weigths'", "one of profile, extends,",
            "{}", "did you mean 'weights'?", id="at the top, mistyped",
        ),
        pytest.param(
            {"entry.entry_treshold": 0.5}, "unknown key 'entry.entry_treshold'",
            "entry_threshold, cadence, sides", "0.5",
            "did you mean 'entry_threshold'?", id="in a section, mistyped",
        ),
        pytest.param(
            {"exits.xyz": None}, "unknown key 'exits.xyz'", "one of stop_atr",
            "null", "remove the key", id="in a section",
        ),
        pytest.param(
            {"weights.hob": 0.1}, "unknown key 'weights.hob'",
            "one of wyckoff, liquidity", "0.1",
            "the legacy name 'hob' is 'liquidity' here", id="a legacy name",
        ),
        pytest.param(
            {"screen.envelope": {"treshold": 0.5}},
            "unknown key 'screen.envelope.treshold'",
            "one of weights, entry_threshold, gates", "0.5",
            "did you mean 'entry_threshold'?", id="in an envelope, mistyped",
        ),
        pytest.param(
            {"screen.envelope": {"gates": {"veto_limits": 1}}},
            "unknown key 'screen.envelope.gates.veto_limits'",
            "one of atr_rank_floor", "1", "did you mean 'veto_limit'?",
            id="in the gates of an envelope",
        ),
        pytest.param(
            {"screen.envelope": {"weights": {"hob": [0, 1]}}},
            "unknown key 'screen.envelope.weights.hob'",
            "one of wyckoff, liquidity", "[0, 1]", "'liquidity' here",
            id="a legacy name in an envelope",
        ),
    ],
)  # fmt: skip
def test_an_unknown_key_is_refused(configs, changes, where, expected, found, fix):
    path = write(configs, changes)
    assert_says(only_problem(configs), path, where, expected, found, fix)


def test_the_legacy_name_in_the_place_of_the_new_one_is_told(configs):
    path = write(configs, {"weights.liquidity": REMOVED, "weights.hob": 0.215})
    assert_says(
        only_problem(configs), path, "unknown key 'weights.hob'",
        "liquidity", "0.215", "'liquidity'",
    )  # fmt: skip


def test_unknown_keys_come_in_the_order_of_the_file(configs):
    names = ["zz", "aa", "mm", "bb", "yy"]
    write(configs, dict.fromkeys(names, 1))
    assert [p.where for p in problems_of(configs)] == [
        f"unknown key '{name}'" for name in names
    ]


def test_a_key_that_is_no_text_still_makes_a_message(configs):
    path = configs / f"{NAME}.json"
    path.write_text(path.read_text().replace('"profile"', '"\\ud800": 1, "profile"'))
    problem = only_problem(configs)
    assert "unknown key '\\ud800'" in str(problem)
    assert str(problem).encode()


LEAVES = [
    (section, key)
    for section, values in SOUND.items()
    if isinstance(values, dict)
    for key in values
]
MUST_BE_GIVEN = ["profile", "symbols", "weights"]


@pytest.mark.parametrize("part", MUST_BE_GIVEN)
def test_name_symbols_and_weights_must_be_given(configs, part):
    path = write(configs, {part: REMOVED})
    assert_says(
        only_problem(configs), path, f"key '{part}'",
        "it to be given", "it missing", "add the key. ",
    )  # fmt: skip


def test_no_other_part_must_be_given(configs):
    write(configs, {part: REMOVED for part in SOUND if part not in MUST_BE_GIVEN})
    assert problems_of(configs) == []


def test_a_profile_names_the_domains_that_it_wants_and_one_at_least(configs):
    write(configs, {"weights": {"smc": 0.4, "momentum": 0.6}})
    assert problems_of(configs) == []
    path = write(configs, {"weights": {}})
    assert_says(
        only_problem(configs), path, "key 'weights'", "at least one name", "{}", "",
    )  # fmt: skip


def test_an_envelope_has_a_box_of_domains_that_the_profile_names_alone(configs):
    path = write(
        configs,
        {
            "weights": {"smc": 0.4, "momentum": 0.6},
            "screen.envelope": {"weights": {"wyckoff": [0, 1]}},
        },
    )
    assert_says(
        only_problem(configs), path, "key 'screen.envelope.weights.wyckoff'",
        "a domain that the profile names in 'weights'", "[0, 1]", "a weight",
    )  # fmt: skip


def wrong_values(value) -> list:
    """Return values of other types, the tempting ones first."""
    if isinstance(value, bool):
        return [1, "true", None, []]
    if isinstance(value, int | float):
        return [True, str(value), None, [value]]
    if value is None:
        return [True, 20240701, [], 0.5]
    return [True, 1, None, {}]


# Null switches them off, or leaves them to something else.
MAY_BE_NULL = {
    key
    for key, setting in leaves(load_schema("profile")).items()
    if "null" in setting.get("type", "")
}


@pytest.mark.parametrize("choice", range(4))
def test_a_setting_of_the_wrong_type_is_refused(configs, choice):
    wrong = {
        f"{section}.{key}": wrong_values(SOUND[section][key])[choice]
        for section, key in LEAVES
    }
    wrong = {
        key: value
        for key, value in wrong.items()
        if value is not None or key not in MAY_BE_NULL
    }
    path = write(configs, wrong)
    problems = {problem.where: problem for problem in problems_of(configs)}
    assert len(problems) == len(wrong)
    for key, value in wrong.items():
        assert_says(
            problems[f"key '{key}'"], path, f"key '{key}'",
            "", json.dumps(value), "correct the value. ",
        )  # fmt: skip


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("entry.entry_threshold", "0.62", 'the type "number"'),
        ("entry.entry_threshold", True, 'the type "number"'),
        ("entry.alignment_required", 1, 'the type "boolean"'),
        ("exits.time_stop_bars", 96.5, 'the type "integer"'),
        ("weights", [0.2] * 5, 'the type "object"'),
        ("study.start", 2024, 'the type "string" or "null"'),
        ("screen.envelope", 0.5, "null or an object"),
        ("weights.smc", -0.15, "at least 0"),
        ("weights.smc", 1.5, "at most 1"),
        ("exits.partial_share", 1.0, "less than 1"),
        ("exits.stop_atr", 0.0, "more than 0"),
        ("exits.time_stop_bars", 0, "at least 1"),
        ("costs.fees_bps", -1.0, "at least 0"),
        ("entry.cadence", "2h", 'one of ["1h", "4h"]'),
        ("screen.method", "none", 'one of ["admissible", "sentinel"]'),
        ("symbols", "ETH", 'the type "array"'),
        ("symbols", [], "at least one name"),
        ("symbols", ["ETH", "ETH"], "each name once"),
        ("wallet", ["shared"], 'the type "object"'),
        ("wallet.kind", "common", 'one of ["separate", "shared"]'),
        ("wallet.start_balance", 0.0, "more than 0"),
        ("wallet.max_positions", 0, "at least 1"),
        ("wallet.max_positions", 1.5, 'the type "integer" or "null"'),
        ("wallet.delisted_after_hours", 0, "more than 0"),
        ("profile", "Eth Live", "text that matches"),
    ],
)
def test_a_value_that_is_not_allowed_is_refused(configs, key, value, expected):
    path = write(configs, {key: value})
    assert_says(
        only_problem(configs), path, f"key '{key}'",
        expected, json.dumps(value), "correct the value",
    )  # fmt: skip


@pytest.mark.parametrize("name", ["../ETH", "", "**", 5, None])
def test_what_is_no_name_of_a_symbol_is_refused(configs, name):
    path = write(configs, {"symbols": ["BTC", name]})
    expected = "text that matches" if isinstance(name, str) else 'the type "string"'
    assert_says(
        only_problem(configs), path, "key 'symbols.1'",
        expected, json.dumps(name), "correct the value",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("literal", "found"),
    [
        ("NaN", "NaN"),
        ("Infinity", "Infinity"),
        ("-Infinity", "-Infinity"),
        ("1e999", "Infinity"),
        ("-1e999", "-Infinity"),
        pytest.param("1" + "0" * 400, "Infinity", id="400 zeros"),
        pytest.param("-1" + "0" * 5000, "-Infinity", id="5000 zeros"),
    ],
)
@pytest.mark.parametrize("key", ["volume_trap_z", "time_stop_bars"])
def test_a_number_that_is_not_finite_is_refused(configs, key, literal, found):
    """Python reads them all, against the grammar or beyond what a double holds."""
    text = json.dumps(changed(SOUND, {f"exits.{key}": "HERE"}))
    path = configs / f"{NAME}.json"
    path.write_text(text.replace('"HERE"', literal))
    assert_says(
        only_problem(configs), path, f"key 'exits.{key}'",
        "a finite number", found, "write a number",
    )  # fmt: skip


def test_a_number_that_is_not_finite_is_found_in_an_envelope(configs):
    path = configs / f"{NAME}.json"
    envelope = '{"weights": {"smc": [0, Infinity]}, "entry_threshold": NaN}'
    path.write_text(
        path.read_text().replace('"envelope": null', f'"envelope": {envelope}')
    )
    assert [problem.where for problem in problems_of(configs)] == [
        "key 'screen.envelope.entry_threshold'",
        "key 'screen.envelope.weights.smc.1'",
    ]


@pytest.mark.parametrize("key", ["entry.cooldown_bars", "screen.candidate_window_bars"])
@pytest.mark.parametrize("value", [2**31, 1e300])
def test_a_whole_number_must_fit_the_models(configs, key, value):
    path = write(configs, {key: value})
    assert_says(
        only_problem(configs), path, f"key '{key}'",
        "at most 2147483647", json.dumps(value), "lower the value",
    )  # fmt: skip
    write(configs, {key: 2**31 - 1})
    assert problems_of(configs) == []


# Sense


@pytest.mark.parametrize(
    ("weight", "found"), [(0.25, "1.1"), (0.0, "0.85"), (0.15000001, "1.00000001")]
)
def test_weights_sum_to_one(configs, weight, found):
    path = write(configs, {"weights.smc": weight})
    assert_says(
        only_problem(configs), path, f"profile '{NAME}', key 'weights'",
        "weights that sum to 1", f"a sum of {found}", "divide each weight by the sum",
    )  # fmt: skip


def test_weights_that_miss_one_by_a_rounding_are_sound(configs):
    weights = dict(zip(SOUND["weights"], [0.1, 0.2, 0.3, 0.3, 0.1], strict=True))
    assert sum(weights.values()) != 1
    write(configs, {"weights": weights})
    assert problems_of(configs) == []


WYCKOFF_ONLY = {
    "wyckoff": 1.0, "liquidity": 0.0, "smc": 0.0, "momentum": 0.0, "temporal": 0.0,
}  # fmt: skip


def test_the_highest_confidence_is_that_of_the_better_side():
    assert highest_confidence(WYCKOFF_ONLY) == pytest.approx(0.72)
    assert highest_confidence(
        {**WYCKOFF_ONLY, "wyckoff": 0.5, "smc": 0.5}
    ) == pytest.approx(0.86)
    assert highest_confidence(
        {**WYCKOFF_ONLY, "wyckoff": 0.0, "smc": 1.0}
    ) == pytest.approx(1.0)


def test_a_threshold_that_the_weights_cannot_reach_is_refused(configs):
    path = write(configs, {"weights": WYCKOFF_ONLY, "entry.entry_threshold": 0.7201})
    assert_says(
        only_problem(configs), path, "key 'entry.entry_threshold'",
        "reach (at most 0.72)", "0.7201", "no bar could ever pass it",
    )  # fmt: skip
    write(configs, {"weights": WYCKOFF_ONLY, "entry.entry_threshold": 0.7199})
    assert problems_of(configs) == []


def test_a_threshold_just_out_of_reach_is_not_rounded_into_it(configs):
    write(configs, {"weights": WYCKOFF_ONLY, "entry.entry_threshold": 0.72000001})
    assert only_problem(configs).found == "0.72000001"


def test_a_threshold_of_an_envelope_must_be_in_reach_too(configs):
    path = write(
        configs,
        {
            "weights": WYCKOFF_ONLY,
            "entry.entry_threshold": 0.6,
            "screen.envelope": {"entry_threshold": 0.8},
        },
    )
    unreachable, uncovering = problems_of(configs)
    assert_says(
        unreachable, path, "key 'screen.envelope.entry_threshold'",
        "reach (at most 0.72)", "0.8", "lower the threshold",
    )  # fmt: skip
    assert_says(
        uncovering, path, "key 'screen.envelope.entry_threshold'",
        "at most the profile's own 0.6", "0.8", "widen the envelope",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("low", "high", "values"),
    [
        ("entry.atr_rank_floor", "entry.atr_rank_cap", (0.9, 0.2)),
        ("risk.risk_min", "risk.risk_max", (0.02, 0.01)),
        ("risk.risk_min", "risk.risk_max", (0.01000001, 0.01)),
    ],
)
def test_a_low_bound_above_its_high_bound_is_refused(configs, low, high, values):
    path = write(configs, {low: values[0], high: values[1]})
    names = [key.split(".")[1] for key in (low, high)]
    assert_says(
        only_problem(configs), path, f"keys '{names[0]}' and '{names[1]}'",
        f"{names[0]} <= {names[1]}", f"{values[0]} > {values[1]}", "exchange the two",
    )  # fmt: skip
    write(configs, {low: values[1], high: values[1]})
    assert problems_of(configs) == []


# Study


@pytest.mark.parametrize(
    "text",
    [
        "2024-07-01T00:00:00+00:00",
        "2024-07-01T00:00:00Z",
        "2024-07-01 00:00Z",
        "2024-07-01T00:00:00.123456+05:30",
        "2024-07-01T00:00:00-0500",
        "2024-07-01T23:59-05",
    ],
)
def test_a_study_date_means_the_same_to_python_and_duckdb(configs, text):
    write(configs, {"study.start": text, "study.end": None})
    assert problems_of(configs) == []
    with duckdb.connect() as session:
        micros = session.execute("select epoch_us(?::timestamptz)", [text]).fetchone()
    assert micros == (round(datetime.fromisoformat(text).timestamp() * 1e6),)


@pytest.mark.parametrize("key", ["study.start", "study.end"])
@pytest.mark.parametrize(
    "text",
    [
        pytest.param("2024-07-01T00:00:00", id="without a zone"),
        pytest.param("2024-07-01", id="a day"),
        pytest.param("", id="empty"),
        pytest.param(" ", id="blank"),
        pytest.param("July 2024", id="prose"),
        pytest.param("2024-13-01T00:00:00Z", id="a 13th month"),
        pytest.param("2024-02-30T00:00:00Z", id="a 30th of February"),
        pytest.param("2024-07-01T25:00:00Z", id="a 25th hour"),
        pytest.param("2024-07-01T00:00:00 Europe/Berlin", id="a zone by name"),
        pytest.param("20240701T000000Z", id="ISO basic: DuckDB cannot read it"),
        pytest.param("2024-W27-1T00:00:00Z", id="ISO week: DuckDB cannot read it"),
        pytest.param("2024-07-01T00Z", id="an hour: DuckDB cannot read it"),
        pytest.param("2024-07-01x00:00:00Z", id="an x: DuckDB cannot read it"),
        pytest.param("2024-07-01T00:00:00,5Z", id="a comma: DuckDB cannot read it"),
        pytest.param("\uff12024-07-01T00:00:00Z", id="a wide digit"),
        pytest.param("2024-07-01T00:00:00Z\n", id="a line end"),
        pytest.param("x" * 5000, id="a long text"),
    ],
)
def test_a_study_date_that_is_no_moment_is_refused(configs, key, text):
    path = write(configs, {key: text})
    assert_says(
        only_problem(configs), path, f"key '{key}'",
        "ISO 8601 with a time zone, or null",
        json.dumps(text)[:70], "2024-07-01T00:00:00+00:00",
    )  # fmt: skip


def test_both_study_dates_are_reported(configs):
    write(configs, {"study.start": "soon", "study.end": "later"})
    assert [(p.where, p.found) for p in problems_of(configs)] == [
        ("key 'study.start'", '"soon"'),
        ("key 'study.end'", '"later"'),
    ]


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("2024-07-02T00:00:00Z", "2024-07-01T00:00:00Z"),
        ("2024-07-01T00:00:00Z", "2024-07-01T00:00:00Z"),
        ("2024-07-01T01:00:00Z", "2024-07-01T02:00:00+05:00"),
    ],
)
def test_a_study_starts_before_it_ends(configs, start, end):
    path = write(configs, {"study.start": start, "study.end": end})
    assert_says(
        only_problem(configs), path, "keys 'study.start' and 'study.end'",
        "start before end", f"{start} and {end}", "exchange the two values",
    )  # fmt: skip


# Parity


@pytest.mark.parametrize(
    ("base", "changes", "where", "expected", "found", "fix"),
    [
        pytest.param(
            SENTINEL, {"parity": {"promise": "exact"}}, "key 'parity.promise'",
            "'within' for the sentinel screen", "'exact'", "give trades_tolerance",
            id="exactness from the sentinel",
        ),
        pytest.param(
            SENTINEL, {"screen.method": "admissible"}, "key 'parity.promise'",
            "'exact' for the admissible screen", "'within'", "remove the tolerances",
            id="tolerances for the admissible",
        ),
        pytest.param(
            SENTINEL, {"parity": {"promise": "within"}}, "key 'parity'",
            "trades_tolerance and win_rate_tolerance", "neither", "give both",
            id="no tolerance",
        ),
        pytest.param(
            SENTINEL, {"parity.trades_tolerance": REMOVED}, "key 'parity'",
            "trades_tolerance and win_rate_tolerance", "win_rate_tolerance",
            "give both", id="one tolerance",
        ),
        pytest.param(
            SOUND, {"parity.trades_tolerance": 0.05}, "key 'parity'",
            "no tolerance where exactness is promised", "trades_tolerance",
            "remove it", id="a tolerance too many",
        ),
        pytest.param(
            SENTINEL, {"parity.trades_tolerance": -0.05},
            "key 'parity.trades_tolerance'", "at least 0", "-0.05",
            "correct the value", id="a negative tolerance",
        ),
    ],
)  # fmt: skip
def test_the_promise_must_suit_the_screen(
    configs, base, changes, where, expected, found, fix
):
    path = write(configs, changes, base)
    assert_says(only_problem(configs), path, where, expected, found, fix)


# Envelopes


@pytest.mark.parametrize(
    "envelope",
    [
        {},
        {"weights": {}, "gates": {}},
        {"weights": {"smc": [0.15, 0.15]}},
        {"weights": {"smc": [0, 10], "wyckoff": [0.1, 0.3]}},
        {"entry_threshold": 0.62},
        {"entry_threshold": 0},
        {"gates": {"atr_rank_floor": 0, "atr_rank_cap": 1, "veto_limit": 1}},
        {"gates": {"alignment_required": False}},
        {"gates": {"alignment_required": True}},
    ],
)
def test_an_envelope_that_covers_the_profile_is_sound(configs, envelope):
    write(configs, {"screen.envelope": envelope})
    assert problems_of(configs) == []


@pytest.mark.parametrize(
    ("envelope", "key", "expected", "found"),
    [
        (
            {"weights": {"smc": [0.2, 0.3]}}, "weights.smc",
            "[low, high] around 0.15", "[0.2, 0.3]",
        ),
        (
            {"weights": {"smc": [0, 0.1499999]}}, "weights.smc",
            "[low, high] around 0.15", "[0, 0.1499999]",
        ),
        (
            {"entry_threshold": 0.63}, "entry_threshold",
            "at most the profile's own 0.62", "0.63",
        ),
        (
            {"gates": {"atr_rank_floor": 0.3}}, "gates.atr_rank_floor",
            "at most the profile's own 0.2", "0.3",
        ),
        (
            {"gates": {"atr_rank_cap": 0.9}}, "gates.atr_rank_cap",
            "at least the profile's own 0.95", "0.9",
        ),
        (
            {"gates": {"veto_limit": 0.5}}, "gates.veto_limit",
            "at least the profile's own 0.8", "0.5",
        ),
    ],
)  # fmt: skip
def test_an_envelope_must_cover_the_profile(configs, envelope, key, expected, found):
    path = write(configs, {"screen.envelope": envelope})
    assert_says(
        only_problem(configs), path, f"key 'screen.envelope.{key}'",
        expected, found, "widen the envelope: it must cover the profile itself",
    )  # fmt: skip


def test_an_envelope_may_not_require_what_the_profile_does_not(configs):
    path = write(
        configs,
        {
            "entry.alignment_required": False,
            "screen.envelope": {"gates": {"alignment_required": True}},
        },
    )
    assert_says(
        only_problem(configs), path, "key 'screen.envelope.gates.alignment_required'",
        "false, as in the profile", "true", "widen the envelope",
    )  # fmt: skip


def test_an_envelope_with_exchanged_bounds_is_refused(configs):
    path = write(configs, {"screen.envelope": {"weights": {"smc": [0.3, 0.1]}}})
    assert_says(
        only_problem(configs), path, "key 'screen.envelope.weights.smc'",
        "[low, high] with low <= high", "[0.3, 0.1]", "exchange the two values",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("envelope", "key", "expected", "found"),
    [
        ([], "", "null or an object", "[]"),
        (True, "", "null or an object", "true"),
        ({"weights": []}, ".weights", '"object"', "[]"),
        ({"weights": {"smc": 0.15}}, ".weights.smc", '"array"', "0.15"),
        ({"weights": {"smc": [0.1]}}, ".weights.smc", "[low, high]", "[0.1]"),
        (
            {"weights": {"smc": [0.1, 0.2, 0.3]}}, ".weights.smc",
            "[low, high]", "[0.1, 0.2, 0.3]",
        ),
        ({"weights": {"smc": [-1, 0.2]}}, ".weights.smc.0", "at least 0", "-1"),
        ({"weights": {"smc": [0, True]}}, ".weights.smc.1", '"number"', "true"),
        ({"entry_threshold": None}, ".entry_threshold", '"number"', "null"),
        ({"gates": {"veto_limit": 2}}, ".gates.veto_limit", "at most 1", "2"),
        (
            {"gates": {"alignment_required": 0}}, ".gates.alignment_required",
            '"boolean"', "0",
        ),
    ],
)  # fmt: skip
def test_a_malformed_envelope_is_refused(configs, envelope, key, expected, found):
    path = write(configs, {"screen.envelope": envelope})
    assert_says(
        only_problem(configs), path, f"key 'screen.envelope{key}'",
        expected, found, "correct the value",
    )  # fmt: skip


def test_everything_that_is_wrong_is_reported_at_once(configs):
    write(
        configs,
        {
            "note": 1,
            "symbols": REMOVED,
            "weights.smc": -1,
            "entry.cadence": "2h",
            "screen.envelope": {"note": 2, "weights": {"smc": [1]}, "gates": {"x": 3}},
        },
    )
    (configs / "other.json").write_text("{")
    signals = configs / "shared" / "macro_signals.json"
    signals.write_text(json.dumps({**json.loads(signals.read_text()), "note": 4}))
    assert {p.where for p in problems_of(configs)} == {
        "unknown key 'note'",
        "key 'symbols'",
        "key 'weights.smc'",
        "key 'entry.cadence'",
        "unknown key 'screen.envelope.note'",
        "key 'screen.envelope.weights.smc'",
        "unknown key 'screen.envelope.gates.x'",
        "line 1, column 2",
    }
    assert {Path(p.file).name for p in problems_of(configs)} == {
        f"{NAME}.json", "other.json", "macro_signals.json",
    }  # fmt: skip


def test_all_that_makes_no_sense_is_reported_at_once(configs):
    write(
        configs,
        {
            "profile": "other",
            "symbols": ["SOL"],
            "weights.smc": 0.5,
            "risk.risk_min": 0.5,
            "exits.time_stop_bars": 2**40,
            "study.start": "soon",
            "parity.promise": "within",
            "screen.envelope": {"entry_threshold": 0.9},
        },
    )
    assert len(problems_of(configs)) == 9


# Macro signals


@pytest.mark.parametrize(
    ("changes", "where", "expected", "found", "fix"),
    [
        (
            {"vix_risk_of": {}}, "unknown key 'vix_risk_of'", "one of vix_risk_off",
            "{}", "did you mean 'vix_risk_off'?",
        ),
        (
            {"vix_calm.vix_bellow": 18}, "unknown key 'vix_calm.vix_bellow'",
            "one of vix_below, greenlight", "18", "did you mean 'vix_below'?",
        ),
        (
            {"dxy_soft": REMOVED}, "key 'dxy_soft'", "it to be given", "it missing",
            "add the key",
        ),
        (
            {"dxy_soft.dxy_below": REMOVED}, "key 'dxy_soft.dxy_below'",
            "it to be given", "it missing", "add the key. Threshold in the unit",
        ),
        (
            {"move_stress.veto": 1.5}, "key 'move_stress.veto'", "at most 1", "1.5",
            "correct the value. Strength of the signal",
        ),
        (
            {"move_stress.veto": True}, "key 'move_stress.veto'", '"number"', "true",
            "correct the value",
        ),
        (
            {"move_stress.move_above": float("nan")}, "key 'move_stress.move_above'",
            "a finite number", "NaN", "write a number",
        ),
    ],
)  # fmt: skip
def test_bad_macro_signals_are_refused(configs, changes, where, expected, found, fix):
    path = configs / "shared" / "macro_signals.json"
    path.write_text(json.dumps(changed(json.loads(path.read_text()), changes)))
    assert_says(only_problem(configs), path, where, expected, found, fix)


# Whatever the value

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([2**31, 2**63, 10**309, -(10**309), 0, 1, -1])
    | st.floats()
    | st.text(max_size=12)
    | st.sampled_from(["2024-07-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "exact"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.text(max_size=5)
            | st.sampled_from(["weights", "gates", "smc", "entry_threshold"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=6,
)
PLACES = [
    "profile",
    "symbol",
    "symbols",
    "risk.start_balance",
    *SOUND,
    *(".".join(leaf) for leaf in LEAVES),
]


@settings(max_examples=200, deadline=None, derandomize=True)
@given(
    base=st.sampled_from([SOUND, SENTINEL]), place=st.sampled_from(PLACES), value=VALUES
)
@example(SOUND, "screen.envelope", {"weights": {"smc": [float("nan"), 1]}})
@example(SOUND, "exits.stop_atr", 10**309)
@example(SOUND, "study.start", "")
def test_no_value_anywhere_escapes_the_check(tmp_path_factory, base, place, value):
    path = tmp_path_factory.getbasetemp() / "any" / f"{base['profile']}.json"
    path.parent.mkdir(exist_ok=True)
    text = json.dumps(changed(base, {place: value}))
    path.write_text(text)
    profile, problems = check_profile(path)
    assert path.read_text() == text
    assert isinstance(problems, list)
    for problem in problems:
        assert isinstance(problem, Problem)
        assert problem.file == str(path)
        assert all((problem.where, problem.expected, problem.found, problem.fix))
        assert str(problem).encode()
    if not problems:
        assert profile == complete(json.loads(text))


def test_a_key_that_another_dominates_is_named_and_refused_by_nobody():
    tight = changed(SOUND, {"entry.veto_limit": 0.8, "exits.macro_exit_veto": 0.8})
    (found,) = profile_findings(complete(tight))
    assert found.finding == "key_without_effect"
    assert found.subject.endswith(": entry.veto_limit")
    assert (found.value, found.threshold) == (0.8, 0.8)
    for changes in (
        {"entry.veto_limit": 0.79, "exits.macro_exit_veto": 0.8},
        {"entry.veto_limit": 0.9, "exits.macro_exit_veto": None},
    ):
        assert profile_findings(complete(changed(SOUND, changes))) == []


def test_a_partial_beyond_the_target_and_a_streak_without_a_shift_are_named():
    idle = {
        "entry.veto_limit": 0.5,
        "entry.loss_streak_shift": 0.0,
        "exits.partial_at_r": 2.0,
        "exits.target_r": 2.0,
    }
    found = profile_findings(complete(changed(SOUND, idle)))
    assert [f.subject.split(": ")[1] for f in found] == [
        "exits.partial_at_r",
        "entry.loss_streak_trades",
    ]


@pytest.mark.parametrize(
    ("symbols", "told"), [(["ETH"], "ETH"), (["ETH", "BTC"], "*"), (["*"], "*")]
)
def test_a_limit_of_positions_beside_separate_wallets_is_named(symbols, told):
    sound = {"entry.veto_limit": 0.79, "exits.macro_exit_veto": 0.8}
    limits = {"symbols": symbols, "wallet.max_positions": 2}
    limited = changed(SOUND, sound | limits)
    (found,) = profile_findings(complete(limited))
    assert (found.symbol, found.finding) == (told, "key_without_effect")
    assert found.subject == f"{NAME}: wallet.max_positions"
    assert (found.value, found.threshold) == (2.0, None)
    assert "wallet.kind separate" in found.meaning
    for changes in ({"wallet.kind": "shared"}, {"wallet.max_positions": None}):
        assert profile_findings(complete(changed(limited, changes))) == []


def test_a_wider_envelope_has_an_effect_where_the_profiles_own_limit_binds():
    envelope = {"gates": {"veto_limit": 1.0}}
    for own, count in ((0.5, 0), (0.9, 2)):
        changes = {
            "entry.veto_limit": own,
            "exits.macro_exit_veto": 0.8,
            "screen.envelope": envelope,
        }
        assert len(profile_findings(complete(changed(SOUND, changes)))) == count


def test_a_macro_exit_may_be_switched_off(configs):
    write(configs, {"exits.vix_exit": None, "exits.macro_exit_veto": None})
    assert problems_of(configs) == []
