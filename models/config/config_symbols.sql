-- "*" stands for every symbol that there is.
with chosen as (
    select
        profile,
        unnest(symbols) as symbol,
    from {{ ref('config_profiles') }}
),

traded as (
    select distinct
        chosen.profile,
        universe.symbol,
    from chosen
    inner join {{ ref('config_universe') }} as universe
        on chosen.symbol in ('*', universe.symbol)
)

select
    traded.symbol,
    profiles.* exclude (symbols) replace (
        coalesce(profiles.reference_symbol, traded.symbol) as reference_symbol
    ),
    -- whose money it trades with: that of the symbol, or of all that the profile trades
    if(profiles.wallet_kind = 'shared', '*', traded.symbol) as account,
from traded
inner join {{ ref('config_profiles') }} as profiles using (profile)
