"""The sweep of a shared wallet: its trades and figures are those of full replays."""

import json
import shutil

import duckdb
import numpy as np
import pyarrow as pa
import pytest

import barsieve as bs
from barsieve.analysis.replay import replay_profile
from barsieve.core.arrow import rows_of
from barsieve.core.errors import InputError
from barsieve.learning.dataset import SweepTables
from barsieve.metrics.account import Marks, marks_of, nets_of, of_curve
from barsieve.metrics.performance import daily_sharpe, max_drawdown, of_results
from barsieve.profiles.resolution import complete, resolve
from barsieve.profiles.settings import ALL, Profile
from barsieve.replay.ledger import EXIT
from barsieve.replay.runs import FULL, Inputs, Part, Run, replay
from barsieve.replay.state import REASONS
from barsieve.signals.market import Market, read_market
from barsieve.sweep.configurations import pick
from barsieve.sweep.figures import FIGURES
from barsieve.sweep.grids import VARIED, expand
from barsieve.sweep.overfit import sweep_statistics
from barsieve.sweep.run import (
    Rooms,
    measure,
    measure_chunk,
    opens_of,
    prepare,
    trades_hash,
)
from barsieve.sweep.store import folder_of
from barsieve.sweep.tables import (
    base_of,
    bases_of,
    own_base,
    sweep_runs,
    tables_of,
    wallets_of,
)
from barsieve.sweep.wallets import WalletSweep, prepare_wallet, wallet_over
from command_line import barsieve
from compiled_project import CompiledProject
from conftest import PROJECT
from sweep_cases import (
    DOMAINS,
    HOUR_US,
    base_row,
    configured,
    figures_of,
    grid_of,
    random_configs,
    random_market,
    read_votes,
    signals,
    votes_of,
)
from wallet_cases import random_hours

SYMBOLS = ("BTC", "ETH")
# Of sums in another order.
CLOSE = {"rel": 1e-9, "abs": 1e-9}


def wallet_inputs(
    markets: list[Market], base: dict, after: np.ndarray, bars: np.recarray
) -> Inputs:
    """Return the inputs of a wallet's replay, as `read_inputs` lays them out."""
    edges = np.cumsum([0, *(len(market.bars) for market in markets)]).tolist()
    parts = tuple(
        Part(market.symbol, start, stop, float(hours))
        for market, start, stop, hours in zip(
            markets, edges[:-1], edges[1:], after, strict=True
        )
    )
    opens = np.concatenate([opens_of(market) for market in markets])
    stamp = pa.timestamp("us", "UTC")
    return Inputs(
        profile=Profile.from_row(base | {"symbol": ALL, "account": ALL}),
        bars=bars,
        bar_ts=pa.array(opens, stamp),
        known_at=pa.array(opens + HOUR_US, stamp),
        is_in_study=np.concatenate([market.is_in_study for market in markets]),
        entry_bars=np.empty(0, np.int64),
        parts=parts,
    )


def full_replay(
    markets: list[Market], votes: list[dict], row: dict, after: np.ndarray
) -> Run:
    """Return the full replay of a wallet, its signals by the plain formula."""
    signalled = []
    for market, own in zip(markets, votes, strict=True):
        bars = market.bars.copy()
        for name, values in signals(own, row).items():
            bars[name] = values
        bars["is_eligible"] &= market.is_in_study
        signalled.append(bars)
    bars = np.concatenate(signalled).view(np.recarray)
    bars["index"] = np.arange(len(bars))
    return replay(wallet_inputs(markets, row, after, bars), FULL)


def months_of(moments: np.ndarray) -> np.ndarray:
    """Return the calendar months of moments in µs, as folds are named."""
    return moments.astype("M8[us]").astype("M8[M]").astype(str)


