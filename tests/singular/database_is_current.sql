-- Fails when the market, the configs or the code have changed since the build, and when
-- a table that build_info vouches for was built from others than it names.
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
),

marks as (
    select
        table_name,
        comment,
    from duckdb_tables()
    where database_name = current_database()
    union all
    select
        view_name,
        comment,
    from duckdb_views()
    where database_name = current_database() and not internal
),

disagreeing as (
    select
        unnest(
            from_json(
                barsieve_disagreements(
                    (select json_group_object(table_name, comment) from marks)
                ),
                '[{"what": "varchar", "built": "varchar", "now": "varchar"}]'
            ),
            recursive := true
        ),
)

select * from compared
where built != now
union all
select * from disagreeing
