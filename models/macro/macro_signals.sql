-- Only a signal in force has a row. A comparison with a missing series is never true,
-- so a missing series leaves its gate open; `macro_vetoes` counts what was missing.
with bars as (
    select * from {{ ref('features') }}
),

thresholds as (
    select * from {{ ref('config_macro_signals') }}
),

-- Hysteresis: the last value outside the band decides, among 250 days.
vix_states as (
    select
        days.moment,
        arg_max(
            days.value > thresholds.vix_risk_off__vix_on_above,
            days.observed_day
        ) filter (
            where
            days.value > thresholds.vix_risk_off__vix_on_above
            or days.value < thresholds.vix_risk_off__vix_off_below
        ) as was_last_above,
    from {{ ref('feature_macro_days') }} as days
    cross join thresholds
    where days.series = 'VIX'
    group by days.moment
),

states as (
    select
        bars.*,
        thresholds.*,
        vix_states.was_last_above,
    from bars
    cross join thresholds
    asof left join vix_states on bars.known_at >= vix_states.moment
),

-- One column per signal, null while it is not in force. The trap is one-sided:
-- positive against longs, negative against shorts.
strengths as (
    select
        symbol,
        bar_ts,
        case when vix is not null and was_last_above then vix_risk_off__veto end
            as vix_risk_off,
        case when vix < vix_calm__vix_below then vix_calm__greenlight end as vix_calm,
        case when dxy > dxy_breakout__dxy_above then dxy_breakout__veto end
            as dxy_breakout,
        case when dxy < dxy_soft__dxy_below then dxy_soft__greenlight end as dxy_soft,
        case when move > move_stress__move_above then move_stress__veto end
            as move_stress,
        case
            when usdt_dominance_z_60 > usdt_flight__usdt_dominance_z_above
                then usdt_flight__veto
        end as usdt_flight,
        case
            when btc_dominance > btc_flight__btc_dominance_above then btc_flight__veto
        end as btc_flight,
        case
            when wti > oil_dollar__wti_above and dxy > oil_dollar__dxy_above
                then oil_dollar__veto
        end as oil_dollar,
        case
            when
                funding_rate > funding_oi_trap__funding_rate_above
                and oi_change_24h > funding_oi_trap__oi_change_24h_above
                then funding_oi_trap__veto
            when
                funding_rate < -funding_oi_trap__funding_rate_above
                and oi_change_24h > funding_oi_trap__oi_change_24h_above
                then -funding_oi_trap__veto
        end as funding_oi_trap,
        case
            when
                total2_share > total2_share_mean_30
                and total <= total_mean_30
                and btc_dominance < total2_divergence__btc_dominance_below
                then total2_divergence__greenlight
        end as total2_divergence,
        case
            when yield_spread > yield_inversion__spread_above then yield_inversion__veto
            when yield_spread > yield_inversion__near_spread_above
                then yield_inversion__near_veto
        end as yield_inversion,
        case
            when
                vix > dxy_vix_synergy__vix_above and dxy > dxy_vix_synergy__dxy_above
                then dxy_vix_synergy__veto
        end as dxy_vix_synergy,
    from states
),

in_force as (
    unpivot strengths
    on columns(* exclude (symbol, bar_ts))
    into name signal value strength
),

kinds as (
    select
        *,
        signal in ('vix_calm', 'dxy_soft', 'total2_divergence') as is_greenlight,
        signal = 'funding_oi_trap' as is_one_sided,
    from in_force
)

select
    symbol,
    bar_ts,
    signal,
    case
        when is_greenlight then 0
        when is_one_sided then greatest(strength, 0)
        else strength
    end as veto_long,
    case
        when is_greenlight then 0
        when is_one_sided then greatest(-strength, 0)
        else strength
    end as veto_short,
    case when is_greenlight then strength else 0 end as greenlight,
from kinds
