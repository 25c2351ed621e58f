select * from {{ ref('evaluation_optimizer') }}
