select * from {{ ref('sentinel_sma_20_cross') }}
union all by name
select * from {{ ref('sentinel_sma_50_cross') }}
union all by name
select * from {{ ref('sentinel_atr_regime') }}
union all by name
select * from {{ ref('sentinel_volume_spike') }}
union all by name
select * from {{ ref('sentinel_session_break') }}
union all by name
select * from {{ ref('sentinel_range_break') }}
