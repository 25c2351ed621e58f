select * from {{ ref('evaluation_walk_forward') }}
