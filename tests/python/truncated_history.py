"""Histories cut off at random hours, beside whole ones, and whether a row tells which.

What is of one symbol is cut off in one build: each cut history is a symbol of its own,
with its own profiles, funding and open interest, among the whole ones and six that
start at random hours. Their names sort before, between and after each other. So neither
the end nor the start of history, nor a neighbour, may change a bit of any row.

What all symbols share (macro series, the regimes that follow from them) is cut off in a
few builds of its own, together with everything else. Their rows must be those of the
build above, which has other neighbours as well.
"""

import itertools
import json
import random
from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from barsieve.profiles.resolution import resolve
from compiled_project import FINAL_LAYERS, CompiledProject
from conftest import PROJECT

# How often a whole symbol is cut off, one that starts late, and everything together.
N_CUTS = (4, 16, 3)
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
OPEN_INTEREST = {"BTC": "OI_BTC_COINM", "ETH": "OI_ETH_COINM"}
# Of every bar, whatever the profile; then of profiles; then of all symbols together.
OF_SYMBOLS = (
    "features", "macro_signals", "macro_vetoes", "scores", "sentinels", "votes",
)  # fmt: skip
OF_PROFILES = ("fusion_scores", "candidate_bounds", "candidates", "replay_trades")
OF_ALL = ("regime_observations", "regime_days", "regime_fits", "regimes")
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
    # A trade, once it is closed: of a microsecond before the bar that closes it.
    "replay_trades": "exit_ts + interval '1 microsecond'",
}
# One closed only because history ends is not closed; an open one is no row to compare.
CLOSED = {"replay_trades": "exit_reason != 'end_of_data'"}
# What a slice needs before its windows are full: 12 weeks of hours of the week, 50
# whole days, 410 bars of structure; macro has all its history here.
WARM_UP_BARS = 12 * 168 + 200


class Cut(NamedTuple):
    """A history that ends early: its symbol, that of the whole one, and the hour."""

    symbol: str
    source: str
    at: object


class Market(NamedTuple):
    """The tables of a market folder; bars by symbol."""

    bars: dict[str, pa.Table]
    macro: pa.Table
    funding: pa.Table

    def until(self, cut) -> "Market":
        """Return what was known at an hour; a bar is known at its close."""
        at = pa.scalar(cut, pa.timestamp("us", tz="UTC"))
        return Market(
            {
                symbol: table.filter(pc.less_equal(pc.add(table["ts"], HOUR), at))
                for symbol, table in self.bars.items()
            },
            self.macro.filter(pc.less_equal(self.macro["known_at"], at)),
            # Known a minute later; the replay pays it at the next bar's open.
            self.funding.filter(pc.less(self.funding["ts"], at)),
        )

    def of(self, symbol: str, name: str) -> "Market":
        """Return a symbol's own part of a market, under another name."""
        interest = pc.equal(self.macro["series"], OPEN_INTEREST.get(symbol, ""))
        funding = self.funding.filter(pc.equal(self.funding["symbol"], symbol))
        return Market(
            {name: self.bars[symbol]},
            renamed(self.macro.filter(interest), "series", f"OI_{name}"),
            renamed(funding, "symbol", name),
        )

    def since(self, start: int) -> "Market":
        """Return a market whose bars are a slice that starts at a bar."""
        sliced = {s: table.slice(start, SLICE_BARS) for s, table in self.bars.items()}
        return self._replace(bars=sliced)

    def write(self, folder: Path) -> Path:
        """Write the folder."""
        for part in ("bars", "macro", "funding"):
            (folder / part).mkdir(parents=True)
        for symbol, table in self.bars.items():
            if table.num_rows:
                pq.write_table(table, folder / f"bars/{symbol}.parquet")
        pq.write_table(self.macro, folder / "macro/macro.parquet")
        pq.write_table(self.funding, folder / "funding/funding.parquet")
        return folder


def renamed(table: pa.Table, column: str, name: str) -> pa.Table:
    """Return a table with one name in the place of those in a column."""
    index = table.schema.get_field_index(column)
    names = pa.array([name] * len(table), table.schema.field(index).type)
    return table.set_column(index, table.schema.field(index), names)


def joined(markets: list[Market]) -> Market:
    """Return the symbols of several markets side by side."""
    return Market(
        {symbol: t for market in markets for symbol, t in market.bars.items()},
        pa.concat_tables([market.macro for market in markets]),
        pa.concat_tables([market.funding for market in markets]),
    )


