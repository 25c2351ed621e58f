{#- Weighted mean of the known domain scores, then shrunk towards 0.5 by the factor 0.8
    when the trends do not align. Always summed in this order: the same bits in
    `fusion_scores` and in the bound of the screen. Null without a score or a trend. -#}
{%- macro fusion_score(votes, weights) -%}
    case
        when {{ votes }}.alignment is not null
            then 0.5 + case when {{ votes }}.is_aligned then 1 else 0.8 end * (
                (
                    {% for domain in domains() -%}
                    {{ weights }}.weight_{{ domain }} * coalesce({{ votes }}.{{ domain }}, 0)
                    {{- ' + ' if not loop.last }}
                    {% endfor -%}
                ) / nullif(
                    {% for domain in domains() -%}
                    case when {{ votes }}.{{ domain }} is not null then {{ weights }}.weight_{{ domain }} else 0 end
                    {{- ' + ' if not loop.last }}
                    {% endfor -%}, 0
                ) - 0.5
            )
    end
{%- endmacro -%}
