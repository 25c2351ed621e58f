"""What the optimizer learned, and what that was worth later."""

from typing import Any

from barsieve.report.section import Section
from barsieve.report.source import Source


def collect(source: Source) -> dict[str, Any]:
    """Return the table `fusion_learned`."""
    return {"rows": source.rows("from fusion_learned")}


SECTION = Section("optimizer", "Optimizer", ("fusion_learned",), collect)
