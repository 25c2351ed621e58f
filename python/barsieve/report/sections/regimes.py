"""The market's regimes over time, beside VIX, MOVE and DXY."""

from typing import Any

from barsieve.report.section import Section
from barsieve.report.source import Source


def collect(source: Source) -> dict[str, Any]:
    """Return the table `regimes`."""
    return {"rows": source.rows("from regimes")}


SECTION = Section("regimes", "Regimes", ("regimes",), collect)
