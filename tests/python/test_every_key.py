"""Every key of a config changes something when it is changed; none is decoration."""

import copy
import json
import shutil
from pathlib import Path

import pyarrow as pa
import pytest

from barsieve.analysis.session import (
    built_document,
    change,
    put_profile,
    put_runs,
    read,
)
from barsieve.core.errors import InputError
from barsieve.core.model_lists import model_lists
from barsieve.database.connect import connect_to
from barsieve.database.overlay import Scratch
from barsieve.profiles.check import check_profile
from barsieve.profiles.overrides import apply, changed
from barsieve.profiles.schema import leaves, load_schema
from barsieve.replay.runs import FOCUSED, FULL, replay
from compiled_project import CompiledProject
from conftest import PROJECT

pytestmark = pytest.mark.slow

LISTS = model_lists(PROJECT)

MARKET = PROJECT / "data/demo"
BASES = {
    "admissible": {},
    "alike": {},
    "sentinel": {
        "screen.method": "sentinel",
        "parity": {
            "promise": "within",
            "trades_tolerance": 0.5,
            "win_rate_tolerance": 0.5,
        },
    },
    "enveloped": {"screen.envelope": {"weights": {}, "gates": {}}},
    "any_veto": {"screen.envelope": {"weights": {}, "gates": {"veto_limit": 1.0}}},
    # Without the signals that veto a high VIX as well.
    "of_few_signals": {
        "macro_signals": ["usdt_flight"],
        "screen.envelope": {"weights": {}, "gates": {}},
    },
    "of_constant_size": {"sizing.kind": "constant"},
    "of_volatility": {"sizing.kind": "volatility"},
    "throttled": {"sizing.kind": "drawdown"},
    "of_kelly": {"sizing.kind": "kelly"},
    "of_a_model": {"exits.learned_model": "boosting", "exits.learned_below_r": 0.0},
    "hasty": {"exits.time_stop_bars": 3},
    "boxed": {
        "screen.envelope": {"weights": {"momentum": [0.2, 0.5]}},
        "regime.classifier": "hmm",
    },
    "margin_bound": {"risk.margin_cap": 0.05},
    "shifted": {"regime.classifier": "hmm"},
    "of_two": {"symbols": ["BTC", "ETH"]},
    "of_one_wallet": {"symbols": ["BTC", "ETH"], "wallet.kind": "shared"},
}
# Key: which base it is changed from, and everything that is set.
CHANGES = {
    "symbols": ("admissible", {"symbols": ["BTC"]}),
    "learned": ("boxed", {"learned": True}),
    "weights": (
        "admissible",
        {"weights": {"wyckoff": 0.4, "liquidity": 0.3, "momentum": 0.3}},
    ),
    "macro_signals": ("admissible", {"macro_signals": ["vix_risk_off"]}),
    "entry.sentinels": ("admissible", {"entry.sentinels": ["volume_spike"]}),
    "screen.sentinels": ("sentinel", {"screen.sentinels": ["sma_50_cross"]}),
    "entry.entry_threshold": ("admissible", {"entry.entry_threshold": 0.6}),
    "entry.cadence": ("admissible", {"entry.cadence": "1h"}),
    "entry.sides": ("admissible", {"entry.sides": "long"}),
    "entry.alignment_required": ("admissible", {"entry.alignment_required": False}),
    "entry.atr_rank_floor": ("admissible", {"entry.atr_rank_floor": 0.5}),
    "entry.atr_rank_cap": ("admissible", {"entry.atr_rank_cap": 0.6}),
    "entry.veto_limit": ("admissible", {"entry.veto_limit": 0.1}),
    "entry.loss_streak_trades": ("admissible", {"entry.loss_streak_trades": 1}),
    "entry.loss_streak_shift": ("admissible", {"entry.loss_streak_shift": 0.2}),
    "entry.cooldown_bars": ("admissible", {"entry.cooldown_bars": 30}),
    "entry.max_gap_hours": ("admissible", {"entry.max_gap_hours": 48}),
    "regime.classifier": ("shifted", {"regime.classifier": "kmeans"}),
    "regime.fit_window": ("shifted", {"regime.fit_window": "rolling"}),
    "regime.reference_symbol": ("shifted", {"regime.reference_symbol": "ETH"}),
    "exits.stop_atr": ("admissible", {"exits.stop_atr": 3.0}),
    "exits.target_r": ("admissible", {"exits.target_r": 1.2}),
    "exits.partial_at_r": ("admissible", {"exits.partial_at_r": 0.3}),
    "exits.partial_share": ("admissible", {"exits.partial_share": 0.9}),
    "exits.trail_atr": ("admissible", {"exits.trail_atr": 0.3}),
    "exits.volume_trap_z": ("admissible", {"exits.volume_trap_z": 5.0}),
    "exits.volume_trap_atr": ("admissible", {"exits.volume_trap_atr": 1.5}),
    "exits.time_stop_bars": ("admissible", {"exits.time_stop_bars": 3}),
    "exits.vix_exit": ("admissible", {"exits.vix_exit": 20.0}),
    "exits.macro_exit_veto": ("admissible", {"exits.macro_exit_veto": 0.1}),
    "wallet.kind": ("of_two", {"wallet.kind": "shared"}),
    "wallet.start_balance": ("admissible", {"wallet.start_balance": 5000.0}),
    "wallet.max_positions": ("of_one_wallet", {"wallet.max_positions": 1}),
    "risk.risk_min": ("admissible", {"risk.risk_min": 0.005}),
    "risk.risk_max": ("admissible", {"risk.risk_max": 0.02}),
    "risk.risk_cap": ("admissible", {"risk.risk_cap": 0.003}),
    "risk.leverage": ("margin_bound", {"risk.leverage": 1.0}),
    "risk.margin_cap": ("admissible", {"risk.margin_cap": 0.05}),
    "risk.min_notional": ("admissible", {"risk.min_notional": 3000.0}),
    "sizing.kind": ("admissible", {"sizing.kind": "constant"}),
    "sizing.risk": ("of_constant_size", {"sizing.risk": 0.01}),
    "sizing.volatility_target": ("of_volatility", {"sizing.volatility_target": 0.3}),
    "sizing.kelly_fraction": ("of_kelly", {"sizing.kelly_fraction": 1.0}),
    "exits.learned_model": ("admissible", {"exits.learned_model": "boosting"}),
    "exits.learned_below_r": ("of_a_model", {"exits.learned_below_r": -0.2}),
    "sizing.drawdown_limit": ("throttled", {"sizing.drawdown_limit": 0.5}),
    "costs.fees_bps": ("admissible", {"costs.fees_bps": 20.0}),
    "costs.slippage_bps": ("admissible", {"costs.slippage_bps": 20.0}),
    # Less than an hour: any bar comes too late.
    "wallet.delisted_after_hours": (
        "admissible",
        {"wallet.delisted_after_hours": 0.5},
    ),
    "screen.method": ("admissible", BASES["sentinel"]),
    "screen.candidate_window_bars": ("sentinel", {"screen.candidate_window_bars": 5}),
    "parity.promise": ("admissible", BASES["sentinel"]),
    "parity.trades_tolerance": ("sentinel", {"parity.trades_tolerance": 0.0}),
    "parity.win_rate_tolerance": ("sentinel", {"parity.win_rate_tolerance": 0.0}),
    "study.start": ("admissible", {"study.start": "2022-01-01T00:00:00+00:00"}),
    "study.end": ("admissible", {"study.end": "2022-01-01T00:00:00+00:00"}),
    "screen.envelope.entry_threshold": (
        "enveloped",
        {"screen.envelope.entry_threshold": 0.3},
    ),
    "screen.envelope.any_regime": ("enveloped", {"screen.envelope.any_regime": True}),
    "screen.envelope.gates.atr_rank_floor": (
        "enveloped",
        {"screen.envelope.gates.atr_rank_floor": 0.1},
    ),
    "screen.envelope.gates.atr_rank_cap": (
        "enveloped",
        {"screen.envelope.gates.atr_rank_cap": 1.0},
    ),
    "screen.envelope.gates.alignment_required": (
        "enveloped",
        {"screen.envelope.gates.alignment_required": False},
    ),
    "screen.envelope.gates.vix_exit": (
        "of_few_signals",
        {"screen.envelope.gates.vix_exit": None},
    ),
    "screen.envelope.gates.macro_exit_veto": (
        "any_veto",
        {"screen.envelope.gates.macro_exit_veto": None},
    ),
    "screen.envelope.gates.veto_limit": (
        "enveloped",
        {"screen.envelope.gates.veto_limit": 1.0},
    ),
    "screen.envelope.weights": (
        "enveloped",
        {"screen.envelope.weights": {"momentum": [0.0, 0.6]}},
    ),
}
# Of the demo's own build: a sweep is of symbols and grids, and no profile's.
SWEPT = (
    "sweep_runs",
    "sweep_configs",
    "sweep_results",
    "sweep_months",
    "sweep_regime_shares",
)
# An exit that is switched off, or the other of two choices, is a change of its own.
CHANGES |= {
    f"{key}={value}": ("admissible", {key: value})
    for key, value in {
        "exits.target_r": None, "exits.partial_at_r": None, "exits.trail_atr": None,
        "exits.volume_trap_z": None, "exits.vix_exit": None,
        "exits.macro_exit_veto": None, "entry.sides": "short",
    }.items()
}  # fmt: skip
CHANGES["exits.time_stop_bars=None"] = ("hasty", {"exits.time_stop_bars": None})
CHANGES["regime.classifier=vix_bands"] = (
    "shifted",
    {"regime.classifier": "vix_bands"},
)
# Where a difference counts: not the copy of the setting, but what follows from it.
EFFECTS = {
    "fusion_scores": "* exclude (profile, entry_threshold, weights)",
    "candidates": "* exclude (profile)",
    "candidate_windows": "* exclude (profile)",
    "replay_trades": "* exclude (profile)",
    "exit_learned": "['month', 'fitted_on']",
    "parity_summary": "['verdict']",
}


