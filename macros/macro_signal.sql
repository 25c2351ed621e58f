{#- A macro signal over the features and the thresholds of a market: what it adds to the
    veto of either side and to the greenlight, 0 where a condition fails or an input is
    missing, and whether all that it needs is known. -#}
{%- macro macro_signal(features, thresholds, needs, veto='0', veto_short=none, greenlight='0') -%}
select
    features.symbol,
    features.bar_ts,
    coalesce(({{ veto }})::double, 0) as veto_long,
    coalesce(({{ veto if veto_short is none else veto_short }})::double, 0) as veto_short,
    coalesce(({{ greenlight }})::double, 0) as greenlight,
    {% for need in needs -%}
        features.{{ need }} is not null{{ ' and ' if not loop.last }}
    {%- endfor %} as is_known,
from {{ features }} as features
cross join {{ thresholds }} as thresholds
{%- endmacro -%}
