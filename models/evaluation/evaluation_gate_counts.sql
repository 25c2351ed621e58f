-- Bars of a profile that are left after each gate, counted one by one, and the nearest
-- that the market came to what is asked; of each symbol, and of all that a profile
-- trades.
with bars as (
    select
        fusion.*,
        profiles.cadence,
        profiles.sides,
        profiles.alignment_required,
        profiles.atr_rank_floor,
        profiles.atr_rank_cap,
        profiles.veto_limit,
        profiles.vix_exit,
        profiles.macro_exit_veto,
        profiles.n_symbols,
        fusion.side is not null and profiles.sides in ('both', fusion.side)
            as is_side_traded,
    from {{ ref('fusion_scores') }} as fusion
    inner join {{ ref('config_symbols') }} as profiles using (profile, symbol)
),

entries as (
    select
        profile,
        coalesce(symbol, '*') as symbol,
        count(*) as entered,
    from {{ ref('trades') }}
    group by rollup(profile, symbol)
    having profile is not null
),

orders as (
    select
        profile,
        coalesce(symbol, '*') as symbol,
        sum(lapsed) as lapsed,
        sum(refused) as refused,
        sum(no_room) as no_room,
        max(liquidated) as liquidated,
    from {{ ref('replay_symbols') }}
    where replayed = 'full'
    group by rollup(profile, symbol)
    having profile is not null
),

counts as (
    select
        profile,
        coalesce(symbol, '*') as symbol,
        count(*) as bars,
        count(fusion_score) as scored,
        count_if(fusion_score is not null and is_in_atr_band) as in_atr_band,
        count_if(fusion_score is not null and passes_gates) as aligned,
        count_if(fusion_score is not null and is_eligible) as eligible,
        count_if(is_eligible and is_side_traded) as sided,
        count_if(is_eligible and is_side_traded and confidence >= entry_threshold)
            as confident,
        count_if(
            is_eligible
            and is_side_traded
            and confidence >= threshold
            and net_veto < veto_limit
        ) as admitted,
        count_if(is_entry) as no_macro_exit,
        max(confidence) filter (where is_eligible and is_side_traded)
            as highest_confidence,
        min(net_veto) filter (
            where is_eligible and is_side_traded and confidence >= entry_threshold
        ) as lowest_veto,
        any_value(entry_threshold) as entry_threshold,
        any_value(veto_limit) as veto_limit,
        any_value(vix_exit) as vix_exit,
        any_value(macro_exit_veto) as macro_exit_veto,
        any_value(cadence) as cadence,
        any_value(sides) as sides,
        any_value(alignment_required) as alignment_required,
        any_value(atr_rank_floor) as atr_rank_floor,
        any_value(atr_rank_cap) as atr_rank_cap,
        avg(macro_coverage order by symbol, bar_ts) as macro_coverage,
    from bars
    group by rollup(profile, symbol)
    having
        profile is not null and (symbol is not null or any_value(n_symbols) > 1)
)

select
    counts.*,
    coalesce(entries.entered, 0) as entered,
    orders.lapsed,
    orders.refused,
    orders.no_room,
    orders.liquidated,
from counts
left join entries using (profile, symbol)
left join orders using (profile, symbol)