@pytest.fixture(scope="module")
def database(demo_build, tmp_path_factory) -> Path:
    """One build in which every changed profile is a profile of its own."""
    folder = tmp_path_factory.mktemp("configs")
    (folder / "shared").mkdir()
    shutil.copy(PROJECT / "configs/shared/macro_signals.json", folder / "shared")
    shipped = json.loads((PROJECT / "configs/eth_comprehensive.json").read_text())
    profiles = {f"base_{base}": changed(shipped, s) for base, s in BASES.items()}
    for number, (base, settings) in enumerate(CHANGES.values()):
        profiles[f"key_{number}"] = changed(profiles[f"base_{base}"], settings)
    for name, profile in profiles.items():
        path = folder / f"{name}.json"
        path.write_text(json.dumps(profile | {"profile": name}))
        assert not check_profile(path)[1], f"the test's own {name} is not sound"
    project = CompiledProject(demo_build)
    path = folder / "built.duckdb"
    with project.connect() as connection:
        project.run(
            connection,
            MARKET,
            folder,
            without=("evaluation", "reports"),
            at=path,
            taken=SWEPT,
        )
        project.keep_statements(connection)
        connection.execute("use memory")
        connection.execute(f"detach {project.catalog}")
    return path


@pytest.fixture
def built(database):
    """A connection that reads it."""
    with connect_to(database) as connection:
        yield connection


