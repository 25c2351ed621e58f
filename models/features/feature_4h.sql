with bars as (
    select * from {{ ref('bars_4h') }}
),

moves as (
    select
        *,
        high - lag(high) over blocks_in_order as up_move,
        lag(low) over blocks_in_order - low as down_move,
        greatest(
            high - low,
            abs(high - lag(close) over blocks_in_order),
            abs(low - lag(close) over blocks_in_order)
        ) as greatest_range,
    from bars
    window blocks_in_order as (partition by symbol order by block_index)
),

directional as (
    select
        *,
        -- Wilder's rule: the larger move counts, ties for neither.
        case
            when up_move > down_move then greatest(up_move, 0)
            when up_move is not null then 0
        end as plus_dm,
        case
            when down_move > up_move then greatest(down_move, 0)
            when up_move is not null then 0
        end as minus_dm,
        case when up_move is not null then greatest_range end as tr,
    from moves
),

smoothed as (
    select
        *,
        {{ trailing(14, 'avg', 'plus_dm', ordered='block_index') }} as mean_plus_dm,
        {{ trailing(14, 'avg', 'minus_dm', ordered='block_index') }} as mean_minus_dm,
        {{ trailing(14, 'avg', 'tr', ordered='block_index') }} as mean_tr,
    from directional
),

indexes as (
    select
        *,
        100 * mean_plus_dm / nullif(mean_tr, 0) as plus_di,
        100 * mean_minus_dm / nullif(mean_tr, 0) as minus_di,
        100 * abs(plus_di - minus_di) / nullif(plus_di + minus_di, 0) as dx,
    from smoothed
)

select
    symbol,
    known_at,
    close as close_4h,
    {{ trailing(14, 'avg', 'dx', ordered='block_index') }} as adx_14_4h,
    {{ trailing(20, 'avg', 'close', ordered='block_index') }} as sma_20_4h,
from indexes