def assert_figures(sweep: WalletSweep, figures: np.ndarray, run: Run) -> None:
    """Compare the figures of a configuration with those of `metrics`."""
    inputs, nets = run.inputs, nets_of(run)
    marks = marks_of([run])
    judged = np.isin(marks.bar_ts, inputs.opens[inputs.is_in_study])
    marks = Marks(*(part[judged] for part in marks))
    start, end = float(inputs.profile.start_balance), run.outcome.end_balance
    if not judged[-1]:
        end = float(marks.equity[-1])
    curve = of_curve(marks, start, end, 0.0)
    whole = dict(zip(FIGURES, figures[0], strict=True))
    known = of_results(nets) | {
        name: curve[name]
        for name in ("return_share", "sharpe", "max_drawdown", "exposure")
    }
    legs, is_funding = run.legs, run.legs.kind == 3
    known |= {
        "fees": legs.fee.sum(), "slippage": legs.slippage.sum(),
        "funding": -legs.amount[is_funding].sum(),
        "gross_pnl": legs.amount[~is_funding].sum(),
        "net_pnl": run.outcome.end_balance - start,
    }  # fmt: skip
    wins = known.pop("win_rate")
    for name, value in known.items():
        value = np.nan if value is None else value
        close = CLOSE | ({"abs": 1e-6} if name.endswith("pnl") else {})
        assert whole[name] == pytest.approx(value, nan_ok=True, **close), name
    assert whole["wins"] == pytest.approx((wins or 0) * len(nets))
    assert_months(sweep, figures[1:], run, marks, nets, end)


def assert_months(sweep, months, run: Run, marks: Marks, nets, end: float) -> None:
    """Cut the equity curve at calendar months and measure each piece."""
    start, names = float(run.inputs.profile.start_balance), months_of(marks.bar_ts)
    exits = run.booked[run.legs.kind == EXIT]
    ended = np.empty(len(run.trades), np.int64)
    ended[run.legs.trade[run.legs.kind == EXIT]] = exits
    assert set(months_of(ended)) <= set(sweep.folds)
    days = marks.bar_ts // (24 * HOUR_US)
    for fold, row in zip(sweep.folds[1:], months, strict=True):
        found = dict(zip(FIGURES, row, strict=True))
        in_month = months_of(ended) == fold
        assert found["trades"] == np.count_nonzero(in_month)
        factor = of_results(nets[in_month])["profit_factor"]
        factor = np.nan if factor is None else factor
        assert found["profit_factor"] == pytest.approx(factor, nan_ok=True, **CLOSE)
        inside = np.flatnonzero(names == fold)
        if not len(inside):
            continue
        before = max(inside[0] - 1, 0)
        carried = marks.equity[before] if inside[0] else start
        if carried <= 0:
            # A lost account has no months any more.
            continue
        piece = marks.equity[inside]
        left = end if inside[-1] == len(names) - 1 else piece[-1]
        assert found["return_share"] == pytest.approx(left / carried - 1, abs=1e-9)
        fallen = max_drawdown(np.concatenate([[carried], piece]))
        assert found["max_drawdown"] == pytest.approx(fallen, abs=1e-9)
        assert found["exposure"] == pytest.approx(marks.is_held[inside].mean())
        if marks.equity.min() > 0:
            reach = slice(before, inside[-1] + 1)
            sharpe = daily_sharpe(marks.equity[reach], days[reach])
            assert found["sharpe"] == pytest.approx(sharpe, nan_ok=True, rel=1e-6)


def shared_bases(connection, **changes) -> list[dict]:
    """Return a demo profile on both symbols, with one account for them."""
    (base,) = (b for b in tables_of(connection).bases if b["profile"] == "btc_live")
    shared = {"account": ALL, "wallet_kind": "shared", "n_symbols": 2} | changes
    return [base | shared | {"symbol": symbol} for symbol in SYMBOLS]


def wallet_of(connection, bases: list[dict], grid: str, **points) -> WalletSweep:
    tables = tables_of(connection)
    expanded = expand(grid, rows_of(tables.grids), bases[0], DOMAINS, **points)
    return prepare_wallet(tables.sweep_bars, tables.regimes, bases, expanded)


