{#- Rounding may only widen the screen, never narrow it. -#}
{%- set slack = 1e-12 -%}

with bounds as (
    select * from {{ ref('candidate_bounds') }}
),

-- Each side gets the best case of the envelope; a tie of votes may go either way.
admissible as (
    select
        profile,
        symbol,
        bar_ts,
        bar_index,
        'long' as side,
        highest_fusion_score as score,
    from bounds
    where
        sides in ('both', 'long')
        and (
            votes_long > votes_short
            or (
                votes_long = votes_short
                and highest_fusion_score > {{ tie_is_long_above() }} - {{ slack }}
            )
        )
        and highest_fusion_score >= lowest_threshold - {{ slack }}
        and net_veto_long < highest_veto_limit
        and net_veto_long < macro_exit_veto
        and not is_vix_exit
    union all
    select
        profile,
        symbol,
        bar_ts,
        bar_index,
        'short' as side,
        1 - lowest_fusion_score as score,
    from bounds
    where
        sides in ('both', 'short')
        and (
            votes_short > votes_long
            or (
                votes_long = votes_short
                and lowest_fusion_score < {{ tie_is_short_below() }} + {{ slack }}
            )
        )
        and 1 - lowest_fusion_score >= lowest_threshold - {{ slack }}
        and net_veto_short < highest_veto_limit
        and net_veto_short < macro_exit_veto
        and not is_vix_exit
)

select
    screened.profile,
    screened.symbol,
    screened.bar_ts,
    screened.bar_index,
    screened.side,
    screened.score,
    votes.sentinels as reason,
from (
    select * from admissible
    union all by name
    select * from {{ ref('candidate_sentinel_screen') }}
) as screened
left join {{ ref('votes') }} as votes using (symbol, bar_ts)
