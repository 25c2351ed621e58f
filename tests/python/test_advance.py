"""An advance gives the file of a full build, to the last bit, or changes nothing."""

import hashlib
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest

from barsieve.core.errors import InputError
from barsieve.live import advance as live_advance
from barsieve.live.advance import advance
from barsieve.market.simulation import simulate, write_market
from builds import PROJECT
from compiled_project import CompiledProject
from growing import built, closes, cut, differing, kept_tables

pytestmark = pytest.mark.slow

HOURS, AHEAD, ENDS = 3600, 800, 40
CONFIGS = PROJECT / "configs"


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    """A market of five months; the last one begins within what is to come."""
    folder = tmp_path_factory.mktemp("advance") / "whole"
    write_market(simulate(hours=HOURS), folder)
    return folder


@pytest.fixture(scope="module")
def project(demo_build) -> CompiledProject:
    return CompiledProject(demo_build)


@pytest.fixture(scope="module")
def begun(project, whole, tmp_path_factory) -> Path:
    """A file built where the market has `AHEAD` hours to come."""
    folder = tmp_path_factory.mktemp("begun")
    market = cut(whole, folder / "market", closes(whole)[-1 - AHEAD])
    return built(project, market, folder / "begun.duckdb", CONFIGS)


class Desk:
    """A copy of the file, and a market that grows."""

    def __init__(self, whole: Path, begun: Path, folder: Path):
        self.whole, self.market = whole, folder / "market"
        self.database = Path(shutil.copy(begun, folder / "file.duckdb"))
        self.closes = closes(whole)
        self.grow(AHEAD)

    def grow(self, hours_left: int) -> None:
        """Let the market end so many hours before that of all of it."""
        cut(self.whole, self.market, self.closes[-1 - hours_left])

    def advance(self, **more):
        return advance(self.database, self.market, configs=CONFIGS, **more)

    def digest(self) -> str:
        return hashlib.sha256(self.database.read_bytes()).hexdigest()


@pytest.fixture
def desk(whole, begun, tmp_path) -> Desk:
    return Desk(whole, begun, tmp_path)


def test_forty_advances_give_the_file_of_a_build(project, desk, tmp_path):
    rng = random.Random(7)
    # Hour by hour over a while, then steps of any length.
    hours = list(range(AHEAD - 1, AHEAD - 21, -1))
    hours += sorted(rng.sample(range(1, AHEAD - 21), ENDS - 21), reverse=True)
    added = 0
    for left in [*hours, 0]:
        desk.grow(left)
        done = desk.advance()
        assert done.is_new
        added += done.n_bars
    full = built(project, desk.market, tmp_path / "full.duckdb", CONFIGS)
    kept = kept_tables(full)
    assert {"features", "trades", "replay_legs", "exit_learned"} <= set(kept)
    assert len(kept) > 60
    assert differing(desk.database, full, kept) == {}
    with duckdb.connect(str(desk.database), read_only=True) as connection:
        connection.execute(f"attach '{full}' as full_build (read_only)")
        told = connection.execute(
            "select (select count(*) from bars_1h), (select count(*) from "
            "full_build.bars_1h), (select count(*) from trades)"
        ).fetchone()
    assert told[0] == told[1]
    assert told[2] > 100
    assert added > AHEAD


def test_nothing_new_writes_nothing(desk):
    before = desk.database.stat()
    done = desk.advance()
    assert (done.is_new, done.n_bars, done.to_ts) == (False, 0, None)
    assert desk.database.stat() == before


