"""Many configurations over the same market, in and out of sample."""

from typing import Any

from barsieve.report.section import Section
from barsieve.report.source import Source


def collect(source: Source) -> dict[str, Any]:
    """Return the table `sweep_results`."""
    return {"rows": source.rows("from sweep_results")}


SECTION = Section("sweep", "Sweep", ("sweep_results",), collect)