@pytest.mark.parametrize("most", [1, 2])
def test_configurations_of_a_wallet_trade_and_measure_as_their_full_replays(demo, most):
    bases = shared_bases(demo, max_positions=most)
    sweep = wallet_of(demo, bases, "sobol", n=24, seed=5)
    figures, hashes = figures_of(sweep)
    tables = tables_of(demo)
    markets = [
        read_market(tables.sweep_bars, tables.regimes, base, base["symbol"])
        for base in bases
    ]
    votes = [read_votes(demo, symbol) for symbol in SYMBOLS]
    n_together = 0
    for config, row, found in zip(sweep.grid.configs, figures, hashes, strict=True):
        run = full_replay(
            markets, votes, configured(bases[0], config), sweep.hours_after
        )
        assert trades_hash(run) == found[0]
        assert_figures(sweep, row, run)
        n_together += len(set(run.trades.symbol)) == 2
    assert n_together > 20
    assert len(set(hashes[:, 0].tolist())) > 20


def test_a_configuration_of_a_wallet_trades_as_its_settings_do_through_sql(
    demo, demo_build
):
    sweep = wallet_of(demo, shared_bases(demo), "sobol", n=2, seed=3)
    hashes = figures_of(sweep)[1][:, 0]
    for config, found in zip(sweep.grid.configs, hashes, strict=True):
        weights = dict(zip(DOMAINS, config.weights.tolist(), strict=True))
        changes = {f"weights.{name}": weight for name, weight in weights.items()}
        for key in ("entry", "exits"):
            changes |= {
                f"{key}.{name}": config[name].item()
                for name in VARIED
                if name in base_sections()[key]
            }
        changes |= {
            "entry.alignment_required": bool(config.alignment_required),
            "symbols": list(SYMBOLS),
            "wallet.kind": "shared",
        }
        report = replay_profile(demo_build.database, "btc_live", FULL, changes)
        (run,) = report.study.replay(FULL)
        assert len(run.trades) > 0
        assert trades_hash(run) == found


def base_sections() -> dict:
    return complete(resolve(PROJECT / "configs/btc_live.json").document)


def five_markets(rng: np.random.Generator, n_hours: int) -> tuple[list, np.ndarray]:
    """Return symbols with holes, listed late and delisted early, and what follows."""
    markets = []
    for k in range(5):
        hours = random_hours(rng, n_hours)
        if len(hours):
            market = random_market(rng, len(hours), hours)
            markets.append(market._replace(symbol=f"S{k}"))
    ends = np.array([opens_of(market)[-1] for market in markets])
    return markets, (
        ends.max(initial=0) + rng.choice([0, 200]) * HOUR_US - ends
    ) / HOUR_US


def wallet_base(rng: np.random.Generator, is_reckless: bool) -> dict:
    base = base_row() | {
        "cadence": rng.choice(["1h", "4h"]),
        "max_positions": rng.choice([1, 2, 10**9]),
        "delisted_after_hours": float(rng.choice([3.0, 24.0, 168.0])),
        "margin_cap": rng.choice([0.3, 1.0]),
    }
    if is_reckless:
        base |= {"leverage": 125.0, "risk_cap": 1.0, "risk_min": 0.5, "risk_max": 1.0}
    return base


def bases_on(base: dict, markets: list[Market]) -> list[dict]:
    return [base | {"symbol": market.symbol} for market in markets]


def sweep_on(markets, configs, base, after) -> WalletSweep:
    return wallet_over(markets, bases_on(base, markets), grid_of("g", configs), after)


