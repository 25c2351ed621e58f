-- Whose regimes: those that the symbol's profiles learn from, else those of any run.
with runs as (
    select distinct
        symbol,
        classifier,
        fit_window,
        reference_symbol,
    from {{ ref('regimes') }}
),

asked as (
    select distinct
        symbol,
        classifier,
        fit_window,
        reference_symbol,
        true as is_asked,
    from {{ ref('sweep_months') }}
),

chosen as (
    select runs.*
    from runs
    left join asked using (symbol, classifier, fit_window, reference_symbol)
    qualify
        row_number() over (
            partition by runs.symbol
            order by
                asked.is_asked desc nulls last,
                runs.classifier asc,
                runs.fit_window asc,
                runs.reference_symbol asc
        ) = 1
),

hours as (
    select
        chosen.symbol,
        regimes.bar_ts,
        regimes.regime,
    from chosen
    inner join {{ ref('regimes') }} as regimes
        using (symbol, classifier, fit_window, reference_symbol)
),

named as (
    {{ named_columns() }}
)

select
    named.*,
    coalesce(hours.regime, 'unknown') as regime,
from named
left join hours using (symbol, bar_ts)
