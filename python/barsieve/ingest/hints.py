"""Hints of a user on exported files: what they do not say themselves."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from barsieve.ingest.origin import Origin


class Hints(NamedTuple):
    """Statements about files; None (or nothing) leaves it to the files.

    `columns` names the column of a role. `is_complete` says that the last row of each
    file is a finished bar, `newest_first` that the rows run backwards, `resamples` that
    shorter bars are to become hours, `drops_bad_rows` that rows which no market makes
    are left out and counted. `origin` fields that are stated win over the file's name.
    """

    format: str | None = None
    symbol: str | None = None
    series: str | None = None
    columns: Mapping[str, str] = MappingProxyType({})
    delimiter: str | None = None
    decimal: str | None = None
    thousands: str | None = None
    encoding: str | None = None
    timezone: str | None = None
    date_format: str | None = None
    origin: Origin = Origin()
    is_complete: bool = False
    newest_first: bool = False
    resamples: bool = False
    drops_bad_rows: bool = False
