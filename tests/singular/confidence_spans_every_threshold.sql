-- A threshold that no bar reaches, or that every bar passes, decides nothing.
{{ config(severity='warn') }}

select
    profile,
    min(confidence) as lowest,
    max(confidence) as highest,
    any_value(entry_threshold) as entry_threshold,
from {{ ref('fusion_scores') }}
group by profile
having
    not (
        min(confidence) < any_value(entry_threshold)
        and max(confidence) > any_value(entry_threshold)
    )
