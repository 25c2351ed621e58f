"""What the classifiers read: dates of a series as they stood, against a slow oracle."""

import math
import random
from datetime import UTC, date, datetime, timedelta

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from barsieve.regime import NAMES
from compiled_project import CompiledProject
from conftest import PROJECT

FIRST_DAY, N_DAYS = date(2022, 1, 1), 260
FEATURES = {"VIX": "vix", "MOVE": "move", "DXY": "dxy"}


def midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def vintages(seed: int) -> list[tuple[str, date, datetime, float]]:
    """Dates that are published late, out of turn, again, and revised up to twice."""
    rng, rows = random.Random(seed), []
    for series, level in (("VIX", 20.0), ("MOVE", 90.0), ("DXY", 100.0)):
        for k in range(N_DAYS):
            day = FIRST_DAY + timedelta(days=k)
            if day.weekday() >= 5 or rng.random() < 0.05:
                continue
            level *= math.exp(0.03 * rng.gauss(0, 1))
            known = midnight(day) + timedelta(hours=rng.choice([22, 24, 36]))
            if rng.random() < 0.1:
                known += timedelta(days=rng.randint(1, 12))
            rows.append((series, day, known, level))
            for _ in range(rng.choice([0, 0, 0, 1, 2])):
                known += timedelta(hours=rng.randint(5, 400))
                revised = level * rng.choice([1.0, 1.2, 0.7])
                rows.append((series, day, known, revised))
    return rows


def standing(rows, series: str, moment: datetime) -> dict[date, float]:
    """Return the value of each date of a series as it was known at a moment."""
    found = {}
    for name, day, known, value in sorted(rows, key=lambda row: row[2]):
        if name == series and known <= moment:
            found[day] = value
    return found


def expected(rows, series: str, moment: datetime) -> tuple[float | None, float | None]:
    """Return the last move and the gap to the mean of a quarter, by plain counting."""
    known = standing(rows, series, moment)
    days = sorted(known)
    move = gap = None
    if len(days) > 1 and days[-1] - days[-2] <= timedelta(days=7):
        move = math.log(known[days[-1]] / known[days[-2]])
    quarter = [d for d in days if days[-1] - d < timedelta(days=91)]
    if len(quarter) >= 45:
        mean = sum(math.log(known[d]) for d in quarter) / len(quarter)
        gap = math.log(known[days[-1]]) - mean
    return move, gap


def observed(build, rows, mend=None) -> dict[date, dict[str, float | None]]:
    """Run the compiled model on days, features and vintages made up here."""
    project = CompiledProject(build, mend)
    connection = project.connect()
    connection.execute(f"attach ':memory:' as {project.catalog}")
    connection.execute(f"use {project.catalog}")
    closes = [FIRST_DAY + timedelta(days=k + 1) for k in range(N_DAYS)]
    days = [
        ("X", midnight(c - timedelta(days=1)), k + 1, midnight(c), 1.0, 1.0)
        for k, c in enumerate(closes)
    ]
    features = []
    for close in closes:
        levels = []
        for series in FEATURES:
            known = standing(rows, series, midnight(close))
            levels.append(known[max(known)] if known else None)
        features.append(("X", midnight(close), *levels, 0.5))
    tables = {
        "bars_1d": (
            "symbol block_start_at block_index known_at low close", days,
        ),
        "features": ("symbol known_at vix move dxy realized_vol_24", features),
        "bars_macro": ("series observed_day known_at value", rows),
        "config_symbols": ("reference_symbol", [("X",)]),
    }  # fmt: skip
    for name, (columns, values) in tables.items():
        made = pa.Table.from_pylist(
            [dict(zip(columns.split(), row, strict=True)) for row in values]
        )
        connection.register("made", made)
        connection.execute(f"create table {name} as from made")
        connection.unregister("made")
    seed = PROJECT / "seeds/macro_series.csv"
    connection.execute(f"create table macro_series as from read_csv('{seed}')")
    project.create(connection, "regime_observations", PROJECT, PROJECT)
    found = connection.sql("from regime_observations").to_arrow_table().to_pylist()
    return {row["day"]: row for row in found}


def misses(build, seed: int, mend=None) -> int:
    """Return on how many days a move or a gap is not what plain counting gives."""
    rows = vintages(seed)
    found = observed(build, rows, mend)
    assert len(found) == N_DAYS
    missed = compared = 0
    for day, row in found.items():
        moment = midnight(day + timedelta(days=1))
        pairs = []
        for series, feature in FEATURES.items():
            if not standing(rows, series, moment):
                continue
            move, gap = expected(rows, series, moment)
            pairs.append((row[f"{feature}_change"], move))
            if feature == "dxy":
                pairs.append((row["dxy_gap_91"], gap))
        compared += sum(want is not None for _, want in pairs)
        missed += any(
            (have is None) != (want is None)
            or (want is not None and abs(have - want) > 1e-12)
            for have, want in pairs
        )
    assert compared > 800
    return missed


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_dates_count_once_in_the_vintage_known_then(demo_build, seed):
    assert misses(demo_build, seed) == 0


@pytest.mark.slow
def test_the_oracle_notices_a_first_vintage_and_one_not_yet_known(demo_build):
    for old, new in (
        ("arg_max(vintages.value", "arg_min(vintages.value"),
        (
            "moments.moment >= vintages.known_at",
            "moments.moment > vintages.observed_day",
        ),
    ):

        def spoiled(name, sql, old=old, new=new):
            if name != "regime_observations":
                return sql
            assert old in sql
            return sql.replace(old, new)

        assert misses(demo_build, 1, spoiled) > 20


def lacking(folder, *absent: str):
    """Write the demo market without some of its series; return its folder."""
    market = PROJECT / "data/demo"
    for part in ("bars", "funding"):
        (folder / part).mkdir(parents=True)
        for path in (market / part).glob("*.parquet"):
            pq.write_table(pq.read_table(path), folder / part / path.name)
    (folder / "macro").mkdir()
    macro = pq.read_table(market / "macro/macro_daily.parquet")
    for series in absent:
        macro = macro.filter(pc.not_equal(macro["series"], series))
    pq.write_table(macro, folder / "macro/macro_daily.parquet")
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("absent", [("VIX",), ("MOVE",), ("VIX", "MOVE")])
def test_a_market_that_lacks_a_series_has_regimes_of_the_other(
    demo_build, tmp_path, absent
):
    project = CompiledProject(demo_build)
    connection = project.connect()
    project.run(connection, lacking(tmp_path / "market", *absent))
    rows = connection.execute(
        "select classifier, coalesce(regime, 'unknown'), count(*), "
        "avg(coalesce(vix, move)) from regime_days "
        "inner join regime_observations using (reference_symbol, day) group by all"
    ).fetchall()
    in_fusion = connection.execute(
        "select distinct regime from fusion_scores where profile = 'eth_regime'"
    ).fetchall()
    hmm = {regime: mean for classifier, regime, _, mean in rows if classifier == "hmm"}
    if len(absent) == 2:
        assert {regime for _, regime, *_ in rows} == {"unknown"}
        assert in_fusion == [("unknown",)]
        reasons = connection.execute(
            "select distinct reason from regime_fits where days = 0 and fit_at > "
            "(select min(fit_at) from regime_fits)"
        ).fetchall()
        assert reasons == [("neither VIX nor MOVE is known",)]
        return
    means = [hmm[name] for name in NAMES if name in hmm]
    assert len(means) >= 3
    assert means == sorted(means)
    assert {regime for (regime,) in in_fusion} > {"unknown"}