def test_every_key_of_the_schema_is_tried():
    tried = {key.partition("=")[0] for key in CHANGES}
    # A build sweeps for it, and no trade follows: test_sweep.py.
    asks_alone = {"profile", "swept"}
    assert set(leaves(load_schema("profile"))) == asks_alone | tried


@pytest.fixture(scope="module")
def effects(database) -> dict[str, set]:
    """What each profile came to: of each table its rows, as the sum of their hashes."""
    found: dict[str, set] = {}
    with connect_to(database) as connection:
        for table, columns in EFFECTS.items():
            sums = connection.execute(
                f"select profile, sum(hash(*columns({columns}))) from {table} "
                "group by profile"
            )
            for profile, digest in sums.fetchall():
                found.setdefault(profile, set()).add((table, digest))
    return found


@pytest.mark.parametrize("key", CHANGES)
def test_a_changed_key_changes_what_follows_from_it(effects, key):
    base, name = CHANGES[key][0], f"key_{list(CHANGES).index(key)}"
    assert effects[f"base_{base}"] != effects[name], f"nothing depends on {key}"


def test_profiles_that_say_the_same_come_to_the_same(effects):
    assert effects["base_admissible"] == effects["base_alike"]


def test_every_exact_profile_of_this_build_keeps_its_promise(built):
    verdicts = dict(
        built.execute("select profile, verdict from parity_summary").fetchall()
    )
    exact = built.execute(
        "select profile from config_profiles where parity_promise = 'exact'"
    ).fetchall()
    assert len(exact) > 40
    assert {verdicts[profile] for (profile,) in exact} == {"holds"}


