"""The demo with what other people's data do: revisions, holes, other intervals.

Macro days are published late, revised and revised again, whole spans are published
anew; funding settles every 8, then 4, then 1 hours, and some settlements are missing;
days have five hours, and three weeks of one symbol are missing.
"""

import random
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from conftest import PROJECT

DEMO = PROJECT / "data/demo"
DAY = timedelta(days=1)


def revised(rows: list[dict], rng: random.Random) -> list[dict]:
    """Return the observations of one series with further vintages, some of them late.

    Rows have `date`, `known_at`, `value`. No two vintages of a day share a moment.
    """
    vintages = []
    for row in rows:
        known_at = row["known_at"]
        if rng.random() < 0.1:
            known_at += rng.randint(1, 40) * DAY
        vintages.append(row | {"known_at": known_at})
        for _ in range(rng.choice([0, 0, 0, 1, 2])):
            known_at += rng.randint(1, 20) * DAY + timedelta(hours=rng.randint(0, 20))
            value = row["value"] * rng.choice([0.9, 0.97, 1.03, 1.1])
            vintages.append(row | {"known_at": known_at, "value": value})
    for _ in range(2):
        last = rng.randrange(100, len(rows))
        moment = rows[last]["known_at"] + timedelta(minutes=30)
        level = rng.choice([0.8, 1.25])
        vintages += [
            row | {"known_at": moment, "value": row["value"] * level}
            for row in rows[max(0, last - rng.randint(50, 300)) : last]
        ]
    by_moment = {(v["date"], v["known_at"]): v for v in vintages}
    return sorted(by_moment.values(), key=lambda v: (v["known_at"], v["date"]))


def troubled_macro(macro: pa.Table, seed: int) -> pa.Table:
    """Return a table of macro observations with revisions of every series."""
    rng, rows = random.Random(seed), macro.to_pylist()
    vintages: list[dict] = []
    for series in sorted({row["series"] for row in rows}):
        own = [row for row in rows if row["series"] == series]
        vintages += revised(sorted(own, key=lambda row: row["known_at"]), rng)
    return pa.Table.from_pylist(vintages, schema=macro.schema)


def troubled_funding(funding: pa.Table, seed: int) -> pa.Table:
    """Return settlements every 8 hours, then 4, then 1; every fiftieth is missing."""
    rng, rows = random.Random(seed), funding.to_pylist()
    settled: list[dict] = []
    for symbol in sorted({row["symbol"] for row in rows}):
        own = sorted((r for r in rows if r["symbol"] == symbol), key=lambda r: r["ts"])
        for number, row in enumerate(own):
            parts = 1 if number < len(own) / 2 else 2 if number < len(own) * 0.8 else 8
            for part in range(parts):
                late = timedelta(milliseconds=rng.choice([0, 0, 3]))
                ts = row["ts"] + part * timedelta(hours=8 / parts) + late
                rate = row["funding_rate"] / parts
                settled.append(row | {"ts": ts, "funding_rate": rate})
    kept = [row for row in settled if rng.random() > 0.02]
    return pa.Table.from_pylist(kept, schema=funding.schema)


def troubled_bars(bars: pa.Table, seed: int) -> pa.Table:
    """Return bars with days of a few hours, single missing hours and a long hole."""
    rng, rows = random.Random(seed), bars.to_pylist()
    days = sorted({row["ts"].date() for row in rows})
    short = set(rng.sample(days, len(days) // 40))
    start = rng.choice(days[200:-60])
    hole = {start + k * DAY for k in range(21)}
    kept = [
        row
        for row in rows
        if row["ts"].date() not in hole
        and (row["ts"].date() not in short or row["ts"].hour % 5 == 0)
        and rng.random() > 0.002
    ]
    return pa.Table.from_pylist(kept, schema=bars.schema)


def write_troubled_market(folder: Path, seed: int) -> Path:
    """Write the market into a folder; return it."""
    for name in ("bars", "macro", "funding"):
        (folder / name).mkdir(parents=True)
    for number, path in enumerate(sorted((DEMO / "bars").glob("*.parquet"))):
        bars = troubled_bars(pq.read_table(path), seed + number)
        pq.write_table(bars, folder / "bars" / path.name)
    macro = pa.concat_tables(map(pq.read_table, (DEMO / "macro").glob("*.parquet")))
    pq.write_table(troubled_macro(macro, seed), folder / "macro/macro_daily.parquet")
    paths = (DEMO / "funding").glob("*.parquet")
    funding = troubled_funding(pa.concat_tables(map(pq.read_table, paths)), seed)
    pq.write_table(funding, folder / "funding/funding.parquet")
    return folder
