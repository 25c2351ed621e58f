"""Legacy configs become sound profiles, and every key of theirs is accounted for."""

import copy
import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from barsieve.core.errors import InputError
from barsieve.profiles.check import check_document, check_profile
from barsieve.profiles.diff import differences, dotted, leaves
from barsieve.profiles.legacy import keys
from barsieve.profiles.legacy.base import DEFAULT_BASE, load_base
from barsieve.profiles.legacy.migrate import migrate
from barsieve.profiles.legacy.rows import (
    CARRIED,
    DECISION,
    NO_EFFECT,
    NORMALISED,
    RENAMED,
    STATUSES,
)
from barsieve.profiles.legacy.weights import LEGACY_DOMAINS as DOMAINS
from barsieve.profiles.resolution import resolve
from barsieve.profiles.schema import load_schema
from command_line import barsieve
from conftest import PROJECT

SHIPPED = PROJECT / "configs"
BASE = load_base(str(SHIPPED / f"{DEFAULT_BASE}.json"))
SCHEMA = load_schema("profile")

# A legacy key for each setting that v1.8 had, written down apart from the rules.
LEGACY_KEYS = {
    "symbols": "asset",
    "weights.wyckoff": "fusion.weights.wyckoff",
    "weights.liquidity": "fusion.weights.hob",
    "weights.smc": "fusion.weights.smc",
    "weights.momentum": "fusion.weights.momentum",
    "weights.temporal": "fusion.weights.temporal",
    "entry.entry_threshold": "fusion.entry_threshold_confidence",
    "entry.alignment_required": "mtf.require_alignment",
    "entry.atr_rank_floor": "safety.atr_floor_percentile",
    "entry.atr_rank_cap": "safety.atr_cap_percentile",
    "entry.loss_streak_trades": "safety.loss_streak_threshold",
    "entry.veto_limit": "context.macro_veto_threshold",
    "exits.stop_atr": "pnl_tracker.stop_buffer_multiplier",
    "exits.target_r": "pnl_tracker.r_multiple_target",
    "exits.partial_at_r": "pnl_tracker.exits.scale_out_rr",
    "exits.partial_share": "pnl_tracker.exits.scale_out_pct",
    "exits.trail_atr": "pnl_tracker.exits.trail_atr_mult",
    "exits.volume_trap_z": "pnl_tracker.exits.liquidity_z_min",
    "exits.time_stop_bars": "pnl_tracker.exits.max_bars_in_trade",
    "exits.vix_exit": "pnl_tracker.exits.vix_exit_level",
    "exits.macro_exit_veto": "pnl_tracker.exits.macro_exit_threshold",
    "risk.leverage": "pnl_tracker.leverage",
    "risk.margin_cap": "pnl_tracker.max_margin_util",
    "costs.fees_bps": "pnl_tracker.fees_bps",
    "costs.slippage_bps": "pnl_tracker.slippage_bps",
    "screen.candidate_window_bars": "batch_mode.candidate_window_bars",
}
SMALL = {
    "asset": "ETH",
    "fusion": {
        "entry_threshold_confidence": 0.6,
        "weights": {"wyckoff": 0.4, "liquidity": 0.2, "smc": 0.2, "momentum": 0.2},
    },
    "pnl_tracker": {"leverage": 3},
}


def put(document: dict, key: str, value: object) -> dict:
    *sections, last = key.split(".")
    holder = document
    for section in sections:
        holder = holder.setdefault(section, {})
    holder[last] = value
    return document


def at(document: dict, key: str) -> object:
    return keys.value_at(document, tuple(key.split(".")))


def as_legacy(profile: dict) -> dict:
    document: dict = {}
    for ours, theirs in LEGACY_KEYS.items():
        value = copy.deepcopy(at(profile, ours))
        put(document, theirs, value[0] if ours == "symbols" else value)
    return document


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("legacy")


def migrated(folder: Path, document: object, **options):
    old = folder / "old.json"
    old.write_text(json.dumps(document))
    return migrate(old, options.pop("name", "made"), BASE, **options)


def row_of(migration, key: str):
    (row,) = [row for row in migration.rows if row.key == key]
    return row


