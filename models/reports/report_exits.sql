select * from {{ ref('evaluation_exits') }}
