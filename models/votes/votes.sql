with domain_scores as (
    select
        symbol,
        bar_ts,
        {{ by_domain('score', 'score_') }},
    from {{ ref('scores') }}
    group by symbol, bar_ts
),

fired as (
    select
        symbol,
        bar_ts,
        string_agg(sentinel, ',' order by sentinel) as sentinels,
    from {{ ref('sentinels') }}
    group by symbol, bar_ts
),

bars as (
    select
        symbol,
        bar_ts,
        bar_index,
        known_at,
        close,
        atr_rank_100,
        vix,
        sma_20_4h,
        trend_1h,
        trend_4h,
        trend_1d,
    from {{ ref('features') }}
),

alignments as (
    select
        symbol,
        bar_ts,
        trend_1h is not null and trend_4h is not null and trend_1d is not null
            as has_trends,
        case when trend_4h = trend_1d and trend_4h != 'neutral' then 1 else 0 end
        + case when trend_1h = trend_4h and trend_1h != 'neutral' then 1 else 0 end
        + case
            when
                trend_4h != 'neutral'
                and trend_4h != trend_1h
                and abs(close - sma_20_4h) <= 0.02 * sma_20_4h
                then 0.5
            else 0
        end as alignment_sum,
    from bars
)

select
    bars.symbol,
    bars.bar_ts,
    bars.bar_index,
    bars.known_at,
    bars.atr_rank_100,
    bars.vix,
    domain_scores.* exclude (symbol, bar_ts),
    fired.sentinels,
    case when alignments.has_trends then alignments.alignment_sum end::double
        as alignment,
    alignments.alignment_sum >= 1 and alignments.has_trends as is_aligned,
from bars
inner join domain_scores using (symbol, bar_ts)
inner join alignments using (symbol, bar_ts)
left join fired using (symbol, bar_ts)
order by bars.symbol, bars.bar_index