def assert_accounted_for(migration, document: dict) -> None:
    """Every leaf is in one row; every key of the profile is taken or added, once."""
    expected = [(path, value) for path, value in leaves(document)]
    assert [(row.path, row.value) for row in migration.rows] == expected
    assert len({row.key for row in migration.rows}) == len(expected)
    assert {row.status for row in migration.rows} <= set(STATUSES)
    taken = [key for row in migration.rows for key in row.to]
    added = [added.key for added in migration.added]
    ours = [dotted(path) for path, _ in leaves(migration.profile)]
    assert Counter(taken + added) == Counter(ours)
    for row in migration.rows:
        assert row.status in (NO_EFFECT, DECISION, CARRIED, NORMALISED) or row.to
        assert not row.to or row.status in (CARRIED, RENAMED, NORMALISED)
        assert row.to or row.note, f"{row.key} went without a word"
        for key in row.to:
            assert at(migration.profile, key) == row.written
            if row.status in (CARRIED, RENAMED):
                is_list = key == "symbols"
                assert row.written == ([row.value] if is_list else row.value)


# A legacy file has a weight for each of the five domains, and learns neither exits nor
# sizes.
LEGACY = [
    path.stem
    for path in sorted(SHIPPED.glob("*.json"))
    if set(DOMAINS) <= set((document := resolve(path).document)["weights"])
    and document["exits"]["learned_model"] is None
    and document["sizing"]["kind"] == "legacy"
]


INHERITED = ("regime", "learned", "swept", "screen")


@pytest.mark.parametrize("name", LEGACY)
def test_a_shipped_profile_written_the_legacy_way_comes_back(folder, name):
    profile = resolve(SHIPPED / f"{name}.json").document
    base = load_base(str(SHIPPED / f"{name}.json"))
    old = folder / "shipped.json"
    old.write_text(json.dumps(as_legacy(profile)))
    assert migrate(old, name, base).profile == profile
    if profile["screen"]["method"] == "admissible":
        # A legacy file knows neither regimes nor learning: they are the base's.
        ours = {key: BASE.profile[key] for key in INHERITED}
        assert migrate(old, name, BASE).profile == profile | ours


def number_in(setting: dict) -> st.SearchStrategy:
    low = setting.get("minimum", setting.get("exclusiveMinimum", -50))
    high = setting.get("maximum", setting.get("exclusiveMaximum", 1000))
    if setting["type"] == "integer":
        return st.integers(low, high)
    is_open = "exclusiveMinimum" in setting, "exclusiveMaximum" in setting
    return st.floats(low, high, exclude_min=is_open[0], exclude_max=is_open[1])


@st.composite
def profiles(draw) -> dict:
    """Profiles that pass the checks, their legacy settings drawn."""
    profile = copy.deepcopy(BASE.profile) | {"profile": "made"}
    for ours in LEGACY_KEYS:
        section, _, key = ours.partition(".")
        if section in ("symbols", "weights"):
            continue
        setting = SCHEMA["properties"][section]["properties"][key]
        value = st.booleans() if setting["type"] == "boolean" else number_in(setting)
        profile[section][key] = draw(value)
    raw = draw(st.lists(st.integers(0, 100), min_size=5, max_size=5).filter(any))
    shares = [value / sum(raw) for value in raw]
    profile["weights"] = dict(zip(DOMAINS, shares, strict=True))
    assume(not check_document(Path("made.json"), profile))
    return profile


@pytest.mark.slow
@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[
        HealthCheck.function_scoped_fixture, HealthCheck.filter_too_much,
        HealthCheck.too_slow,
    ],
)  # fmt: skip
@given(profile=profiles())
def test_any_profile_written_the_legacy_way_comes_back(folder, profile):
    document = as_legacy(profile)
    migration = migrated(folder, document)
    assert migration.profile == profile
    assert_accounted_for(migration, document)


