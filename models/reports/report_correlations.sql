-- Whether symbols win and lose together: each pair once, and each beside the others.
with days as (
    select
        profile,
        symbol,
        day,
        result,
    from {{ ref('report_days') }}
    where strategy = 'strategy' and symbol != '*' and result is not null
),

-- What a symbol stands beside: every other, and all others together.
others as (
    select * from days
    union all by name
    select
        profile,
        '*' as symbol,
        day,
        sum(result order by symbol) as result,
    from days
    group by profile, day
    having count(*) > 1
)

select
    one.profile,
    one.symbol,
    other.symbol as other_symbol,
    count(*) as days,

    -- Whoever never traded has no variance, hence no correlation.
    nullif(
        round(
            corr(
                one.result,
                other.result - if(other.symbol = '*', one.result, 0) order by one.day
            ), 12
        ), 'nan'::double
    ) as correlation,
from days as one
inner join others as other
    on
        one.profile = other.profile
        and one.day = other.day
        and (one.symbol < other.symbol or other.symbol = '*')
group by one.profile, one.symbol, other.symbol
order by one.profile, one.symbol, other_symbol
