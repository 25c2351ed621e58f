-- Exits that no rule of the profile asked for: its symbol, or the market, had ended.
with trades as (
    select
        profile,
        unnest([symbol, '*']) as symbol,
        symbol || ' ' || trade_id as trade,
        exit_reason,
        net_pnl,
    from {{ ref('trades') }}
)

select
    profile,
    symbol,
    {%- for reason in ('delisted', 'end_of_data') %}
        count_if(exit_reason = '{{ reason }}')::integer as {{ reason }}_exits,
        coalesce(
            sum(net_pnl order by trade) filter (where exit_reason = '{{ reason }}'), 0
        ) as {{ reason }}_net_pnl,
    {%- endfor %}
from trades
group by profile, symbol