ODD_KEYS = st.text(max_size=6) | st.sampled_from(
    ["a.b", "fusion.weights.wyckoff", "", "_note", "description", "hob", "leverage"]
)
SCALARS = (
    st.none() | st.booleans() | st.integers(-5, 120) | st.floats(0, 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(["ETH", "btc", "atr", "fusion_only", "", "5x", "🐂"])
)  # fmt: skip
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(ODD_KEYS, inner, max_size=3)
    ),
    max_leaves=4,
)
KNOWN_KEYS = sorted(
    {rule.replace("*", "extra") for rule in (*keys.RULES, *keys.WITHOUT_PNL_TRACKER)}
    | {f"fusion.weights.{name}" for name in (*keys.WEIGHT_NAMES, "macro", "volume")}
    | {"domains.smc.weight", "weights.smc", "fusion.domain_weights.macro_context"}
)


def assert_says_enough(error: InputError, file: Path) -> None:
    assert error.problems
    for problem in error.problems:
        assert problem.file.startswith(str(file))
        assert all((problem.expected, problem.found, problem.fix)), problem


@st.composite
def legacy_documents(draw) -> dict:
    """Documents with a legacy shape, and anything at all in some of their places."""
    document = copy.deepcopy(SMALL) if draw(st.booleans()) else {}
    for key in draw(st.lists(st.sampled_from(KNOWN_KEYS), max_size=12, unique=True)):
        sane = st.sampled_from([0.5, 2, 20, True, 22.0, 0.02, "atr", "fusion_only"])
        value = draw(sane | ANYTHING)
        sections = key.split(".")[:-1]
        if all(
            isinstance(at(document, ".".join(sections[: n + 1])) or {}, dict)
            for n in range(len(sections))
        ):
            put(document, key, value)
    return document | draw(st.dictionaries(ODD_KEYS, ANYTHING, max_size=2))


@pytest.mark.slow
@settings(
    max_examples=300,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(document=legacy_documents(), symbol=st.sampled_from(["ETH", None]))
def test_a_migration_is_sound_and_whole_or_refused_in_words(folder, document, symbol):
    try:
        migration = migrated(folder, document, symbol=symbol)
    except InputError as error:
        assert_says_enough(error, folder / "old.json")
        return
    assert migrated(folder, document, symbol=symbol) == migration
    assert_accounted_for(migration, document)
    made = folder / "made.json"
    made.write_text(json.dumps(migration.profile))
    assert check_profile(made) == (migration.profile, [])
    assert json.loads((folder / "old.json").read_text()) == document


@settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    given_weights=st.dictionaries(
        st.sampled_from(sorted(keys.WEIGHT_NAMES)),
        st.floats(0.01, 100) | st.integers(0, 100),
        min_size=1,
    ).filter(lambda weights: sum(weights.values()) > 0)
)
def test_weights_keep_their_proportions_and_sum_to_one(folder, given_weights):
    document = put(copy.deepcopy(SMALL), "fusion.weights", given_weights)
    document["fusion"]["entry_threshold_confidence"] = 0.5
    old = {keys.WEIGHT_NAMES[name]: value for name, value in given_weights.items()}
    if "liquidity" in given_weights:
        old["liquidity"] = given_weights["liquidity"]
    total = sum(old.values())
    if total == 0:
        # `hob` has a weight, but `liquidity` stands beside it and weighs nothing.
        with pytest.raises(InputError, match="sum to over 0"):
            migrated(folder, document)
        return
    weights = migrated(folder, document).profile["weights"]
    assert sum(weights.values()) == pytest.approx(1, abs=1e-9)
    for domain in DOMAINS:
        assert weights[domain] == pytest.approx(old.get(domain, 0) / total, abs=1e-9)


def test_every_rule_leads_to_a_key_that_there_is():
    ours = {dotted(path) for path, _ in leaves(BASE.profile)}
    shared = {dotted(path) for path, _ in leaves(BASE.macro_signals)}
    for key, rule in keys.RULES.items():
        if isinstance(rule, keys.Carried):
            assert set(rule.to) <= ours, key
        if isinstance(rule, keys.Shared):
            assert set(rule.to) <= shared, key
        if isinstance(rule, keys.Switched):
            assert rule.switch.split(".")[0] == key.split(".")[0], key


