"""Moments as users write them: one reading, wherever they stand."""

from datetime import UTC, date, datetime

import pytest

from barsieve.cli.regime import _moment
from barsieve.core.errors import InputError
from barsieve.core.times import moment, read_moment

NOON = datetime(2024, 7, 1, 12, tzinfo=UTC)
READERS = [read_moment, lambda text: moment(text, "--at"), _moment]


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024-07-01T12:00", NOON),
        ("2024-07-01 12:00:00Z", NOON),
        ("2024-07-01T14:00+02:00", NOON),
        ("2024-07-01", NOON.replace(hour=0)),
    ],
)
def test_a_moment_is_the_same_to_every_reader(read, text, expected):
    found = read(text)
    # In UTC as well: it is printed as it is.
    assert found == expected
    assert found.tzinfo is UTC


@pytest.mark.parametrize("text", ["", "noon", "2024-13-01", "0001-01-01T00:00+23:00"])
def test_what_is_no_moment_is_refused(text):
    with pytest.raises(ValueError, match=r".*"):
        read_moment(text)
    with pytest.raises(InputError, match="a date or a moment"):
        moment(text, "--from")


def test_a_zone_is_asked_for_where_it_is_needed():
    assert read_moment("2024-07-01T12:00Z", is_zone_needed=True) == NOON
    with pytest.raises(ValueError, match="no time zone"):
        read_moment("2024-07-01T12:00", is_zone_needed=True)


def test_days_and_moments_of_python_are_taken_as_they_are():
    pd = pytest.importorskip("pandas")
    midnight = NOON.replace(hour=0)
    for given in (date(2024, 7, 1), datetime(2024, 7, 1), pd.Timestamp("2024-07-01")):
        assert moment(given, "start") == midnight
    assert moment(pd.Timestamp("2024-07-01T14:00+02:00"), "start") == NOON
    for given in (pd.NaT, 20240701, None):
        with pytest.raises(InputError, match=r"start .*a date or a moment"):
            moment(given, "start")
