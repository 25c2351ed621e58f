"""Paper trading from end to end: hours with faults, every decision, the batch's end."""

import shutil
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import duckdb
import pytest

from barsieve.core.errors import InputError
from barsieve.live.hour import Paper
from barsieve.live.journal import Journal
from barsieve.live.lines import read_lines
from barsieve.live.rebuild import catch_up
from barsieve.market.simulation import simulate, write_market
from builds import PROJECT
from growing import differing, kept_tables
from paper_cases import HOUR, kinds_of
from paper_runs import ACCOUNTS, follow, made
from paper_venue import PaperVenue, SimulatedClock, millis, utc

pytestmark = pytest.mark.slow

START = utc(2021, 5, 4, 20)
KLINES = "/api/v3/klines"
# Hours after the start at which there is a pass; in between the machine sleeps.
PASSES = [1, 2, 3, 4, 5, 6, 36, 37, 38, 45, 46, 50]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("paper") / "demo"
    write_market(simulate(hours=1700), folder)
    return folder


@pytest.fixture(scope="module")
def project(whole, tmp_path_factory):
    return made(tmp_path_factory.mktemp("desk") / "desk", whole, START)


@pytest.fixture
def desk(project, tmp_path):
    own = project.copy(tmp_path / "desk")
    with own.here():
        yield own


@pytest.fixture
def venue(whole):
    served = PaperVenue(whole, START)
    yield served
    served.close()


def faults(venue, clock):
    venue.fail(KLINES, "429", "500", "timeout", "truncated", "empty")


def withhold(venue, clock):
    late = millis(clock.now() + 3 * HOUR)
    venue.withheld["BTC", millis(START + 2 * HOUR)] = late


def revise(venue, clock):
    venue.revised["ETH", millis(START + HOUR)] = (1.002, 0)


def go_down(venue, clock):
    venue.is_down = True


def come_back(venue, clock):
    venue.is_down = False


def run_ahead(venue, clock):
    clock.skew = timedelta(seconds=40)
    clock.set(clock.now())


def let_settlement_wait(venue, clock):
    for base in ("BTC", "ETH"):
        for ts, _ in venue.rates[base]:
            if ts >= millis(START + 37 * HOUR):
                venue.late_funding[base, ts] = ts + 5 * 3_600_000
                break


HAPPENINGS = {
    2: faults, 3: withhold, 4: revise, 6: go_down, 36: come_back, 37: run_ahead,
    38: let_settlement_wait,
}  # fmt: skip
ALARMS = {
    "venue_fault", "late_input", "late_bar", "revised_bar", "venue_down", "venue_back",
    "clock_skew", "late_decision", "late_settlement",
}  # fmt: skip


def hold_to_the_batch(desk):
    """Hold every decision, and the end of each account, to one build of the market."""
    # An hour for each bar that is stored, of every account and symbol.
    journal = Journal(desk.live.journal)
    bars = dict(
        desk.rows(
            "select symbol, count(*) from bars_1h "
            f"where bar_ts >= '{START.isoformat()}' group by all"
        )
    )
    assert len(journal.lines) == 2 * bars["ETH"] + bars["BTC"]
    assert any(one.quote for one in journal.lines)
    assert any(one.decision["filled"] for one in journal.lines)
    # The batch: all of the market as it is now, in one build.
    batch = desk.build(desk.folder / "batch" / "barsieve.duckdb")
    for database in (None, batch):
        assert desk.verdicts(database) == {("identical", None): len(journal.lines)}
    ended = dict(
        desk.rows(
            "select profile, max_by(balance, bar_ts) from profile_equity "
            "where profile in ('lively_paper', 'together_paper') group by all",
            batch,
        )
    )
    still_open = {one.account for one in journal.lines[-3:] if one.decision["position"]}
    for account in set(ACCOUNTS) - still_open:
        assert desk.balances()[account] == ended[account]
    reported = desk.rows(
        "select sum(decisions), sum(identical), sum(orders_measured) from report_live",
        batch,
    )[0]
    assert reported[:2] == (len(journal.lines), len(journal.lines))
    assert reported[2] > 0
    return bars


def test_days_with_every_fault_end_with_the_balance_of_the_batch(desk, venue):
    done = follow(desk, venue, START, PASSES, HAPPENINGS)
    assert [hour.failure for hour in done] == [None] * len(PASSES)
    assert set(kinds_of(desk.live)) >= ALARMS
    assert hold_to_the_batch(desk) == {"BTC": 49, "ETH": 50}


def each_week(week: int) -> dict:
    """Return the happenings of a week, at its own hours."""
    first = 168 * week

    def at(hour: int):
        return millis(START + (first + hour) * HOUR)

    def withhold_for_a_while(venue, clock):
        venue.withheld["BTC", at(22)] = at(26)

    def withhold_for_good(venue, clock):
        venue.withheld["ETH", at(31)] = None

    def revise_one(venue, clock):
        venue.revised["ETH", at(40)] = (1.001, at(42))

    def clocks_agree(venue, clock):
        clock.skew = timedelta(0)
        clock.set(clock.now())

    def hold_settlements_back(venue, clock):
        for base, rates in venue.rates.items():
            for ts, _ in rates:
                if at(60) <= ts < at(68):
                    venue.late_funding[base, ts] = ts + 5 * 3_600_000

    return {
        first + hour: happening
        for hour, happening in {
            5: faults, 22: withhold_for_a_while, 31: withhold_for_good, 41: revise_one,
            60: hold_settlements_back, 80: go_down, 110: come_back, 120: run_ahead,
            121: clocks_agree, 130: faults,
        }.items()
    }  # fmt: skip


