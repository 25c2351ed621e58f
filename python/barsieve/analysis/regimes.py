"""Regimes of a built database: at a moment, judged, and how many states there are."""

from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb

from barsieve.core.arrow import rows_of
from barsieve.core.errors import refuse
from barsieve.core.extras import WITHOUT_ML
from barsieve.database.connect import open_database

JUDGED = """
select * from report_regimes where regime = 'all'
order by reference_symbol, fit_window, classifier
"""
WORTH = """
select * from report_regime_worth
order by span, classifier, profile, list_position(
    ['trades', 'win_rate', 'profit_factor', 'sharpe', 'max_drawdown'], figure
)
"""
ASKED = "select distinct reference_symbol, fit_window from config_symbols order by all"
LAST_CLOSE = "select max(bar_ts) + interval '1 hour' from bars_1h"


def regimes_at(path: Path, at: datetime | None) -> dict[str, Any]:
    """Return beliefs, inputs and profiles as known at a moment, the last by default.

    Raises InputError when nothing is known then.
    """
    from barsieve.regime.as_of import regime_at

    with open_database(path) as connection:
        if at is None:
            at = connection.execute(LAST_CLOSE).fetchall()[0][0]
        known = regime_at(connection, at)
    if not known["beliefs"]:
        refuse(
            str(path),
            f"regimes at {at:%Y-%m-%d %H:%M}",
            expected="a regime that is known then",
            found="no regime is known",
            fix=f"choose a later time, if the market begins later; or {WITHOUT_ML}",
        )
    return known


def judged_regimes(path: Path) -> dict[str, list[dict[str, Any]]]:
    """Return how the classifiers are judged, and what they are worth to profiles.

    Raises InputError where the build left that out.
    """
    with open_database(path) as connection:
        try:
            judged = rows_of(connection.sql(JUDGED))
            worth = rows_of(connection.sql(WORTH))
        except duckdb.CatalogException:
            judged, worth = [], []
    if not judged and not worth:
        refuse(
            str(path),
            "table report_regimes",
            expected="a report of regimes",
            found="none",
            fix=WITHOUT_ML,
        )
    return {"report_regimes": judged, "report_regime_worth": worth}


def compared_state_counts(path: Path) -> list[dict[str, Any]]:
    """Return 2 to 6 states of the HMM, by what each foresaw, a row each."""
    from barsieve.regime.features import read_observations
    from barsieve.regime.state_count import compare_state_counts
    from barsieve.regime.stress import read_scale

    found = []
    with open_database(path) as connection:
        scale = read_scale(connection.table("regime_policy"))
        observed = connection.table("regime_observations")
        for symbol, window in connection.sql(ASKED).fetchall():
            seen = read_observations(observed, symbol, scale)
            compared = compare_state_counts(seen, window) if len(seen.day) else []
            about = {"reference_symbol": symbol, "fit_window": window}
            found += [about | row for row in compared]
    return found
