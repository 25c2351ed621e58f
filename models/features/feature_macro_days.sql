{%- set still_alive_days = 400 -%}

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
        arg_min(value, known_at) as first_value,
        count(*) = 1 as is_never_revised,
        -- How many the windows count; of any other series only the last is read.
        case series
            when 'VIX' then 250
            when 'USDT.D' then 60
            when 'TOTAL' then 30
            when 'TOTAL2_SHARE' then 30
            else 1
        end as n_days,
    from vintages
    group by series, observed_day
),

-- Judged against what became known in the {{ still_alive_days }} days before: a series
-- that is silent for longer has no value anyway.
days_in_known_order as (
    select
        *,
        observed_day = max(observed_day) over (
            partition by series
            order by first_known_at
            range between interval '{{ still_alive_days }} days' preceding
            and current row
        ) as is_latest_so_far,
    from days
),

latest_days as (
    select
        *,
        row_number() over (partition by series order by observed_day) as day_number,
    from days_in_known_order
    where is_latest_so_far
),

late_days as (
    select * from days_in_known_order
    where not is_latest_so_far
),

moments as (
    select
        changes.series,
        changes.moment,
        latest_days.day_number,
        latest_days.n_days,
    from (
        select distinct
            series,
            known_at as moment,
        from vintages
    ) as changes
    asof inner join latest_days
        on
            changes.series = latest_days.series
            and changes.moment >= latest_days.first_known_at
),

known_in_order as (
    select
        wanted.series,
        wanted.moment,
        wanted.n_days,
        wanted.days_back,
        latest_days.* exclude (series, n_days),
    from (
        select
            *,
            unnest(range(1, least(n_days, day_number) + 1)) as days_back,
        from moments
    ) as wanted
    inner join latest_days
        on
            wanted.series = latest_days.series
            and wanted.day_number - wanted.days_back + 1 = latest_days.day_number
),

earliest_in_order as (
    select
        series,
        moment,
        case when count(*) = any_value(n_days) then min(observed_day) end
            as earliest_day,
    from known_in_order
    where series in (select series from late_days)
    group by series, moment
),

known_late as (
    select
        earliest.moment,
        late_days.*,
    from earliest_in_order as earliest
    inner join late_days
        on
            earliest.series = late_days.series
            and earliest.moment >= late_days.first_known_at
            and late_days.observed_day
            > coalesce(earliest.earliest_day, '-infinity'::date)
),

with_late_days as (
    select * exclude (days_back, day_number)
    from known_in_order
    semi join known_late using (series, moment)
    union all by name
    select * from known_late
),

last_days as (
    select * exclude (day_number)
    from known_in_order
    anti join known_late using (series, moment)
    union all by name
    select
        *,
        row_number() over (
            partition by series, moment order by observed_day desc
        ) as days_back,
    from with_late_days
    qualify days_back <= n_days
)

select
    series,
    moment,
    days_back::integer as days_back,
    observed_day,
    first_value as value,
    first_known_at as known_at,
from last_days
where is_never_revised
union all
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
where not last_days.is_never_revised
