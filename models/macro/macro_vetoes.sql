with bars as (
    select * from {{ ref('features') }}
),

-- Decimal sums are exact: one set of bits whatever the order of the threads, and
-- 0.85 - 0.20 is 0.65.
sums as (
    select
        symbol,
        bar_ts,
        least(sum(veto_long::decimal(18, 12)), 1) as veto_long,
        least(sum(veto_short::decimal(18, 12)), 1) as veto_short,
        least(sum(greenlight::decimal(18, 12)), 1) as greenlight,
    from {{ ref('macro_signals') }}
    group by symbol, bar_ts
),

-- The signals, each with whether everything it needs is known.
coverages as (
    select
        symbol,
        bar_ts,
        [
            vix is not null,
            vix is not null,
            dxy is not null,
            dxy is not null,
            move is not null,
            usdt_dominance_z_60 is not null,
            btc_dominance is not null,
            wti is not null and dxy is not null,
            funding_rate is not null and oi_change_24h is not null,
            total2_share_mean_30 is not null
            and total_mean_30 is not null
            and btc_dominance is not null,
            yield_spread is not null,
            vix is not null and dxy is not null
        ] as signal_is_known,
    from bars
)

select
    coverages.symbol,
    coverages.bar_ts,
    coalesce(sums.veto_long, 0)::double as veto_long,
    coalesce(sums.veto_short, 0)::double as veto_short,
    coalesce(sums.greenlight, 0)::double as greenlight,
    coalesce(sums.veto_long - sums.greenlight, 0)::double as net_veto_long,
    coalesce(sums.veto_short - sums.greenlight, 0)::double as net_veto_short,
    list_sum(signal_is_known::integer[]) / len(signal_is_known) as macro_coverage,
from coverages
left join sums using (symbol, bar_ts)
