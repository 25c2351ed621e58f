"""Profiles say only what they mean: defaults, what is extended, and where from."""

import json
from pathlib import Path

import pytest

from barsieve.core.errors import InputError
from barsieve.profiles.check import check_configs, check_profile
from barsieve.profiles.diff import leaves as values_of
from barsieve.profiles.resolution import DEFAULT, complete, resolve, resolved_profiles
from barsieve.profiles.schema import load_schema, settings
from conftest import PROJECT

SHIPPED = PROJECT / "configs"
WEIGHTS = {
    "wyckoff": 0.3, "liquidity": 0.25, "smc": 0.15, "momentum": 0.3, "temporal": 0.0,
}  # fmt: skip


@pytest.fixture
def write(tmp_path):
    """Write profiles of a folder, by name; return the folder."""

    def written(**profiles: dict) -> Path:
        for name, profile in profiles.items():
            text = json.dumps({"profile": name} | profile)
            (tmp_path / f"{name}.json").write_text(text)
        return tmp_path

    return written


def house(**more) -> dict:
    return {"symbols": ["ETH"], "weights": WEIGHTS} | more


def only_problem(folder: Path, name: str):
    profile, problems = check_profile(folder / f"{name}.json")
    assert profile is None
    (problem,) = problems
    return problem


def test_a_profile_needs_a_name_symbols_and_weights(write):
    folder = write(least=house())
    profile, problems = check_profile(folder / "least.json")
    assert problems == []
    assert profile["exits"]["time_stop_bars"] == 96
    given = {".".join(path) for path, _ in values_of(profile)}
    settings_given = {key for key in given if not key.startswith("weights.")}
    assert settings_given == {s.key for s in settings() if s.key != "weights"}


def test_every_setting_but_symbols_and_weights_has_a_default():
    without = {s.key for s in settings() if s.default is None}
    assert without == {
        "profile", "symbols", "weights", "regime.reference_symbol", "screen.envelope",
        "parity.trades_tolerance", "parity.win_rate_tolerance", "study.start",
        "study.end", "macro_signals", "entry.sentinels", "screen.sentinels",
        "wallet.max_positions", "exits.learned_model", "exits.learned_below_r",
    }  # fmt: skip


def test_the_classifiers_read_each_symbol_its_own_unless_one_is_named(write):
    folder = write(
        own=house(),
        other=house(regime={"reference_symbol": "BTC"}),
        back={
            "extends": "other",
            "symbols": ["SOL", "BTC"],
            "regime": {"reference_symbol": None},
        },
    )
    read = {p["profile"]: p["regime"] for p in resolved_profiles(folder)}
    assert {name: regime["reference_symbol"] for name, regime in read.items()} == {
        "own": None, "other": "BTC", "back": None,
    }  # fmt: skip


def test_what_is_extended_holds_where_a_profile_says_nothing(write):
    folder = write(
        house=house(exits={"stop_atr": 3.0, "target_r": 4.0}, costs={"fees_bps": 2.0}),
        slow={"extends": "house", "exits": {"target_r": 6.0}, "learned": False},
        slower={
            "extends": "slow",
            "symbols": ["BTC", "SOL"],
            "exits": {"time_stop_bars": 500},
        },
    )
    resolved = resolve(folder / "slower.json")
    made = resolved.document
    assert (made["profile"], made["symbols"]) == ("slower", ["BTC", "SOL"])
    assert "extends" not in made
    exits = made["exits"]
    assert (exits["stop_atr"], exits["target_r"], exits["time_stop_bars"]) == (
        3.0, 6.0, 500,
    )  # fmt: skip
    assert made["costs"] == {"fees_bps": 2.0, "slippage_bps": 5.0}
    sources = {
        key: Path(resolved.source_of(*key.split("."))).stem
        for key in (
            "symbols", "weights.smc", "exits.stop_atr", "exits.target_r",
            "exits.time_stop_bars", "exits.trail_atr",
        )
    }  # fmt: skip
    assert sources == {
        "symbols": "slower", "weights.smc": "house", "exits.stop_atr": "house",
        "exits.target_r": "slow", "exits.time_stop_bars": "slower",
        "exits.trail_atr": DEFAULT,
    }  # fmt: skip


