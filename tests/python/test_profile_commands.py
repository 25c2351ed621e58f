"""Profiles made by commands: of names, of sweeps, of legacy files; shown, replayed."""

import json
import shutil
from pathlib import Path

import pytest

from barsieve.cli.profiles import Wallet
from barsieve.profiles.authoring import of_configuration
from barsieve.profiles.check import check_profile
from barsieve.profiles.diff import leaves as values_of
from barsieve.profiles.resolution import complete, resolve
from barsieve.profiles.schema import load_schema
from command_line import barsieve
from conftest import PROJECT

DATABASE = "BARSIEVE_DATABASE"


@pytest.fixture
def configs(tmp_path) -> Path:
    """A folder of profiles, with one of the shipped ones and the macro signals."""
    folder = tmp_path / "configs"
    shutil.copytree(PROJECT / "configs/shared", folder / "shared")
    shutil.copy(PROJECT / "configs/btc_live.json", folder)
    return folder


@pytest.fixture
def run(configs):
    """A command over those profiles."""
    return lambda *arguments, **more: barsieve(
        *arguments, BARSIEVE_CONFIGS=configs, **more
    )


def files_of(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_new_profile_says_no_more_than_it_must_and_is_sound(run, configs):
    done = run("config", "new", "swing", "--symbols", "ETH")
    assert done.returncode == 0, done.stderr
    written = json.loads((configs / "swing.json").read_text())
    assert set(written) == {"$schema", "profile", "symbols", "weights"}
    assert written["symbols"] == ["ETH"]
    assert '"symbols": ["ETH"],\n' in (configs / "swing.json").read_text()
    assert sum(written["weights"].values()) == pytest.approx(1)
    schema = json.loads((configs / written["$schema"]).read_text())
    assert schema["title"] == "barsieve profile"
    assert run("config", "check").returncode == 0


@pytest.mark.parametrize(
    ("arguments", "symbols", "kind"),
    [
        (("BTC,ETH",), ["BTC", "ETH"], "separate"),
        ((" BTC , ETH", "--wallet", "shared"), ["BTC", "ETH"], "shared"),
        (("*", "--wallet", "separate"), ["*"], "separate"),
    ],
)
def test_several_symbols_get_one_profile(run, configs, arguments, symbols, kind):
    done = run("config", "new", "swing", "--symbols", *arguments, "--json")
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["written_to"] == str(configs / "swing.json")
    made, problems = check_profile(configs / "swing.json")
    assert problems == []
    assert (made["symbols"], made["wallet"]["kind"]) == (symbols, kind)
    assert said["profile"].get("wallet") == (
        {"kind": kind} if "--wallet" in arguments else None
    )
    assert made["regime"]["reference_symbol"] is None
    assert run("config", "check").returncode == 0


def test_kinds_of_wallets_are_those_of_the_schema():
    kinds = load_schema("profile")["properties"]["wallet"]["properties"]["kind"]["enum"]
    assert kinds == [kind.value for kind in Wallet]


def test_a_new_profile_of_all_symbols_needs_a_market_that_has_one(run, configs):
    empty = configs.parent / "market"
    (empty / "bars").mkdir(parents=True)
    for symbols, words in (("*", "a market with symbols"), ("ETH", "it has none")):
        done = run("config", "new", "own", "--symbols", symbols, BARSIEVE_MARKET=empty)
        assert done.returncode == 1
        assert words in done.stderr
        assert "fix: add bars/" in done.stderr


def test_a_new_profile_may_extend_one_that_is_there(run, configs):
    done = run("config", "new", "own", "--symbols", "ETH", "--extends", "btc_live")
    assert done.returncode == 0, done.stderr
    made, _ = check_profile(configs / "own.json")
    parent, _ = check_profile(configs / "btc_live.json")
    assert made == parent | {"profile": "own", "symbols": ["ETH"]}


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("btc_live", "--symbols", "BTC"), "--force"),
        (("own", "--symbols", "NONE"), "BTC, ETH"),
        (("own", "--symbols", "BTC,NONE"), "BTC, ETH"),
        (("own", "--symbols", "BTC,BTC"), "each once"),
        (("own", "--symbols", ","), "one symbol or more"),
        (("own", "--symbols", "*,BTC"), "'*' alone"),
        (("Own-1", "--symbols", "BTC"), "lower case"),
        (("own", "--symbols", "BTC", "--extends", "btc_lif"), "did you mean"),
    ],
)
def test_what_cannot_be_written_leaves_nothing_behind(run, configs, arguments, word):
    before = files_of(configs)
    done = run("config", "new", *arguments)
    assert done.returncode == 1
    assert word in done.stderr
    assert files_of(configs) == before


