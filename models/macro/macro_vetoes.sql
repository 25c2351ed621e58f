with bars as (
    select * from {{ ref('features') }}
),

-- Decimal sums are exact: one set of bits whatever the order of the threads.
sums as (
    select
        symbol,
        bar_ts,
        sum(veto_long::decimal(18, 12))::double as veto_long,
        sum(veto_short::decimal(18, 12))::double as veto_short,
        sum(greenlight::decimal(18, 12))::double as greenlight,
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
            us2y is not null and us10y is not null,
            vix is not null and dxy is not null
        ] as signal_is_known,
    from bars
)

select
    coverages.symbol,
    coverages.bar_ts,
    least(coalesce(sums.veto_long, 0), 1) as veto_long,
    least(coalesce(sums.veto_short, 0), 1) as veto_short,
    least(coalesce(sums.greenlight, 0), 1) as greenlight,
    list_sum(signal_is_known::integer[]) / len(signal_is_known) as macro_coverage,
from coverages
left join sums using (symbol, bar_ts)
