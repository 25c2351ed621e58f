"""The sections of the report, in the order of the page.

To add one: a module here that defines `SECTION`, its skeleton and drawing in
`report/page/<key>.html` and `<key>.js`, and its name in this list.
"""

from barsieve.report.sections import (
    equity,
    health,
    learned,
    live,
    optimizer,
    outcomes,
    portfolio,
    price,
    regimes,
    result,
    scores,
    screening,
    sweep,
    trades,
)

SECTIONS = [
    module.SECTION
    for module in (
        result, live, portfolio, price, trades, equity, outcomes, screening, scores,
        regimes, sweep, optimizer, learned, health,
    )
]  # fmt: skip