@pytest.mark.parametrize(
    ("key", "value", "status", "to", "written"),
    [
        ("pnl_tracker.fees_bps", 7.5, CARRIED, "costs.fees_bps", 7.5),
        ("fusion.entry_threshold", 0.6, DECISION, None, None),
        ("safety.atr_floor_percentile", 20, NORMALISED, "entry.atr_rank_floor", 0.2),
        ("pnl_tracker.exits.scale_out_pct", 50, NORMALISED, "exits.partial_share", 0.5),
        ("batch_mode.candidate_window_bars", 9.0, CARRIED,
         "screen.candidate_window_bars", 9),
        ("pnl_tracker.exits.adx_trend_hi", 25, CARRIED, None, None),
        ("pnl_tracker.exits.adx_trend_hi", 30, DECISION, None, None),
        ("pnl_tracker.exits.enable_partial", 1, DECISION, None, None),
        ("context.vix_regime_switch_threshold", 22, CARRIED, None, None),
        ("context.vix_regime_switch_threshold", 25, DECISION, None, None),
        ("context.btc_dominance_threshold", 0.6, NORMALISED, None, None),
        ("context.crisis_fuse.enabled", True, NO_EFFECT, None, None),
        ("exits.atr_k", 1.0, NO_EFFECT, None, None),
        ("risk.base_risk_pct", 0.075, NO_EFFECT, None, None),
        ("pnl_tracker.position_sizing.max_risk_per_trade", 0.05, NO_EFFECT, None, None),
        ("temporal.bonus_cap", 0.15, NO_EFFECT, None, None),
        ("events", {"calendar_enabled": True}, DECISION, None, None),
        ("fusion.weights.volume", 0.2, DECISION, None, None),
        ("fusion.weights.macro", 0.2, NO_EFFECT, None, None),
        ("fusion.weights.hob", 0.3, DECISION, None, None),
        ("fusion.mystery", 1, DECISION, None, None),
        ("mystery", {}, NO_EFFECT, None, None),
        ("version", "1.8.6", NO_EFFECT, None, None),
    ],
)  # fmt: skip
def test_what_becomes_of_a_key(folder, key, value, status, to, written):
    document = put(copy.deepcopy(SMALL), key, value)
    name = (
        key
        if not value or not isinstance(value, dict)
        else f"{key}.{next(iter(value))}"
    )
    row = row_of(migrated(folder, document), name)
    assert (row.status, row.to) == (status, (to,) if to else ())
    assert row.written == written


def test_without_a_pnl_tracker_the_old_exits_need_a_decision(folder):
    document = copy.deepcopy(SMALL) | {"exits": {"atr_k": 1.0, "trail_atr_k": 1.2}}
    assert row_of(migrated(folder, document), "exits.atr_k").status == NO_EFFECT
    del document["pnl_tracker"]
    migration = migrated(folder, document)
    assert row_of(migration, "exits.atr_k").status == DECISION
    assert row_of(migration, "exits.trail_atr_k").status == NO_EFFECT


def test_a_domain_that_the_old_file_lacks_weighs_nothing(folder):
    migration = migrated(folder, SMALL)
    assert migration.profile["weights"]["temporal"] == 0
    (added,) = [row for row in migration.added if row.key == "weights.temporal"]
    assert added.source == "no weight in the old file"
    others = {
        row.source for row in migration.added if not row.key.startswith("weights")
    }
    assert others == {"its name", DEFAULT_BASE}


