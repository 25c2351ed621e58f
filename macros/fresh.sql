{#- A reading of `feature_macro` as known at a moment: null once it is older than the
    limit of its series (seed macro_series). -#}
{%- macro fresh(reading, at, field='value') -%}
    case
        when
            {{ barsieve.seconds_since(reading ~ '.known_at', at) }}
            <= 3600 * {{ reading }}.stale_after_hours
            then {{ reading }}.{{ field }}
    end
{%- endmacro -%}

{#- Two columns: a reading while it is fresh, under its own name, and the hours since it
    became known, whether or not it is stale. -#}
{%- macro fresh_and_age(reading, at) -%}
    {%- set name = reading.split('.')[-1] -%}
    {{ barsieve.fresh(reading, at) }} as {{ name }},
    {{ barsieve.seconds_since(reading ~ '.known_at', at) }} / 3600 as {{ name }}_age_hours
{%- endmacro -%}

{#- Seconds from one moment to a later one, as `epoch(at - moment)` counts them, days
    first: the same bits in a fortieth of the time (13 ms for 1.5 million, not 560). -#}
{%- macro seconds_since(moment, at) -%}
    {%- set micros = '(epoch_us(' ~ at ~ ') - epoch_us(' ~ moment ~ '))' -%}
    ({{ micros }} // 86400000000 * 86400 + ({{ micros }} % 86400000000) / 1e6)
{%- endmacro -%}