def test_every_setting_is_shown_with_where_it_comes_from(run, configs):
    (configs / "slow.json").write_text(
        json.dumps(
            {
                "profile": "slow",
                "extends": "btc_live",
                "exits": {"time_stop_bars": None},
            }
        )
    )
    done = run("config", "show", "slow", "--json")
    rows = {row["key"]: row for row in json.loads(done.stdout)["settings"]}
    resolved, _ = check_profile(configs / "slow.json")
    assert {key: row["value"] for key, row in rows.items()} == {
        ".".join(keys): value for keys, value in values_of(resolved)
    }
    sources = {key: Path(row["from"]).stem for key, row in rows.items()}
    assert sources["exits.time_stop_bars"] == sources["profile"] == "slow"
    assert sources["weights.smc"] == "btc_live"
    assert sources["entry.sides"] == "default"
    table = run("config", "show", "slow").stdout
    assert "itself" in table
    assert "btc_live" in table
    assert run("config", "show", "nope").returncode == 2


def test_profiles_are_compared_as_they_are_resolved(run, configs):
    document = {"profile": "same", "extends": "btc_live"}
    (configs / "same.json").write_text(json.dumps(document))
    found = json.loads(run("config", "diff", "same", "btc_live", "--json").stdout)
    assert [row["key"] for row in found] == ["profile"]


def test_the_schema_is_written_for_editors(tmp_path):
    to = tmp_path / "profile.schema.json"
    assert barsieve("config", "schema", "--to", str(to)).returncode == 0
    from jsonschema import Draft202012Validator

    schema = json.loads(to.read_text())
    Draft202012Validator.check_schema(schema)
    for path in (PROJECT / "configs").glob("*.json"):
        Draft202012Validator(schema).validate(json.loads(path.read_text()))


@pytest.mark.slow
def test_a_configuration_of_a_sweep_becomes_a_profile_that_trades_as_it_did(
    demo, demo_build, run, configs
):
    best = demo.sql(
        "select config, symbol, trades, net_pnl from sweep_results "
        "where fold = 'all' order by net_pnl desc, config limit 2"
    ).fetchall()
    (tried,) = demo.execute(
        "select count(distinct config) from sweep_configs "
        f"where symbol = '{best[0][1]}' and violation is null"
    ).fetchone()
    for number, (config, symbol, trades, net_pnl) in enumerate(best):
        name = f"picked_{number}"
        where = {DATABASE: demo_build.database}
        done = run("config", "from-sweep", config, "--name", name, **where)
        assert done.returncode == 0, done.stderr
        written = configs / f"{name}.json"
        made, problems = check_profile(written)
        assert problems == []
        assert made["symbols"] == [symbol]
        assert made["origin"]["config"] == config
        assert made["origin"]["tried"] == tried > 1
        for mode in ("full", "focused"):
            done = run(
                "replay", "--config", str(written), "--mode", mode, "--json", **where
            )
            summary = json.loads(done.stdout)["summary"]
            assert summary["trades"] == trades
            assert summary["net_pnl"] == pytest.approx(net_pnl, rel=1e-9)


@pytest.mark.parametrize("symbol", ["BTC", "*"])
def test_a_configuration_of_a_shared_wallet_keeps_the_symbols_of_its_base(symbol):
    base = resolve(PROJECT / "configs/eth_comprehensive.json").document
    base |= {"symbols": ["ETH", "BTC"]}
    base["wallet"] |= {"kind": "shared", "max_positions": 1, "start_balance": 5000.0}
    row = {
        "symbol": symbol, "weights": {"smc": 1.0}, "grid": "g", "config": "c",
        "profile": base["profile"], "entry_threshold": 0.7,
    }  # fmt: skip
    made = of_configuration(base, row, "picked", 3)
    assert made["symbols"] == (["ETH", "BTC"] if symbol == "*" else ["BTC"])
    assert complete(made)["wallet"] == base["wallet"]
    assert made["entry"]["entry_threshold"] == 0.7
    assert "symbol" not in made


