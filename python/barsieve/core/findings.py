"""Findings: what a market or a build lacks, said by name while builds go on."""

from typing import NamedTuple


class Finding(NamedTuple):
    """One row of `report_health`.

    `symbol` is empty where a finding is of no single one; `subject` is what it is about
    (a column, a series, a profile, a file); `finding` names the kind in snake case;
    `value` and `threshold` are the figures compared, None where there is none;
    `meaning` is a sentence: what it means for the results, and what to do.
    """

    symbol: str
    subject: str
    finding: str
    value: float | None
    threshold: float | None
    meaning: str
