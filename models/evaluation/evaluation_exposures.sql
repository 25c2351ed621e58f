-- What was at stake at the closes of the study, beside the money that stood behind it:
-- that of the symbol's own account, or of the one that it shares.
with judged as (
    select
        profile,
        symbol,
        bar_ts,
    from {{ ref('fusion_scores') }}
    where is_in_study
),

several as (
    select profile from {{ ref('config_symbols') }}
    where n_symbols > 1
),

parts as (
    select
        judged.profile,
        judged.symbol,
        judged.bar_ts,
        (equity.position != 0)::integer as positions,
        abs(equity.position) * bars.close as notional,
        if(symbols.account = judged.symbol, equity.equity, wholes.equity) as money,
    from judged
    inner join {{ ref('config_symbols') }} as symbols using (profile, symbol)
    inner join {{ ref('equity') }} as equity using (profile, symbol, bar_ts)
    inner join {{ ref('bars_1h') }} as bars using (symbol, bar_ts)
    inner join {{ ref('profile_equity') }} as wholes using (profile, bar_ts)
),

wholes as (
    select
        profile,
        '*' as symbol,
        bar_ts,
        positions,
        long_notional + short_notional as notional,
        equity as money,
    from {{ ref('profile_equity') }}
    semi join judged using (profile, bar_ts)
    semi join several using (profile)
),

marks as (
    select * from parts
    union all by name
    select * from wholes
)

select
    profile,
    symbol,

    -- Nothing stands behind what a lost account holds.
    avg(if(money > 0, notional / money, null) order by bar_ts) as mean_gross_exposure,
    max(if(money > 0, notional / money, null)) as max_gross_exposure,
    max(positions)::integer as max_positions,
from marks
group by profile, symbol
