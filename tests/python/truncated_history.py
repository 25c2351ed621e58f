"""A market cut off at random hours, built again and again, against the whole one.

Each cut takes away every bar, publication and settlement after a random hour. Eight
symbols share each build: two whole ones, and six that start at random hours under names
that sort before, between and after them, so that neither the end nor the start of
history, nor a neighbour in the same build, may change a bit of any row.
"""

import random
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from compiled_project import CompiledProject

N_CUTS = 20
SLICE_BARS = 5_000
HOUR = pa.scalar(3_600_000_000, pa.duration("us"))
WHOLE = ("BTC", "ETH")
SLICED = {
    "AAA": "ETH",
    "BTB": "BTC",
    "DOT": "ETH",
    "ETI": "BTC",
    "ZEC": "ETH",
    "b": "BTC",
}

TABLES = (
    "features",
    "macro_signals",
    "macro_vetoes",
    "regime_observations",
    "regime_days",
    "regime_fits",
    "regimes",
    "scores",
    "sentinels",
    "votes",
    "fusion_scores",
    "candidate_bounds",
    "candidates",
)
HOUR_CLOSE = "bar_ts + interval '1 hour'"
KEYS = {
    "macro_vetoes": ["symbol", "bar_ts"],
    "votes": ["symbol", "bar_ts"],
    "candidate_bounds": ["profile", "symbol", "bar_ts"],
}
# When a row could first be known; an hour's row at the bar's close.
KNOWN = {
    "regime_observations": "known_at",
    "regime_days": "known_at",
    # A month's fit shows once a day of the month has ended.
    "regime_fits": "fit_at + interval '1 day'",
}
# What a slice needs before its windows are full: 12 weeks of hours of the week, 50
# whole days, 410 bars of structure; macro has all its history here.
WARM_UP_BARS = 12 * 168 + 200


class Histories:
    """A market in memory that can be written cut off at any hour."""

    def __init__(self, market: Path, seed: int):
        self.bars = {s: pq.read_table(market / f"bars/{s}.parquet") for s in WHOLE}
        self.macro = pa.concat_tables(
            pq.read_table(p) for p in sorted((market / "macro").glob("*.parquet"))
        )
        self.funding = pa.concat_tables(
            pq.read_table(p) for p in sorted((market / "funding").glob("*.parquet"))
        )
        self.rng = random.Random(seed)
        self.starts = {}
        for name, source in SLICED.items():
            n_bars = self.bars[source].num_rows
            self.starts[name] = self.rng.randrange(1, n_bars - SLICE_BARS)

    def closes(self) -> list:
        return pc.add(self.bars["ETH"]["ts"], HOUR).to_pylist()

    def cut_points(self) -> list:
        """Random closes, some of them right at a 4-hour or daily boundary."""
        closes = self.closes()[1_000:]
        chosen = self.rng.sample(closes, N_CUTS - 3)
        days = [c for c in closes if c.hour == 0]
        fours = [c for c in closes if c.hour % 4 == 0]
        return [*chosen, closes[-2], self.rng.choice(days), self.rng.choice(fours)]

    def write(self, folder: Path, cut=None) -> Path:
        for part in ("bars", "macro", "funding"):
            (folder / part).mkdir(parents=True, exist_ok=True)
        for path in (folder / "bars").glob("*.parquet"):
            path.unlink()
        tables = dict(self.bars)
        for name, source in SLICED.items():
            tables[name] = self.bars[source].slice(self.starts[name], SLICE_BARS)
        macro, funding = self.macro, self.funding
        renamed = [funding]
        for name, source in SLICED.items():
            rows = funding.filter(pc.equal(funding["symbol"], source))
            index = rows.schema.get_field_index("symbol")
            moved = rows.set_column(index, "symbol", pa.array([name] * len(rows)))
            renamed.append(pa.table(moved.columns, schema=funding.schema))
        funding = pa.concat_tables(renamed)
        if cut is not None:
            at = pa.scalar(cut, pa.timestamp("us", tz="UTC"))
            tables = {
                name: table.filter(pc.less_equal(pc.add(table["ts"], HOUR), at))
                for name, table in tables.items()
            }
            macro = macro.filter(pc.less_equal(macro["known_at"], at))
            # Known a minute later; the replay pays it at the next bar's open.
            funding = funding.filter(pc.less(funding["ts"], at))
        for name, table in tables.items():
            if table.num_rows:
                pq.write_table(table, folder / f"bars/{name}.parquet")
        pq.write_table(macro, folder / "macro/macro.parquet")
        pq.write_table(funding, folder / "funding/funding.parquet")
        return folder


def keep_as_reference(connection, catalog: str) -> None:
    connection.execute("attach ':memory:' as reference")
    for table in (*TABLES, "trades"):
        connection.execute(
            f"create table reference.main.{table} as from {catalog}.main.{table}"
        )


def differences(connection, table: str, keys: list[str], ours: str, theirs: str):
    """Return the columns in which two relations differ, with the number of rows."""
    columns = [row[0] for row in connection.execute(f"describe {table}").fetchall()]
    counts = [
        f"count_if(a.{c} is distinct from b.{c}) as {c}"
        for c in columns
        if c not in keys
    ]
    counts += [
        f"count_if(a.{keys[0]} is null) as row_that_the_cut_added",
        f"count_if(b.{keys[0]} is null) as row_that_the_cut_lost",
    ]
    on = " and ".join(f"a.{key} = b.{key}" for key in keys)
    found = connection.execute(
        f"select {', '.join(counts)} "
        f"from ({theirs}) as a full join ({ours}) as b on {on}"
    )
    names = [column[0] for column in found.description]
    return {c: n for c, n in zip(names, found.fetchone(), strict=True) if n}


def compare_with_reference(connection, project: CompiledProject, cut) -> dict:
    found = {}
    for table in TABLES:
        keys = KEYS.get(table) or project.grain(table)
        whole = (
            f"from reference.main.{table} "
            f"where {KNOWN.get(table, HOUR_CLOSE)} <= timestamptz '{cut}'"
        )
        wrong = differences(connection, table, keys, f"from {table}", whole)
        if wrong:
            found[table] = wrong
    # Trades closed by the cut; one closed only because history ends is not closed.
    closed = f"exit_reason != 'end_of_data' and exit_ts < timestamptz '{cut}'"
    wrong = differences(
        connection,
        "trades",
        project.grain("trades"),
        f"from trades where {closed}",
        f"from reference.main.trades where {closed}",
    )
    return found | ({"trades": wrong} if wrong else {})


def first_failing_cut(project: CompiledProject, market: Path, folder: Path, seed: int):
    """Return the first cut at which something differs, and what; None if nothing."""
    histories = Histories(market, seed)
    connection = project.connect()
    project.run(connection, histories.write(folder))
    keep_as_reference(connection, project.catalog)
    rows = connection.execute("select count(*) from features").fetchone()[0]
    compared = 0
    for cut in histories.cut_points():
        project.run(connection, histories.write(folder, cut))
        found = compare_with_reference(connection, project, cut)
        if found:
            return cut, found
        compared += connection.execute("select count(*) from features").fetchone()[0]
    assert compared > rows, "the cuts compared almost nothing"
    return None
