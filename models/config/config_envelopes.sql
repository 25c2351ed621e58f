-- An envelope says what it varies; of the rest it is the profile itself.
select
    profile,
    coalesce((envelope ->> '$.entry_threshold')::double, entry_threshold)
        as lowest_threshold,
    coalesce((envelope ->> '$.any_regime')::boolean, false) as any_regime,

    -- a varied gate moves the first eligible bar of a block, so any bar may be it
    coalesce(json_exists(envelope, '$.gates'), false) as varies_gates,
    coalesce((envelope ->> '$.gates.atr_rank_floor')::double, atr_rank_floor)
        as lowest_floor,
    coalesce((envelope ->> '$.gates.atr_rank_cap')::double, atr_rank_cap)
        as highest_cap,
    coalesce((envelope ->> '$.gates.alignment_required')::boolean, alignment_required)
        as always_requires_alignment,
    coalesce((envelope ->> '$.gates.veto_limit')::double, veto_limit)
        as highest_veto_limit,

    -- the box of weights
    coalesce((envelope ->> '$.weights.wyckoff[0]')::double, weight_wyckoff)
        as least_wyckoff,
    coalesce((envelope ->> '$.weights.wyckoff[1]')::double, weight_wyckoff)
        as most_wyckoff,
    coalesce((envelope ->> '$.weights.liquidity[0]')::double, weight_liquidity)
        as least_liquidity,
    coalesce((envelope ->> '$.weights.liquidity[1]')::double, weight_liquidity)
        as most_liquidity,
    coalesce((envelope ->> '$.weights.smc[0]')::double, weight_smc) as least_smc,
    coalesce((envelope ->> '$.weights.smc[1]')::double, weight_smc) as most_smc,
    coalesce((envelope ->> '$.weights.momentum[0]')::double, weight_momentum)
        as least_momentum,
    coalesce((envelope ->> '$.weights.momentum[1]')::double, weight_momentum)
        as most_momentum,
    coalesce((envelope ->> '$.weights.temporal[0]')::double, weight_temporal)
        as least_temporal,
    coalesce((envelope ->> '$.weights.temporal[1]')::double, weight_temporal)
        as most_temporal,
from {{ ref('config_profiles') }}
