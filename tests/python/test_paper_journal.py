"""The journal: once, for good, in order; and the verdicts of a build on it."""

import json
from datetime import timedelta

import pytest

from barsieve.core.errors import InputError
from barsieve.live.decisions import Decided
from barsieve.live.journal import Journal, Quote, said
from barsieve.live.lines import append_lines, read_lines, whole_lines
from barsieve.live.parity import compare, order_side
from paper_venue import utc

START = utc(2024, 1, 1)
HOUR = timedelta(hours=1)
FLAT = {
    "action": "stay flat", "order": None, "position": None, "filled": [],
    "balance": 10_000.0, "equity": 10_000.0,
}  # fmt: skip


def decided(hour: int, account: str = "paper", **changed) -> Decided:
    """Return a decision of an hour after the start."""
    made = {
        "account": account,
        "symbol": "BTC",
        "bar_ts": START + hour * HOUR,
        "known_at": START + (hour + 1) * HOUR,
        "decision": dict(FLAT),
        "ages": {"vix": 3.5},
        "bars": f"bars {hour}",
        "read": f"read {hour}",
        "settings": "settings",
    }
    return Decided(**(made | changed))


def line(hour: int, late: float = 3.0, quote: Quote | None = None, **changed):
    one = decided(hour, **changed)
    return said(one, "code", one.known_at + timedelta(seconds=late), quote)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "live" / "decisions.jsonl"


def test_what_is_written_is_read_again_to_the_last_bit(path):
    journal = Journal(path)
    quote = Quote(0.1 + 0.2, 1 / 3, START)
    written = [line(0, quote=quote), line(1, decision=FLAT | {"balance": 1 / 7})]
    assert journal.append(written) == written
    assert Journal(path).lines == written


def test_done_again_it_gives_the_same_file(path):
    Journal(path).append([line(0), line(1)])
    before = path.read_bytes()
    again = Journal(path)
    assert again.append([line(0, late=900.0), line(1)]) == []
    assert path.read_bytes() == before
    again.append([line(1), line(2)])
    assert [one.bar_ts for one in Journal(path).lines] == [
        START + i * HOUR for i in range(3)
    ]


@pytest.mark.parametrize("cut", [1, 20, 150])
def test_a_torn_last_line_is_dropped_and_written_again(path, cut):
    Journal(path).append([line(0), line(1)])
    whole = path.read_bytes()
    path.write_bytes(whole[:-cut])
    torn = Journal(path)
    assert [one.bar_ts for one in torn.lines] == [START]
    torn.append([line(1)])
    assert path.read_bytes() == whole


def test_every_cut_of_the_file_leaves_a_journal_that_goes_on(path):
    written = [line(i) for i in range(3)]
    Journal(path).append(written)
    whole = path.read_bytes()
    for size in range(0, len(whole), 7):
        path.write_bytes(whole[:size])
        Journal(path).append(written)
        assert path.read_bytes() == whole


@pytest.mark.parametrize("number", [0, 1])
def test_an_edited_line_is_refused_and_named(path, number):
    Journal(path).append([line(i) for i in range(3)])
    lines = path.read_text().splitlines()
    lines[number] = lines[number].replace("10000.0", "10001.0")
    path.write_text("\n".join([*lines, ""]))
    with pytest.raises(InputError, match=f"line {number + 1}.*written there"):
        Journal(path)


def test_a_line_taken_out_and_one_put_elsewhere_are_refused(path):
    Journal(path).append([line(i) for i in range(3)])
    lines = path.read_text().splitlines()
    for others in ([lines[0], lines[2]], [lines[1], lines[0], lines[2]], lines[1:]):
        path.write_text("\n".join([*others, ""]))
        with pytest.raises(InputError, match="followed another"):
            Journal(path)


