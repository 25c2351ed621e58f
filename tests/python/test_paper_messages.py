"""Messages after the swap, paper accounts, daily series, the status."""

import json
import sys
import threading
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from barsieve.core.errors import InputError
from barsieve.core.model_lists import model_lists
from barsieve.ingest.retry import Patience
from barsieve.live.accounts import needed_accounts, open_account, read_accounts
from barsieve.live.alarms import KINDS, Alarms
from barsieve.live.daily import Daily, read_daily
from barsieve.live.folder import LiveFolder
from barsieve.live.journal import Journal
from barsieve.live.lines import read_lines
from barsieve.live.messages import Messenger, Ways
from barsieve.live.status import status
from barsieve.profiles.resolution import resolve
from conftest import PROJECT
from ingesting import SEED
from paper_cases import ASKING, kinds_of
from paper_venue import utc
from sources import Source
from test_paper_journal import FLAT, HOUR, START, line

NOW = START + 5 * HOUR
QUICK = Patience(tries=2, first_wait=0.001, longest_wait=0.01, timeout=0.5)
ENTERED = FLAT | {
    "action": "enter long",
    "order": {"side": "long", "qty": 0.5, "assumed_open": 100.0, "stop": 90.0},
}
FILLED = FLAT | {
    "filled": [{"kind": "exit", "qty": 0.5, "price": 110.0, "reason": "target"}]
}


@pytest.fixture
def folder(tmp_path):
    made = LiveFolder(tmp_path / "market")
    made.market.mkdir()
    return made


@pytest.fixture
def alarms(folder):
    return Alarms(folder.alarms, lambda: NOW)


