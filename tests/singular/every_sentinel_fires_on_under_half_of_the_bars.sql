-- Judged on a history that is long enough for a rate. Every model named sentinel_*
-- counts, so a new one needs no line here. Without a gap there is no session to break.
{%- set names = [] -%}
{%- if execute -%}
    {%- for node in graph.nodes.values()
        if node.resource_type == 'model' and node.name.startswith('sentinel_') -%}
        {%- do names.append(node.name[9:]) -%}
    {%- endfor -%}
{%- endif %}
with bars as (
    select
        count(*) as all_bars,
        count_if(gap_hours >= 2) as gaps,
    from {{ ref('features') }}
),

names as (
    select unnest({{ names }}::varchar[]) as sentinel
),

rates as (
    select
        names.sentinel,
        count(fired.bar_ts) / any_value(bars.all_bars) as rate,
        any_value(bars.all_bars) as all_bars,
        any_value(bars.gaps) as gaps,
    from names
    cross join bars
    left join {{ ref('sentinels') }} as fired using (sentinel)
    group by names.sentinel
)

select *
from rates
where
    all_bars >= 2000
    and (rate >= 0.5 or (rate = 0 and (sentinel != 'session_break' or gaps > 0)))
