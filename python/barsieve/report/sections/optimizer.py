"""What the optimizer learned: a place for it.

To come with the table `fusion_learned`: importances, and learned weights over time.
Until `collect` reads it, the page says how many rows there are.
"""

from typing import Any

from barsieve.report.section import Section
from barsieve.report.source import Source


def collect(source: Source) -> dict[str, Any]:
    """Return the number of rows of `fusion_learned`."""
    return {
        "rows": source.rows("select count(*) as rows from fusion_learned")[0]["rows"]
    }


SECTION = Section(
    "optimizer",
    "Optimizer",
    ("fusion_learned",),
    collect,
    until="It appears here once the models that make it are built.",
)