def test_the_symbol_is_the_one_that_is_asked_for(folder):
    migration = migrated(folder, SMALL, symbol="BTC")
    assert migration.profile["symbols"] == ["BTC"]
    assert row_of(migration, "asset").written == ["BTC"]
    lower = migrated(folder, SMALL | {"asset": "eth"})
    assert (lower.profile["symbols"], row_of(lower, "asset").status) == (
        ["ETH"],
        NORMALISED,
    )
    with pytest.raises(InputError, match="--symbol"):
        migrated(folder, {"fusion": SMALL["fusion"]})


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "valid JSON"),
        ("", "an empty file"),
        ('{"asset": "ETH", "asset": "BTC"}', "'asset'"),
        ("[1, 2]", "an object"),
        ("{}", "an object with settings"),
        ('{"asset": "ETH", "fusion": 5}', "a section"),
        ('{"asset": {"name": "ETH"}}', "key 'asset'"),
        ('{"asset": 5}', "key 'asset'"),
        ('{"asset": "ETH", "pnl_tracker": {"leverage": "5x"}}', "pnl_tracker.leverage"),
        ('{"asset": "ETH", "pnl_tracker": {"leverage": true}}', "pnl_tracker.leverage"),
        ('{"asset": "ETH", "pnl_tracker": {"leverage": null}}', "pnl_tracker.leverage"),
        ('{"asset": "ETH", "pnl_tracker": {"leverage": 500}}', "125"),
        ('{"asset": "ETH", "pnl_tracker": {"leverage": NaN}}', "a finite number"),
        ('{"asset": "ETH", "fusion": {"weights": {"smc": -1}}}', "not negative"),
        ('{"asset": "ETH", "fusion": {"weights": {"smc": 0}}}', "sum to over 0"),
        ('{"asset": "ETH", "fusion": {"weights": {"wyckoff": 1}}}', "can reach"),
        ('{"asset": "ETH", "mtf": {"require_alignment": "yes"}}', "boolean"),
        (json.dumps(BASE.profile), "a profile already"),
    ],
)
def test_a_bad_file_is_refused_in_words(tmp_path, text, words):
    old = tmp_path / "old.json"
    old.write_text(text)
    with pytest.raises(InputError, match=words) as refused:
        migrate(old, "made", BASE)
    assert all(problem.file.startswith(str(old)) for problem in refused.value.problems)


def test_odd_keys_have_names_of_their_own():
    odd = {"a.b": 1, "a": {"b": 2}, "": {"": 3}, "\x1b[31m": 4, '"a.b"': 5, "a\\": 6}
    names = [dotted(path) for path, _ in leaves(odd)]
    assert len(set(names)) == len(names) == 6
    assert all(name.isprintable() for name in names)


@given(a=st.dictionaries(ODD_KEYS, ANYTHING), b=st.dictionaries(ODD_KEYS, ANYTHING))
@settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow])
def test_a_difference_is_seen_from_both_sides(a, b):
    there, back = differences(a, b), differences(b, a)
    assert {(d.key, d.only_in) for d in there} == {
        (d.key, {"a": "b", "b": "a"}.get(d.only_in)) for d in back
    }
    assert differences(a, copy.deepcopy(a)) == []
    if not there:
        assert a == b


@pytest.fixture
def old(tmp_path) -> Path:
    path = tmp_path / "My Old-Config.json"
    path.write_text(json.dumps(SMALL))
    return path


def test_migrate_writes_a_profile_that_passes_and_overwrites_nothing(old, tmp_path):
    to = tmp_path / "eth_mine.json"
    done = barsieve("config", "migrate", str(old), "--to", str(to))
    assert (done.returncode, done.stderr) == (0, "")
    for words in (DEFAULT_BASE, "renamed", "carried over", str(to)):
        assert words in done.stdout
    assert json.loads(to.read_text())["profile"] == "eth_mine"
    assert barsieve("config", "check", str(to)).returncode == 0
    before = to.read_bytes()
    again = barsieve("config", "migrate", str(old), "--to", str(to), "--symbol", "BTC")
    assert again.returncode == 1
    assert "--force" in again.stderr
    assert to.read_bytes() == before
    forced = barsieve(
        "config", "migrate", str(old), "--to", str(to), "--symbol", "BTC", "--force",
        "--json",
    )  # fmt: skip
    said = json.loads(forced.stdout)
    assert said["profile"] == json.loads(to.read_text())
    assert said["profile"]["symbols"] == ["BTC"]
    assert '"symbols": ["BTC"],\n' in to.read_text()
    assert {row["status"] for row in said["keys"]} <= set(STATUSES)


