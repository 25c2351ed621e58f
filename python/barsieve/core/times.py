"""Moments and spans of time as a user writes them."""

from datetime import UTC, datetime

from barsieve.core.errors import refuse


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


def moment(text: str, name: str) -> datetime:
    """Return a moment in UTC; a date is its midnight, and no zone means UTC.

    `name` is the option it was given to. Raises InputError for anything else.
    """
    try:
        return read_moment(text)
    except ValueError:
        refuse(
            f"{name} {text}",
            expected="a date or a moment, ISO 8601",
            found=f"'{text}'",
            fix="write it like 2024-07-01 or 2024-07-01T12:00:00+00:00",
        )


def span(start: str | None, end: str | None) -> tuple[datetime | None, datetime | None]:
    """Return the two ends of `--from` and `--to`; raise InputError when they cross."""
    first = moment(start, "--from") if start else None
    last = moment(end, "--to") if end else None
    if first and last and first >= last:
        refuse(
            "--from and --to",
            expected="--from before --to",
            found=f"{start} and {end}",
            fix="exchange the two",
        )
    return first, last


def study_changes(start: str | None, end: str | None) -> dict[str, str]:
    """Return the settings that a span stands for: `study.start` and `study.end`."""
    first, last = span(start, end)
    given = {"study.start": first, "study.end": last}
    return {key: value.isoformat() for key, value in given.items() if value}
