{#- A reading of `feature_macro` as known at a moment: null once it is older than the
    limit of its series (seed macro_series). -#}
{%- macro fresh(reading, at, field='value') -%}
    case
        when epoch({{ at }} - {{ reading }}.known_at) <= 3600 * {{ reading }}.stale_after_hours
            then {{ reading }}.{{ field }}
    end
{%- endmacro -%}

{#- Two columns: a reading while it is fresh, under its own name, and the hours since it
    became known, whether or not it is stale. -#}
{%- macro fresh_and_age(reading, at) -%}
    {%- set name = reading.split('.')[-1] -%}
    {{ barsieve.fresh(reading, at) }} as {{ name }},
    epoch({{ at }} - {{ reading }}.known_at) / 3600 as {{ name }}_age_hours
{%- endmacro -%}
