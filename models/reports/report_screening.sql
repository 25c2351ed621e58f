-- Bars that are left after each gate, in the order of the gates: where a profile's
-- entries come from, and which gate to look at when there are none.
with bars as (
    select
        fusion.*,
        profiles.screen,
        profiles.cadence,
        profiles.alignment_required,
        profiles.atr_rank_floor,
        profiles.atr_rank_cap,
        profiles.veto_limit,
        profiles.vix_exit,
        profiles.macro_exit_veto,
    from {{ ref('fusion_scores') }} as fusion
    inner join {{ ref('config_profiles') }} as profiles using (profile)
),

entries as (
    select
        profile,
        count(*) as entered,
    from {{ ref('trades') }}
    where replayed = 'full'
    group by profile
),

runs as (
    select
        profile,
        refused,
        lapsed,
        liquidated,
    from {{ ref('replay_runs') }}
    where replayed = 'full'
),

candidate_bars as (
    select
        profile,
        count(distinct bar_ts) as candidates,
    from {{ ref('candidates') }}
    group by profile
),

counts as (
    select
        profile,
        symbol,
        any_value(screen) as screen,
        count(*) as bars,
        count(fusion_score) as scored,
        count_if(fusion_score is not null and is_in_atr_band) as in_atr_band,
        count_if(fusion_score is not null and passes_gates) as aligned,
        count_if(fusion_score is not null and is_eligible) as eligible,
        count_if(is_eligible and side is not null) as sided,
        count_if(is_eligible and confidence >= entry_threshold) as confident,
        count_if(
            is_eligible and confidence >= threshold and net_veto < veto_limit
        ) as admitted,
        count_if(is_entry) as no_macro_exit,
        max(confidence) filter (where is_eligible) as highest_confidence,
        min(net_veto) filter (where is_eligible and confidence >= entry_threshold)
            as lowest_veto,
        any_value(entry_threshold) as entry_threshold,
        any_value(veto_limit) as veto_limit,
        any_value(vix_exit) as vix_exit,
        any_value(macro_exit_veto) as macro_exit_veto,
        any_value(cadence) as cadence,
        any_value(alignment_required) as alignment_required,
        any_value(atr_rank_floor) as atr_rank_floor,
        any_value(atr_rank_cap) as atr_rank_cap,
        avg(macro_coverage order by bar_ts) as macro_coverage,
    from bars
    group by profile, symbol
),

gates as (
    select
        counts.profile,
        counts.symbol,
        unnest([
            struct_pack(
                gate_number := 1, gate := 'bars', bars := counts.bars,
                asks := 'every bar of the symbol'
            ),
            struct_pack(
                gate_number := 2, gate := 'scored', bars := counts.scored,
                asks := 'trends and at least one domain score are known'
            ),
            struct_pack(
                gate_number := 3, gate := 'in_atr_band', bars := counts.in_atr_band,
                asks := format(
                    'atr_rank_100 within {} to {}',
                    counts.atr_rank_floor,
                    counts.atr_rank_cap
                )
            ),
            struct_pack(
                gate_number := 4, gate := 'aligned', bars := counts.aligned,
                asks := case
                    when counts.alignment_required then 'trends align, inside the study'
                    else 'inside the study (alignment is not required)'
                end
            ),
            struct_pack(
                gate_number := 5, gate := 'eligible', bars := counts.eligible,
                asks := case counts.cadence
                    when '4h' then 'first such bar of its 4-hour block'
                    else 'every such bar'
                end
            ),
            struct_pack(
                gate_number := 6, gate := 'sided', bars := counts.sided,
                asks := 'the votes or the score give a side'
            ),
            struct_pack(
                gate_number := 7, gate := 'confident', bars := counts.confident,
                asks := format(
                    'confidence at least {}; the highest here is {:.3f}',
                    counts.entry_threshold,
                    coalesce(counts.highest_confidence, 0)
                )
            ),
            struct_pack(
                gate_number := 8, gate := 'admitted', bars := counts.admitted,
                asks := format(
                    'net macro veto below {}; the lowest here is {:.2f}, '
                    || 'and {:.0f} % of the signals had their series',
                    counts.veto_limit,
                    coalesce(counts.lowest_veto, 0),
                    100 * counts.macro_coverage
                )
            ),
            struct_pack(
                gate_number := 9, gate := 'no_macro_exit', bars := counts.no_macro_exit,
                asks := coalesce(
                    'no macro exit in force: '
                    || nullif(
                        concat_ws(
                            ', ',
                            format('net macro veto below {}', counts.macro_exit_veto),
                            format('VIX below {}', counts.vix_exit)
                        ),
                        ''
                    ),
                    'the profile has no macro exit'
                )
            ),
            struct_pack(
                gate_number := 10, gate := 'entered',
                bars := coalesce(entries.entered, 0),
                asks := format(
                    'no position of that side was open, no cooldown, no loss streak; '
                    || 'of the orders {} lapsed and {} were refused',
                    runs.lapsed,
                    runs.refused
                )
            )
        ]) as step,
    from counts
    left join entries using (profile)
    left join runs using (profile)
),

funnels as (
    select
        profile,
        symbol,
        step.gate_number,
        step.gate,
        step.bars,
        step.asks,
    from gates
),

passed as (
    select
        *,
        lag(bars) over gates_in_order as bars_before,
        first_value(bars) over gates_in_order as all_bars,
    from funnels
    window gates_in_order as (partition by profile, symbol order by gate_number)
),

-- The gate that lets nothing more through answers "why no trades?".
blocked as (
    select
        profile,
        min(gate_number) as gate_number,
    from passed
    where bars = 0
    group by profile
)

select
    passed.profile,
    passed.symbol,
    passed.gate_number::integer as gate_number,
    passed.gate,
    passed.bars::integer as bars,
    passed.bars / passed.all_bars as share_of_bars,
    passed.bars / nullif(passed.bars_before, 0) as share_passed,
    coalesce(candidate_bars.candidates, 0) / passed.all_bars as candidate_share,
    passed.asks,
    coalesce(passed.gate_number = blocked.gate_number, false) as blocks_every_trade,
    runs.lapsed::integer as lapsed,
    runs.refused::integer as refused,
    runs.liquidated::integer as liquidated,
from passed
left join runs using (profile)
left join blocked using (profile)
left join candidate_bars using (profile)
order by passed.profile, passed.gate_number
