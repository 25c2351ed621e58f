with hours as (
    select
        parse_filename(filename, true) as symbol,
        ts as bar_ts,
        open,
        high,
        low,
        close,
        volume,
    from {{ source('market', 'bars') }}
),

numbered as (
    select
        *,
        row_number() over bars_in_order as bar_index,
        lag(bar_ts) over bars_in_order as previous_ts,
    from hours
    window bars_in_order as (partition by symbol order by bar_ts)
),

-- Exchanges stamp a settlement some milliseconds off: it is due on the minute.
due as (
    select
        symbol,
        time_bucket(interval '1 minute', settled_at + interval '30 seconds') as due_at,
        funding_rate,
    from {{ ref('bars_funding') }}
),

-- A settlement belongs to the bar with previous open < settlement <= open.
settlements as (
    select
        numbered.symbol,
        numbered.bar_ts,
        sum(due.funding_rate order by due.due_at) as funding_settled,
    from due
    asof inner join numbered
        on due.symbol = numbered.symbol and due.due_at <= numbered.bar_ts
    where due.due_at > numbered.previous_ts
    group by all
)

select
    numbered.symbol,
    numbered.bar_ts,
    numbered.bar_ts + interval '1 hour' as known_at,
    numbered.bar_index,
    numbered.open,
    numbered.high,
    numbered.low,
    numbered.close,
    numbered.volume,
    date_diff('hour', numbered.previous_ts, numbered.bar_ts)::integer - 1 as gap_hours,
    settlements.funding_settled,
from numbered
left join settlements using (symbol, bar_ts)
