{%- set regimes = ('risk_on', 'neutral', 'risk_off', 'crisis') -%}

select
    months.symbol,
    months.month,
    months.last_known_at as known_at,
    {% for regime in regimes %}
        sum(coalesce(regimes.p_{{ regime }}, 0) order by bars.bar_ts) / count(*)
            as share_{{ regime }},
    {% endfor %}
    count_if(regimes.p_{{ regimes[0] }} is null) / count(*) as share_unknown,
from {{ ref('sweep_months') }} as months
inner join {{ ref('bars_1h') }} as bars
    on
        months.symbol = bars.symbol
        and months.month_at = date_trunc('month', bars.bar_ts)
left join {{ ref('regimes') }} as regimes
    on
        bars.symbol = regimes.symbol
        and bars.bar_ts = regimes.bar_ts
        and months.fit_window = regimes.fit_window
        and months.reference_symbol = regimes.reference_symbol
        and months.classifier = regimes.classifier
group by all
