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
)

select
    bars.symbol,
    bars.bar_ts,
    case
        when bars.vix is not null and vix_states.was_last_above
            then thresholds.vix_risk_off__veto
        else 0
    end::double as veto_long,
    veto_long as veto_short,
    0::double as greenlight,
    bars.vix is not null as is_known,
from bars
cross join thresholds
asof left join vix_states on bars.known_at >= vix_states.moment
