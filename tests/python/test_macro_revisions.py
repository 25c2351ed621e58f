"""A day has vintages: what a moment knew, against a slow and plain answer."""

import math
import random
import statistics
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from compiled_project import CompiledProject
from conftest import PROJECT
from troubled_market import revised

pytestmark = pytest.mark.slow

SEEDS = range(4)
DAYS = 330
SERIES = {
    "VIX": 250, "USDT.D": 60, "TOTAL": 30, "TOTAL2": 1, "US2Y": 1, "US10Y": 1,
    "TOTAL2_SHARE": 30, "YIELD_SPREAD": 1, "DXY": 1,
}  # fmt: skip
MODELS = ("feature_macro_vintages", "feature_macro_days", "feature_macro")
SCHEMA = pa.schema(
    [
        ("series", pa.string()),
        ("observed_day", pa.date32()),
        ("value", pa.float64()),
        ("known_at", pa.timestamp("us", tz="UTC")),
    ]
)

# What stood here before: each vintage that was the latest day so far was a row, and
# windows counted rows.
OLD_STATISTICS = """
    with in_known_order as (
        select *, max(observed_day) over (
            partition by series order by known_at, observed_day
            rows between 250 preceding and 1 preceding) as latest_day_before
        from bars_macro
    ),
    kept as (
        from in_known_order
        where latest_day_before is null or observed_day >= latest_day_before
        qualify row_number() over (
            partition by series, known_at order by observed_day desc) = 1
    )
    select series, known_at as moment,
        case when count(*) over last_30 = 30 then avg(value) over last_30 end as mean_30
    from kept
    window last_30 as (
        partition by series order by known_at, observed_day
        rows between 29 preceding and current row)
"""


