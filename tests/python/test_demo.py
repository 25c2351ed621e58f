"""The simulated market: reproducible, labelled, and with a truth that can be found."""

import hashlib
import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from barsieve.market import simulation
from barsieve.market.check import check_market
from barsieve.market.listings import symbol_name, symbol_number, symbols_asked
from command_line import barsieve
from conftest import PROJECT

DEMO = PROJECT / "data/demo"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo") / "market"
    simulation.write_market(simulation.simulate(), folder)
    return folder


def test_the_committed_market_is_made_again_value_for_value(made):
    committed = sorted(p.relative_to(DEMO) for p in DEMO.rglob("*") if p.is_file())
    assert committed == sorted(
        p.relative_to(made) for p in made.rglob("*") if p.is_file()
    )
    for name in committed:
        if name.suffix == ".parquet":
            ours, theirs = pq.read_table(DEMO / name), pq.read_table(made / name)
            assert ours.equals(theirs), name
        else:
            assert (DEMO / name).read_text() == (made / name).read_text()


def test_it_is_small_and_covers_two_years():
    assert sum(p.stat().st_size for p in DEMO.rglob("*") if p.is_file()) < 4_000_000
    for symbol in ("BTC", "ETH"):
        ts = pq.read_table(DEMO / f"bars/{symbol}.parquet")["ts"].to_pylist()
        assert (ts[-1] - ts[0]).days >= 2 * 365


def test_another_seed_gives_another_market():
    a, b = (simulation.simulate(seed, 400).bars["ETH"] for seed in (1, 2))
    assert not a.equals(b)


def test_it_says_that_it_is_simulated(demo):
    assert json.loads((DEMO / "market.json").read_text())["is_simulated"] is True
    row = demo.execute("select market_name, is_simulated from build_info").fetchone()
    assert row == ("demo", True)


def test_it_has_gaps_and_every_series(demo):
    assert demo.execute("select count(*) from bars_1h where gap_hours >= 2").fetchone()[
        0
    ]
    series = {
        row[0]
        for row in demo.execute("select distinct series from bars_macro").fetchall()
    }
    used = demo.execute(
        "select series from macro_series where source = 'macro' and feature is not null"
    ).fetchall()
    assert {name for (name,) in used} <= series


def test_the_four_regimes_all_occur_and_differ_in_volatility(demo):
    demo.execute(f"create temp view truth as from '{DEMO}/truth/regimes.parquet'")
    rows = demo.execute(
        "select regime, count(*), stddev(return_1) * sqrt(8760) from features "
        "join truth on bar_ts::date = day where symbol = 'BTC' group by regime"
    ).fetchall()
    volatility = {regime: sd for regime, _, sd in rows}
    assert min(n for _, n, _ in rows) > 1_000
    assert list(simulation.REGIMES) == sorted(volatility, key=volatility.get)


def test_macro_levels_follow_the_regime_with_their_publication_lag(demo):
    demo.execute(f"create temp view truth as from '{DEMO}/truth/regimes.parquet'")
    levels = dict(
        demo.execute(
            "select regime, avg(value) from bars_macro join truth "
            "on observed_day = day where series = 'VIX' group by regime"
        ).fetchall()
    )
    assert levels["risk_on"] + 8 < levels["risk_off"] < levels["crisis"] - 5
    lags = demo.execute(
        "select m.series, "
        "min(epoch(m.known_at - m.observed_day::timestamptz)) / 3600, "
        "any_value(s.publication_lag_hours) from bars_macro as m "
        "join macro_series as s using (series) group by m.series"
    ).fetchall()
    assert all(lag == declared for _, lag, declared in lags), lags


def hourly_moves(demo, symbol: str):
    return demo.execute(
        "select (isodow(bar_ts) - 1) * 24 + hour(bar_ts) as week_hour, "
        "return_1, regime, lag(rsi_14) over (order by bar_ts) as rsi_before "
        f"from features join '{DEMO}/truth/regimes.parquet' on bar_ts::date = day "
        f"where symbol = '{symbol}' order by bar_ts"
    ).fetchnumpy()


def scaled_moves(demo):
    moves = hourly_moves(demo, "ETH")
    returns = np.ma.filled(moves["return_1"], np.nan)
    sd = {r: np.nanstd(returns[moves["regime"] == r]) for r in simulation.REGIMES}
    scale = np.array([sd[r] for r in moves["regime"]])
    return moves, returns / scale


def test_the_planted_season_is_there_in_its_hours_and_of_its_size(demo):
    moves, scaled = scaled_moves(demo)
    effects = simulation.Effects()
    rising = np.nanmean(scaled[np.isin(moves["week_hour"], effects.rising_hours)])
    falling = np.nanmean(scaled[np.isin(moves["week_hour"], effects.falling_hours)])
    assert rising == pytest.approx(effects.season, abs=0.12)
    assert falling == pytest.approx(-effects.season, abs=0.12)


def slope_on_momentum(demo, regimes) -> float:
    moves, scaled = scaled_moves(demo)
    rsi = np.ma.filled(moves["rsi_before"], np.nan)
    part = np.where(rsi > 70, -0.25, np.where(rsi < 30, 0.25, (rsi - 50) / 50))
    ok = np.isfinite(part) & np.isfinite(scaled) & np.isin(moves["regime"], regimes)
    return float(np.polyfit(part[ok], scaled[ok], 1)[0])


def test_the_planted_momentum_pays_in_its_regime_only(demo):
    planted = slope_on_momentum(demo, ["risk_on"])
    elsewhere = slope_on_momentum(demo, ["neutral", "risk_off", "crisis"])
    assert planted > elsewhere + 0.25
    assert abs(elsewhere) < 0.25