def test_on_five_symbols_with_holes_a_configuration_trades_as_its_full_replay():
    reasons, n_symbols, n_lost = set(), [], 0
    for seed in range(24):
        rng = np.random.default_rng(seed)
        is_reckless = seed % 3 == 0
        base = wallet_base(rng, is_reckless)
        markets, after = five_markets(rng, int(rng.integers(50, 1500)))
        configs = random_configs(rng, 4, base)
        sweep = sweep_on(markets, configs, base, after)
        figures, hashes = figures_of(sweep)
        votes = [votes_of(market) for market in markets]
        for config, row, found in zip(configs, figures, hashes, strict=True):
            run = full_replay(markets, votes, configured(base, config), after)
            assert trades_hash(run) == found[0]
            assert_figures(sweep, row, run)
            reasons |= {REASONS[code] for code in run.trades.exit_reason}
            n_symbols.append(len(set(run.trades.symbol)))
            n_lost += run.outcome.liquidated
    assert {"delisted", "end_of_data", "liquidation", "stop"} <= reasons
    assert max(n_symbols) >= 4
    assert n_lost > 0


def test_any_cut_into_chunks_on_any_thread_gives_the_same_numbers(demo):
    sweep = wallet_of(demo, shared_bases(demo), "sobol", n=37, seed=9)
    whole = measure_chunk(sweep, Rooms(sweep), range(37))
    rooms = Rooms(sweep)
    for size in (1, 7, 17):
        cuts = [range(i, min(37, i + size)) for i in range(0, 37, size)]
        parts = zip(*(measure_chunk(sweep, rooms, c) for c in cuts), strict=True)
        for ours, one in zip(parts, whole, strict=True):
            assert np.concatenate(ours).tobytes() == one.tobytes()
    for ours, one in zip(measure(sweep, 2), whole, strict=True):
        assert ours.tobytes() == one.tobytes()


def test_a_wallet_of_one_symbol_sweeps_as_the_symbol_alone(demo):
    base = shared_bases(demo)[0]
    wallet = wallet_of(demo, [base], "sobol", n=20, seed=1)
    tables = tables_of(demo)
    alone = prepare(
        tables.sweep_bars, tables.regimes, base, base["symbol"], wallet.grid
    )
    (ours, our_hashes), (theirs, hashes) = figures_of(wallet), figures_of(alone)
    assert our_hashes.tobytes() == hashes.tobytes()
    assert np.allclose(ours, theirs, rtol=1e-9, atol=1e-9, equal_nan=True)


def test_the_names_of_configurations_tell_the_symbols(demo):
    bases = shared_bases(demo)
    both = wallet_of(demo, bases, "quick")
    one = wallet_of(demo, bases[:1], "quick")
    assert not set(both.ids) & set(one.ids)
    assert both.ids == wallet_of(demo, bases, "quick").ids
    assert both.symbol == ALL


# What is swept


def row(profile: str, symbol: str, account: str, **settings) -> dict:
    """Return what decides of a row of `config_symbols` whether it is swept."""
    plain = {"learned": False, "swept": False, "weights": {"smc": 1.0}}
    return plain | {"profile": profile, "symbol": symbol, "account": account} | settings


def names(rows: list[dict]) -> list[tuple[str, str, str]]:
    return [(one["profile"], one["symbol"], one["account"]) for one in rows]


def test_a_wallet_that_asks_is_swept_as_a_whole_and_its_symbols_are_not():
    pool = [row("pool", symbol, ALL, swept=True) for symbol in ("ETH", "BTC")]
    silent = [row("still", symbol, ALL) for symbol in SYMBOLS]
    assert bases_of([*pool, *silent], "BTC") == []
    assert list(map(names, wallets_of([*pool, *silent]))) == [
        [("pool", "BTC", ALL), ("pool", "ETH", ALL)]
    ]


def test_a_profile_of_separate_accounts_is_swept_on_each_symbol():
    both = [row("both", symbol, symbol, swept=True) for symbol in SYMBOLS]
    for symbol in SYMBOLS:
        assert names(bases_of(both, symbol)) == [("both", symbol, symbol)]
    assert wallets_of(both) == []


