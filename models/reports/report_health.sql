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

found as (
    select * from files
    union all by name
    select * from {{ ref('report_health_market') }}
    union all by name
    select * from {{ ref('report_health_columns') }}
    union all by name
    select * from {{ ref('report_health_profiles') }}
)

select
    symbol,
    subject,
    finding,
    value,
    threshold,
    meaning,
from found
order by symbol, subject, finding