def test_weights_and_envelope_are_taken_whole(write):
    box = {"entry_threshold": 0.5, "weights": {"smc": [0.0, 0.4]}}
    folder = write(
        wide=house(screen={"envelope": box}),
        narrow={"extends": "wide", "screen": {"envelope": {"entry_threshold": 0.6}}},
        none={"extends": "wide", "screen": {"envelope": None}},
        other=house() | {"extends": "wide", "weights": {"smc": 1.0}},
    )
    assert resolve(folder / "narrow.json").document["screen"]["envelope"] == {
        "entry_threshold": 0.6
    }
    assert resolve(folder / "none.json").document["screen"]["envelope"] is None
    assert resolve(folder / "other.json").document["weights"] == {"smc": 1.0}


def test_a_profile_that_extends_an_unknown_one_is_refused(write):
    folder = write(house=house(), other={"extends": "hose"}, lone={"extends": "lone_x"})
    problem = only_problem(folder, "other")
    assert problem.where == "key 'extends'"
    assert (problem.found, problem.fix) == ("'hose'", "did you mean 'house'?")
    assert "house, lone" in problem.expected
    assert only_problem(folder, "lone").found == "'lone_x'"


@pytest.mark.parametrize("length", [1, 2, 5])
def test_a_circle_is_refused_and_shown(write, length):
    ring = {f"p{k}": {"extends": f"p{(k + 1) % length}"} for k in range(length)}
    folder = write(**ring, tail={"extends": "p0"})
    for name in (*ring, "tail"):
        problem = only_problem(folder, name)
        assert problem.where == "key 'extends'"
        first, *_, last = problem.found.split(" extends ")
        assert first == last
        assert len(problem.found.split(" extends ")) == length + 1


def test_a_fault_of_a_parent_is_told_once_by_its_own_name(write):
    folder = write(
        house=house(exits={"stop_atr": -1}), a={"extends": "house"},
        b={"extends": "a"},
    )  # fmt: skip
    (folder / "shared").mkdir()
    (folder / "shared/macro_signals.json").write_text(
        (SHIPPED / "shared/macro_signals.json").read_text()
    )
    (problem,) = check_configs(folder, ["ETH"])
    assert problem.file == str(folder / "house.json")
    with pytest.raises(InputError, match=r"house\.json"):
        resolved_profiles(folder)


def test_a_profile_is_judged_with_what_it_inherits(write):
    folder = write(
        house=house(screen={"method": "sentinel"}, parity={
            "promise": "within", "trades_tolerance": 0.1, "win_rate_tolerance": 0.1,
        }),
        exact={"extends": "house", "screen": {"method": "admissible"}},
        mended={
            "extends": "house", "screen": {"method": "admissible"},
            "parity": {
                "promise": "exact", "trades_tolerance": None,
                "win_rate_tolerance": None,
            },
        },
    )  # fmt: skip
    (problem,) = check_profile(folder / "exact.json")[1]
    assert (problem.where, problem.found) == ("key 'parity.promise'", "'within'")
    assert check_profile(folder / "mended.json")[1] == []


def test_an_editor_may_be_told_where_the_schema_lies(write):
    folder = write(named=house(**{"$schema": "../profile.schema.json"}))
    profile, problems = check_profile(folder / "named.json")
    assert problems == []
    assert profile == complete({"profile": "named"} | house())


@pytest.mark.parametrize("path", sorted(SHIPPED.glob("*.json")), ids=lambda p: p.stem)
def test_a_shipped_profile_says_what_it_said_in_the_order_of_the_schema(path):
    document = resolve(path).document
    # What a profile says of its origin is no setting: it stands last.
    assert [key for key in document if key != "origin"] == [
        key for key, part in load_schema("profile")["properties"].items()
        if part.get("column", key)
    ]  # fmt: skip
    assert complete(document) == document
