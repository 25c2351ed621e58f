"""A sweep of many configurations: a place for it.

To come with the table `sweep_results`: threshold by weight as a heat map, parallel
coordinates, in-sample against out-of-sample results, deflated Sharpe ratio and
probability of overfitting.
Until `collect` reads it, the page says how many rows there are.
"""

from typing import Any

from barsieve.report.section import Section
from barsieve.report.source import Source


def collect(source: Source) -> dict[str, Any]:
    """Return the number of rows of `sweep_results`."""
    return {
        "rows": source.rows("select count(*) as rows from sweep_results")[0]["rows"]
    }


SECTION = Section(
    "sweep",
    "Sweep",
    ("sweep_results",),
    collect,
    until="It appears here once the models that make it are built.",
)
