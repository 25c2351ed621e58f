-- Fails when the market, the configs or the code have changed since the build.
with build as (
    select barsieve_build()::json as info
),

compared as (
    select
        unnest([
            struct_pack(
                what := 'market', built := build_info.market_hash,
                now := build.info ->> '$.market_hash'
            ),
            struct_pack(
                what := 'configs', built := build_info.configs_hash,
                now := build.info ->> '$.configs_hash'
            ),
            struct_pack(
                what := 'code', built := build_info.code_hash,
                now := build.info ->> '$.code_hash'
            )
        ], recursive := true),
    from {{ ref('build_info') }} as build_info
    cross join build
)

select * from compared
where built != now
