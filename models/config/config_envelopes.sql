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

    -- null covers what is switched off, so it is not the same as not to be given
    {% for macro_exit in ('vix_exit', 'macro_exit_veto') -%}
        case
            when json_exists(envelope, '$.gates.{{ macro_exit }}')
                then (envelope ->> '$.gates.{{ macro_exit }}')::double
            else {{ macro_exit }}
        end as highest_{{ macro_exit }},
    {% endfor -%}
from {{ ref('config_profiles') }}
