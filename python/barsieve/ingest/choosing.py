"""Format of a table: which it is, the role of each column, and what it is of.

What two answers fit is for the user to decide, with both of them shown.
"""

from collections.abc import Mapping

from barsieve.core.errors import refuse
from barsieve.ingest.formats import FORMATS, ROLES, Match, by_hand, matches
from barsieve.ingest.fred import SERIES
from barsieve.ingest.hints import Hints
from barsieve.ingest.naming import symbol_of, symbol_problem
from barsieve.ingest.reading import Export

MAPPING = (
    "map it by hand: --format csv --column ts=NAME --column close=NAME …, with names "
    "from the header, or 'column 1' …"
)


def chosen_match(export: Export, format_name: str | None) -> Match:
    """Return the one format that fits, or the one that was asked for."""
    if format_name == "csv":
        return by_hand(export.columns)
    found = matches(export.columns)
    if format_name:
        found = [match for match in found if match.format == format_name]
    if len(found) == 1:
        return found[0]
    if found:
        readings = "; ".join(f"{m.format} ({_described(m)})" for m in found)
        export.refuse(
            "",
            expected="one format that fits",
            found=f"{len(found)}: {readings}",
            fix="decide with --format",
        )
    kind = "header" if export.columns.has_header else "first row, no header,"
    shown = export.columns.names if export.columns.has_header else export.columns.first
    export.refuse(
        "",
        expected=f"the columns of {format_name or ' or '.join(FORMATS)}",
        found=f"the {kind} {','.join(shown)[:200]}",
        fix=MAPPING,
    )


def _described(match: Match) -> str:
    return ", ".join(
        f"{role} = {' or '.join(names) or 'none'}"
        for role, names in match.candidates.items()
    )


def chosen_columns(
    export: Export, match: Match, wanted: Mapping[str, str], is_series: bool
) -> dict[str, str]:
    """Return the column of each role; refuse a role with none or several."""
    roles = ("ts", "close") if is_series else ROLES
    more = [role for role in ("time", "close_time") if role in wanted or (
        match.candidates.get(role) and "ts" not in wanted)]  # fmt: skip
    chosen = {}
    for role in (*roles, *more):
        offered = match.candidates.get(role, [])
        names = [wanted[role]] if role in wanted else offered
        # Copies of a column are numbered, and each of them is a candidate.
        known = export.columns.names
        if len(names) != 1 or names[0] not in known:
            export.refuse(
                f"column for {role}",
                expected="one column",
                found=(
                    f"{' or '.join(map(repr, names)) or 'none'} among "
                    f"{', '.join(known)}"
                ),
                fix=f"name it: --column '{role}=NAME'",
            )
        chosen[role] = names[0]
    return chosen


def target_of(export: Export, match: Match, hints: Hints) -> tuple[str, str]:
    """Return the symbol or series of a table, and where it was found."""
    option = "--symbol" if hints.series is None else "--series"
    named = hints.symbol if hints.series is None else hints.series
    if named is not None:
        found = symbol_problem(named)
        if found:
            refuse(
                f"{option} {named}", expected="a name", found=found, fix="such as BTC"
            )
        return named, option
    if match.format == "fred":
        identifier = match.candidates["close"][0]
        return SERIES.get(identifier, identifier), "column name"
    found = symbol_of(match.format, export.name) or symbol_of(
        match.format, export.path.name
    )
    if found is None:
        export.refuse(
            "",
            expected="a file name that states the pair, or --symbol",
            found=f"'{export.path.name}'",
            fix="name it: --symbol BTC",
        )
    return found, "file name"
