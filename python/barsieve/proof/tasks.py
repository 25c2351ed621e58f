"""Tasks of a proof: some of its cuts each, and what they come to together."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from barsieve.proof.differences import Difference
from barsieve.proof.lookahead import chosen_plan, outcomes_at
from barsieve.proof.verdicts import Finding, Outcome, findings_of

KIND = "proof"


def tasks_of(database: Path, n_cuts: int, seed: int, jobs: int) -> list[dict[str, Any]]:
    """Return tasks that have each some of the cuts."""
    numbers = range(n_cuts)
    return [
        {
            "kind": KIND,
            "database": str(database),
            "n_cuts": n_cuts,
            "seed": seed,
            "places": list(numbers[at::jobs]),
        }
        for at in range(min(jobs, n_cuts))
    ]


def work(asked: dict[str, Any]) -> dict[str, Any]:
    """Prove the cuts of a task; return the outcome of each model."""
    path = Path(asked["database"])
    plan, cuts = chosen_plan(path, asked["n_cuts"], asked["seed"])
    mine = [cuts[place] for place in asked["places"] if place < len(cuts)]
    outcomes = outcomes_at(path, plan, mine, n_threads=1)
    return {
        "outcomes": {
            name: {
                "open": sorted(outcome.open),
                "rows": sorted(outcome.rows.items()),
                "past_hours": outcome.past_hours,
                "told": sorted(outcome.told.items()),
                "error": outcome.error,
            }
            for name, outcome in outcomes.items()
        }
    }


def _outcome(said: dict[str, Any]) -> Outcome:
    return Outcome(
        open=set(said["open"]),
        rows=dict(said["rows"]),
        past_hours=said["past_hours"],
        told={
            number: [Difference(*one) for one in found]
            for number, found in said["told"]
        },
        error=said["error"],
    )


def _merged(one: Outcome, other: Outcome) -> Outcome:
    """Return the outcome of a model at the cuts of both."""
    hours = [one.past_hours, other.past_hours]
    return Outcome(
        open=one.open | other.open,
        rows=one.rows | other.rows,
        past_hours=None if None in hours else max(h for h in hours if h is not None),
        told=dict(sorted((one.told | other.told).items())),
        error=one.error or other.error,
    )


def together(
    path: Path, asked: dict[str, Any], said: Sequence[dict[str, Any]]
) -> list[Finding]:
    """Return the findings of all cuts, from what is said of some."""
    plan, _ = chosen_plan(path, asked["n_cuts"], asked["seed"])
    merged: dict[str, Outcome] = {}
    for one in said:
        for name, told in one["outcomes"].items():
            new = _outcome(told)
            merged[name] = _merged(merged[name], new) if name in merged else new
    return findings_of(plan, merged)