def random_vintages(seed: int) -> list[dict]:
    """Return days of every series that are late, missing, revised and revised again."""
    rng = random.Random(seed)
    found = []
    for series in ("VIX", "USDT.D", "TOTAL", "TOTAL2", "US2Y", "US10Y", "DXY"):
        rows = []
        for number in range(DAYS):
            if rng.random() < 0.1:
                continue
            day = date(2022, 1, 1) + timedelta(days=number)
            known_at = datetime(day.year, day.month, day.day, tzinfo=UTC)
            known_at += timedelta(days=1, hours=rng.choice([0, 0, 22]))
            value = round(rng.uniform(10, 40), 2)
            rows.append(
                {"series": series, "date": day, "value": value, "known_at": known_at}
            )
        found += revised(rows, rng)
        # History of before the first day, published at once in the middle.
        backfilled = rows[len(rows) // 2]["known_at"] + timedelta(minutes=5)
        found += [
            row | {"date": row["date"] - timedelta(days=400), "known_at": backfilled}
            for row in rows[: rng.choice([0, 300])]
        ]
    return found


def known_days(vintages: list[dict], series: str, moment) -> list[tuple]:
    """Return (day, value, known_at) of every day known at a moment, latest first."""
    if series == "TOTAL2_SHARE":
        return combined(vintages, "TOTAL2", "TOTAL", moment, lambda a, b: a / b)
    if series == "YIELD_SPREAD":
        return combined(
            vintages, "US2Y", "US10Y", moment, lambda a, b: round(a - b, 12)
        )
    last: dict = {}
    for vintage in vintages:
        if vintage["series"] == series and vintage["known_at"] <= moment:
            day = vintage["date"]
            if day not in last or last[day]["known_at"] < vintage["known_at"]:
                last[day] = vintage
    return [
        (day, last[day]["value"], last[day]["known_at"])
        for day in sorted(last, reverse=True)
    ]


def combined(vintages, one: str, other: str, moment, make) -> list[tuple]:
    others = {row[0]: row for row in known_days(vintages, other, moment)}
    return [
        (day, make(value, others[day][1]), max(known_at, others[day][2]))
        for day, value, known_at in known_days(vintages, one, moment)
        if day in others
    ]


@pytest.fixture(scope="module", params=SEEDS)
def market(request, demo_build):
    """Vintages of one seed, and a connection on which the models have run."""
    vintages = random_vintages(request.param)
    project = CompiledProject(demo_build)
    connection = project.connect()
    connection.execute(f"attach ':memory:' as {project.catalog}")
    connection.execute(f"use {project.catalog}")
    connection.execute("create table bars_1h as select 'X' as symbol")
    seed = PROJECT / "seeds/macro_series.csv"
    connection.execute(f"create table macro_series as from read_csv('{seed}')")
    rows = [{**v, "observed_day": v["date"]} for v in vintages]
    connection.register("made", pa.Table.from_pylist(rows, schema=SCHEMA))
    connection.execute("create table bars_macro as from made")
    for model in MODELS:
        project.create(connection, model, Path("none"), Path("none"))
    yield vintages, connection
    connection.close()


def moments_of(vintages: list[dict], seed: int) -> list:
    """Return moments to look at: some of all, the first and the last."""
    known = sorted({v["known_at"] for v in vintages})
    return sorted({known[0], known[-1], *random.Random(seed).sample(known, 60)})


@pytest.mark.parametrize("series", SERIES)
def test_the_last_days_of_a_series_are_those_known_in_their_vintage(market, series):
    vintages, connection = market
    rows = connection.execute(
        "select moment, observed_day, value, known_at from feature_macro_days "
        "where series = ? order by moment, days_back", [series],
    ).fetchall()  # fmt: skip
    by_moment: dict = {}
    for moment, *day in rows:
        by_moment.setdefault(moment, []).append(tuple(day))
    assert len(by_moment) > DAYS / 2
    for moment in random.Random(1).sample(sorted(by_moment), 60):
        expected = known_days(vintages, series, moment)[: SERIES[series]]
        assert [row[0] for row in by_moment[moment]] == [row[0] for row in expected]
        for ours, theirs in zip(by_moment[moment], expected, strict=True):
            assert ours[1] == pytest.approx(theirs[1], rel=1e-15, abs=1e-12)
            assert ours[2] == theirs[2]


def near(value, tolerance):
    return None if value is None else pytest.approx(value, rel=tolerance)


def reading_at(connection, feature: str, moment):
    return connection.execute(
        f"select {feature} from feature_macro where known_at <= ? "
        "order by known_at desc limit 1", [moment],
    ).fetchall()[0][0]  # fmt: skip


def test_windows_count_days_and_a_ratio_takes_both_at_one_day_and_moment(market):
    vintages, connection = market
    n_means = 0
    for moment in moments_of(vintages, 2):
        for feature, series in (
            ("total", "TOTAL"), ("total2_share", "TOTAL2_SHARE"), ("vix", "VIX"),
            ("usdt_dominance", "USDT.D"), ("yield_spread", "YIELD_SPREAD"),
        ):  # fmt: skip
            days = known_days(vintages, series, moment)
            reading = reading_at(connection, feature, moment)
            if not days:
                assert reading is None
                continue
            assert reading["value"] == pytest.approx(days[0][1], rel=1e-12, abs=1e-12)
            assert reading["known_at"] == days[0][2]
            values = [value for _, value, _ in days]
            if series in ("TOTAL", "TOTAL2_SHARE"):
                mean = statistics.fmean(values[:30]) if len(values) >= 30 else None
                assert reading["mean_30"] == near(mean, 1e-12)
                n_means += mean is not None
            if series == "USDT.D":
                z = None
                if len(values) >= 60:
                    z = values[0] - statistics.fmean(values[:60])
                    z /= statistics.stdev(values[:60])
                assert reading["z_60"] == near(z, 1e-9)
    assert n_means > 50


def test_the_windows_that_counted_vintages_are_seen_to_be_wrong(market):
    vintages, connection = market
    rows = connection.execute(
        f"select moment, mean_30 from ({OLD_STATISTICS}) where series = 'TOTAL' "
        "and mean_30 is not null order by moment"
    ).fetchall()
    wrong = 0
    for moment, mean in rows:
        values = [value for _, value, _ in known_days(vintages, "TOTAL", moment)]
        wrong += not math.isclose(mean, statistics.fmean(values[:30]), rel_tol=1e-9)
    assert wrong > len(rows) / 4
