-- An hour that a signal leaves out is one of which it knows nothing. Who knows of an
-- hour is found by one grouping, which spills: a join a signal held all in memory.
{% set is_an_hour = macro_signals() | length %}
with told as (
    select
        symbol,
        bar_ts,
        {{ is_an_hour }} as place,
    from {{ ref('features') }}
    {% for signal in macro_signals() -%}
        union all
        select
            symbol,
            bar_ts,
            {{ loop.index0 }} as place,
        from {{ ref('signal_' ~ signal) }}
        where is_known
    {% endfor %}
),

hours as (
    select
        symbol,
        bar_ts,
        bitstring_agg(place, 0, {{ is_an_hour }}) as places,
    from told
    group by symbol, bar_ts
),

signals as (
    select
        unnest({{ macro_signals() }}) as signal,
        unnest(range({{ is_an_hour }})) as place,
)

select
    hours.symbol,
    hours.bar_ts,
    signals.signal,
from hours
cross join signals
where
    get_bit(hours.places, {{ is_an_hour }}) = 1
    and get_bit(hours.places, signals.place::integer) = 0