class Histories:
    """A market, the slices of it, and the hours at which they are cut off."""

    def __init__(self, market: Path, seed: int, n_cuts=N_CUTS):
        self.n_of_whole, self.n_of_slices, self.n_of_all = n_cuts
        macro, funding = (
            pa.concat_tables(map(pq.read_table, sorted((market / part).iterdir())))
            for part in ("macro", "funding")
        )
        bars = {s: pq.read_table(market / f"bars/{s}.parquet") for s in WHOLE}
        self.whole = Market(bars, macro, funding)
        self.rng = random.Random(seed)
        self.starts = {
            name: self.rng.randrange(1, self.whole.bars[source].num_rows - SLICE_BARS)
            for name, source in SLICED.items()
            if self.n_of_slices
        }
        self.slices = {
            name: self.whole.of(SLICED[name], name).since(start)
            for name, start in self.starts.items()
        }
        self.numbers = itertools.count()
        self.cuts = [*self._cuts_of_whole(), *self._cuts_of_slices()]

    def closes(self, bars: pa.Table) -> list:
        return pc.add(bars["ts"], HOUR).to_pylist()

    def _cut(self, source: str, at) -> Cut:
        number = next(self.numbers)
        return Cut(f"{'AEZb'[number % 4]}{number:02d}{source}", source, at)

    def _cuts_of_whole(self) -> Iterator[Cut]:
        """Yield cuts of both symbols: before the end, at settlements, before turns."""
        for number in range(self.n_of_whole):
            source = WHOLE[number % len(WHOLE)]
            closes = self.closes(self.whole.bars[source])
            hours = (1, 8, 24, 8)[number % 4]
            later = [c for c in closes[1_000:] if c.hour % hours == 0]
            if number % 4 == 2:
                later = sorted(self._turns(source).intersection(closes)) or later
            at = self.rng.choice(later) if number else closes[-2]
            yield self._cut(source, at)

    def _turns(self, symbol: str) -> set:
        """Return the hours after settlements that another interval follows."""
        funding = self.whole.of(symbol, symbol).funding
        settled = sorted(ts.replace(minute=0, second=0, microsecond=0)
                         for ts in funding["ts"].to_pylist())  # fmt: skip
        gaps = [b - a for a, b in pairwise(settled)]
        return {
            settled[number] + timedelta(hours=1)
            for number in range(2, len(gaps))
            if gaps[number] not in gaps[number - 2 : number]
        }

    def _cuts_of_slices(self) -> Iterator[Cut]:
        """Yield cuts, half of them where a day, a settlement or a 4-hour bar ends."""
        for number in range(self.n_of_slices):
            source = list(SLICED)[number % len(SLICED)]
            closes = self.closes(self.slices[source].bars[source])[WARM_UP_BARS // 2 :]
            hours = (24, 8, 4, 1, 1, 1, 1)[number % 7]
            at = self.rng.choice([c for c in closes if c.hour % hours == 0])
            yield self._cut(source, at)

    def hours_for_all(self) -> list:
        """Return hours to cut all at: before the end, of a day, of a block, any."""
        closes = self.closes(self.whole.bars["ETH"])
        later = closes[1_000:]
        days = [c for c in later if c.hour == 0]
        blocks = [c for c in later if c.hour % 4 == 0]
        chosen = [closes[-2], self.rng.choice(days), self.rng.choice(blocks)]
        others = self.rng.sample(later, max(0, self.n_of_all - len(chosen)))
        return [*chosen[: self.n_of_all], *others]

    def beside_each_other(self) -> Market:
        """Return whole, sliced and cut histories as the symbols of one market."""
        cut = []
        for symbol, source, at in self.cuts:
            market = self.whole if source in WHOLE else self._slice(source)
            own = market.until(at).of(source, symbol)
            cut.append(own)
        return joined([self.whole, *self.slices.values(), *cut])

    def _slice(self, name: str) -> Market:
        """Return a slice, its open interest under the name that `of` looks for."""
        own = self.slices[name]
        return own._replace(macro=renamed(own.macro, "series", ""))

    def write_seeds(self, folder: Path) -> Path:
        """Write the seeds, with the open interest of every symbol that has its own."""
        folder.mkdir(parents=True)
        for path in (PROJECT / "seeds").glob("*.csv"):
            (folder / path.name).write_bytes(path.read_bytes())
        path = folder / "macro_series.csv"
        lines = path.read_text().splitlines()
        names = {name: SLICED[name] for name in self.slices}
        names |= {c.symbol: SLICED.get(c.source, c.source) for c in self.cuts}
        for name, source in names.items():
            (line,) = [x for x in lines if x.startswith(f"{OPEN_INTEREST[source]},")]
            head = f"{OPEN_INTEREST[source]},open_interest,{source},"
            assert line.startswith(head)
            lines.append(line.replace(head, f"OI_{name},open_interest,{name},"))
        path.write_text("\n".join(lines) + "\n")
        return folder

    def write_configs(self, folder: Path) -> Path:
        """Write the shipped profiles, and a copy of each for each cut of its symbol."""
        (folder / "shared").mkdir(parents=True)
        shared = "shared/macro_signals.json"
        (folder / shared).write_bytes((PROJECT / "configs" / shared).read_bytes())
        for path in (PROJECT / "configs").glob("*.json"):
            profile = resolve(path).document
            (folder / path.name).write_text(json.dumps(profile))
            for cut in self.cuts:
                if cut.source == profile["symbol"]:
                    name = f"{profile['profile']}_{cut.symbol.lower()}"
                    copied = profile | {"profile": name, "symbol": cut.symbol}
                    (folder / f"{name}.json").write_text(json.dumps(copied))
        return folder


def all_layers_but(project: CompiledProject, *kept: str) -> set[str]:
    """Return the layers of a project to leave out, so that some are kept."""
    return {model.layer for model in project.models.values()} - set(kept)


class Proof:
    """The build of the histories side by side, and what is compared within it."""

    def __init__(
        self,
        project: CompiledProject,
        market: Path,
        folder: Path,
        seed: int,
        n_cuts=N_CUTS,
    ):
        self.project, self.folder = project, folder
        self.histories = Histories(market, seed, n_cuts)
        self.connection = project.connect()

    def build(self, without=FINAL_LAYERS) -> "Proof":
        """Build all histories in one market."""
        histories = self.histories
        self.project.run(
            self.connection,
            histories.beside_each_other().write(self.folder / "market"),
            histories.write_configs(self.folder / "configs"),
            without,
            seeds=histories.write_seeds(self.folder / "seeds"),
        )
        rows = [cut._asdict() for cut in histories.cuts]
        self.connection.register("cut_rows", pa.Table.from_pylist(rows))
        self.connection.execute("create table cuts as from cut_rows")
        return self

    def columns_that_tell(self, tables=OF_SYMBOLS + OF_PROFILES) -> dict:
        """Return tables with the columns in which a cut history differs, and rows."""
        found: dict = {}
        compared = 0
        for table in tables:
            wrong, n_rows = self._compare_cuts(table)
            compared += n_rows
            if wrong:
                found[table] = wrong
        whole = self.connection.execute("select count(*) from features").fetchall()
        assert compared > whole[0][0] / 4, "the cuts compared almost nothing"
        return found

    def _compare_cuts(self, table: str) -> tuple[dict, int]:
        profile = ""
        if table in OF_PROFILES:
            profile = ", profile || '_' || lower(cuts.symbol) as profile"
        whole = (
            f"select of_whole.* replace (cuts.symbol as symbol{profile}) "
            f"from {table} as of_whole "
            "inner join cuts on of_whole.symbol = cuts.source "
            f"where {CLOSED.get(table, 'true')} and {known(table)} <= cuts.at"
        )
        own = (
            f"semi join cuts on cuts.symbol = {table}.symbol "
            f"and {CLOSED.get(table, 'true')}"
        )
        if table in CLOSED:
            own += f" and {known(table)} <= cuts.at"
        count = f"select count(*) from {table} {own}"
        n_rows = self.connection.execute(count).fetchall()[0][0]
        keys = KEYS.get(table) or self.project.grain(table)
        ours = f"from {table} {own}"
        return differences(self.connection, table, keys, ours, whole), n_rows

    def hours_that_tell(
        self, without=FINAL_LAYERS, tables=OF_SYMBOLS + OF_PROFILES + OF_ALL
    ) -> dict:
        """Cut everything off at a few hours; return those that show, and where.

        The build of all histories must be there. It stays as it is.
        """
        connection = self.project.connect()
        copy_tables(self.connection, connection, tables)
        found = {}
        for number, hour in enumerate(self.histories.hours_for_all()):
            market = self.histories.whole.until(hour)
            folder = market.write(self.folder / f"until_{number}")
            self.project.run(connection, folder, PROJECT / "configs", without)
            if wrong := compare_whole(self.project, connection, hour, tables):
                found[hour] = wrong
        return found


def copy_tables(source, target, tables) -> None:
    """Copy tables of the whole symbols and shipped profiles between connections."""
    target.execute("attach ':memory:' as reference")
    shipped = [path.stem for path in (PROJECT / "configs").glob("*.json")]
    for table in tables:
        columns = [r[0] for r in source.execute(f"describe {table}").fetchall()]
        kept = f"symbol in {WHOLE}" if "symbol" in columns else "true"
        if "profile" in columns:
            kept += f" and profile in {tuple(shipped)}"
        rows = source.sql(f"from {table} where {kept}").to_arrow_table()
        target.register("rows", rows)
        target.execute(f"create table reference.main.{table} as from rows")
        target.unregister("rows")


def compare_whole(project, connection, hour, tables) -> dict:
    """Return tables with the columns that differ from the whole build until an hour."""
    found = {}
    for table in tables:
        keys = KEYS.get(table) or project.grain(table)
        is_known = f"where {known(table)} <= timestamptz '{hour}'"
        if table in CLOSED:
            is_known += f" and {CLOSED[table]}"
        whole = f"from reference.main.{table} {is_known}"
        ours = f"from {table} {is_known if table in CLOSED else ''}"
        if wrong := differences(connection, table, keys, ours, whole):
            found[table] = wrong
    return found


def known(table: str) -> str:
    return KNOWN.get(table, HOUR_CLOSE)


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