def test_a_line_that_is_no_decision_is_refused_with_its_place(path):
    append_lines(path, [{"a": 1}])
    with pytest.raises(InputError, match="line 1"):
        Journal(path)
    path.write_text("no json\n")
    with pytest.raises(InputError, match="line 1: expected a JSON object"):
        read_lines(path)
    assert whole_lines(path.with_name("none")) == []


# Verdicts.


def verdicts(path, found, code="code", bars=None, edited=False):
    journal = Journal(path, is_strict=not edited)
    known = {("BTC", START + i * HOUR) for i in range(9)} if bars is None else bars
    rows = compare(journal, found, code, known)
    return [(row["verdict"], row["cause"]) for row in rows]


IDENTICAL = ("identical", None)


def test_the_same_is_identical_whatever_it_was_made_of(path):
    Journal(path).append([line(0), line(1)])
    found = [decided(0), decided(1, bars="other", read="other", settings="other")]
    assert verdicts(path, found, code="other") == [IDENTICAL, IDENTICAL]


@pytest.mark.parametrize(
    ("changed", "code", "cause"),
    [
        ({"read": "other"}, "code", "input_late"),
        ({"read": "other", "bars": "other"}, "code", "bar_revised"),
        ({"read": "other"}, "newer", "code_changed"),
        ({"settings": "other", "read": "other"}, "newer", "settings_changed"),
        ({}, "code", "unexplained"),
    ],
)
def test_what_differs_has_its_cause(path, changed, code, cause):
    Journal(path).append([line(0)])
    other = decided(0, decision=FLAT | {"action": "enter long"}, **changed)
    assert verdicts(path, [other], code) == [("differs", cause)]


def test_what_follows_from_a_difference_has_its_cause(path):
    Journal(path).append([line(i) for i in range(3)])
    entered = FLAT | {"action": "enter long"}
    held = FLAT | {"action": "hold"}
    found = [
        decided(0, decision=entered, read="late"), decided(1, decision=held),
        decided(2),
    ]  # fmt: skip
    late = ("differs", "input_late")
    assert verdicts(path, found) == [late, late, IDENTICAL]


def test_a_bar_that_nobody_decided_upon_is_missing_once_a_later_one_was(path):
    Journal(path).append([line(0), line(2)])
    found = [decided(i) for i in range(4)]
    assert verdicts(path, found) == [IDENTICAL, ("missing", "input_late"), IDENTICAL]


def test_a_decision_of_a_bar_that_is_gone_is_invented(path):
    Journal(path).append([line(0), line(1)])
    there = {("BTC", START)}
    assert verdicts(path, [decided(0)], bars=there) == [
        IDENTICAL, ("invented", "bar_revised"),
    ]  # fmt: skip
    assert verdicts(path, []) == [("invented", "settings_changed")] * 2


def test_an_edited_line_is_told_as_such(path):
    Journal(path).append([line(0), line(1)])
    text = path.read_text()
    first = text.splitlines()[0]
    path.write_text(text.replace(first, first.replace("10000.0", "10001.0")))
    found = [decided(0), decided(1)]
    assert verdicts(path, found, edited=True) == [
        ("differs", "journal_edited"), IDENTICAL,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("action", "ordered", "held", "side"),
    [
        ("stay flat", None, None, None), ("hold", None, "long", None),
        ("enter long", "long", None, "buy"), ("enter short", "short", None, "sell"),
        ("exit", None, "long", "sell"), ("exit", None, "short", "buy"),
        ("take partial", None, "short", "buy"),
        ("reverse to short", "short", "long", "sell"),
    ],
)  # fmt: skip
def test_an_order_buys_or_sells(action, ordered, held, side):
    decision = {
        "action": action,
        "order": {"side": ordered} if ordered else None,
        "position": {"side": held} if held else None,
    }
    assert order_side(decision) == side


def test_late_is_late_by_the_clock(path):
    assert not line(0, late=299.0).is_late
    assert line(0, late=301.0).is_late
    document = json.loads(json.dumps(line(0)._asdict(), default=str))
    assert document["late_seconds"] == 3.0
