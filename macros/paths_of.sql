{#- The paths of trades: a row per trade and close that it was held through. `positions` has
    its trades as `replay_positions` does, `keys` are columns that name one, beside its
    symbol and number. R is measured in the distance of the first stop.

    `rest_r`: what the rules still brought beyond leaving at the next open, costs of both
    included, as a share of what was risked at the entry. -#}
{%- macro paths_of(positions, keys) -%}
{%- set named = keys + ['symbol', 'trade_id'] -%}
{%- set by = named | join(', ') -%}
with trades as (
    select
        {{ by }},
        side,
        decision_ts,
        if(side = 'long', 1, -1) as direction,
        risk_distance,
        bars_held::integer as closes_held,
        exit_reason,
        legs[1].ts as entry_ts,
        legs[1].price as entry_price,
        legs[1].qty as entry_qty,
        legs[-1].ts as exit_ts,
    from {{ positions }}
),

legs as (
    select
        {{ by }},
        unnest(legs, recursive := true),
    from {{ positions }}
),

stops as (
    select
        {{ by }},
        unnest(stops, recursive := true),
    from {{ positions }}
),

held as (
    select
        trades.*,
        bars.bar_ts,
        bars.known_at,
        bars.close,
        bars.bar_index - entered.bar_index + 1 as bars_held,
        if(trades.direction = 1, bars.high, bars.low) as best,
        if(trades.direction = 1, bars.low, bars.high) as worst,
        followed.bar_ts as next_ts,
        followed.open as next_open,
    from trades
    inner join {{ ref('features') }} as entered
        on trades.symbol = entered.symbol and trades.entry_ts = entered.bar_ts
    inner join {{ ref('features') }} as bars
        on
            trades.symbol = bars.symbol
            and bars.bar_index >= entered.bar_index
            and bars.bar_index < entered.bar_index + trades.closes_held
    left join {{ ref('features') }} as followed
        on bars.symbol = followed.symbol and bars.bar_index + 1 = followed.bar_index
),

sums as (
    select
        {{ barsieve.of_columns('held', named + ['bars_held']) }},
        sum(legs.amount - legs.fee - legs.slippage order by legs.account_leg) filter (
            where legs.ts > held.bar_ts
            and not (legs.kind = 'funding' and legs.ts = held.next_ts)
        ) as later_net,
        arg_max(abs(legs.position), legs.account_leg) filter (
            where legs.ts <= held.bar_ts
        ) as qty_left,
        bool_or(legs.kind = 'partial' and legs.ts <= held.bar_ts) as has_partial,
    from held
    inner join legs using ({{ by }})
    group by all
),

stopped as (
    select
        {{ barsieve.of_columns('held', named + ['bars_held']) }},
        stops.stop,
    from held
    asof inner join stops
        on
            {% for key in named -%}
                held.{{ key }} = stops.{{ key }} and
            {% endfor -%}
            held.bar_ts >= stops.bar_ts
)

select
    {{ barsieve.of_columns('held', named) }},
    held.side,
    held.decision_ts,
    held.entry_ts,
    held.bar_ts,
    held.bars_held,
    held.direction * (held.close - held.entry_price) / held.risk_distance as profit_r,
    max(held.direction * (held.best - held.entry_price) / held.risk_distance)
        over so_far as best_r,
    min(held.direction * (held.worst - held.entry_price) / held.risk_distance)
        over so_far as worst_r,
    held.direction * (held.close - stopped.stop) / held.risk_distance as stop_r,
    sums.has_partial,
    fusion.fusion_score,
    if(held.side = 'long', fusion.net_veto_long, fusion.net_veto_short) as net_veto,
    case
        when held.exit_reason != 'end_of_data' then
            (
                sums.later_net
                - held.direction * (held.next_open - held.entry_price) * sums.qty_left
                + (costs.fees_bps + costs.slippage_bps) * 0.0001
                * held.next_open * sums.qty_left
            ) / (held.risk_distance * held.entry_qty)
    end as rest_r,
    rest_r is not null as is_known,
    held.exit_ts + interval '1 hour' as rest_known_at,
    held.known_at,
    held.exit_reason,
from held
inner join sums using ({{ by }}, bars_held)
inner join stopped using ({{ by }}, bars_held)
inner join {{ ref('config_symbols') }} as costs using (profile, symbol)
inner join {{ ref('fusion_scores') }} as fusion
    on
        held.profile = fusion.profile
        and held.symbol = fusion.symbol
        and held.bar_ts = fusion.bar_ts
window so_far as (
    partition by {{ barsieve.of_columns('held', named) }}
    order by held.bars_held
)
{%- endmacro -%}

{#- Columns of a relation, each with its name before it. -#}
{%- macro of_columns(relation, names) -%}
    {{ relation }}.{{ names | join(', ' ~ relation ~ '.') }}
{%- endmacro -%}
