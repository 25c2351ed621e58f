{#- How many days the windows over a series count; of any other only the last is read. -#}
{%- set windows = {
    'TOTAL': 30, 'TOTAL2_SHARE': 30, 'USDT.D': 60, 'VIX': 250,
} -%}

-- Windows over a series count days, never vintages. A day is known from its first
-- vintage on; most days are then the latest so far, so that the last n known are the
-- last n of these, and of the few that were published late those that lie among them.
with vintages as (
    select * from {{ ref('feature_macro_vintages') }}
),

days as (
    select
        series,
        observed_day,
        min(known_at) as first_known_at,
        case series
            {%- for series, n_days in windows.items() %}
            when '{{ series }}' then {{ n_days }}
            {%- endfor %}
            else 1
        end as n_days,
    from vintages
    group by series, observed_day
),

days_in_known_order as (
    select
        *,
        observed_day > coalesce(
            max(observed_day) over (
                partition by series
                order by first_known_at, observed_day
                rows between unbounded preceding and 1 preceding
            ),
            '-infinity'::date
        ) as is_latest_so_far,
    from days
),

latest_days as (
    select
        series,
        n_days,
        observed_day,
        first_known_at,
        row_number() over (partition by series order by observed_day) as day_number,
    from days_in_known_order
    where is_latest_so_far
),

late_days as (
    select * from days_in_known_order
    where not is_latest_so_far
),

-- Where several days become known at once, the last of them counts.
latest_at as (
    select
        series,
        n_days,
        first_known_at,
        max(day_number) as day_number,
    from latest_days
    group by series, n_days, first_known_at
),

moments as (
    select
        changes.series,
        changes.moment,
        latest_at.day_number,
        latest_at.n_days,
    from (select distinct series, known_at as moment from vintages) as changes
    asof inner join latest_at
        on
            changes.series = latest_at.series
            and changes.moment >= latest_at.first_known_at
),

known_in_order as (
    select
        wanted.series,
        wanted.moment,
        wanted.n_days,
        latest_days.observed_day,
    from (
        select
            *,
            unnest(range(greatest(day_number - n_days, 0) + 1, day_number + 1))
                as nth_day,
        from moments
    ) as wanted
    inner join latest_days
        on
            wanted.series = latest_days.series
            and wanted.nth_day = latest_days.day_number
),

earliest_in_order as (
    select
        series,
        moment,
        n_days,
        case when count(*) = n_days then min(observed_day) else '-infinity'::date end
            as earliest_day,
    from known_in_order
    group by series, moment, n_days
),

known_late as (
    select
        earliest.series,
        earliest.moment,
        earliest.n_days,
        late_days.observed_day,
    from earliest_in_order as earliest
    inner join late_days
        on
            earliest.series = late_days.series
            and earliest.moment >= late_days.first_known_at
            and earliest.earliest_day < late_days.observed_day
),

known_days as (
    select * from known_in_order
    union all by name
    select * from known_late
),

last_days as (
    select
        series,
        moment,
        observed_day,
        row_number() over (
            partition by series, moment order by observed_day desc
        ) as days_back,
    from known_days
    qualify days_back <= n_days
)

select
    last_days.series,
    last_days.moment,
    last_days.days_back::integer as days_back,
    last_days.observed_day,
    vintages.value,
    vintages.known_at,
from last_days
asof inner join vintages
    on
        last_days.series = vintages.series
        and last_days.observed_day = vintages.observed_day
        and last_days.moment >= vintages.known_at
