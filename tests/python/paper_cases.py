"""Markets to trade on paper: one that ends, a venue that goes on, and who reads it."""

from datetime import datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from barsieve.ingest.retry import Patience
from barsieve.live.alarms import Alarms
from barsieve.live.folder import LiveFolder
from barsieve.live.lines import read_lines
from barsieve.live.reading import Reading, Venue
from builds import PROJECT
from paper_venue import PaperVenue, SimulatedClock

SEED = PROJECT / "seeds" / "macro_series.csv"
HOUR = timedelta(hours=1)
# Little waiting: what is waited for is the simulated clock's.
ASKING = Patience(tries=3, first_wait=0.001, longest_wait=0.01, timeout=0.4)
PATIENCE = timedelta(minutes=5)


def cut_market(whole: Path, folder: Path, end: datetime) -> Path:
    """Write the part of a market that was there at a moment, as one of one's own."""
    for path in whole.glob("*/*.parquet"):
        if path.parent.name not in ("bars", "funding", "macro"):
            continue
        table = pq.read_table(path)
        time = "known_at" if path.parent.name == "macro" else "ts"
        known = table.filter(pc.less(table[time], pa.scalar(end, table[time].type)))
        (folder / path.parent.name).mkdir(parents=True, exist_ok=True)
        pq.write_table(known, folder / path.parent.name / path.name)
    return folder


def kinds_of(folder: LiveFolder) -> list[str]:
    """Return the kinds of all alarms, each once, sorted."""
    return sorted({line["kind"] for line in read_lines(folder.alarms)})


class Desk:
    """A market, its venue, their clock and a reader, at a close."""

    def __init__(self, whole: Path, place: Path, end: datetime):
        """Cut a market off at `end`; the venue has what comes after."""
        self.end = end
        self.folder = LiveFolder(cut_market(whole, place / "market", end))
        self.venue = PaperVenue(whole, end)
        self.clock = SimulatedClock(end, self.venue)
        self.asked = Venue("binance", "USDT", self.venue.options(), ASKING)
        self.decided = end - HOUR

    def reader(self) -> Reading:
        """Return a reader that has seen nothing yet, as after a restart."""
        alarms = Alarms(self.folder.alarms, self.clock.now)
        return Reading(self.folder, SEED, self.asked, self.clock, alarms, PATIENCE)

    def read(self, hours: int = 1, seconds: int = 2) -> list[str]:
        """Read at a close so many hours after the last; what was read is decided."""
        close = self.decided + HOUR * (1 + hours)
        self.clock.set(close + timedelta(seconds=seconds))
        missing = self.reader().read(close, self.decided)
        self.decided = max(self.stored(name)[-1] for name in ("BTC", "ETH"))
        return missing

    def stored(self, symbol: str) -> list[datetime]:
        """Return the opens of the stored bars of a symbol."""
        path = self.folder.market / "bars" / f"{symbol}.parquet"
        return pq.read_table(path)["ts"].to_pylist()

    def rates(self, symbol: str) -> list[datetime]:
        """Return the stored settlements of a symbol."""
        files = (self.folder.market / "funding").glob("*.parquet")
        tables = [pq.read_table(path, columns=["ts", "symbol"]) for path in files]
        rows = [row for table in tables for row in table.to_pylist()]
        return sorted(row["ts"] for row in rows if row["symbol"] == symbol)

    def kinds(self) -> list[str]:
        """Return the kinds of the alarms so far."""
        return kinds_of(self.folder)

    def texts(self, kind: str) -> list[str]:
        """Return what the alarms of a kind say."""
        lines = read_lines(self.folder.alarms)
        return [line["text"] for line in lines if line["kind"] == kind]
