{#- Days by which a series may begin after the bars, hours that make a hole. -#}
{%- set late_days = 30 -%}
{%- set hole_hours = 24 -%}
{#- Twelve weeks: what the seasonality of the hour of the week needs. -#}
{%- set short_bars = 2016 -%}

with spans as (
    select
        symbol,
        count(*) as bars,
        min(bar_ts) as first_at,
        max(known_at) as last_at,
        coalesce(max(gap_hours), 0) as longest_gap,
        coalesce(arg_max(bar_ts, gap_hours), min(bar_ts)) as longest_gap_until,
        coalesce(sum(gap_hours), 0) as missing_hours,
        count_if(gap_hours > 0) as gaps,
    from {{ ref('bars_1h') }}
    group by symbol
),

market as (
    select
        min(first_at) as first_at,
        max(last_at) as last_at,
    from spans
),

symbols_found as (
    select
        symbol,
        'bars' as subject,
        'short_history' as finding,
        bars as value,
        {{ short_bars }} as threshold,
        format(
            '{} has {:,} bars, {:.0f} days: windows of months are null in it, and '
            || 'no result of it says much.',
            symbol,
            bars,
            bars / 24
        ) as meaning,
    from spans
    where bars < {{ short_bars }}
    union all
    select
        symbol,
        'bars' as subject,
        'young_symbol' as finding,
        date_diff('day', market.first_at, spans.first_at) as value,
        {{ late_days }} as threshold,
        format(
            '{} begins on {}, {:,} days after the first bar of the market: its results '
            || 'are of another time than the others''.',
            symbol,
            strftime(spans.first_at, '%Y-%m-%d'),
            date_diff('day', market.first_at, spans.first_at)
        ) as meaning,
    from spans
    cross join market
    where date_diff('day', market.first_at, spans.first_at) > {{ late_days }}
    union all
    select
        symbol,
        'bars' as subject,
        'symbol_ended' as finding,
        date_diff('hour', spans.last_at, market.last_at) as value,
        168 as threshold,
        format(
            '{} ends on {}, {:,} hours before the last bar of the market: delisted, or '
            || 'not brought up to date.',
            symbol,
            strftime(spans.last_at, '%Y-%m-%d %H:%M'),
            date_diff('hour', spans.last_at, market.last_at)
        ) as meaning,
    from spans
    cross join market
    where date_diff('hour', spans.last_at, market.last_at) > 168
    union all
    select
        symbol,
        'bars' as subject,
        'hole' as finding,
        longest_gap as value,
        {{ hole_hours }} as threshold,
        format(
            '{} misses {:,} hours in {:,} gaps, {:,} of them before {}: windows reach '
            || 'across, and a position is not watched meanwhile.',
            symbol,
            missing_hours,
            gaps,
            longest_gap,
            strftime(longest_gap_until, '%Y-%m-%d %H:%M')
        ) as meaning,
    from spans
    where longest_gap >= {{ hole_hours }}
),

settlements as (
    select
        symbol,
        min(settled_at) as first_known_at,
        max(settled_at) as last_known_at,
    from {{ ref('bars_funding') }}
    group by symbol
),

observations as (
    select
        series,
        min(known_at) as first_known_at,
        max(known_at) as last_known_at,
    from {{ ref('bars_macro') }}
    group by series
),

-- A series, or the funding of a symbol, beside the bars that ask for it.
series as (
    select
        coalesce(macro_series.symbol, '') as symbol,
        macro_series.series,
        macro_series.feature,
        macro_series.stale_after_hours,
        observations.first_known_at,
        observations.last_known_at,
        coalesce(spans.first_at, market.first_at) as first_at,
        coalesce(spans.last_at, market.last_at) as last_at,
        false as is_funding,
    from {{ ref('macro_series') }} as macro_series
    cross join market
    left join spans using (symbol)
    left join observations using (series)
    where
        macro_series.source = 'macro'
        and macro_series.feature is not null
        and (macro_series.symbol is null or spans.symbol is not null)
    union all by name
    select
        spans.symbol,
        macro_series.series,
        macro_series.feature,
        macro_series.stale_after_hours,
        settlements.first_known_at,
        settlements.last_known_at,
        spans.first_at,
        spans.last_at,
        true as is_funding,
    from spans
    cross join {{ ref('macro_series') }} as macro_series
    left join settlements on spans.symbol = settlements.symbol
    where macro_series.source = 'funding'
),

kinds as (
    select
        *,
        bool_or(first_known_at is not null) over (partition by is_funding) as has_any,
        row_number() over (partition by is_funding order by symbol, series) as nth,
        count(*) over (partition by is_funding) as n_series,
    from series
),

series_found as (
    select
        '' as symbol,
        if(is_funding, 'funding', 'macro') as subject,
        if(is_funding, 'no_funding', 'no_macro') as finding,
        0 as value,
        n_series as threshold,
        if(
            is_funding,
            'The market has no funding: results are before what a position of a '
            || 'perpetual pays, and the funding trap stays open.',
            'The market has no macro series: every macro gate is open, no signal '
            || 'vetoes and the regime is unknown.'
        ) as meaning,
    from kinds
    where not has_any and nth = 1
    union all
    select
        symbol,
        series as subject,
        'missing_series' as finding,
        0 as value,
        1 as threshold,
        format(
            'There is no {}{}: what asks for {} stays open{}.',
            series,
            if(symbol = '', '', ' of ' || symbol),
            feature,
            if(is_funding, ', and results are before funding', '')
        ) as meaning,
    from kinds
    where has_any and first_known_at is null
    union all
    select
        symbol,
        feature as subject,
        'undeclared_series' as finding,
        0 as value,
        1 as threshold,
        format(
            'No series is declared as {} of {}: what asks for it stays open; '
            || 'seeds/macro_series.csv declares them.',
            feature,
            symbol
        ) as meaning,
    from spans
    cross join (
        select distinct feature
        from {{ ref('macro_series') }}
        where symbol is not null and feature is not null
    ) as features_of_symbols
    where (symbol, feature) not in (
        select (symbol, feature)
        from {{ ref('macro_series') }}
        where symbol is not null and feature is not null
    )
    union all
    select
        symbol,
        series as subject,
        'late_series' as finding,
        date_diff('day', first_at, first_known_at) as value,
        {{ late_days }} as threshold,
        format(
            '{} is known from {} to {}, and begins {:,} days after the bars: until '
            || 'then what asks for {} stays open.',
            series,
            strftime(first_known_at, '%Y-%m-%d'),
            strftime(last_known_at, '%Y-%m-%d'),
            date_diff('day', first_at, first_known_at),
            feature
        ) as meaning,
    from kinds
    where date_diff('day', first_at, first_known_at) > {{ late_days }}
    union all
    select
        symbol,
        series as subject,
        'ended_series' as finding,
        date_diff('hour', last_known_at, last_at) as value,
        stale_after_hours as threshold,
        format(
            '{} is known from {} to {}, {:,} hours before the last bar, and stale '
            || 'after {:,}: from then on what asks for {} stays open.',
            series,
            strftime(first_known_at, '%Y-%m-%d'),
            strftime(last_known_at, '%Y-%m-%d'),
            date_diff('hour', last_known_at, last_at),
            stale_after_hours,
            feature
        ) as meaning,
    from kinds
    where date_diff('hour', last_known_at, last_at) > stale_after_hours
)

select
    symbol,
    subject,
    finding,
    value::double as value,
    threshold::double as threshold,
    meaning,
from symbols_found
union all by name
select
    symbol,
    subject,
    finding,
    value::double as value,
    threshold::double as threshold,
    meaning,
from series_found
