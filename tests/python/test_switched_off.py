"""Exits switched off, and sides not traded: the same as what nothing reaches."""

from pathlib import Path

import numpy as np
import pytest

import barsieve as bs
from barsieve.core.errors import InputError
from barsieve.core.model_lists import model_lists
from barsieve.profiles.check import check_document
from barsieve.profiles.findings import profile_findings
from barsieve.profiles.overrides import apply, parse
from barsieve.profiles.resolution import resolve
from barsieve.profiles.rules import DEFAULTS, NEVER, OFF, as_rule
from barsieve.profiles.schema import settings
from barsieve.profiles.settings import Profile, with_boxes
from barsieve.replay.state import FLAT, LONG, REASONS, SHORT
from barsieve.signals.market import domains_of
from barsieve.sweep.figures import FIGURES
from barsieve.sweep.grids import expand
from barsieve.sweep.run import Rooms, configs_table, measure_chunk, prepare
from conftest import PROJECT
from replay_cases import RULES, random_bars, run, same_bits

SIDES = {"both": FLAT, "long": LONG, "short": SHORT}
# Setting: its exit, and what no market of these tests reaches.
SWITCHES = {
    "target_r": ("target", 1e9),
    "partial_at_r": ("break_even", 1e9),
    "trail_atr": ("trail", 1e9),
    "volume_trap_z": ("volume_trap", 1e9),
    "time_stop_bars": ("time", 10**9),
    "vix_exit": ("macro", 1e9),
    "macro_exit_veto": ("macro", 1e9),
}
DOCUMENT = resolve(PROJECT / "configs/eth_comprehensive.json").document
LISTS = model_lists(PROJECT)
# Each exit has its turn.
EAGER = RULES._replace(time_stop_bars=6, partial_at_r=0.5, target_r=1.5)
MARKETS = [random_bars(np.random.default_rng(seed), 400) for seed in range(12)]


def reasons(rules) -> list[str]:
    trades = [run(bars, rules).trades for bars in MARKETS]
    return [REASONS[t.exit_reason] for ledger in trades for t in ledger]


@pytest.mark.parametrize("setting", SWITCHES)
def test_an_exit_that_is_off_is_one_that_nothing_reaches(setting):
    reason, unreachable = SWITCHES[setting]
    others = {"vix_exit": OFF} if setting == "macro_exit_veto" else {}
    others |= {"macro_exit_veto": OFF} if setting == "vix_exit" else {}
    rules = EAGER._replace(**others)
    off = rules._replace(**{setting: as_rule(setting, None)})
    far = rules._replace(**{setting: unreachable})
    for bars in MARKETS:
        ours, theirs = run(bars, off), run(bars, far)
        for name in ("legs", "trades", "stops"):
            assert getattr(ours, name).tobytes() == getattr(theirs, name).tobytes()
    assert reason in reasons(rules)
    assert reason not in reasons(off)


@pytest.mark.parametrize("side", ["long", "short"])
def test_a_side_that_is_not_traded_is_a_side_that_never_was(side):
    rules = EAGER._replace(sides=as_rule("sides", side))
    n_trades, n_both = 0, 0
    for bars in MARKETS:
        silent = bars.copy()
        silent.side[silent.side == -SIDES[side]] = FLAT
        ledger = run(bars, rules)
        assert same_bits(ledger, run(silent, EAGER))
        assert set(ledger.trades.side) <= {SIDES[side]}
        n_trades += len(ledger.trades)
        n_both += len(run(bars, EAGER).trades)
    assert 0 < n_trades < n_both
    assert "reversal" in reasons(EAGER)
    assert "reversal" not in reasons(rules)


def test_what_is_off_keeps_the_types_that_the_step_was_compiled_for():
    off = Profile.from_row(
        DEFAULTS._asdict()
        | {s.column: None for s in settings() if s.is_nullable}
        | {
            "profile": "p",
            "symbol": "ETH",
            "account": "ETH",
            "start_balance": 1.0,
            "screen": "admissible",
        }
    ).rules
    assert [type(value) for value in off] == [type(value) for value in DEFAULTS]
    assert off.time_stop_bars == NEVER
    assert np.isnan(off.target_r)


@pytest.mark.parametrize("setting", SWITCHES)
def test_null_is_set_for_one_replay_as_in_a_file(setting):
    made = apply(DOCUMENT, parse([f"exits.{setting}=null"]), LISTS)
    assert made["exits"][setting] is None
    assert check_document(Path("made.json"), made) == []
    assert profile_findings(made) is not None


@pytest.mark.parametrize(
    "key", ["exits.stop_atr", "exits.partial_share", "entry.sides"]
)
def test_what_cannot_be_off_is_refused(key):
    with pytest.raises(InputError, match=key):
        apply(DOCUMENT, parse([f"{key}=null"]), LISTS)


@pytest.fixture
def base(demo) -> dict:
    """The row of a profile that grids are over."""
    rows = with_boxes(demo.table("config_symbols"), demo.table("config_weights"))
    return next(row for row in rows if row["profile"] == "btc_live")


def grid_of(demo, base, **choices):
    """Return a grid of these values over a profile's own weights."""
    rows = [
        {"grid": "g", "setting": name, "method": "values", "choices": text}
        for name, text in choices.items()
    ]
    domains = domains_of(demo.table("sweep_bars").columns)
    return expand("g", rows, base, domains)


def test_a_grid_may_switch_an_exit_off(demo, base):
    grid = grid_of(demo, base, target_r="2 null", time_stop_bars="96 null")
    assert np.isnan(grid.configs.target_r).tolist() == [False, False, True, True]
    assert grid.configs.time_stop_bars.tolist() == [96, NEVER] * 2
    with pytest.raises(InputError, match="it cannot be switched off"):
        grid_of(demo, base, stop_atr="2 null")


def test_a_grid_over_a_base_without_an_exit_leaves_it_out(demo, base):
    base |= {"target_r": None, "time_stop_bars": None, "vix_exit": None}
    grid = grid_of(demo, base, entry_threshold="0.6 0.65")
    sweep = prepare(
        demo.table("sweep_bars"), demo.table("regimes"), base, base["symbol"], grid
    )
    table = configs_table(sweep)
    assert table["target_r"].null_count == table["time_stop_bars"].null_count == 2
    assert table["stop_atr"].to_pylist() == [2.0, 2.0]
    figures, _ = measure_chunk(sweep, Rooms(sweep), range(2))
    assert figures[:, 0, FIGURES.index("trades")].min() > 0


def test_every_shipped_profile_trades_both_sides():
    for path in sorted((PROJECT / "configs").glob("*.json")):
        assert resolve(path).document["entry"]["sides"] == "both"


@pytest.mark.slow
def test_a_sweep_that_varies_macro_exits_screens_for_the_most_permissive(demo_build):
    """Each configuration of the grid trades as its own replay, every bar of it."""
    database = bs.open(demo_build.database)
    grid = {
        "exits.vix_exit": [20.0, None], "exits.macro_exit_veto": [0.3, None],
        "exits.volume_trap_z": [1.3, None], "exits.time_stop_bars": [96, None],
    }  # fmt: skip
    rows = database.sweep("btc_live", grid).table().to_pylist()
    assert len(rows) == 16
    assert len({row["net_pnl"] for row in rows}) > 4
    for row in rows:
        run = database.replay(
            "btc_live", set={key: row[key.partition(".")[2]] for key in grid}
        )
        assert run.metrics["trades"] == row["trades"] > 0
        assert run.metrics["net_pnl"] == pytest.approx(row["net_pnl"], rel=1e-9)
