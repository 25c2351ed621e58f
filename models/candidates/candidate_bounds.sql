-- For every bar that some configuration of the envelope may trade: the most that any of
-- its weights can make of the fusion score, up and down.
with profiles as (
    select
        profiles.profile,
        profiles.symbol,
        profiles.sides,
        envelopes.* exclude (profile),
    from {{ ref('config_symbols') }} as profiles
    inner join {{ ref('config_envelopes') }} as envelopes using (profile)
    where profiles.screen = 'admissible'
),

boxes as (
    select
        profile,
        {{ by_domain('low', 'low_') }},
        {{ by_domain('high', 'high_') }},
    from {{ ref('config_weights') }}
    group by profile
),

votes as (
    select * from {{ ref('votes') }}
),

-- The most that any classifier lowers the threshold of a bar.
lowest_shifts as (
    select
        symbol,
        bar_ts,
        least(min(threshold_shift), 0) as lowest_shift,
    from {{ ref('regimes') }}
    group by symbol, bar_ts
),

reachable as (
    select
        votes.*,
        fusion.votes_long,
        fusion.votes_short,
        fusion.net_veto_long,
        fusion.net_veto_short,
        profiles.profile,
        profiles.sides,
        profiles.highest_veto_limit,
        profiles.highest_vix_exit,
        profiles.highest_macro_exit_veto,
        case
            when profiles.any_regime then coalesce(lowest_shifts.lowest_shift, 0)
            else fusion.regime_shift
        end as threshold_shift,
        {{ decimal_sum('profiles.lowest_threshold', 'threshold_shift') }}
            as lowest_threshold,
    from profiles
    inner join votes on profiles.symbol = votes.symbol
    inner join {{ ref('fusion_scores') }} as fusion
        on
            profiles.profile = fusion.profile
            and votes.symbol = fusion.symbol
            and votes.bar_ts = fusion.bar_ts
    left join lowest_shifts
        on
            profiles.any_regime
            and votes.symbol = lowest_shifts.symbol
            and votes.bar_ts = lowest_shifts.bar_ts
    where
        votes.alignment is not null
        and fusion.has_sentinel
        and case
            when profiles.varies_gates
                then
                    votes.atr_rank_100
                    between profiles.lowest_floor and profiles.highest_cap
                    and (votes.is_aligned or not profiles.always_requires_alignment)
            else fusion.is_eligible
        end
)

select
    reachable.profile,
    reachable.symbol,
    reachable.bar_ts,
    reachable.bar_index,
    reachable.sides,
    reachable.votes_long,
    reachable.votes_short,
    reachable.net_veto_long,
    reachable.net_veto_short,
    reachable.lowest_threshold,
    reachable.highest_veto_limit,
    -- Where a macro exit holds for every configuration, none is entered.
    coalesce(reachable.vix >= reachable.highest_vix_exit, false) as is_vix_exit,
    coalesce(reachable.highest_macro_exit_veto, 'infinity'::double)
        as macro_exit_veto,
    {{ reachable_fusion_score('greatest', 'reachable', 'boxes') }}
        as highest_fusion_score,
    {{ reachable_fusion_score('least', 'reachable', 'boxes') }} as lowest_fusion_score,
from reachable
inner join boxes using (profile)
