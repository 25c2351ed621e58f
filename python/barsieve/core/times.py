"""Spans of time as a user writes them: a date, or a moment with a zone."""

from datetime import UTC, datetime

from barsieve.core.errors import refuse


def moment(text: str, name: str) -> datetime:
    """Return a moment in UTC; a date is its midnight, and no zone means UTC.

    `name` is the option it was given to. Raises InputError for anything else.
    """
    try:
        found = datetime.fromisoformat(text)
        found = found if found.tzinfo else found.replace(tzinfo=UTC)
        return found.astimezone(UTC)
    except (ValueError, OverflowError):
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
