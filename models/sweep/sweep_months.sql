-- Whose regimes: those of the symbol's first learned profile, else of its first one; of
-- the hidden Markov model where that has none.
with asked as (
    select
        symbol,
        coalesce(nullif(classifier, 'off'), 'hmm') as classifier,
        fit_window,
        reference_symbol,
        macro_signals,
    from {{ ref('config_symbols') }}
    qualify
        row_number() over (partition by symbol order by learned desc, profile asc) = 1
),

months as (
    select
        features.symbol,
        asked.classifier,
        asked.fit_window,
        asked.reference_symbol,
        asked.macro_signals,
        date_trunc('month', features.bar_ts) as month_at,
        max(features.known_at) as last_known_at,
    from {{ ref('features') }} as features
    inner join asked using (symbol)
    group by all
),

-- One candidate a month, so that the join as of a month is over months: over hours it
-- compares each month with each hour.
last_closes as (
    select
        symbol,
        max(known_at) as known_at,
    from {{ ref('features') }}
    group by symbol, date_trunc('month', known_at - interval '1 microsecond')
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
    asof inner join last_closes
        on
            months.symbol = last_closes.symbol
            and months.month_at >= last_closes.known_at
    inner join {{ ref('features') }} as features
        on
            last_closes.symbol = features.symbol
            and last_closes.known_at = features.known_at
)

select
    months.symbol,
    strftime(months.month_at, '%Y-%m') as month,
    months.month_at,
    months.last_known_at,
    months.classifier,
    months.fit_window,
    months.reference_symbol,
    bars.bar_ts,
    regimes.believed_at,
    nullif(regimes.regime, 'unknown') as regime,
    regimes.p_risk_on,
    regimes.p_neutral,
    regimes.p_risk_off,
    regimes.p_crisis,
    bars.vix,
    bars.move,
    bars.dxy,
    bars.realized_vol_168,
    vetoes.net_veto_long,
    vetoes.net_veto_short,
from months
left join bars using (symbol, month_at)
left join {{ ref('regimes') }} as regimes
    on
        bars.symbol = regimes.symbol
        and bars.bar_ts = regimes.bar_ts
        and months.classifier = regimes.classifier
        and months.fit_window = regimes.fit_window
        and months.reference_symbol = regimes.reference_symbol
left join {{ ref('macro_vetoes') }} as vetoes
    on
        months.macro_signals = vetoes.macro_signals
        and bars.symbol = vetoes.symbol
        and bars.bar_ts = vetoes.bar_ts
