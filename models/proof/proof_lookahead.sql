{%- set written = load_relation(this) if execute else none -%}

-- `barsieve prove` writes the rows; a build keeps those that are of its own code,
-- configs and market.
with build as (
    select barsieve_build()::json as info
),

findings as (
    select
        null::varchar as table_name,
        null::varchar as column_name,
        null::varchar as layer,
        null::integer as cuts,
        null::bigint as rows_compared,
        null::integer as past_hours,
        null::varchar as verdict,
        null::varchar as first_difference,
        null::varchar as note,
        null::varchar as code_hash,
        null::varchar as configs_hash,
        null::varchar as market_hash,
    where false
    {% if written -%}
        union all by name
        select * from {{ written }}
    {%- endif %}
)

select
    findings.table_name,
    findings.column_name,
    findings.layer,
    findings.cuts,
    findings.rows_compared,
    findings.past_hours,
    findings.verdict,
    findings.first_difference,
    findings.note,
    findings.code_hash,
    findings.configs_hash,
    findings.market_hash,
from findings
inner join build
    on
        findings.code_hash = build.info ->> '$.code_hash'
        and findings.configs_hash = build.info ->> '$.configs_hash'
        and findings.market_hash = build.info ->> '$.market_hash'
