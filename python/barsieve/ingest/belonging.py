"""Membership of rows in the series of a file: origins, overlapping values.

A second venue, quote or contract of the same symbol is another series: the differences
of its values would look like revisions, and its other rows be spliced in.
"""

import duckdb

from barsieve.core.arrow import row_of
from barsieve.core.errors import refuse
from barsieve.ingest.folder import Market
from barsieve.ingest.origin import Origin, as_metadata, read_origin
from barsieve.ingest.summary import Outcome
from barsieve.market.check import Kind

# Values of one source that are handed out by two ways differ by rounding at most.
SAME_WITHIN = 1e-6
# More of the overlapping rows than this do not differ by revisions.
REVISED_SHARE = 0.1
# Days that all differ by one factor, to this share of it, are in another unit.
FEWEST_RESCALED, SAME_FACTOR = 5, 1e-3
SAME_SERIES = "--accept-origin"


def refuse_other_origin(market: Market, kind: Kind, name: str, offered: Origin) -> None:
    """Raise InputError when a stored file states another origin than `offered`."""
    path = market.home(kind, name)
    stored = read_origin(path)
    fields = [] if stored is None or market.accepts_origin else stored.differs(offered)
    if fields:
        refuse(
            str(path),
            "origin",
            expected=f"{stored}, which the file holds",
            found=f"{offered} (another {' and '.join(fields)})",
            fix=(
                f"name another market with --to; if both are the same series, "
                f"{SAME_SERIES}"
            ),
        )


def origin_metadata(
    session: duckdb.DuckDBPyConnection,
    market: Market,
    kind: Kind,
    name: str,
    offered: Origin | None,
    outcome: Outcome,
) -> dict[bytes, bytes]:
    """Return the metadata of the file once it holds the table `offered`, too.

    Raises InputError when the rows are of another series than the table `stored`.
    """
    offered = (offered or Origin()).normal()
    refuse_other_origin(market, kind, name, offered)
    path = market.home(kind, name)
    stored = read_origin(path)
    if market.accepts_origin:
        if stored is not None and stored.differs(offered):
            outcome.note(f"origin taken as told: {offered}, after {stored}")
        return as_metadata(offered.filled(stored or Origin()))
    # Spot and futures of a venue have files of one name:
    # what is not told, values tell.
    if stored is None or not all(stored) or not all(offered):
        _refuse_other_values(session, kind, name, stored, offered)
        _say_adoption(session, kind, stored, offered, outcome)
    return as_metadata((stored or Origin()).filled(offered))


def _overlap(session: duckdb.DuckDBPyConnection, kind: Kind) -> tuple[int, int, str]:
    """Return the overlapping rows, those that differ, and one of them in words."""
    keys = ", ".join(kind.keys)
    values = [column for column in kind.columns if column not in kind.keys]
    differs = " or ".join(
        f"abs(o.{v} - s.{v}) > {SAME_WITHIN} * greatest(abs(s.{v}), 1e-9)"
        for v in values
    )
    shown = values[3] if len(values) > 3 else values[0]
    n_both, n_differ, example = row_of(
        session.execute(
            f"select count(*), coalesce(count_if({differs}), 0), "
            f"min(concat({kind.keys[-1]}::varchar, ' {shown} ', "
            f"s.{shown}, ' stored, ', o.{shown}, ' offered')) filter ({differs}) "
            f"from offered as o join stored as s using ({keys})"
        )
    )
    return n_both, n_differ, example


def _refuse_other_values(
    session: duckdb.DuckDBPyConnection,
    kind: Kind,
    name: str,
    stored: Origin | None,
    offered: Origin,
) -> None:
    n_both, n_differ, example = _overlap(session, kind)
    if n_differ > REVISED_SHARE * n_both:
        refuse(
            f"{kind.folder}/{name}.parquet",
            "origin",
            expected=f"values of the same series as is stored ({stored or Origin()})",
            found=(
                f"{n_differ:,} of {n_both:,} overlapping rows that differ "
                f"({offered}): {example}"
            ),
            fix=(
                "another source, quote or contract wants another market (--to); if "
                f"both are the same series, {SAME_SERIES}"
            ),
        )


def refuse_other_unit(
    session: duckdb.DuckDBPyConnection, name: str, accept_revisions: bool
) -> None:
    """Raise InputError for days that all differ from the stored by one factor.

    A split, or another unit: revising the days that overlap would leave the older ones
    as they were, so it is taken for all stored days or for none.
    """
    n_both, n_differ, low, high, n_stored = row_of(
        session.execute(
            "with latest as (select date, arg_max(value, known_at) as value "
            "from stored group by date), "
            "both_values as (select o.value / l.value as factor "
            "from offered as o join latest as l using (date) where l.value != 0) "
            f"select count(*), coalesce(count_if(abs(factor - 1) > {SAME_WITHIN}), 0), "
            "min(factor), max(factor), (select count(*) from latest) from both_values"
        )
    )
    is_rescaled = (
        n_both >= FEWEST_RESCALED
        and n_differ == n_both
        and abs(high - low) <= SAME_FACTOR * abs(high)
    )
    if is_rescaled and not (accept_revisions and n_both == n_stored):
        refuse(
            f"macro/{name}.parquet",
            "values",
            expected="the unit that is stored",
            found=f"{n_both} days that are all {high:.6g} times as much",
            fix=(
                "a split or another unit; take the whole history anew with "
                "--recheck --accept-revisions, from the first stored day on"
            ),
        )


def _say_adoption(
    session: duckdb.DuckDBPyConnection,
    kind: Kind,
    stored: Origin | None,
    offered: Origin,
    outcome: Outcome,
) -> None:
    (n_stored,) = row_of(session.execute("select count(*) from stored"))
    if not n_stored or stored is not None or not any(offered):
        return
    n_both = _overlap(session, kind)[0]
    why = f"{n_both:,} overlapping rows agree" if n_both else "no row overlaps"
    outcome.note(f"the stored file stated no origin; taken as {offered} ({why})")
