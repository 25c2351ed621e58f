{#- A belief older than this says nothing of the month; as in `regimes`. -#}
{%- set stale_after_hours = 72 -%}

-- Whose regimes: those of the symbol's first learned profile, else of its first one.
with asked as (
    select
        symbol,
        fit_window,
        reference_symbol,
    from {{ ref('config_profiles') }}
    qualify
        row_number() over (partition by symbol order by learned desc, profile asc) = 1
),

months as (
    select
        features.symbol,
        asked.fit_window,
        asked.reference_symbol,
        date_trunc('month', features.bar_ts) as month_at,
        max(features.known_at) as last_known_at,
    from {{ ref('features') }} as features
    inner join asked using (symbol)
    group by all
),

-- The last bar that had closed when the month began.
bars as (
    select
        months.symbol,
        months.month_at,
        features.bar_ts,
        features.vix,
        features.move,
        features.dxy,
        features.realized_vol_168,
    from months
    asof inner join {{ ref('features') }} as features
        on
            months.symbol = features.symbol
            and months.month_at >= features.known_at
),

beliefs as (
    select
        months.symbol,
        months.month_at,
        days.known_at as believed_at,
        days.regime,
        days.p_risk_on,
        days.p_neutral,
        days.p_risk_off,
        days.p_crisis,
    from months
    asof inner join {{ ref('regime_days') }} as days
        on
            months.fit_window = days.fit_window
            and months.reference_symbol = days.reference_symbol
            and days.classifier = 'hmm'
            and months.month_at >= days.known_at
    where
        epoch(months.month_at - days.known_at) <= 3600 * {{ stale_after_hours }}
)

select
    months.symbol,
    strftime(months.month_at, '%Y-%m') as month,
    months.month_at,
    months.last_known_at,
    months.fit_window,
    months.reference_symbol,
    bars.bar_ts,
    beliefs.believed_at,
    beliefs.regime,
    beliefs.p_risk_on,
    beliefs.p_neutral,
    beliefs.p_risk_off,
    beliefs.p_crisis,
    bars.vix,
    bars.move,
    bars.dxy,
    bars.realized_vol_168,
    votes.net_veto_long,
    votes.net_veto_short,
from months
left join bars using (symbol, month_at)
left join beliefs using (symbol, month_at)
left join {{ ref('votes') }} as votes using (symbol, bar_ts)
