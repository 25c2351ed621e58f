-- `barsieve prove` writes the rows; a build keeps those that are of its own code,
-- configs and market.
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