def test_only_free_folders_and_simulated_markets_are_written_to(tmp_path):
    assert simulation.may_write_to(tmp_path / "new")
    assert simulation.may_write_to(tmp_path)
    (tmp_path / "mine.parquet").write_text("precious")
    assert not simulation.may_write_to(tmp_path)
    assert not simulation.may_write_to(tmp_path / "mine.parquet")
    assert simulation.may_write_to(DEMO)


def digest(table: pa.Table) -> str:
    values = np.column_stack(
        [table[name].to_numpy() for name in table.column_names[1:]]
    )
    stamps = table["ts"].cast(pa.int64()).to_numpy()
    return hashlib.sha256(stamps.tobytes() + values.tobytes()).hexdigest()[:16]


@pytest.mark.parametrize(
    ("seed", "hours", "btc", "eth"),
    [
        (69, 43_804, "a99ef9427e7d2383", "28e529fe15ee6f65"),
        (7, 20_000, "dc2e69272329e86f", "99207da4d03b2356"),
    ],
)
def test_the_compiled_walk_makes_the_bits_of_the_interpreted_one(seed, hours, btc, eth):
    # Digests of the bars that a loop of plain Python made, before it was compiled.
    bars = simulation.simulate(seed, hours).bars
    assert (digest(bars["BTC"]), digest(bars["ETH"])) == (btc, eth)


def test_symbols_are_asked_for_by_number_or_by_name():
    assert symbols_asked("4") == ("BTC", "ETH", "SIM03", "SIM04")
    assert symbols_asked(" ETH, SIM120,ETH") == ("ETH", "SIM120")
    assert [symbol_number(symbol_name(n)) for n in (1, 2, 3, 99, 100)] == [
        1, 2, 3, 99, 100,
    ]  # fmt: skip
    for text in ("0", "-1", "10000", "DOGE", "BTC,", "", "SIM2", "SIM3", "SIM003"):
        assert symbols_asked(text) is None, text


def test_a_symbol_does_not_depend_on_which_others_there_are():
    usual = simulation.simulate(hours=3_000)
    many = simulation.simulate(hours=3_000, symbols=symbols_asked("12"))
    alone = simulation.simulate(hours=3_000, symbols=("SIM10",))
    assert list(alone.bars) == ["SIM10"]
    assert alone.bars["SIM10"].equals(many.bars["SIM10"])
    assert all(usual.bars[s].equals(many.bars[s]) for s in ("BTC", "ETH"))
    assert usual.macro.equals(many.macro)
    assert len({digest(table) for table in many.bars.values()}) == 12


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    folder = tmp_path_factory.mktemp("many") / "market"
    market = simulation.simulate(hours=2_000, symbols=symbols_asked("30"))
    simulation.write_market(market, folder)
    return folder, market


def test_many_symbols_are_sound(many):
    symbols, problems = check_market(many[0], PROJECT / "seeds/macro_series.csv")
    assert len(symbols) == 30
    assert not problems


def test_many_symbols_differ_in_price_and_move_together(many):
    bars = {s: table.to_pandas().set_index("ts") for s, table in many[1].bars.items()}
    first = [frame["open"].iloc[0] for frame in bars.values()]
    assert min(first) < 1e-3
    assert max(first) > 1e4
    decimals = {s: len(f"{f['open'].iloc[0]:.12f}".rstrip("0").split(".")[1])
                for s, f in bars.items()}  # fmt: skip
    assert max(decimals.values()) > 5
    moves = pd.DataFrame({s: np.log(f["close"]).diff() for s, f in bars.items()})
    correlation = moves.corr(min_periods=200)["BTC"].drop("BTC").dropna()
    assert correlation.between(0.3, 0.95).all()
    gaps = {
        tuple(np.flatnonzero(f.index.to_series().diff() > "1h")) for f in bars.values()
    }
    assert len(gaps) > 20


def test_late_and_delisted_symbols_are_named_and_have_no_bars_elsewhere(many):
    folder, market = many
    about = json.loads((folder / "market.json").read_text())
    truth = json.loads((folder / "truth/symbols.json").read_text())
    assert about["symbols"] == 30
    assert list(about["delisted"]) == ["SIM10", "SIM20", "SIM30"]
    assert set(about["listed_late"]) == {f"SIM{k:02d}" for k in range(3, 31, 3)}
    assert len(truth) == 28
    funding = market.funding.to_pandas()
    first_day = simulation.START.date().isoformat()
    for symbol, one in truth.items():
        for stamps in (
            market.bars[symbol]["ts"].to_pandas(),
            funding.loc[funding.symbol == symbol, "ts"],
        ):
            assert str(stamps.iloc[0].date()) == one["listed"] >= first_day
            assert one["delisted"] is None or str(stamps.iloc[-1]) < one["delisted"]
    assert truth["SIM03"]["listed"] > first_day


def test_bars_of_an_earlier_simulated_market_do_not_stay(tmp_path):
    for symbols in ("5", "ETH"):
        market = simulation.simulate(hours=400, symbols=symbols_asked(symbols))
        simulation.write_market(market, tmp_path / "market")
    assert [p.name for p in (tmp_path / "market/bars").iterdir()] == ["ETH.parquet"]
    assert not (tmp_path / "market/truth/symbols.json").exists()


def test_a_hundred_symbols_of_five_years_are_made_by_one_command(tmp_path):
    market = tmp_path / "market"
    done = barsieve("demo", "--symbols", "100", "--hours", "43804", "--to", str(market))
    assert done.returncode == 0, done.stderr
    assert "100 symbols" in done.stdout
    assert len(list((market / "bars").glob("*.parquet"))) == 100
