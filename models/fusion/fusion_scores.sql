with profiles as (
    select * from {{ ref('config_symbols') }}
),

votes as (
    select * from {{ ref('votes') }}
),

regimes as (
    select * from {{ ref('regimes') }}
),

settings as (
    select * from {{ ref('fusion_settings') }}
),

in_force as (
    select
        votes.*,
        vetoes.net_veto_long,
        vetoes.net_veto_short,
        vetoes.macro_coverage,
        profiles.profile,
        profiles.veto_limit,
        profiles.vix_exit,
        profiles.macro_exit_veto,
        profiles.cadence,
        profiles.sides,
        coalesce(learned.entry_threshold, own.entry_threshold)
            as entry_threshold,
        coalesce(learned.weights, own.weights) as weights,
        {% for domain in domains() -%}
            coalesce(learned.weight_{{ domain }}, own.weight_{{ domain }})
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
        profiles.required_sentinels is null
        or coalesce(list_has_any(
            string_split(profiles.required_sentinels, ','),
            string_split(votes.sentinels, ',')
        ), false) as has_sentinel,
        votes.known_at > coalesce(profiles.study_start, '-infinity'::timestamptz)
        and votes.known_at <= coalesce(profiles.study_end, 'infinity'::timestamptz)
            as is_in_study,
    from votes
    inner join profiles on votes.symbol = profiles.symbol
    inner join settings as own on profiles.profile = own.profile and own.month is null
    inner join {{ ref('macro_vetoes') }} as vetoes
        on
            profiles.macro_signals = vetoes.macro_signals
            and votes.symbol = vetoes.symbol
            and votes.bar_ts = vetoes.bar_ts
    -- No classifier is called off: such a profile finds no row.
    left join regimes
        on
            profiles.classifier = regimes.classifier
            and profiles.fit_window = regimes.fit_window
            and profiles.reference_symbol = regimes.reference_symbol
            and votes.symbol = regimes.symbol
            and votes.bar_ts = regimes.bar_ts
    left join settings as learned
        on
            profiles.learned
            and profiles.profile = learned.profile
            and profiles.symbol = learned.symbol
            and strftime(votes.bar_ts, '%Y-%m') = learned.month
            and coalesce(regimes.regime, 'unknown') = learned.regime
),

fused as (
    select
        *,
        {{ fusion_score('in_force', weights_of('in_force')) }} as fusion_score,
        {{ decimal_sum('entry_threshold', 'regime_shift') }} as threshold,
        {{ domains_with('score_{} is not null and weight_{} > 0') }} as domains_used,
        -- A domain votes in a profile that names it, whatever its weight.
        {{ votes_for('long') }} as votes_long,
        {{ votes_for('short') }} as votes_short,
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
    weights,
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
    has_sentinel,
    is_macro_exit,
    coalesce(
        is_eligible
        and has_sentinel
        and sides in ('both', side)
        and confidence >= threshold
        and net_veto < veto_limit
        and not is_macro_exit,
        false
    ) as is_entry,
from decided
order by profile, symbol, bar_index