@pytest.mark.slow
def test_a_configuration_that_was_not_run_is_no_profile(demo, demo_build, run, configs):
    before = files_of(configs)
    (refused,) = demo.execute(
        "select config from sweep_configs where violation is not null limit 1"
    ).fetchone()
    for config, word in (("nope", "sweep_results"), (refused, "was not")):
        done = run(
            "config", "from-sweep", config, "--name", "own",
            **{DATABASE: demo_build.database},
        )  # fmt: skip
        assert (done.returncode, word in done.stderr) == (1, True), done.stderr
    assert files_of(configs) == before


def replayed(run, demo_build, *arguments: str):
    """Return what a replay says, without its name."""
    done = run("replay", *arguments, "--json", **{DATABASE: demo_build.database})
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    trades = [trade | {"profile": ""} for trade in said["trades"]]
    return trades, said["summary"]


@pytest.mark.slow
def test_a_profile_that_was_not_built_is_replayed_as_one_that_was(
    demo_build, run, tmp_path
):
    own = tmp_path / "any name.json"
    document = {"profile": "own", "extends": "btc_live", "exits": {"stop_atr": 2.5}}
    own.write_text(json.dumps(document))
    expected = replayed(
        run, demo_build, "--profile", "btc_live", "--set", "exits.stop_atr=2.5"
    )
    assert replayed(run, demo_build, "--config", str(own)) == expected
    document["exits"] = {}
    own.write_text(json.dumps(document))
    given = ("--config", str(own), "--set", "exits.stop_atr=2.5")
    assert replayed(run, demo_build, *given) == expected


@pytest.mark.slow
@pytest.mark.parametrize("command", ["replay", "candidates", "stress"])
def test_every_command_of_a_profile_takes_its_file(demo_build, run, tmp_path, command):
    own = tmp_path / "own.json"
    own.write_text(json.dumps({"profile": "own", "extends": "btc_live"}))
    where = {DATABASE: demo_build.database}
    assert run(command, "--config", str(own), "--json", **where).returncode == 0
    for both in (("--profile", "btc_live", "--config", str(own)), ()):
        done = run(command, *both, **where)
        assert done.returncode != 0
        assert "one of them" in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"symbols": ["SOL"]}, "BTC, ETH"),
        ({"symbols": ["ETH", "SOL"]}, "BTC, ETH"),
        ({"exits": {"stop_atr": -1}}, "exits.stop_atr"),
        ({"extends": "nope"}, "extends"),
        ({"regime": {"classifier": "kmeans", "fit_window": "rolling"}}, "fitted"),
    ],
)
def test_an_unbuilt_profile_that_a_build_would_refuse_is_refused(
    demo_build, run, tmp_path, changes, word
):
    own = tmp_path / "own.json"
    own.write_text(json.dumps({"profile": "own", "extends": "btc_live"} | changes))
    done = run("replay", "--config", str(own), **{DATABASE: demo_build.database})
    assert done.returncode == 2
    assert word in done.stderr


UNDECIDED = {
    "asset": "ETH",
    "fusion": {
        "entry_threshold_confidence": 0.4,
        "weights": {"wyckoff": 0.4, "liquidity": 0.3, "momentum": 0.3},
    },
    "exits": {"tp1_r": 1.0},
}


def test_a_migration_that_leaves_a_decision_writes_nothing_unless_accepted(
    run, configs, tmp_path
):
    old = tmp_path / "old.json"
    old.write_text(json.dumps(UNDECIDED))
    before = files_of(configs)
    command = ("config", "migrate", str(old), "--base", "btc_live", "--name", "own")
    done = run(*command)
    assert done.returncode == 1, done.stdout
    assert "--accept" in done.stderr
    assert "nothing was written" in done.stdout
    assert files_of(configs) == before
    assert run(*command, "--dry-run").returncode == 1
    assert run(*command, "--dry-run", "--accept").returncode == 0
    assert files_of(configs) == before
    accepted = run(*command, "--accept", "--json")
    assert accepted.returncode == 0, accepted.stderr
    said = json.loads(accepted.stdout)
    assert complete(said["profile"]) == check_profile(configs / "own.json")[0]
