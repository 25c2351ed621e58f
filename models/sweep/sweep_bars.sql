-- What a bar holds before any configuration looks at it: what the replay reads of it
-- whatever the settings, and what a signal is made of.
select
    votes.symbol,
    votes.bar_ts,
    votes.known_at,
    {{ replay_bar('votes', 'features', 'vetoes') }},
    {% for domain in domains() -%}
        votes.score_{{ domain }},
    {% endfor -%}
    vetoes.macro_signals,
    votes.sentinels,
    votes.alignment,
    votes.is_aligned,
    votes.atr_rank_100,
    {{ block_start('votes.bar_ts', 4) }} as block_start_at,
from {{ ref('votes') }} as votes
inner join {{ ref('features') }} as features using (symbol, bar_ts)
inner join {{ ref('macro_vetoes') }} as vetoes using (symbol, bar_ts)
