-- In time against late; the slippage that costs assume against the next open, measured
-- by the quote at the order.
with said as (
    select
        *,
        if(is_late, 'late', 'in_time') as timing,
    from {{ ref('parity_live') }}
    where said_at is not null
),

orders as (
    select
        said.profile,
        said.symbol,
        said.bar_ts,
        case
            when said.order_side = 'buy' then said.ask - bars.open
            when said.order_side = 'sell' then bars.open - said.bid
        end / bars.open * 1e4 as slippage_bps,
    from said
    inner join {{ ref('bars_1h') }} as bars
        on said.symbol = bars.symbol and said.known_at = bars.bar_ts
),

results as (
    select
        profile,
        symbol,
        decision_ts as bar_ts,
        net_pnl,
    from {{ ref('trades') }}
    where exit_reason != 'end_of_data'
)

select
    said.profile,
    said.symbol,
    said.timing,
    count(*)::integer as decisions,
    count_if(said.verdict = 'identical')::integer as identical,
    count_if(said.verdict = 'differs')::integer as differs,
    count_if(said.verdict = 'invented')::integer as invented,
    min(said.bar_ts) as first_bar_ts,
    max(said.bar_ts) as last_bar_ts,
    median(said.late_seconds) as median_late_seconds,
    max(said.late_seconds) as max_late_seconds,
    count(said.order_side)::integer as orders,
    count(orders.slippage_bps)::integer as orders_measured,
    any_value(profiles.slippage_bps) as slippage_assumed_bps,
    avg(orders.slippage_bps) as slippage_measured_bps,
    count(results.net_pnl)::integer as trades,
    coalesce(sum(results.net_pnl order by said.bar_ts), 0) as net_pnl,
from said
inner join {{ ref('config_profiles') }} as profiles using (profile)
left join orders using (profile, symbol, bar_ts)
left join results using (profile, symbol, bar_ts)
group by said.profile, said.symbol, said.timing
order by said.profile, said.symbol, said.timing