# Weeks, hour by hour: two days of one in every run of the tests are those above.
@pytest.mark.proofs
@pytest.mark.parametrize("n_weeks", [1, 9])
def test_weeks_hour_by_hour_with_every_fault_end_with_the_balance_of_the_batch(
    tmp_path, n_weeks
):
    market = tmp_path / "whole"
    write_market(simulate(hours=1500 + 168 * (n_weeks + 1)), market)
    project = made(tmp_path / "desk", market, START)
    venue = PaperVenue(market, START)
    happenings = {}
    for week in range(n_weeks):
        happenings |= each_week(week)
    try:
        with project.here():
            hours = list(range(1, 168 * n_weeks + 1))
            done = follow(project, venue, START, hours, happenings)
            assert [hour.failure for hour in done] == [None] * len(hours)
            assert set(kinds_of(project.live)) >= ALARMS
            bars = hold_to_the_batch(project)
    finally:
        venue.close()
    assert min(bars.values()) > 160 * n_weeks


def test_a_late_input_is_found_by_the_next_build(desk, venue):
    follow(desk, venue, START, [1, 2, 3], {})
    # Somebody fills in a macro value that is known before these hours by its rule.
    path = desk.market / "macro" / "macro_daily.parquet"
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    table = pq.read_table(path)
    is_vix = pc.equal(table["series"], "VIX")
    raised = pc.if_else(is_vix, pc.multiply(table["value"], 1.5), table["value"])
    place = table.column_names.index("value")
    pq.write_table(table.set_column(place, "value", raised), path)
    text = (desk.configs / "lively_paper.json").read_text()
    desk.build()
    verdicts = desk.verdicts()
    assert {cause for _, cause in verdicts} <= {None, "input_late"}
    assert text == (desk.configs / "lively_paper.json").read_text()


def test_an_edited_journal_is_refused_and_marked(desk, venue):
    follow(desk, venue, START, [1, 2], {})
    path = desk.live.journal
    path.write_text(path.read_text().replace('"stay flat"', '"enter long"', 1))
    with pytest.raises(InputError, match="hash differs"):
        Paper(desk.settings(venue), SimulatedClock(START + 3 * HOUR, venue))
    desk.build()
    assert ("differs", "journal_edited") in desk.verdicts()


def test_other_settings_of_an_account_are_refused_and_ring(desk, venue):
    follow(desk, venue, START, [1], {})
    path = desk.configs / "lively_paper.json"
    path.write_text(path.read_text().replace("0.53", "0.61"))
    before = desk.live.journal.read_bytes()
    (hour,) = follow(desk, venue, START, [2], {})
    assert hour.failure
    assert "advance_failed" in kinds_of(desk.live)
    assert desk.live.journal.read_bytes() == before


def test_done_again_after_a_swap_that_did_not_happen_the_lines_stay(
    desk, venue, monkeypatch
):
    shutil.copyfile(desk.database, desk.folder / "before")
    follow(desk, venue, START, [1], {})
    first = desk.live.journal.read_bytes()
    # As if it had been killed after the journal and before the swap.
    shutil.copyfile(desk.folder / "before", desk.database)
    (hour,) = follow(desk, venue, START, [1], {})
    assert hour.said == []
    assert desk.live.journal.read_bytes() == first
    assert "not_batch" not in kinds_of(desk.live)
    assert desk.verdicts() == {("identical", None): 3}
    assert read_lines(desk.live.journal)


def test_a_build_catches_up_with_the_hours_decided_meanwhile(desk, venue, tmp_path):
    # What a build would have made before these hours, in a folder of its own.
    (tmp_path / "aside").mkdir()
    built = Path(shutil.copyfile(desk.database, tmp_path / "aside" / "barsieve.duckdb"))
    follow(desk, venue, START, [1, 2, 3, 4], {})
    found = catch_up(built, desk.database, desk.market, desk.configs)
    assert (found.n_bars, found.differing, found.kept) == (8, [], None)
    assert found.verdicts == {"identical": 12}
    assert found.is_batch
    assert desk.verdicts(built) == desk.verdicts()
    assert differing(built, desk.database, kept_tables(built)) == {}
    # A row that nobody decided so: the file is kept, and the table is named.
    with duckdb.connect(str(desk.database)) as connection:
        last = "bar_ts = (select max(bar_ts) from features) and symbol = 'ETH'"
        connection.execute(f"update features set atr_20 = atr_20 * 2 where {last}")
    found = catch_up(built, desk.database, desk.market, desk.configs)
    assert found.differing == ["features"]
    assert found.kept.read_bytes() == desk.database.read_bytes()
    assert not found.is_batch


def test_hours_are_decided_while_barsieve_build_is_at_work(desk, venue):
    follow(desk, venue, START, [1], {})
    building = subprocess.Popen(
        [sys.executable, "-m", "barsieve", "build", "--no-prove"]
        + ["--exclude", "tag:ml"],
        cwd=PROJECT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    while not (desk.folder / ".barsieve.duckdb.rebuilding").exists():
        assert building.poll() is None
        time.sleep(0.02)
    hours = follow(desk, venue, START, [2, 3, 4], {})
    assert building.poll() is None, "the hours were to be done before the build ends"
    assert [hour.failure for hour in hours] == [None] * 3
    told, _ = building.communicate(timeout=300)
    assert building.returncode == 0, told
    assert "12 identical" in told
    assert desk.verdicts() == {("identical", None): 12}
    (last,) = desk.rows("select max(bar_ts) from features")[0]
    assert last == START + 3 * HOUR
    # And it goes on from there.
    (hour,) = follow(desk, venue, START, [5], {})
    assert hour.failure is None
    assert len(hour.said) == 3
    assert "not_batch" not in kinds_of(desk.live)