def test_migrate_writes_to_the_configs_by_default_under_a_sound_name(old, tmp_path):
    configs = tmp_path / "configs"
    configs.mkdir()
    run = ("config", "migrate", str(old), "--base", str(SHIPPED / "btc_live.json"))
    dry = barsieve(*run, "--dry-run", BARSIEVE_CONFIGS=configs)
    assert dry.returncode == 0, dry.stderr
    assert "nothing was written" in dry.stdout
    assert list(configs.iterdir()) == []
    done = barsieve(*run, BARSIEVE_CONFIGS=configs)
    assert done.returncode == 0, done.stderr
    assert [path.name for path in configs.iterdir()] == ["my_old_config.json"]


def test_configs_need_no_project_when_every_file_is_named(old, tmp_path):
    base = str(SHIPPED / "btc_live.json")
    to = str(tmp_path / "made.json")
    for arguments in (
        ("migrate", str(old), "--base", base, "--to", to),
        ("check", to),
        ("diff", base, base),
        ("schema",),
    ):
        done = subprocess.run(
            [sys.executable, "-m", "barsieve", "config", *arguments],
            cwd=tmp_path, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert (done.returncode, done.stderr) == (0, "")
    done = subprocess.run(
        [sys.executable, "-m", "barsieve", "config", "migrate", str(old)],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "run this in the project folder" in done.stderr


def test_migrate_warns_of_a_market_without_the_symbol(old, tmp_path):
    run = ("config", "migrate", str(old), "--dry-run", "--symbol", "DOGE")
    done = barsieve(*run)
    assert done.returncode == 0
    assert "no bars of DOGE (BTC, ETH)" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--name", "a", "--to", "b.json"), "expected the file a.json"),
        (("--name", "Not A Name", "--dry-run"), "'profile'"),
        (("--base", "nope", "--dry-run"), "btc_live"),
        (("--to", "/nowhere/x.json"), "make the folder"),
    ],
)
def test_migrate_refuses_bad_options_in_words(old, arguments, words):
    done = barsieve("config", "migrate", str(old), *arguments)
    assert done.returncode in (1, 2)
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_config_check_names_what_is_wrong_and_points_to_migrate(old, tmp_path):
    assert "sound: configs" in barsieve("config", "check").stdout
    legacy = barsieve("config", "check", str(old))
    assert legacy.returncode == 1
    assert legacy.stderr.count("\n") == 1
    assert "barsieve config migrate" in legacy.stderr
    bad = tmp_path / "bad.json"
    bad.write_text(json.dumps(BASE.profile | {"profile": "bad", "hob": 1}))
    done = barsieve("config", "check", str(bad), "--json")
    assert done.returncode == 1
    assert [problem["where"] for problem in json.loads(done.stdout)] == [
        "unknown key 'hob'"
    ]


def test_config_diff_ends_like_diff(tmp_path):
    same = barsieve("config", "diff", "btc_live", str(SHIPPED / "btc_live.json"))
    assert (same.returncode, same.stderr) == (0, "")
    differ = barsieve("config", "diff", "btc_live", "eth_sentinel", "--json")
    assert differ.returncode == 1
    rows = {row["key"]: row for row in json.loads(differ.stdout)}
    assert (rows["symbols"]["a"], rows["symbols"]["b"]) == (["BTC"], ["ETH"])
    assert rows["parity.trades_tolerance"]["a"] is None
    missing = barsieve("config", "diff", "btc_live", "nope")
    assert missing.returncode == 2
    assert "eth_sentinel" in missing.stderr


def test_config_schema_lists_every_key_and_gives_the_schema_itself():
    assert json.loads(barsieve("config", "schema", "--json").stdout) == SCHEMA
    listed = barsieve("config", "schema").stdout
    for path, _ in leaves(BASE.profile):
        # Weights have the names of domains, of which the schema knows none.
        key = "weights" if path[0] == "weights" else dotted(path)
        assert f" {key} " in listed or key == "screen.envelope"
    assert " screen.envelope.gates.veto_limit " in listed
    kinds = {
        line.split()[0]: line for line in listed.splitlines() if "list of text" in line
    }
    assert {"symbols", "entry.sentinels", "macro_signals"} <= set(kinds)
    assert "or null" in kinds["entry.sentinels"]
    assert "or null" not in kinds["symbols"]
