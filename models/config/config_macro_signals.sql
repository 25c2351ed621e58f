-- The thresholds of the macro signals: column = signal, two underscores, JSON key.
select
    (json ->> '$.vix_risk_off.vix_on_above')::double as vix_risk_off__vix_on_above,
    (json ->> '$.vix_risk_off.vix_off_below')::double as vix_risk_off__vix_off_below,
    (json ->> '$.vix_risk_off.veto')::double as vix_risk_off__veto,
    (json ->> '$.vix_calm.vix_below')::double as vix_calm__vix_below,
    (json ->> '$.vix_calm.greenlight')::double as vix_calm__greenlight,
    (json ->> '$.dxy_breakout.dxy_above')::double as dxy_breakout__dxy_above,
    (json ->> '$.dxy_breakout.veto')::double as dxy_breakout__veto,
    (json ->> '$.dxy_soft.dxy_below')::double as dxy_soft__dxy_below,
    (json ->> '$.dxy_soft.greenlight')::double as dxy_soft__greenlight,
    (json ->> '$.move_stress.move_above')::double as move_stress__move_above,
    (json ->> '$.move_stress.veto')::double as move_stress__veto,
    (json ->> '$.usdt_flight.usdt_dominance_z_above')::double
        as usdt_flight__usdt_dominance_z_above,
    (json ->> '$.usdt_flight.veto')::double as usdt_flight__veto,
    (json ->> '$.btc_flight.btc_dominance_above')::double
        as btc_flight__btc_dominance_above,
    (json ->> '$.btc_flight.veto')::double as btc_flight__veto,
    (json ->> '$.oil_dollar.wti_above')::double as oil_dollar__wti_above,
    (json ->> '$.oil_dollar.dxy_above')::double as oil_dollar__dxy_above,
    (json ->> '$.oil_dollar.veto')::double as oil_dollar__veto,
    (json ->> '$.funding_oi_trap.funding_rate_above')::double
        as funding_oi_trap__funding_rate_above,
    (json ->> '$.funding_oi_trap.oi_change_24h_above')::double
        as funding_oi_trap__oi_change_24h_above,
    (json ->> '$.funding_oi_trap.veto')::double as funding_oi_trap__veto,
    (json ->> '$.total2_divergence.btc_dominance_below')::double
        as total2_divergence__btc_dominance_below,
    (json ->> '$.total2_divergence.greenlight')::double
        as total2_divergence__greenlight,
    (json ->> '$.yield_inversion.spread_above')::double
        as yield_inversion__spread_above,
    (json ->> '$.yield_inversion.veto')::double as yield_inversion__veto,
    (json ->> '$.yield_inversion.near_spread_above')::double
        as yield_inversion__near_spread_above,
    (json ->> '$.yield_inversion.near_veto')::double as yield_inversion__near_veto,
    (json ->> '$.dxy_vix_synergy.vix_above')::double as dxy_vix_synergy__vix_above,
    (json ->> '$.dxy_vix_synergy.dxy_above')::double as dxy_vix_synergy__dxy_above,
    (json ->> '$.dxy_vix_synergy.veto')::double as dxy_vix_synergy__veto,
from {{ source('configs', 'macro_signals') }}
