"""The regimes of the market over time: a place for them.

To come with the table `regimes`: probabilities over time with VIX, MOVE and DXY, a
table of baselines, and the ribbon under the price (`ribbonOf` in `page/regimes.js`).
Until `collect` reads it, the page says how many rows there are.
"""

from typing import Any

from barsieve.report.section import Section
from barsieve.report.source import Source


def collect(source: Source) -> dict[str, Any]:
    """Return the number of rows of `regimes`."""
    return {"rows": source.rows("select count(*) as rows from regimes")[0]["rows"]}


SECTION = Section(
    "regimes",
    "Regimes",
    ("regimes",),
    collect,
    until="It appears here once the models that make it are built.",
)