def test_both_bodies_of_the_entry_rule_agree_whatever_is_set(built):
    found = built.execute(
        "select profile, count(*), list(distinct fields_that_differ) "
        "from parity_fusion group by profile having bool_or(verdict != 'identical')"
    ).fetchall()
    assert found == []
    n_profiles, n_bars = built.execute(
        "select count(distinct profile), count(*) from parity_fusion"
    ).fetchone()
    assert n_profiles > len(CHANGES)
    assert n_bars == built.execute("select count(*) from fusion_scores").fetchone()[0]


def trades_of(connection, profile: str) -> pa.Table:
    """Return the trades of a profile in both replays, but for its name."""
    return connection.sql(
        "select * exclude (profile) from replay_trades where profile = $profile "
        "order by replayed, account, trade_id",
        params={"profile": profile},
    ).to_arrow_table()


# A setting of one replay; what a build promises of itself needs the whole build.
# What is learned needs a build that learns: a replay refuses to begin with it.
DECIDES_A_TRADE = [
    key
    for key in CHANGES
    if not key.startswith("parity.") and key not in ("learned", "exits.learned_model")
]


@pytest.mark.parametrize("key", DECIDES_A_TRADE)
def test_a_replay_with_a_key_set_is_the_replay_of_a_build_that_has_it(built, key):
    base, name = f"base_{CHANGES[key][0]}", f"key_{list(CHANGES).index(key)}"
    scratch = Scratch(built, Path("built"))
    expected = trades_of(built, name)
    assert set(expected["replayed"].to_pylist()) == {FULL, FOCUSED}
    document = apply(built_document(scratch, base), CHANGES[key][1], LISTS)
    put_profile(scratch, document)
    scratch.make("candidate_windows")
    accounts = read(scratch, base)
    both = [(inputs, replayed) for inputs in accounts for replayed in (FULL, FOCUSED)]
    put_runs(scratch, [replay(*one) for one in both])
    assert trades_of(built, base).equals(expected)


def test_a_replay_cannot_begin_to_learn(built):
    scratch = Scratch(built, Path("built"))
    with pytest.raises(InputError, match="a build learns"):
        change(scratch, built_document(scratch, "base_boxed"), {"learned": True})


def macro_keys() -> list[tuple[str, str]]:
    properties = load_schema("macro_signals")["properties"]
    return [(s, key) for s, part in properties.items() for key in part["properties"]]


def test_every_macro_threshold_changes_the_signals(built):
    scratch = Scratch(built, Path("built"))
    shipped = json.loads((PROJECT / "configs/shared/macro_signals.json").read_text())
    # Of one symbol and one bar in four: each hour's signals depend on its row alone.
    some = "symbol = 'ETH' and hour(bar_ts) % 4 = 0"
    scratch.put("features", scratch.table("features").filter(some))
    shipped_signals = f"from macro_signals where {some}"
    built.execute(f"create temp table shipped_signals as {shipped_signals}")
    for signal, key in macro_keys():
        made = copy.deepcopy(shipped)
        made[signal][key] = made[signal][key] * 0.5 - 0.02
        lines = pa.table({"json": [json.dumps(made)]})
        scratch.put("configs.macro_signals", lines)
        scratch.make("macro_signals")
        n_differ = scratch.rows(
            "select count(*) as n from ("
            "((from {macro_signals}) except all (from shipped_signals)) union all "
            "((from shipped_signals) except all (from {macro_signals})))"
        )[0]["n"]
        assert n_differ > 0, f"nothing depends on {signal}.{key}"
