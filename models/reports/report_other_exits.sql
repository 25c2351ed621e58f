-- A trade that saw no close could not be left at one. A mean R with another exit is
-- that of the trades as they were, and what it gains.
with ended as (
    select
        profile,
        symbol as traded,
        trade_id,
        r_multiple,
        unnest([symbol, '*']) as symbol,
    from {{ ref('trades') }}
    where exit_reason != 'end_of_data' and bars_held > 0
),

results as (
    select
        profile,
        symbol,
        avg(r_multiple order by traded, trade_id) as mean_r,
    from ended
    group by profile, symbol
)

select
    exits.profile,
    exits.symbol,
    exits.exit_rule,
    exits.trades,
    exits.left_earlier,
    results.mean_r + exits.gain_r as mean_r,
    exits.gain_r,
    exits.low,
    exits.high,
from {{ ref('evaluation_other_exits') }} as exits
left join results using (profile, symbol)