def test_what_learns_on_a_shared_account_learns_of_each_symbol_apart():
    pool = [row("pool", symbol, ALL, learned=True) for symbol in SYMBOLS]
    for symbol in SYMBOLS:
        assert names(bases_of(pool, symbol)) == [("pool", symbol, symbol)]
    assert wallets_of(pool) == []
    # Who has an account of the symbol is its base before who shares one.
    zeal = row("zeal", "BTC", "BTC")
    assert names(bases_of([*pool, zeal], "BTC")) == [("zeal", "BTC", "BTC")]
    other = zeal | {"weights": {"momentum": 1.0}}
    assert names(bases_of([*pool, other], "BTC")) == [("pool", "BTC", "BTC")]
    asking = [one | {"swept": True} for one in pool]
    assert len(bases_of(asking, "BTC")) == len(wallets_of(asking)) == 1


def test_a_base_is_of_the_symbol_that_is_swept_where_it_trades_that():
    both = [row("both", symbol, symbol) for symbol in SYMBOLS]
    pool = [row("pool", symbol, ALL) for symbol in SYMBOLS]
    profiles = [*pool, *both]
    for symbol in SYMBOLS:
        assert names([own_base(profiles, symbol)]) == [("both", symbol, symbol)]
        assert names([base_of(profiles, symbol, "pool")]) == [("pool", symbol, symbol)]
    assert base_of(profiles, "SOL", "both")["profile"] == "both"
    with pytest.raises(InputError, match="none of symbol 'SOL'"):
        base_of(profiles, "SOL", None)


@pytest.fixture(scope="module")
def pooled(demo_build, tmp_path_factory):
    """The demo's database with `pool`, one account for both, and `both`, with two."""
    path = tmp_path_factory.mktemp("pooled") / "barsieve.duckdb"
    shutil.copyfile(demo_build.database, path)
    with duckdb.connect(str(path)) as connection:
        for name, kind, account in (
            ("pool", "shared", "'*'"),
            ("both", "separate", "symbols.symbol"),
        ):
            connection.execute(
                "create or replace temp table added as "
                "select * replace ("
                f"'{name}' as profile, symbols.symbol as symbol, '{kind}' as "
                f"wallet_kind, 2 as n_symbols, {account} as account,"
                " true as swept) "
                "from config_symbols, (select unnest(['BTC', 'ETH']) as symbol) as "
                "symbols where profile = 'btc_live'"
            )
            connection.execute("insert into config_symbols by name from added")
            connection.execute(
                f"insert into config_weights by name select * replace ('{name}' as "
                "profile) from config_weights where profile = 'btc_live'"
            )
            connection.execute(
                f"insert into config_profiles by name select * replace ('{name}' as "
                "profile) from config_profiles where profile = 'btc_live'"
            )
    return path


def test_a_build_sweeps_the_wallet_and_nothing_learns_of_it(pooled):
    with duckdb.connect(str(pooled), read_only=True) as connection:
        tables = tables_of(connection)
        made = sweep_runs(*tables, grid="quick")
        own = connection.from_arrow(made).set_alias("own")
        found = own.aggregate("symbol, profile, count(*) as n").order("symbol")
        # Of those with accounts of their own `both` comes first by name.
        assert found.fetchall() == [
            (ALL, "pool", 18), ("BTC", "both", 18), ("ETH", "both", 18)
        ]  # fmt: skip
        nested = own.select("grid, config, symbol, unnest(folds) as fold")
        results = nested.select("grid, config, symbol, fold.*").set_alias("results")
        sweep = SweepTables(own, results, own, own)
        assert [symbol for symbol, _ in sweep.kinds] == ["BTC", "ETH"]
        assert set(sweep.judged) == {"BTC", "ETH"}
        judged = rows_of(connection.from_arrow(sweep_statistics(results)))
        assert [one["symbol"] for one in judged] == [ALL, "BTC", "ETH"]
        assert all(one["trials"] > 1 for one in judged)


