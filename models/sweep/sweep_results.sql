with runs as (
    select
        grid,
        config,
        symbol,
        unnest(folds) as fold,
    from {{ ref('sweep_runs') }}
)

select
    grid,
    config,
    symbol,
    fold.fold,
    fold.trades,
    fold.wins,
    fold.net_pnl,
    fold.gross_pnl,
    fold.fees,
    fold.slippage,
    fold.funding,
    fold.r_sum,
    fold.profit_factor,
    fold.return_share,
    fold.sharpe,
    fold.max_drawdown,
    fold.exposure,
    fold.trades_hash,
from runs
