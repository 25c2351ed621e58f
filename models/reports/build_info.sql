-- Built last, after everything it vouches for; withdrawn when a build starts.
-- depends_on: {{ ref('parity_summary') }}
-- depends_on: {{ ref('parity_features') }}
-- depends_on: {{ ref('parity_decisions') }}
-- depends_on: {{ ref('report_performance') }}
-- depends_on: {{ ref('report_portfolio') }}
-- depends_on: {{ ref('report_screening') }}
-- depends_on: {{ ref('report_health') }}
-- depends_on: {{ ref('trade_reasons') }}
with build as (
    select barsieve_build()::json as info
),

proof as (
    select
        max(cuts) as cuts,
        string_agg(distinct table_name, ', ' order by table_name)
        filter (where verdict = 'looks_ahead') as looks_ahead,
        string_agg(distinct table_name, ', ' order by table_name)
        filter (where verdict = 'excused') as excused,
        string_agg(distinct table_name, ', ' order by table_name)
        filter (where verdict = 'not_compared') as not_compared,
    from {{ ref('proof_lookahead') }}
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
    case
        when proof.looks_ahead is not null
            then 'lookahead in ' || proof.looks_ahead || ': barsieve prove'
        when proof.cuts > 0
            then
                'no lookahead: proven at ' || proof.cuts || ' cuts'
                || coalesce('; excused: ' || proof.excused, '')
                || coalesce('; not compared: ' || proof.not_compared, '')
        else 'not proven: barsieve prove'
    end as lookahead,
from build
cross join spans
cross join proof
