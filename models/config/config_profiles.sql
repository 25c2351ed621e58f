select
    json ->> '$.profile' as profile,
    json ->> '$.symbol' as symbol,
    (json ->> '$.learned')::boolean as learned,

    -- weights
    (json ->> '$.weights.wyckoff')::double as weight_wyckoff,
    (json ->> '$.weights.liquidity')::double as weight_liquidity,
    (json ->> '$.weights.smc')::double as weight_smc,
    (json ->> '$.weights.momentum')::double as weight_momentum,
    (json ->> '$.weights.temporal')::double as weight_temporal,

    -- entry
    (json ->> '$.entry.entry_threshold')::double as entry_threshold,
    json ->> '$.entry.cadence' as cadence,
    (json ->> '$.entry.alignment_required')::boolean as alignment_required,
    (json ->> '$.entry.atr_rank_floor')::double as atr_rank_floor,
    (json ->> '$.entry.atr_rank_cap')::double as atr_rank_cap,
    (json ->> '$.entry.veto_limit')::double as veto_limit,
    (json ->> '$.entry.loss_streak_trades')::integer as loss_streak_trades,
    (json ->> '$.entry.loss_streak_shift')::double as loss_streak_shift,
    (json ->> '$.entry.cooldown_bars')::integer as cooldown_bars,
    -- A profile that does not say enters at the very next bar only.
    coalesce((json ->> '$.entry.max_gap_hours')::double, 1) as max_gap_hours,

    -- regime
    json ->> '$.regime.classifier' as classifier,
    json ->> '$.regime.fit_window' as fit_window,
    json ->> '$.regime.reference_symbol' as reference_symbol,

    -- exits
    (json ->> '$.exits.stop_atr')::double as stop_atr,
    (json ->> '$.exits.target_r')::double as target_r,
    (json ->> '$.exits.partial_at_r')::double as partial_at_r,
    (json ->> '$.exits.partial_share')::double as partial_share,
    (json ->> '$.exits.trail_atr')::double as trail_atr,
    (json ->> '$.exits.volume_trap_z')::double as volume_trap_z,
    (json ->> '$.exits.volume_trap_atr')::double as volume_trap_atr,
    (json ->> '$.exits.time_stop_bars')::integer as time_stop_bars,
    (json ->> '$.exits.vix_exit')::double as vix_exit,
    (json ->> '$.exits.macro_exit_veto')::double as macro_exit_veto,

    -- risk
    (json ->> '$.risk.start_balance')::double as start_balance,
    (json ->> '$.risk.risk_min')::double as risk_min,
    (json ->> '$.risk.risk_max')::double as risk_max,
    (json ->> '$.risk.risk_cap')::double as risk_cap,
    (json ->> '$.risk.leverage')::double as leverage,
    (json ->> '$.risk.margin_cap')::double as margin_cap,
    (json ->> '$.risk.min_notional')::double as min_notional,

    -- costs
    (json ->> '$.costs.fees_bps')::double as fees_bps,
    (json ->> '$.costs.slippage_bps')::double as slippage_bps,

    -- screen
    json ->> '$.screen.method' as screen,
    (json ->> '$.screen.candidate_window_bars')::integer as candidate_window_bars,
    json -> '$.screen.envelope' as envelope,

    -- parity
    json ->> '$.parity.promise' as parity_promise,
    (json ->> '$.parity.trades_tolerance')::double as trades_tolerance,
    (json ->> '$.parity.win_rate_tolerance')::double as win_rate_tolerance,

    -- study: limits trading only; features use all history
    (json ->> '$.study.start')::timestamptz as study_start,
    (json ->> '$.study.end')::timestamptz as study_end,

    -- the whole, so that a replay with other settings can start from it
    json as document,
from {{ source('configs', 'profiles') }}
