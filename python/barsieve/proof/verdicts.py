"""Verdicts of a proof: a finding for each column of each table."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from barsieve.database.flow import LAST
from barsieve.proof.differences import Difference
from barsieve.proof.plan import Plan

PROVEN, LOOKS_AHEAD = "proven", "looks_ahead"
EXCUSED, NOT_COMPARED = "excused", "not_compared"
# Rows without a time; what is made of them is compared.
PROVEN_THROUGH = "proven_through"


class Finding(NamedTuple):
    """A row of `proof_lookahead`."""

    table_name: str
    column_name: str
    layer: str
    cuts: int
    rows_compared: int
    past_hours: int | None
    verdict: str
    first_difference: str | None
    note: str | None


@dataclass
class Outcome:
    """Outcome of a model: rows compared by cut, cuts at which it is not proven.

    `past_hours`: the most that it needed before what was compared; None for all of it.
    `told`: where it is sure to look ahead, the columns. `error`: why it did not run.
    """

    open: set[int]
    rows: dict[int, int] = field(default_factory=dict)
    past_hours: int | None = 0
    told: dict[int, list[Difference]] = field(default_factory=dict)
    error: str | None = None

    def close(self, number: int, hours: int | None) -> None:
        """Note that rows at a cut are those of the build, with so much of the past."""
        self.open.discard(number)
        self.past_hours = (
            None
            if hours is None or self.past_hours is None
            else max(hours, self.past_hours)
        )

    def first_in(self, column: str) -> str | None:
        """Return the first difference of a column, in words."""
        for found in self.told.values():
            for difference in found:
                if difference.column == column:
                    return difference.first
        return None


def findings_of(plan: Plan, outcomes: dict[str, Outcome]) -> list[Finding]:
    """Return what was found of every column, in the order of the flow."""
    found = []
    for name in plan.proven:
        rows = _of_table(plan, name, outcomes.get(name))
        found += list(rows)
    return found


def _of_table(plan: Plan, name: str, outcome: Outcome | None) -> Iterator[Finding]:
    table = plan.tables[name]
    note = table.model.excused
    if outcome is None:
        readers = sorted(
            reader for reader in plan.proven if name in plan.models[reader].parents
        )
        told = f"its rows have no time; proven through {', '.join(readers)}"
        verdict = PROVEN_THROUGH
        if not readers:
            told = "its rows have no time, and nothing reads them; say meta.known_at"
            verdict = NOT_COMPARED
        for column in table.columns:
            yield Finding(
                name, column, table.model.layer, 0, 0, None, verdict, None, note or told
            )
        return
    cuts = sum(rows > 0 for rows in outcome.rows.values())
    compared = sum(outcome.rows.values())
    for column in table.columns:
        first = outcome.first_in(column)
        verdict = _verdict(plan, name, outcome, first, cuts)
        yield Finding(
            name, column, table.model.layer, cuts, compared, outcome.past_hours,
            verdict, first, note or outcome.error,
        )  # fmt: skip


def _verdict(
    plan: Plan, name: str, outcome: Outcome, first: str | None, cuts: int
) -> str:
    if first is not None:
        decides = LAST in plan.models.descendants([name]) or name == LAST
        is_excused = plan.models[name].excused and not decides
        return EXCUSED if is_excused else LOOKS_AHEAD
    if outcome.error or not cuts:
        return NOT_COMPARED
    return PROVEN


def sentence(found: list[Finding]) -> str:
    """Return what findings say of a market that is not the one of the build."""
    ahead = sorted({row.table_name for row in found if row.verdict == LOOKS_AHEAD})
    if ahead:
        return f"lookahead in {', '.join(ahead)}"
    return f"no lookahead: proven at {max(row.cuts for row in found)} cuts"
