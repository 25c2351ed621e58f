-- Only a file that says which hours a settlement covers has the column.
with settlements as (
    select
        symbol,
        ts as settled_at,
        funding_rate,
        interval_hours as stated_hours,
    from (
        select null::double as interval_hours
        where false
        union all by name
        select * from {{ source('market', 'funding') }}
    )
),

gaps as (
    select
        *,
        -- A stamp may be late by milliseconds.
        nullif(
            round(epoch(settled_at - lag(settled_at) over settlements_in_order) / 3600),
            0
        ) as hours_since_last,
    from settlements
    window settlements_in_order as (partition by symbol order by settled_at)
)

select
    symbol,
    settled_at,
    -- The replay pays at the settlement; a feature reads of it a minute later.
    settled_at + interval '1 minute' as known_at,
    funding_rate,
    stated_hours,
    -- What is known of it when it settles: the shorter of the last two gaps. A shorter
    -- interval is seen at once, and one missing settlement does not double it.
    coalesce(
        stated_hours,
        least(hours_since_last, lag(hours_since_last) over settlements_in_order)
    ) as interval_hours,
from gaps
window settlements_in_order as (partition by symbol order by settled_at)
