{#- Fewer rows than these are no history to judge a column, a domain or a sentinel by;
    a macro signal is judged on two years of hours of one symbol. -#}
{%- set judged_bars = 2000 -%}
{%- set two_years = 17520 -%}

with feature_bars as (
    select * exclude (bar_ts, known_at, bar_index, open, high, low, close)
    from {{ ref('features') }}
),

known_counts as (
    select
        symbol,
        count(*) as bars,
        count(columns(* exclude (symbol))),
    from feature_bars
    group by symbol
),

known as (
    unpivot known_counts
    on columns(* exclude (symbol, bars))
    into name column_name value known_bars
),

variations as (
    select
        symbol,
        min(columns(* exclude (symbol))) != max(columns(* exclude (symbol))),
    from feature_bars
    group by symbol
),

varying as (
    unpivot variations
    on columns(* exclude (symbol))
    into name column_name value is_varying
),

columns_of_series as (
    select
        known.symbol,
        known.column_name,
        bool_or(said.subject is not null) as is_said,
    from known
    inner join {{ ref('macro_series') }} as macro_series
        on
            starts_with(known.column_name, macro_series.feature)
            or (
                macro_series.feature = 'open_interest'
                and known.column_name = 'oi_change_24h'
            )
    left join {{ ref('report_health_market') }} as said
        on
            said.symbol in ('', known.symbol)
            and said.subject in (
                macro_series.series, macro_series.feature, macro_series.source
            )
    group by known.symbol, known.column_name
),

feature_columns as (
    select
        symbol,
        column_name as subject,
        known.bars,
        known.known_bars / known.bars as share_known,
        coalesce(varying.is_varying, false) as is_varying,
        -- A gapless market has no gap to see.
        column_name = 'gap_hours' as may_be_constant,
        -- A series that is missing, late or ended is a finding of its own; an age is
        -- known as often as its value, and funding is settled at some hours only.
        coalesce(columns_of_series.is_said, false)
        or column_name like '%_age_hours'
        or column_name = 'funding_settled' as may_be_unknown,
    from known
    -- What is never known does not vary, and has no row there.
    left join varying using (symbol, column_name)
    left join columns_of_series using (symbol, column_name)
),

features_found as (
    select
        symbol,
        subject,
        'constant_column' as finding,
        1::double as value,
        2::double as threshold,
        format(
            '{} has one value on all {:,} bars: whatever asks for it decides nothing.',
            subject,
            bars
        ) as meaning,
    from feature_columns
    where
        bars >= {{ judged_bars }}
        and share_known > 0
        and not is_varying
        and not may_be_constant
    union all
    select
        symbol,
        subject,
        'mostly_unknown_column' as finding,
        share_known as value,
        0.7 as threshold,
        format(
            '{} is known on {:.1f} % of {:,} bars: what asks for it is open, or '
            || 'scores without it, on the rest.',
            subject,
            100 * share_known,
            bars
        ) as meaning,
    from feature_columns
    where share_known < 0.7 and not may_be_unknown
),

-- A domain need not have a row for every bar.
domains as (
    select
        known_counts.symbol,
        named.domain,
        known_counts.bars,
        count(scores.score) as known_bars,
        min(scores.score) as lowest,
        max(scores.score) as highest,
    from known_counts
    cross join (select distinct domain from {{ ref('scores') }}) as named
    left join {{ ref('scores') }} as scores
        on
            known_counts.symbol = scores.symbol
            and named.domain = scores.domain
    group by known_counts.symbol, named.domain, known_counts.bars
),

scores_found as (
    select
        symbol,
        'score_' || domain as subject,
        'mostly_unknown_score' as finding,
        known_bars / bars as value,
        0.7 as threshold,
        format(
            'The domain {} is known on {:.1f} % of {:,} bars; on the rest its weight '
            || 'is shared by the other domains.',
            domain,
            100 * known_bars / bars,
            bars
        ) as meaning,
    from domains
    where known_bars / bars < 0.7
    union all
    select
        symbol,
        'score_' || domain as subject,
        'one_sided_score' as finding,
        if(lowest >= {{ votes_short_below() }}, lowest, highest) as value,
        if(
            lowest >= {{ votes_short_below() }},
            {{ votes_short_below() }},
            {{ votes_long_above() }}
        ) as threshold,
        format(
            'The domain {} lies within {:.3f} to {:.3f}: it never votes {}.',
            domain,
            lowest,
            highest,
            case
                when lowest < {{ votes_short_below() }} then 'long'
                when highest > {{ votes_long_above() }} then 'short'
                else 'at all'
            end
        ) as meaning,
    from domains
    where
        known_bars >= {{ judged_bars }}
        and not (
            lowest < {{ votes_short_below() }} and highest > {{ votes_long_above() }}
        )
),

bars_of_symbols as (
    select
        symbol,
        count(*) as bars,
        count_if(gap_hours >= 2) as gaps,
    from {{ ref('features') }}
    group by symbol
),

fired as (
    select
        symbol,
        sentinel,
        count(*) as bars,
    from {{ ref('sentinels') }}
    group by symbol, sentinel
),

sentinel_rates as (
    select
        bars_of_symbols.symbol,
        names.sentinel,
        bars_of_symbols.bars,
        bars_of_symbols.gaps,
        coalesce(fired.bars, 0) as fired_bars,
        fired_bars / bars_of_symbols.bars as rate,
    from bars_of_symbols
    cross join (select unnest({{ sentinels() }}::varchar[]) as sentinel) as names
    left join fired using (symbol, sentinel)
),

sentinels_found as (
    select
        symbol,
        'sentinel_' || sentinel as subject,
        case when rate = 0 then 'silent_sentinel' else 'noisy_sentinel' end as finding,
        rate as value,
        case when rate = 0 then 0 else 0.5 end as threshold,
        format(
            '{} fires on {:,} of {:,} bars: the sentinel screen {}.',
            sentinel,
            fired_bars,
            bars,
            case
                when rate = 0 then 'learns nothing from it'
                else 'leaves hardly a bar out by it'
            end
        ) as meaning,
    from sentinel_rates
    where
        bars >= {{ judged_bars }}
        -- Without a gap there is no session to break.
        and (rate >= 0.5 or (rate = 0 and (sentinel != 'session_break' or gaps > 0)))
),

signal_rates as (
    select
        symbol,
        signal,
        known_bars,
        bars_in_force,
        bars_in_force / known_bars as rate,
    from {{ ref('evaluation_macro_coverage') }}
    where known_bars >= {{ two_years }}
),

signals_found as (
    select
        symbol,
        'signal_' || signal as subject,
        case when rate = 0 then 'silent_signal' else 'lasting_signal' end as finding,
        rate as value,
        case when rate = 0 then 0 else 0.9 end as threshold,
        format(
            '{} is in force on {:,} of the {:,} hours on which it is known: '
            || 'here it {}.',
            signal,
            bars_in_force,
            known_bars,
            case
                when rate = 0 then 'changes no trade'
                else 'is a constant, not a signal'
            end
        ) as meaning,
    from signal_rates
    where rate = 0 or rate >= 0.9
)

select * from features_found
union all by name
select * from scores_found
union all by name
select * from sentinels_found
union all by name
select * from signals_found