AS_BUILT = (
    "config_symbols", "config_weights", "sweep_grids", "sweep_bars", "regimes",
)  # fmt: skip
MADE_ANEW = (
    "sweep_runs", "sweep_results", "sweep_configs", "evaluation_sweep", "report_sweep",
)  # fmt: skip


@pytest.mark.slow
def test_a_wallets_sweep_is_judged_like_any_other(pooled, demo_build, tmp_path):
    project = CompiledProject(demo_build)
    with project.connect() as connection:
        connection.execute(f"attach '{pooled}' as source (read_only)")
        connection.execute(f"attach ':memory:' as {project.catalog}")
        connection.execute(f"use {project.catalog}")
        for table in AS_BUILT:
            connection.execute(f"create view {table} as from source.main.{table}")
        for name in MADE_ANEW:
            project.create(connection, name, PROJECT / "data/demo", tmp_path)
        rows = rows_of(connection.table("report_sweep"))
        [(folds,)] = connection.sql(
            "select count(distinct fold) from sweep_results where symbol = '*'"
        ).fetchall()
    judged = {one["symbol"]: one for one in rows}
    assert set(judged) == {ALL, "BTC", "ETH"}
    wallet = judged[ALL]
    assert (wallet["profile"], wallet["configurations"]) == ("pool", 594)
    assert wallet["with_trades"] > 400
    assert wallet["finding"] + ": " == wallet["verdict"][: len(wallet["finding"]) + 2]
    assert folds == wallet["months"] + 1


def test_the_command_sweeps_a_wallet_its_symbols_or_one_of_them(pooled, tmp_path):
    place = {"BARSIEVE_DATABASE": shutil.copy(pooled, tmp_path / "barsieve.duckdb")}

    def swept(*arguments: str) -> dict:
        done = barsieve("sweep", *arguments, "--json", **place)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def of(report: dict) -> list[tuple[str, str]]:
        return [(one["symbol"], one["profile"]) for one in report["summary"]]

    wallet = swept("--profile", "pool")
    assert of(wallet) == [(ALL, "pool")]
    assert wallet["configs_run"] == 12
    assert wallet["rows_added"] > 12
    again = swept("--profile", "pool", "--threads", "1")
    assert (again["configs_run"], again["rows_added"]) == (0, 0)
    assert again["summary"] == wallet["summary"]
    assert of(swept("--profile", "both")) == [("BTC", "both"), ("ETH", "both")]
    one = swept("--profile", "pool", "--symbol", "ETH")
    assert of(one) == [("ETH", "pool")]
    assert of(swept()) == [("BTC", "both"), ("ETH", "both")]
    best = wallet["summary"][0]["best_config"]
    with duckdb.connect(str(place["BARSIEVE_DATABASE"]), read_only=True) as connection:
        picked = pick(connection, best)
        assert (picked.row["symbol"], picked.tried) == (ALL, 12)


def test_a_wallet_is_swept_in_memory_too(pooled):
    db = bs.open(pooled)
    grid = {"entry_threshold": [0.6, 0.65], "stop_atr": [2, 3]}
    wallet = db.sweep("pool", grid)
    assert wallet.symbol == ALL
    assert wallet.results.trades.min() > 0
    one = db.sweep("pool", grid, symbol="ETH")
    assert one.symbol == "ETH"
    assert not set(one.results.config) & set(wallet.results.config)
    with pytest.raises(InputError, match="each is a sweep of its own"):
        db.sweep("both", grid)
    with pytest.raises(InputError, match="one of BTC, ETH"):
        db.sweep("both", grid, symbol="SOL")


def test_the_folder_of_a_wallet_has_no_star_in_its_name(demo):
    sweep = wallet_of(demo, shared_bases(demo), "quick")
    other = wallet_of(demo, shared_bases(demo)[:1], "quick")
    folders = [folder_of(PROJECT / "x.duckdb", one) for one in (sweep, other)]
    assert "*" not in str(folders[0])
    assert folders[0] != folders[1]
