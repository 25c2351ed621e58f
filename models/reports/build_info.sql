-- Built last, after everything it vouches for; withdrawn when a build starts.
-- depends_on: {{ ref('parity_summary') }}
-- depends_on: {{ ref('parity_features') }}
-- depends_on: {{ ref('parity_decisions') }}
-- depends_on: {{ ref('report_performance') }}
-- depends_on: {{ ref('report_screening') }}
-- depends_on: {{ ref('report_health') }}
-- depends_on: {{ ref('trade_reasons') }}
with build as (
    select barsieve_build()::json as info
),

spans as (
    select
        string_agg(distinct symbol, ',' order by symbol) as symbols,
        min(bar_ts) as first_bar_ts,
        max(bar_ts) as last_bar_ts,
        count(*) as bars,
    from {{ ref('bars_1h') }}
)

select
    build.info ->> '$.barsieve_version' as barsieve_version,
    build.info ->> '$.market_name' as market_name,
    (build.info ->> '$.is_simulated')::boolean as is_simulated,
    spans.symbols,
    spans.first_bar_ts,
    spans.last_bar_ts,
    spans.bars,
    build.info ->> '$.market_hash' as market_hash,
    build.info ->> '$.configs_hash' as configs_hash,
    build.info ->> '$.code_hash' as code_hash,
    timestamptz '{{ run_started_at }}' as built_at,
from build
cross join spans
