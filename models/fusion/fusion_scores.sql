with profiles as (
    select * from {{ ref('config_profiles') }}
),

votes as (
    select * from {{ ref('votes') }}
),

regimes as (
    select * from {{ ref('regimes') }}
),

proposals as (
    select
        profile,
        month,
        regime,
        any_value(threshold) as threshold,
        {% for domain in domains() -%}
            any_value(weight) filter (where domain = '{{ domain }}') as {{ domain }},
        {% endfor -%}
    from {{ ref('fusion_learned') }}
    group by profile, month, regime
),

-- Learned settings stay in the envelope of the profile as it is now: the screen covers
-- no others.
learned as (
    select
        profile,
        month,
        regime,
        greatest(threshold, lowest_threshold) as entry_threshold,
        {% for domain in domains() -%}
            {{ clip(domain, 'least_' ~ domain, 'most_' ~ domain) }}
                as weight_{{ domain }},
        {% endfor -%}
    from proposals
    inner join {{ ref('config_envelopes') }} using (profile)
),

in_force as (
    select
        votes.*,
        profiles.profile,
        profiles.veto_limit,
        profiles.vix_exit,
        profiles.macro_exit_veto,
        profiles.cadence,
        coalesce(learned.entry_threshold, profiles.entry_threshold)
            as entry_threshold,
        {% for domain in domains() -%}
            coalesce(learned.weight_{{ domain }}, profiles.weight_{{ domain }})
                as weight_{{ domain }},
        {% endfor -%}
        case
            when profiles.classifier = 'off' then 'off'
            else coalesce(regimes.regime, 'unknown')
        end as regime,
        coalesce(regimes.threshold_shift, 0) as regime_shift,
        coalesce(
            votes.atr_rank_100
            between profiles.atr_rank_floor and profiles.atr_rank_cap,
            false
        ) as is_in_atr_band,
        votes.is_aligned or not profiles.alignment_required as passes_alignment,
        votes.known_at > coalesce(profiles.study_start, '-infinity'::timestamptz)
        and votes.known_at <= coalesce(profiles.study_end, 'infinity'::timestamptz)
            as is_in_study,
    from votes
    inner join profiles on votes.symbol = profiles.symbol
    -- No classifier is called off: such a profile finds no row.
    left join regimes
        on
            profiles.classifier = regimes.classifier
            and profiles.fit_window = regimes.fit_window
            and profiles.reference_symbol = regimes.reference_symbol
            and votes.symbol = regimes.symbol
            and votes.bar_ts = regimes.bar_ts
    left join learned
        on
            profiles.learned
            and profiles.profile = learned.profile
            and strftime(votes.bar_ts, '%Y-%m') = learned.month
            and coalesce(regimes.regime, 'unknown') = learned.regime
),

fused as (
    select
        *,
        {{ fusion_score('in_force', 'in_force') }} as fusion_score,
        {{ decimal_sum('entry_threshold', 'regime_shift') }} as threshold,
        {% for domain in domains() -%}
            ({{ domain }} is not null and weight_{{ domain }} > 0)::integer
            {{- ' + ' if not loop.last }}
        {% endfor -%}
            as domains_used,
    from in_force
),

sided as (
    select
        *,
        case
            when fusion_score is null then null
            when votes_long > votes_short then 'long'
            when votes_short > votes_long then 'short'
            when fusion_score > {{ tie_is_long_above() }} then 'long'
            when fusion_score < {{ tie_is_short_below() }} then 'short'
        end as side,
        is_in_atr_band and passes_alignment and is_in_study as passes_gates,
        row_number() over (
            partition by profile, symbol, {{ block_start('bar_ts', 4) }}, passes_gates
            order by bar_index
        ) as nth_of_block,
    from fused
),

decided as (
    select
        *,
        case side when 'long' then fusion_score when 'short' then 1 - fusion_score end
            as confidence,
        case side when 'long' then net_veto_long when 'short' then net_veto_short end
            as net_veto,
        passes_gates and (cadence = '1h' or nth_of_block = 1) as is_eligible,
        -- What is unknown, or switched off in the profile, blocks nothing.
        coalesce(vix >= vix_exit, false) or coalesce(net_veto >= macro_exit_veto, false)
            as is_macro_exit,
    from sided
)

select
    profile,
    symbol,
    bar_ts,
    bar_index,
    known_at,
    fusion_score,
    domains_used,
    alignment,
    is_aligned,
    votes_long,
    votes_short,
    side,
    confidence,
    {% for domain in domains() -%}
        weight_{{ domain }},
    {% endfor -%}
    entry_threshold,
    regime,
    regime_shift,
    threshold,
    net_veto_long,
    net_veto_short,
    net_veto,
    macro_coverage,
    is_in_atr_band,
    is_in_study,
    passes_gates,
    is_eligible,
    is_macro_exit,
    coalesce(
        is_eligible
        and confidence >= threshold
        and net_veto < veto_limit
        and not is_macro_exit,
        false
    ) as is_entry,
from decided
