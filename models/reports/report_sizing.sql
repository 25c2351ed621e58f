select * from {{ ref('evaluation_sizing') }}
