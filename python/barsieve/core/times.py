"""Moments and spans of time as a user writes them."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from barsieve.core.errors import refuse

Moment = str | date | datetime
"""A moment as it is given: ISO 8601; a day is its midnight, no zone means UTC."""

EPOCH, MICROSECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(microseconds=1)


def epoch_us(moment: datetime) -> int:
    """Microseconds of a moment since 1970, as tables keep it."""
    return (moment - EPOCH) // MICROSECOND


def read_moment(text: str, is_zone_needed: bool = False) -> datetime:
    """Return the moment of an ISO 8601 text in UTC; a date is its midnight.

    No zone means UTC, unless one is needed. Raises ValueError for any other text.
    """
    found = datetime.fromisoformat(text)
    if found.tzinfo is None and is_zone_needed:
        raise ValueError(f"'{text}' has no time zone")
    try:
        return in_utc(found)
    except OverflowError as error:
        raise ValueError(str(error)) from None


def in_utc(found: datetime) -> datetime:
    """Return a moment in UTC; no zone means UTC."""
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)


def moment_of(given: Moment) -> datetime:
    """Moment of what a caller gives, UTC; raises ValueError for what is none."""
    if isinstance(given, str):
        return read_moment(given)
    plain: Any = getattr(given, "item", lambda: given)()
    # A moment is a day too; pandas says that no moment is one, and unlike itself.
    if not isinstance(plain, date) or plain != plain:
        raise ValueError(plain)
    if not isinstance(plain, datetime):
        return datetime(plain.year, plain.month, plain.day, tzinfo=UTC)
    return in_utc(plain)


def moment(given: Moment, name: str) -> datetime:
    """Return a moment in UTC; a date is its midnight, and no zone means UTC.

    `name` is what it was given to. Raises InputError for anything else.
    """
    try:
        return moment_of(given)
    except ValueError:
        refuse(
            f"{name} {given}",
            expected="a date or a moment, ISO 8601",
            found=f"'{given}'",
            fix="write it like 2024-07-01 or 2024-07-01T12:00:00+00:00",
        )


Span = tuple[datetime | None, datetime | None]
"""Moments from and before which something is; None where it is open."""
# How a command calls the ends of a span.
OPTIONS = ("--from", "--to")


def span(
    start: Moment | None, end: Moment | None, names: tuple[str, str] = OPTIONS
) -> Span:
    """Return the two ends of a span; raise InputError when they cross."""
    first = moment(start, names[0]) if start is not None else None
    last = moment(end, names[1]) if end is not None else None
    if first and last and first >= last:
        refuse(
            " and ".join(names),
            expected=" before ".join(names),
            found=f"{start} and {end}",
            fix="exchange the two",
        )
    return first, last


def study_changes(
    start: Moment | None, end: Moment | None, names: tuple[str, str] = OPTIONS
) -> dict[str, str]:
    """Return the settings that a span stands for: `study.start` and `study.end`."""
    first, last = span(start, end, names)
    given = {"study.start": first, "study.end": last}
    return {key: value.isoformat() for key, value in given.items() if value}