class Inbox:
    """An address that takes what is posted, or refuses with a status."""

    def __init__(self, status=200):
        self.status, self.got, self.pings = status, [], 0
        inbox = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *arguments):
                pass

            def do_POST(self):
                size = int(self.headers["Content-Length"])
                inbox.got.append(json.loads(self.rfile.read(size)))
                self.answer()

            def do_GET(self):
                inbox.pings += 1
                self.answer()

            def answer(self):
                self.send_response(inbox.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/key"


@pytest.fixture
def inbox():
    made = Inbox()
    yield made
    made.server.shutdown()
    made.server.server_close()


def tell(folder, journal, alarms, ways):
    messenger = Messenger(folder, ways, QUICK)
    messenger.tell(journal, alarms)
    messenger.close(20)
    return messenger


def test_an_hour_with_an_order_is_told_and_a_quiet_one_is_not(folder, alarms, inbox):
    journal = Journal(folder.journal)
    journal.append([line(0)])
    tell(folder, journal, alarms, Ways(webhook=inbox.url, ping=inbox.url))
    assert (inbox.got, inbox.pings) == ([], 1)
    journal.append([line(1, decision=ENTERED)])
    tell(folder, journal, alarms, Ways(webhook=inbox.url))
    (message,) = inbox.got
    assert message["kind"] == "decisions"
    assert "enter long, 0.5 at about 100, stop 90" in message["text"]


def test_many_hours_are_one_digest(folder, alarms, inbox):
    journal = Journal(folder.journal)
    hours = [line(i, decision=FILLED if i == 7 else FLAT) for i in range(30)]
    journal.append(hours)
    tell(folder, journal, alarms, Ways(webhook=inbox.url))
    (message,) = inbox.got
    assert message["kind"] == "digest"
    assert (
        message["text"] == "caught up 30 hours: 30 decisions, 1 with an order or a fill"
    )
    assert "exit 0.5 at 110 (target)" in message["decisions"][0]


def test_alarms_are_told_once_and_what_was_told_is_known_after_a_restart(
    folder, alarms, inbox
):
    journal = Journal(folder.journal)
    assert alarms.ring("venue_down", "binance", "no answer", NOW)
    assert not alarms.ring("venue_down", "binance", "no answer", NOW)
    ways = Ways(webhook=inbox.url)
    tell(folder, journal, alarms, ways)
    tell(folder, Journal(folder.journal), Alarms(folder.alarms, lambda: NOW), ways)
    assert [(m["kind"], m["alarm"]) for m in inbox.got] == [("alarm", "venue_down")]


def test_a_hook_gets_the_message_on_its_standard_input(folder, alarms, tmp_path):
    got = tmp_path / "got.json"
    hook = tmp_path / "hook.py"
    hook.write_text(f"import sys; open({str(got)!r}, 'a').write(sys.stdin.read())")
    journal = Journal(folder.journal)
    journal.append([line(0, decision=ENTERED)])
    tell(folder, journal, alarms, Ways(hook=f"{sys.executable} {hook}"))
    assert json.loads(got.read_text())["kind"] == "decisions"


@pytest.mark.parametrize("way", ["hook", "webhook", "ping"])
def test_what_nobody_takes_rings_and_does_not_stop_the_rest(folder, alarms, inbox, way):
    inbox.status = 404
    ways = Ways(**{way: "false" if way == "hook" else inbox.url})
    journal = Journal(folder.journal)
    journal.append([line(0, decision=ENTERED)])
    messenger = tell(folder, journal, alarms, ways)
    messenger._ring_failed(alarms)
    (rung,) = read_lines(folder.alarms)
    assert (rung["kind"], rung["about"]) == ("undelivered", way)
    # An address may hold a key: of a webhook only its host is named.
    assert way != "webhook" or "/key" not in rung["text"]


def test_every_alarm_says_what_it_means_and_the_page_of_docs_has_them_all():
    page = (PROJECT / "docs" / "live.md").read_text()
    for name, kind in KINDS.items():
        assert f"`{name}`" in page, name
        assert kind.meaning
        assert kind.remedy
    with pytest.raises(KeyError):
        Alarms(Path("none"), lambda: NOW).ring("unheard_of", "a", "b")


# Accounts.


def opened(folder, configs, profile="btc_live", name="paper", now=NOW):
    return open_account(
        folder, configs, profile, name, now, ["BTC", "ETH"], model_lists()
    )


@pytest.fixture
def configs(tmp_path, monkeypatch):
    monkeypatch.chdir(PROJECT)
    made = tmp_path / "configs"
    made.mkdir()
    return made


def test_an_account_is_its_profile_from_its_opening_hour_on(folder, configs):
    account, path = opened(folder, configs, now=NOW + timedelta(minutes=37))
    assert read_accounts(folder) == [account]
    assert account.opened_at == NOW
    of_account, of_profile = (
        resolve(file).document for file in (path, PROJECT / "configs/btc_live.json")
    )
    assert of_account.pop("study") == {"start": NOW.isoformat(), "end": None}
    assert of_account.pop("profile") == "paper"
    differing = {k for k, v in of_account.items() if of_profile.get(k) != v}
    assert differing == {"swept", "$schema"} & differing
    assert not of_account.get("extends")


def test_a_taken_name_and_an_unknown_profile_are_refused(folder, configs):
    opened(folder, configs)
    for profile, name, told in (
        ("btc_live", "paper", "an account that is open"),
        ("btc_lives", "other", "no such file"),
        ("btc_live", "No Name", "text that matches"),
    ):
        with pytest.raises(InputError, match=told):
            opened(folder, configs, profile, name)
    (configs / "taken.json").write_text("{}")
    with pytest.raises(InputError, match=r"taken\.json"):
        opened(folder, configs, name="taken")
    assert len(read_accounts(folder)) == 1
    assert sorted(path.name for path in configs.glob("*.json")) == [
        "paper.json", "taken.json",
    ]  # fmt: skip


def test_without_an_account_there_is_nothing_to_run(folder):
    with pytest.raises(InputError, match="barsieve paper open"):
        needed_accounts(folder)


def test_one_at_a_time_runs_over_a_market(folder):
    assert folder.runner() is None
    with folder.running():
        assert folder.runner() is not None
        with pytest.raises(InputError, match="no other"), folder.running():
            pass
    assert folder.runner() is None


# Daily series.


@pytest.fixture
def fred(tmp_path, monkeypatch):
    monkeypatch.chdir(PROJECT)
    served = Source()
    days = [utc(2024, 1, day).date() for day in (2, 3, 4, 5, 8, 9)]
    served.fred["VIXCLS"] = [(day, 14.0 + i) for i, day in enumerate(days)]
    yield served
    served.close()


def vix(folder):
    rows = pq.read_table(folder.market / "macro" / "VIX.parquet").to_pylist()
    return {(row["date"].day, row["value"]): row["known_at"] for row in rows}


def follow(folder, fred, alarms, now):
    daily = Daily(("fred",), {"fred": fred.url}, ASKING)
    return read_daily(folder, SEED, daily, None, now, alarms)


def stored_vix(folder, fred):
    """Store the first three days as an ingest of the past does: known by their rule."""
    from barsieve.ingest.folder import open_market
    from barsieve.ingest.fred import ingest_fred
    from barsieve.ingest.request import Request
    from barsieve.ingest.summary import Outcome

    whole, fred.fred["VIXCLS"] = fred.fred["VIXCLS"], fred.fred["VIXCLS"][:3]
    with open_market(folder.market, SEED) as market:
        ingest_fred(
            "VIXCLS", "VIX", market, Request(utc(2024, 1, 6), since=utc(2024, 1, 1)),
            ASKING, Outcome("macro/VIX", "fred"), None, fred.url,
        )  # fmt: skip
    fred.fred["VIXCLS"] = whole


def test_a_value_is_known_at_its_rule_or_when_it_came_whatever_is_later(
    folder, fred, alarms
):
    stored_vix(folder, fred)
    by_rule = vix(folder)
    now = utc(2024, 1, 9, 15)
    assert follow(folder, fred, alarms, now) > 0
    after = vix(folder)
    assert {key: after[key] for key in by_rule} == by_rule
    assert after[5, 17.0] == after[8, 18.0] == now
    # That of the day itself is not out before its rule says so.
    assert (9, 19.0) not in after
    assert kinds_of(folder) == []


def test_a_revised_value_is_a_further_row_known_now(folder, fred, alarms):
    stored_vix(folder, fred)
    fred.fred["VIXCLS"][1] = (fred.fred["VIXCLS"][1][0], 99.0)
    now = utc(2024, 1, 9, 15)
    follow(folder, fred, alarms, now)
    after = vix(folder)
    assert after[3, 15.0] < now
    assert after[3, 99.0] == now


def test_a_source_that_fails_rings_and_so_does_a_series_that_grew_old(
    folder, fred, alarms
):
    stored_vix(folder, fred)
    fred.fail("/graph/fredgraph.csv", *["500"] * 3)
    assert follow(folder, fred, alarms, utc(2024, 1, 9, 15)) == 0
    assert kinds_of(folder) == ["macro_failed"]
    del fred.fred["VIXCLS"][3:]
    follow(folder, fred, alarms, utc(2024, 2, 9, 15))
    assert "stale_input" in kinds_of(folder)


def test_what_is_not_due_is_not_asked_for(folder, fred, alarms):
    stored_vix(folder, fred)
    fred.counts.clear()
    follow(folder, fred, alarms, utc(2024, 1, 5, 3))
    assert not fred.counts


# The status.


def test_the_status_says_what_stands_and_what_is_amiss(folder, configs):
    opened(folder, configs, now=START)
    database = folder.market / "none.duckdb"
    with pytest.raises(InputError, match="paper account"):
        status(LiveFolder(configs), database, NOW)
    position = {
        "side": "long", "qty": 0.5, "stop": 90.0, "stop_kind": "trail",
        "target": 120.0, "profit_r": 0.4,
    }  # fmt: skip
    held = FLAT | {
        "action": "hold", "position": position, "exit_reason": "none",
        "barred_by": [], "confidence": 0.6, "threshold": 0.65, "close": 105.0,
    }  # fmt: skip
    Journal(folder.journal).append([line(3, decision=held), line(4, decision=held)])
    found = status(folder, database, NOW + timedelta(minutes=5))
    (standing,) = found["standings"]
    assert standing["next_decision"] == NOW + HOUR
    assert standing["lag_hours"] == pytest.approx(5 / 60)
    assert [one["kind"] for one in standing["resting"]] == ["trail", "target"]
    assert standing["ages"]["vix"] == pytest.approx(3.5 + 5 / 60)
    assert any("expected a built database" in text for text in found["faults"])
    late = status(folder, database, NOW + 3 * HOUR)
    assert any("last decision is of" in text for text in late["faults"])
    assert not late["is_in_order"]
    text = folder.journal.read_text()
    folder.journal.write_text(text.replace("105.0", "106.0"))
    edited = status(folder, database, NOW)
    assert any("written there" in text for text in edited["faults"])
