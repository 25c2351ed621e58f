-- Profiles that choose the same signals share their vetoes. A choice is grouped and
-- joined by one profile: its names are 150 letters, and were in memory for each hour.
with choices as (
    select
        macro_signals,
        string_split(nullif(macro_signals, ''), ',') as signals,
        min(profile) as choice,
    from {{ ref('config_profiles') }}
    group by macro_signals
),

bars as (
    select
        symbol,
        bar_ts,
    from {{ ref('features') }}
),

-- Decimal sums are exact: one set of bits whatever the order of the threads, and
-- 0.85 - 0.20 is 0.65.
sums as (
    select
        choices.choice,
        in_force.symbol,
        in_force.bar_ts,
        least(sum(in_force.veto_long::decimal(18, 12)), 1) as veto_long,
        least(sum(in_force.veto_short::decimal(18, 12)), 1) as veto_short,
        least(sum(in_force.greenlight::decimal(18, 12)), 1) as greenlight,
    from {{ ref('macro_signals') }} as in_force
    inner join choices on list_contains(choices.signals, in_force.signal)
    group by choices.choice, in_force.symbol, in_force.bar_ts
),

unknown_counts as (
    select
        choices.choice,
        unknown.symbol,
        unknown.bar_ts,
        count(*) as n_unknown,
    from {{ ref('macro_unknown') }} as unknown
    inner join choices on list_contains(choices.signals, unknown.signal)
    group by choices.choice, unknown.symbol, unknown.bar_ts
)

select
    choices.macro_signals,
    bars.symbol,
    bars.bar_ts,
    coalesce(sums.veto_long, 0)::double as veto_long,
    coalesce(sums.veto_short, 0)::double as veto_short,
    coalesce(sums.greenlight, 0)::double as greenlight,
    coalesce(sums.veto_long - sums.greenlight, 0)::double as net_veto_long,
    coalesce(sums.veto_short - sums.greenlight, 0)::double as net_veto_short,
    -- Of no signal all is known.
    coalesce(
        (len(choices.signals) - coalesce(unknown_counts.n_unknown, 0))
        / len(choices.signals),
        1
    ) as macro_coverage,
from bars
cross join choices
left join sums using (choice, symbol, bar_ts)
left join unknown_counts using (choice, symbol, bar_ts)
