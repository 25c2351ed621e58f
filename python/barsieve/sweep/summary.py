"""Summary of a sweep: what its reader wants to know first."""

from typing import Any

import duckdb

from barsieve.core.arrow import rows_of

SUMMARY = """
with wholes as (
    select configs.entry_threshold, configs.config, results.*,
    from results
    inner join configs using (grid, config, symbol)
    where results.fold = 'all'
),

tried as (
    select symbol, any_value(profile) as profile, count(*) as tried,
        count(violation) as violations,
    from configs
    group by symbol
)

select
    symbol,
    any_value(tried.profile) as profile,
    any_value(tried.tried) as tried,
    any_value(tried.violations) as violations,
    count(*) as configs,
    count_if(trades > 0)::bigint as with_trades,
    avg((net_pnl > 0)::integer) as profitable,
    max(net_pnl) as best_net_pnl,
    median(net_pnl) as median_net_pnl,
    max(sharpe) as best_sharpe,
    median(sharpe) as median_sharpe,
    arg_max(config, net_pnl) as best_config,
    arg_max(trades, net_pnl) as best_trades,
    corr(entry_threshold, sharpe order by config) as threshold_sharpe_correlation,
from wholes
inner join tried using (symbol)
group by symbol
order by symbol
"""

VIOLATIONS = """
select symbol, violation, count(*) as configs,
from configs
where violation is not null
group by symbol, violation
order by symbol, violation
"""


def summarise(connection: duckdb.DuckDBPyConnection) -> dict[str, list[dict[str, Any]]]:
    """Return the summary of each symbol and the violations, as rows.

    Reads the views `results` and `configs`. `profitable` counts configurations whose
    whole history ends above its start after all costs; one that never traded is none.
    """
    return {
        "summary": rows_of(connection.sql(SUMMARY)),
        "violations": rows_of(connection.sql(VIOLATIONS)),
    }
