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
),

-- One symbol needs no wallet that it shares.
counted as (
    select
        *,
        count(*) over (partition by profile) as n_symbols,
    from traded
)

select
    traded.symbol,
    profiles.* exclude (symbols) replace (
        coalesce(profiles.reference_symbol, traded.symbol) as reference_symbol
    ),
    traded.n_symbols,

    -- whose money it trades with: that of the symbol, or of all that the profile trades
    if(
        profiles.wallet_kind = 'shared' and traded.n_symbols > 1, '*', traded.symbol
    ) as account,
from counted as traded
inner join {{ ref('config_profiles') }} as profiles using (profile)
