-- What the market's files say by themselves, as `barsieve check` has it.
with files as (
    select unnest(
        from_json(
            barsieve_market_findings(),
            '[{
                "symbol": "varchar", "subject": "varchar", "finding": "varchar",
                "value": "double", "threshold": "double", "meaning": "varchar"
            }]'
        ),
        recursive := true
    )
),

-- What the files say of funding they say more closely.
market as (
    select * from {{ ref('report_health_market') }}
    where
        lower(subject) != 'funding'
        or not exists (
            select 1 from files
            where finding in ('bars_without_funding', 'funding_covers_part')
        )
),

found as (
    select * from files
    union all by name
    select * from market
    union all by name
    select * from {{ ref('report_health_columns') }}
    union all by name
    select * from {{ ref('report_health_profiles') }}
    union all by name
    select * from {{ ref('report_health_picks') }}
    union all by name
    select * from {{ ref('report_health_learned') }}
),

numbered as (
    select
        *,
        row_number() over same_findings as nth,
    from found
    window
        same_findings as (
            partition by symbol, subject, finding order by value, meaning
        )
)

select
    symbol,
    subject,
    finding,
    value,
    threshold,
    meaning,
from numbered
-- The files and the tables may have the same to say.
where nth = 1
order by symbol, subject, finding
