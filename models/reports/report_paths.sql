select * from {{ ref('evaluation_paths') }}
