"""What is doubtful in a market is said by name; what cannot be is refused."""

import math
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from barsieve.market.check import check_market
from barsieve.market.findings import market_findings
from barsieve.market.simulation import simulate, write_market

PROJECT = Path(__file__).parents[2]
SEED = PROJECT / "seeds" / "macro_series.csv"
BARS, MACRO = "bars/BTC.parquet", "macro/macro_daily.parquet"
FUNDING = "funding/funding_8h.parquet"
PRICES = ("open", "high", "low", "close")
START = datetime(2021, 3, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def sound_market(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("sound") / "market"
    write_market(simulate(hours=24 * 40, symbols=("BTC",)), folder)
    funding = pq.read_table(folder / FUNDING)
    is_btc = pc.equal(funding["symbol"], "BTC")
    pq.write_table(funding.filter(is_btc), folder / FUNDING)
    return folder


@pytest.fixture
def market(sound_market, tmp_path) -> Path:
    return Path(shutil.copytree(sound_market, tmp_path / "market"))


def findings_of(market: Path) -> list[tuple[str, str, str]]:
    found = market_findings(market, SEED)
    for finding in found:
        assert finding.meaning.endswith(".")
        assert "None" not in finding.meaning
    keys = [finding[:3] for finding in found]
    assert len(set(keys)) == len(keys), "each symbol, subject and finding once"
    return keys


def refused(market: Path) -> list[tuple[str, str, str]]:
    problems = check_market(market, SEED)[1]
    return [(p.where, p.expected, p.found) for p in problems]


def alter(path: Path, **columns) -> None:
    """Replace columns of a file; each is a function of the column's values."""
    table = pq.read_table(path)
    for name, change in columns.items():
        at = table.column_names.index(name)
        values = change(table[name])
        table = table.set_column(at, name, pa.array(values, table[name].type))
    pq.write_table(table, path)


def write_bars(path: Path, opens, closes, hours=None) -> None:
    """Write bars that are as wide as their body."""
    opens, closes = np.asarray(opens, float), np.asarray(closes, float)
    hours = range(len(opens)) if hours is None else hours
    stamps = [START + timedelta(hours=int(hour)) for hour in hours]
    table = pa.table(
        {
            "ts": pa.array(stamps, pa.timestamp("us", "UTC")),
            "open": opens,
            "high": np.maximum(opens, closes),
            "low": np.minimum(opens, closes),
            "close": closes,
            "volume": np.full(len(opens), 10.0),
        }
    )
    pq.write_table(table, path)


def scaled_from(row: int, factor: float, to: int | None = None):
    def change(column):
        values = column.to_numpy().copy()
        values[row:to] *= factor
        return values

    return change


def test_nothing_is_said_of_a_sound_market(market):
    assert findings_of(market) == []


def test_nothing_is_said_of_the_shipped_market():
    assert findings_of(PROJECT / "data" / "demo") == []


def test_nothing_is_said_of_the_real_market(real_market):
    assert findings_of(real_market) == []
    assert check_market(real_market, SEED)[1] == []


# Steps of a price


@pytest.mark.parametrize("factor", [0.001, 1000, 0.1, 10, 8.5, 1e-8, 1e8])
@pytest.mark.parametrize("to", [None, 501, 503])
def test_a_price_in_another_unit_is_refused(market, factor, to):
    change = scaled_from(500, factor, to)
    alter(market / BARS, **dict.fromkeys(PRICES, change))
    ((where, expected, found),) = refused(market)
    assert where == "row 501"
    assert "within 8 times the close of the hour before" in expected
    assert found.count("(and 1 more)") == (to is not None)


def test_a_change_of_unit_is_named_with_its_factor(market):
    alter(market / BARS, **dict.fromkeys(PRICES, scaled_from(500, 0.001)))
    ((_, _, found),) = refused(market)
    assert "/ 1,000 (a unit 1,000 times larger?), at " in found


def test_a_step_of_less_than_eight_is_a_finding(market):
    alter(market / BARS, **dict.fromkeys(PRICES, scaled_from(500, 0.25)))
    assert refused(market) == []
    assert findings_of(market) == [("BTC", "price", "price_step")]


def test_a_collapse_like_the_worst_there_was_is_no_change_of_unit(market):
    """From 80 to 0.0001 in three days, every hour worse than it really was."""
    closes = 80 * np.cumprod(
        np.concatenate([np.ones(50), np.full(10, 0.25), np.ones(50)])
    )
    gaps = np.where(np.arange(110) % 2, 1.2, 0.9)  # between hours, in a thin book
    opens = np.concatenate([[80.0], closes[:-1]]) * gaps
    write_bars(market / BARS, opens, closes)
    assert refused(market) == []


def test_a_coin_that_is_listed_and_rises_fiftyfold_in_its_first_hour_is_real(market):
    closes = np.concatenate([[50.0], 50 * np.exp(0.3 * np.sin(np.arange(60)))])
    opens = np.concatenate([[1.0], closes[:-1]])
    write_bars(market / BARS, opens, closes)
    assert refused(market) == []
    assert ("BTC", "price", "price_range") in findings_of(market)


def test_a_wick_of_a_flash_crash_is_a_finding(market):
    alter(market / BARS, low=scaled_from(500, 1e-4, 501))
    assert refused(market) == []
    assert findings_of(market) == [("BTC", "price", "price_range")]


@pytest.mark.parametrize(("factor", "is_refused"), [(20, False), (1000, True)])
def test_a_step_over_missing_hours_may_be_a_halt_but_not_another_asset(
    market, factor, is_refused
):
    closes = np.concatenate([np.full(60, 1000.0), np.full(60, 1000.0 / factor)])
    hours = [*range(60), *range(90, 150)]
    write_bars(market / BARS, closes, closes, hours)
    assert bool(refused(market)) == is_refused
    assert ("BTC", "price", "price_step") in findings_of(market)


def test_a_bar_that_is_wrong_by_itself_is_told_once(market):
    alter(market / BARS, close=scaled_from(500, 1e-4, 501))
    assert [where for where, *_ in refused(market)] == ["row 501"]


@pytest.mark.parametrize("factor", [2.0**-60, 2.0**20])
def test_any_unit_will_do_that_holds_throughout(market, factor):
    alter(market / BARS, **dict.fromkeys(PRICES, scaled_from(0, factor)))
    assert refused(market) == []
    assert findings_of(market) == []


# Volume


def test_volume_that_is_0_throughout_is_named(market):
    alter(market / BARS, volume=lambda column: [0.0] * len(column))
    assert findings_of(market) == [("BTC", "volume", "volume_always_zero")]
    assert refused(market) == []


def test_volume_that_is_mostly_0_is_named(market):
    alter(
        market / BARS, volume=lambda c: [0.0 if n % 3 else 1.0 for n in range(len(c))]
    )
    assert findings_of(market) == [("BTC", "volume", "volume_mostly_zero")]


# Funding


@pytest.mark.parametrize("name", ["BTCUSDT", "btcusdt", "BTC-PERP", "BTC/USDT:USDT"])
def test_funding_that_joins_nothing_is_named_with_the_fix(market, name):
    alter(market / FUNDING, symbol=lambda column: [name] * len(column))
    assert set(findings_of(market)) == {
        (name, "funding", "funding_joins_nothing"),
        ("BTC", "funding", "bars_without_funding"),
    }
    meanings = [f.meaning for f in market_findings(market, SEED)]
    assert any("Then write BTC in the column symbol." in text for text in meanings)


def test_funding_of_another_asset_is_named_without_a_guess(market):
    alter(market / FUNDING, symbol=lambda column: ["BTCDOM"] * len(column))
    meanings = [f.meaning for f in market_findings(market, SEED)]
    assert any("Bars there are of BTC." in text for text in meanings)


@pytest.mark.parametrize("removed", ["file", "folder"])
def test_bars_without_funding_are_named(market, removed):
    (market / FUNDING).unlink()
    if removed == "folder":
        (market / "funding").rmdir()
    assert findings_of(market) == [("BTC", "funding", "bars_without_funding")]


def test_funding_of_a_part_of_the_bars_is_named(market):
    table = pq.read_table(market / FUNDING)
    pq.write_table(table.slice(30), market / FUNDING)
    assert findings_of(market) == [("BTC", "funding", "funding_covers_part")]


@pytest.mark.parametrize("milliseconds", [5, -5])
def test_stamps_off_the_minute_are_named(market, milliseconds):
    shift = timedelta(milliseconds=milliseconds)
    alter(market / FUNDING, ts=lambda c: [ts + shift for ts in c.to_pylist()])
    assert findings_of(market) == [("BTC", "funding", "funding_off_the_minute")]
    assert refused(market) == []


def test_a_settlement_told_twice_in_a_minute_is_refused(market):
    table = pq.read_table(market / FUNDING)
    late = pc.add(table["ts"], pa.scalar(timedelta(milliseconds=5)))
    again = table.set_column(table.column_names.index("ts"), "ts", late)
    pq.write_table(pa.concat_tables([table, again]), market / FUNDING)
    assert [expected for _, expected, _ in refused(market)] == [
        "one settlement a minute"
    ]


def hourly(market: Path, rate: float) -> None:
    stamps = [START + timedelta(hours=hour) for hour in range(24 * 40)]
    table = pa.table(
        {
            "ts": pa.array(stamps, pa.timestamp("us", "UTC")),
            "symbol": ["BTC"] * len(stamps),
            "funding_rate": [rate] * len(stamps),
        }
    )
    pq.write_table(table, market / FUNDING)


def test_the_rates_of_every_interval_are_compared_by_what_they_come_to(market):
    """0.0125 % in 8 h, written in percent by the hour: 0.0016, and no fraction."""
    hourly(market, 0.000125 / 8)
    assert refused(market) == []
    hourly(market, 0.0125 / 8)
    ((where, _, found),) = refused(market)
    assert where == "column 'funding_rate'"
    assert "0.0125" in found


def test_an_interval_that_changes_is_named_and_its_rates_looked_at(market):
    stamps = [START + timedelta(hours=8 * n) for n in range(60)]
    stamps += [stamps[-1] + timedelta(hours=4 * n) for n in range(1, 60)]
    rates = [0.0001] * 60 + [0.01] * 59
    table = pa.table(
        {
            "ts": pa.array(stamps, pa.timestamp("us", "UTC")),
            "symbol": ["BTC"] * len(stamps),
            "funding_rate": rates,
        }
    )
    pq.write_table(table, market / FUNDING)
    kinds = [kind for _, _, kind in findings_of(market)]
    assert "funding_interval_irregular" in kinds
    assert "funding_rate_high" in kinds


@pytest.mark.parametrize(
    ("hours", "is_sound"),
    [
        ([8.0], True),
        ([None], True),
        ([0.0], False),
        ([-8.0], False),
        ([math.inf], False),
    ],
)
def test_the_interval_may_be_told_by_the_file(market, hours, is_sound):
    table = pq.read_table(market / FUNDING)
    column = pa.array(hours * table.num_rows, pa.float64())
    pq.write_table(table.append_column("interval_hours", column), market / FUNDING)
    assert (refused(market) == []) == is_sound


def test_an_interval_of_another_type_is_refused(market):
    table = pq.read_table(market / FUNDING)
    column = pa.array([8] * table.num_rows, pa.int32())
    pq.write_table(table.append_column("interval_hours", column), market / FUNDING)
    assert [where for where, *_ in refused(market)] == ["column 'interval_hours'"]


# Macro and files


def test_a_series_that_is_not_daily_is_named(market):
    table = pq.read_table(market / MACRO)
    weekday = pc.day_of_week(table["date"])
    is_kept = pc.or_(pc.not_equal(table["series"], "VIX"), pc.equal(weekday, 2))
    pq.write_table(table.filter(is_kept), market / MACRO)
    assert findings_of(market) == [("", "VIX", "macro_sparse")]


def test_a_series_that_stands_still_is_named(market):
    table = pq.read_table(market / MACRO)
    is_vix = pc.equal(table["series"], "VIX")
    value = pc.if_else(is_vix, 20.0, table["value"])
    at = table.column_names.index("value")
    pq.write_table(table.set_column(at, "value", value), market / MACRO)
    assert findings_of(market) == [("", "VIX", "macro_stands_still")]


@pytest.mark.parametrize(
    "name", ["bars/ETH.csv", "bars/ETH.PARQUET", "bars/2021/ETH.parquet", "macro/a.zip"]
)
def test_data_that_no_build_reads_is_named(market, name):
    path = market / name
    path.parent.mkdir(exist_ok=True)
    shutil.copy(market / BARS, path)
    assert findings_of(market) == [("", name, "file_not_read")]


def test_notes_beside_the_data_are_no_findings(market):
    for name in ("bars/README.md", "bars/.DS_Store", "market.json", "macro/.gitkeep"):
        (market / name).write_text("{}")
    assert findings_of(market) == []


def test_what_is_refused_has_no_findings_and_stops_none(market):
    (market / BARS).write_bytes(b"no bars")
    assert ("BTC", "price", "price_step") not in findings_of(market)


def test_findings_are_right_in_a_folder_that_looks_like_a_column(market, tmp_path):
    folder = Path(shutil.copytree(market, tmp_path / "symbol=BTCUSDT"))
    assert findings_of(folder) == []
