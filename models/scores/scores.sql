with domain_scores as (
    {% for domain in domains() -%}
        select
            symbol,
            bar_ts,
            '{{ domain }}' as domain,
            score::double as score,
        from {{ ref('score_' ~ domain) }}
        {% if not loop.last %}union all{% endif %}
    {% endfor -%}
)

select
    symbol,
    bar_ts,
    domain,
    score,
    {{ vote('score') }} as vote,
from domain_scores
