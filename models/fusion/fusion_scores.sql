with profiles as (
    select * from {{ ref('config_profiles') }}
),

votes as (
    select * from {{ ref('score_votes') }}
),

regimes as (
    select * from {{ ref('regimes') }}
),

fused as (
    select
        votes.*,
        profiles.profile,
        profiles.entry_threshold,
        profiles.veto_limit,
        profiles.cadence,
        {{ fusion_score('votes', 'profiles') }} as fusion_score,
        case
            when profiles.classifier = 'off' then 'off'
            else coalesce(regimes.regime, 'unknown')
        end as regime,
        coalesce(regimes.threshold_shift, 0) as regime_shift,
        profiles.entry_threshold + regime_shift as threshold,
        (votes.wyckoff is not null and profiles.weight_wyckoff > 0)::integer
        + (votes.liquidity is not null and profiles.weight_liquidity > 0)::integer
        + (votes.smc is not null and profiles.weight_smc > 0)::integer
        + (votes.momentum is not null and profiles.weight_momentum > 0)::integer
        + (votes.temporal is not null and profiles.weight_temporal > 0)::integer
            as domains_used,
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
),

sided as (
    select
        *,
        case
            when fusion_score is null then null
            when votes_long > votes_short then 'long'
            when votes_short > votes_long then 'short'
            when fusion_score > 0.52 then 'long'
            when fusion_score < 0.48 then 'short'
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
    from sided
)

select
    profile,
    symbol,
    bar_ts,
    bar_index,
    fusion_score,
    domains_used,
    alignment,
    is_aligned,
    votes_long,
    votes_short,
    side,
    confidence,
    entry_threshold,
    regime,
    regime_shift,
    threshold,
    net_veto_long,
    net_veto_short,
    net_veto,
    macro_coverage,
    is_in_atr_band,
    passes_gates,
    is_eligible,
    coalesce(
        is_eligible and confidence >= threshold and net_veto < veto_limit, false
    ) as is_entry,
from decided
