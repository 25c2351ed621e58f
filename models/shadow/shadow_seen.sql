-- The order is that of barsieve.replay.learned: scores, which a short mirrors, the two
-- net vetoes, and what has no side.
select
    fusion.profile,
    fusion.symbol,
    fusion.bar_ts,
    fusion.known_at,
    fusion.bar_index,
    fusion.fusion_score,
    {% for domain in domains() -%}
        if(fusion.weights['{{ domain }}'] is null, null, votes.score_{{ domain }})
            as score_{{ domain }},
    {% endfor -%}
    fusion.net_veto_long,
    fusion.net_veto_short,
    votes.atr_rank_100,
    features.adx_14_4h,
    features.volume_z_20,
    features.realized_vol_168,
    regimes.p_risk_on,
    regimes.p_neutral,
    regimes.p_risk_off,
    regimes.p_crisis,
from {{ ref('fusion_scores') }} as fusion
inner join {{ ref('config_symbols') }} as profiles using (profile, symbol)
inner join {{ ref('votes') }} as votes using (symbol, bar_ts)
inner join {{ ref('features') }} as features using (symbol, bar_ts)
left join {{ ref('regimes') }} as regimes
    on
        profiles.classifier = regimes.classifier
        and profiles.fit_window = regimes.fit_window
        and profiles.reference_symbol = regimes.reference_symbol
        and fusion.symbol = regimes.symbol
        and fusion.bar_ts = regimes.bar_ts
where profiles.learned_model is not null or profiles.sizing_kind = 'kelly'