@pytest.mark.proofs
@pytest.mark.real_market
@pytest.mark.parametrize(("n_ends", "seed"), [(20, 1), (60, 2), (200, 3)])
def test_advances_over_five_real_years_give_the_file_of_a_build(
    real_build, real_market, tmp_path, n_ends, seed
):
    project, rng = CompiledProject(real_build), random.Random(seed)
    ends = closes(real_market)
    first = 24 * 200
    chosen = sorted(rng.sample(range(first + 1, len(ends) - 1), n_ends // 2))
    # The other half are hours in a row, from some moments on.
    begins = rng.sample(range(first + 1, len(ends) - 50), 4)
    chosen += [at + n for at in begins for n in range(n_ends // 8)]
    market = cut(real_market, tmp_path / "market", ends[first])
    file = built(project, market, tmp_path / "file.duckdb", CONFIGS)
    for at in [*sorted(set(chosen)), len(ends) - 1]:
        cut(real_market, market, ends[at])
        assert advance(file, market, configs=CONFIGS).is_new
    full = built(project, market, tmp_path / "full.duckdb", CONFIGS)
    assert differing(file, full, kept_tables(full)) == {}


def edited(desk: Desk, part: str, column: str, row: int) -> None:
    """Let the market say something else of a row that the file has."""
    path = desk.market / part / "ETH.parquet"
    if not path.exists():
        path = next((desk.market / part).glob("*.parquet"))
    table = pq.read_table(path)
    values = table[column].to_pylist()
    values[row] = values[row] * 1.001
    place = table.column_names.index(column)
    pq.write_table(table.set_column(place, column, [values]), path)


@pytest.mark.parametrize(
    ("part", "column", "row"),
    [("bars", "close", -30), ("bars", "volume", 100), ("funding", "funding_rate", -9)],
)
def test_a_past_that_changed_is_refused_and_nothing_is_swapped(desk, part, column, row):
    edited(desk, part, column, row)
    before = desk.digest()
    desk_market = pq.read_table(desk.market / "bars/BTC.parquet")
    assert desk_market.num_rows > 1000
    with duckdb.connect(str(desk.database), read_only=True) as connection:
        n_bars = connection.execute("select count(*) from bars_1h").fetchone()
    # Something new as well: what is refused is not for want of work.
    grown = cut(desk.whole, desk.market.parent / "grown", desk.closes[-AHEAD])
    for file in (grown / "bars").glob("BTC.parquet"):
        shutil.copy(file, desk.market / "bars")
    with pytest.raises(InputError) as refused:
        desk.advance()
    assert "barsieve build" in str(refused.value)
    assert desk.digest() == before
    assert n_bars[0] > 1000


def test_another_code_or_other_configs_are_refused(desk, monkeypatch, tmp_path):
    desk.grow(AHEAD - 1)
    before = desk.digest()
    other = shutil.copytree(CONFIGS, tmp_path / "configs")
    (other / "btc_live.json").unlink()
    with pytest.raises(InputError, match="configs"):
        advance(desk.database, desk.market, configs=other)
    monkeypatch.setattr(live_advance, "code_hash", lambda _: "another")
    with pytest.raises(InputError, match="code"):
        desk.advance()
    assert desk.digest() == before


def test_a_tail_that_is_too_short_is_found_out(desk, monkeypatch):
    desk.grow(AHEAD - 1)
    before, read = desk.digest(), live_advance.read_models

    def short(*arguments):
        models = read(*arguments)
        models["feature_hourly"] = models["feature_hourly"]._replace(looks_back=20)
        return models

    monkeypatch.setattr(live_advance, "read_models", short)
    with pytest.raises(InputError, match="feature_hourly"):
        desk.advance()
    assert desk.digest() == before


def _opened(desk: Desk) -> tuple[duckdb.DuckDBPyConnection, Path]:
    return duckdb.connect(str(desk.database), read_only=True), desk.database


def test_a_lag_that_was_removed_is_found_out(desk, monkeypatch):
    desk.grow(AHEAD - 1)
    before, read = desk.digest(), live_advance.read_models

    def ahead(*arguments):
        models = read(*arguments)
        own = models["feature_hourly"]
        code = own.compiled_code.replace("lag(", "lead(")
        assert code != own.compiled_code
        models["feature_hourly"] = own._replace(compiled_code=code)
        return models

    monkeypatch.setattr(live_advance, "read_models", ahead)
    with pytest.raises(InputError, match="feature_hourly"):
        desk.advance()
    assert desk.digest() == before


def test_a_tail_one_row_short_of_what_is_needed_is_found_out(desk, monkeypatch):
    desk.grow(AHEAD - 1)
    read = live_advance.read_models
    declared = read(*_opened(desk))["feature_hourly"].looks_back

    def is_enough(looks_back: int) -> bool:
        def shorter(*arguments):
            models = read(*arguments)
            own = models["feature_hourly"]._replace(looks_back=looks_back)
            models["feature_hourly"] = own
            return models

        before = shutil.copy(desk.database, desk.market.parent / "before")
        monkeypatch.setattr(live_advance, "read_models", shorter)
        try:
            return desk.advance().is_new
        except InputError:
            return False
        finally:
            shutil.copy(before, desk.database)

    low, high = 1, declared
    assert is_enough(high)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if is_enough(middle) else (middle, high)
    # Its longest window has 251 bars, this one included: a row less is refused.
    assert (low, high) == (249, 250)
    assert high <= declared


def test_what_fails_before_the_swap_leaves_the_file(desk):
    desk.grow(AHEAD - 5)
    before = desk.digest()

    def full_disk(path: Path) -> None:
        assert path.exists()
        raise OSError("no space left")

    with pytest.raises(OSError, match="no space"):
        desk.advance(before_swap=full_disk)
    assert desk.digest() == before
    assert desk.advance().is_new


def killed(desk: Desk, after: float) -> bool:
    """Advance in a process of its own; kill it after a while, if it still runs."""
    code = (
        "import sys; from pathlib import Path; "
        "from barsieve.live.advance import advance; "
        "advance(Path(sys.argv[1]), Path(sys.argv[2]), configs=Path(sys.argv[3]))"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, desk.database, desk.market, CONFIGS],
        cwd=PROJECT, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    time.sleep(after)
    process.send_signal(signal.SIGKILL)
    return process.wait() == -signal.SIGKILL


KILLS = pytest.mark.parametrize(
    "n_kills",
    [pytest.param(6), pytest.param(500, marks=pytest.mark.proofs)],
)


@KILLS
def test_kills_leave_a_whole_file_that_goes_on(project, desk, tmp_path, n_kills):
    rng = random.Random(3)
    desk.grow(AHEAD - 30)
    states, cut_short = {desk.digest()}, 0
    for _ in range(n_kills):
        cut_short += killed(desk, rng.uniform(0.2, 3.5))
        states.add(desk.digest())
        with duckdb.connect(str(desk.database), read_only=True) as connection:
            connection.execute("select count(*) from trades").fetchone()
    assert cut_short > 0
    # As it was, or all the way: nothing between.
    assert len(states) <= 2
    desk.advance()
    full = built(project, desk.market, tmp_path / "full.duckdb", CONFIGS)
    assert differing(desk.database, full, kept_tables(full)) == {}
