{#- A reading of `feature_macro` as known at a close: null once it is older than the
    limit of its series (seed macro_series). -#}
{%- macro fresh(reading, field='value', at='known_at') -%}
    case
        when epoch({{ at }} - {{ reading }}.known_at) <= 3600 * {{ reading }}.stale_after_hours
            then {{ reading }}.{{ field }}
    end
{%- endmacro -%}

{#- Hours since a reading became known, whether or not it is stale. -#}
{%- macro age_hours(reading) -%}
    epoch(known_at - {{ reading }}.known_at) / 3600
{%- endmacro -%}
